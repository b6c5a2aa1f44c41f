from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK
from pydicom.dataset import FileDataset
from pydicom.pixels import get_decoder

from medview.core.errors import MedViewError, ReadError
from medview.core.job import Inline
from medview.io.dicom.instance import Instance
from medview.io.dicom.pixels import read_frame, sign_extended
from medview.io.dicom.scan import look_at
from medview.io.load import load_volume
from tests.helpers.dicom_series import asymmetric, ct_slice, put_pixels, write_ct

FOLDERS = [
    "pydicom-testfiles", "cr-nih", "enhanced-ct-2frames", "mr-enhanced", "rt-dicompyler", "seg-dcmqi",
    "seg-highdicom",
]  # fmt: skip

SIMPLEITK_IS_WRONG = {
    "MONOCHROME1": "it inverts the numbers",
    "RTDOSE": "it leaves out the dose scaling",
    "deep colour": "colour of 16 and 32 bits is shown with 8 here",
}


def values(path: Path, instance: Instance) -> npt.NDArray[np.float64]:
    frames = [read_frame(str(path), frame.number) for frame in instance.frames]
    return np.stack([stored * rescale.slope + rescale.intercept for stored, rescale in frames])


def excused(instance: Instance) -> str:
    if instance.pixels.photometric == "MONOCHROME1":
        return "MONOCHROME1"
    if instance.sop_class_uid == "1.2.840.10008.5.1.4.1.1.481.2":
        return "RTDOSE"
    return "deep colour" if instance.pixels.colour and instance.pixels.bits_stored > 8 else ""


@pytest.mark.data
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_real_file_reads_as_simpleitk_says(test_data: Path, folder: str) -> None:
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    compared, unread = 0, []
    for path in sorted(p for p in (test_data / folder).rglob("*") if p.is_file()):
        try:
            instance = look_at(str(path))
            if not isinstance(instance, Instance) or not instance.image or excused(instance) in SIMPLEITK_IS_WRONG:
                continue
            if instance.pixels.grid != (1, 1):
                continue  # it shows mosaics as they are; judged by dcm2niix elsewhere
            ours = values(path, instance)
        except MedViewError:
            unread.append(path.name)
            continue
        try:
            theirs = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path), imageIO="GDCMImageIO")).astype(np.float64)
        except RuntimeError:
            continue  # what it cannot read it cannot judge
        np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, rtol=1e-6, err_msg=path.name)
        compared += 1
    assert compared
    assert set(unread) <= {
        "MR_truncated.dcm", "rtplan_truncated.dcm", "JPEG2000-embedded-sequence-delimiter.dcm", "chrJapMulti.dcm",
        "chrJapMultiExplicitIR6.dcm", "chrKoreanMulti.dcm",
    }  # fmt: skip


def test_numbers_are_taken_from_the_stored_bits_only() -> None:
    raw = np.array([0xF00F, 0x0FFF, 0x0800, 0x17FF], dtype=np.uint16)
    assert sign_extended(raw, 12, 11, signed=False).tolist() == [15, 4095, 2048, 2047]
    assert sign_extended(raw, 12, 11, signed=True).tolist() == [15, -1, -2048, 2047]
    # HighBit 15 with 12 bits: the number is in the upper bits.
    assert sign_extended(raw, 12, 15, signed=False).tolist() == [0xF00, 0x0FF, 0x080, 0x17F]


@pytest.mark.parametrize("signed", [False, True])
def test_numbers_in_range_and_numbers_with_junk_above_them_give_what_two_shifts_give(signed: bool) -> None:
    every = np.arange(1 << 16, dtype=np.uint16)
    for bits in range(1, 17):
        for high in range(bits - 1, 16):
            container = every.view("i2" if signed else "u2")
            wanted = (container << (15 - high)) >> (16 - bits)
            np.testing.assert_array_equal(sign_extended(every, bits, high, signed=signed), wanted)
            in_range = every[(wanted == container)]
            np.testing.assert_array_equal(
                sign_extended(in_range, bits, high, signed=signed),
                (in_range.view(container.dtype) << (15 - high)) >> (16 - bits),
            )


def test_twelve_signed_bits_with_an_overlay_above_them_are_sign_extended(tmp_path: Path) -> None:
    voxels = np.array([[-241, -1, 0], [1, 2047, -2048]], dtype=np.int16)

    def twelve_bits(k: int, ds: FileDataset) -> None:
        put_pixels(ds, (voxels & 0x0FFF) | np.int16(0x5000))
        ds.BitsStored, ds.HighBit = 12, 11

    write_ct(tmp_path, np.stack([voxels] * 3), change=twelve_bits)
    volume = load_volume(tmp_path, None, Inline()).volume
    assert volume.voxels.dtype == np.int16
    np.testing.assert_array_equal(volume.voxels, np.stack([voxels] * 3))


def test_rescale_that_differs_per_slice_is_applied_per_slice(tmp_path: Path) -> None:
    stored = asymmetric().clip(0).astype(np.uint16)
    slopes = [0.1 + 0.37 * k for k in range(len(stored))]

    def per_slice(k: int, ds: FileDataset) -> None:
        ds.RescaleSlope, ds.RescaleIntercept = f"{slopes[k]:.6f}", str(-k)

    write_ct(tmp_path, stored, change=per_slice)
    volume = load_volume(tmp_path, None, Inline()).volume
    assert volume.voxels.dtype == np.float32
    wanted = stored * np.array(slopes)[:, None, None] - np.arange(len(stored))[:, None, None]
    np.testing.assert_allclose(volume.values(), wanted, rtol=1e-6)


def _a_compressed_file(test_data: Path) -> Path:
    files = sorted((test_data / "ct-body-j2k-with-labels").rglob("*"))
    return next(p for p in files if p.is_file() and p.read_bytes()[128:132] == b"DICM")


def test_a_codestream_of_another_size_than_the_header_says_is_not_decoded(test_data: Path, tmp_path: Path) -> None:
    import pydicom

    ds = pydicom.dcmread(_a_compressed_file(test_data))
    assert get_decoder(ds.file_meta.TransferSyntaxUID)
    ds.Rows = 200
    ds.save_as(tmp_path / "a.dcm")
    with pytest.raises(ReadError, match=r"a\.dcm is damaged: the header says 512 x 200 pixels, the image 512 x 512"):
        read_frame(str(tmp_path / "a.dcm"), 0)


def test_an_odd_length_without_its_padding_byte_is_accepted(tmp_path: Path) -> None:
    stored = np.arange(15, dtype=np.uint8).reshape(3, 5)
    ds = ct_slice(stored, (0, 0, 0))
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    raw = (tmp_path / "a.dcm").read_bytes()
    assert raw[-1] == 0
    (tmp_path / "a.dcm").write_bytes(
        raw[:-1].replace(b"\x10\x00\x00\x00" + bytes(range(15)), b"\x0f\x00\x00\x00" + bytes(range(15)))
    )
    np.testing.assert_array_equal(read_frame(str(tmp_path / "a.dcm"), 0)[0], stored)
