"""Rows 47 to 71 of the table of known failures: what stored numbers mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, RLELossless

from medview.core.job import Inline
from medview.core.window import WindowFunction
from medview.io.dicom.pixels import read_frame
from medview.io.dicom.scan import scan
from medview.io.load import LoadedVolume, load_volume
from tests.helpers.dicom_series import asymmetric, ct_slice, put_pixels, write_ct


def written(folder: Path, change: Any, voxels: npt.NDArray[Any] | None = None) -> LoadedVolume:
    write_ct(folder, voxels, change=change)
    return load_volume(folder, None, Inline())


def compressed(path: Path, stored: npt.NDArray[Any], syntax: str, codestreams: list[bytes], **values: Any) -> Path:
    ds = ct_slice(stored, (0, 0, 0))
    # pydicom does not write JPEG XL; its UID is as long as that of HTJ2K.
    ds.file_meta.TransferSyntaxUID = UID(syntax.replace("4.110", "4.201"))
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    ds.PixelData = encapsulate(codestreams)
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    ds.save_as(path, enforce_file_format=True)
    path.write_bytes(path.read_bytes().replace(ds.file_meta.TransferSyntaxUID.encode(), syntax.encode(), 1))
    return path


ENCODERS = {
    "1.2.840.10008.1.2.4.57": imagecodecs.ljpeg_encode,
    "1.2.840.10008.1.2.4.70": imagecodecs.ljpeg_encode,
    "1.2.840.10008.1.2.4.80": imagecodecs.jpegls_encode,
    "1.2.840.10008.1.2.4.90": lambda a: imagecodecs.jpeg2k_encode(a, level=0, reversible=True, codecformat="J2K"),
    "1.2.840.10008.1.2.4.201": lambda a: imagecodecs.htj2k_encode(a, reversible=True),
    "1.2.840.10008.1.2.4.110": lambda a: imagecodecs.jpegxl_encode(a, lossless=True),
}


@pytest.mark.parametrize("syntax", ENCODERS)
@pytest.mark.parametrize("signed", [False, True])
def test_every_lossless_syntax_gives_the_numbers_that_went_in(tmp_path: Path, syntax: str, signed: bool) -> None:
    stored = (
        np.random.default_rng(0).integers(-3000 if signed else 0, 4000, (33, 47)).astype(np.int16 if signed else np.uint16)
    )
    codestream = ENCODERS[syntax](stored.view(np.uint16))
    path = compressed(tmp_path / "a.dcm", stored, syntax, [codestream])
    read, _ = read_frame(str(path), 0)
    assert read.dtype == stored.dtype
    np.testing.assert_array_equal(read, stored)


def test_run_lengths_give_the_numbers_that_went_in(tmp_path: Path) -> None:
    ds = ct_slice(asymmetric()[3], (0, 0, 0))
    ds.compress(RLELossless)
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(read_frame(str(tmp_path / "a.dcm"), 0)[0], asymmetric()[3])


def test_a_deflated_file_gives_the_numbers_that_went_in(tmp_path: Path) -> None:
    ds = ct_slice(asymmetric()[3], (0, 0, 0))
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(read_frame(str(tmp_path / "a.dcm"), 0)[0], asymmetric()[3])
    np.testing.assert_array_equal(load_volume(tmp_path / "a.dcm", None, Inline()).volume.voxels[0], asymmetric()[3])


@pytest.mark.parametrize("table", ["none", "basic", "extended"])
def test_frames_of_several_fragments_are_put_together(tmp_path: Path, table: str) -> None:
    frames = [np.random.default_rng(n).integers(0, 4000, (33, 47)).astype(np.uint16) for n in range(3)]
    codestreams = [imagecodecs.jpegls_encode(frame) for frame in frames]
    path = compressed(tmp_path / "a.dcm", frames[0], "1.2.840.10008.1.2.4.80", codestreams, NumberOfFrames=3)
    import pydicom

    ds = pydicom.dcmread(path)
    if table == "extended":
        from pydicom.encaps import encapsulate_extended

        ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(codestreams)
    else:
        ds.PixelData = encapsulate(codestreams, fragments_per_frame=2, has_bot=table == "basic")
    ds.save_as(path, enforce_file_format=True)
    for number, frame in enumerate(frames):
        np.testing.assert_array_equal(read_frame(str(path), number)[0], frame)


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted"),
    [
        ("MONOCHROME2", None, False),
        ("MONOCHROME1", None, True),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME1", "IDENTITY", False),
        ("MONOCHROME2", "IDENTITY", False),
    ],
)
def test_low_values_are_white_once_and_the_numbers_stay(
    tmp_path: Path, photometric: str, shape: str | None, inverted: bool
) -> None:
    def polarity(k: int, ds: FileDataset) -> None:
        ds.PhotometricInterpretation = photometric
        if shape:
            ds.PresentationLUTShape = shape

    loaded = written(tmp_path, polarity)
    assert loaded.volume.inverted is inverted
    np.testing.assert_array_equal(loaded.volume.voxels, asymmetric())


def test_windows_are_listed_with_their_names_and_unusable_ones_left_out(tmp_path: Path) -> None:
    def windows(k: int, ds: FileDataset) -> None:
        ds.WindowCenter, ds.WindowWidth = ["40", "-600", "5"], ["400", "1500", "0"]
        ds.WindowCenterWidthExplanation = ["SOFT", "LUNG", "NONE"]
        ds.VOILUTFunction = "SIGMOID"

    found = written(tmp_path, windows).volume.windows
    assert [(w.center, w.width, w.name, w.function) for w in found] == [
        (40.0, 400.0, "SOFT", WindowFunction.SIGMOID),
        (-600.0, 1500.0, "LUNG", WindowFunction.SIGMOID),
    ]


@pytest.mark.parametrize(("center", "width"), [("", ""), ("40", ""), ("40", "-3"), ("x", "y")])
def test_an_empty_or_broken_window_is_none_at_all(tmp_path: Path, center: str, width: str) -> None:
    def window(k: int, ds: FileDataset) -> None:
        from pydicom.dataelem import RawDataElement
        from pydicom.tag import Tag

        for tag, value in ((0x00281050, center), (0x00281051, width)):
            raw = RawDataElement(Tag(tag), "LO", len(value), value.encode(), 0, False, True)
            ds[tag] = raw

    assert written(tmp_path, window).volume.windows == ()


def test_padding_written_unsigned_marks_the_signed_number(tmp_path: Path) -> None:
    def padding(k: int, ds: FileDataset) -> None:
        ds.add_new(0x00280120, "US", 63536)

    assert written(tmp_path, padding).volume.padding == (-2000.0, -2000.0)


def test_a_modality_table_replaces_slope_and_intercept(tmp_path: Path) -> None:
    stored = np.arange(20, dtype=np.uint8).reshape(1, 4, 5)
    table = [100 + 3 * n * n for n in range(18)]

    def lut(k: int, ds: FileDataset) -> None:
        put_pixels(ds, stored[0])
        item = Dataset()
        item.add_new(0x00283002, "US", [18, 1, 16])
        item.ModalityLUTType = "US"
        item.add_new(0x00283006, "US", table)
        ds.ModalityLUTSequence = Sequence([item])
        del ds.RescaleSlope, ds.RescaleIntercept

    loaded = written(tmp_path, lut, stored)
    # The first entry stands for 1; what lies outside takes the nearest entry.
    wanted = np.asarray([table[min(max(n - 1, 0), 17)] for n in range(20)]).reshape(1, 4, 5)
    np.testing.assert_array_equal(loaded.volume.values(), wanted)


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_float_pixels_are_exact(tmp_path: Path, kind: str) -> None:
    values = np.random.default_rng(0).normal(size=(3, 10, 13)).astype(kind)

    def floats(k: int, ds: FileDataset) -> None:
        del ds.PixelData
        ds.BitsAllocated = values.dtype.itemsize * 8
        keyword = "FloatPixelData" if kind == "f4" else "DoubleFloatPixelData"
        setattr(ds, keyword, values[k].tobytes())
        del ds.RescaleSlope, ds.RescaleIntercept

    loaded = written(tmp_path, floats, asymmetric((3, 10, 13)))
    assert loaded.volume.voxels.dtype == values.dtype
    np.testing.assert_array_equal(loaded.volume.voxels, values)


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_planes_and_colour_pixels_are_the_same_picture(tmp_path: Path, planar: int) -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (6, 8, 3)).astype(np.uint8)

    def colour(k: int, ds: FileDataset) -> None:
        put_pixels(ds, rgb[..., 0])
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", planar
        ds.PixelData = (np.moveaxis(rgb, -1, 0) if planar else rgb).tobytes()

    loaded = written(tmp_path, colour, asymmetric((3, 6, 8)))
    assert loaded.volume.colour
    np.testing.assert_array_equal(loaded.volume.voxels, np.stack([rgb] * 3))


def test_an_index_beyond_the_palette_takes_its_last_colour(tmp_path: Path) -> None:
    index = np.array([[0, 1, 2], [3, 9, 255]], dtype=np.uint8)

    def palette(k: int, ds: FileDataset) -> None:
        put_pixels(ds, index)
        ds.PhotometricInterpretation = "PALETTE COLOR"
        for name, values in (("Red", [0, 10, 20, 30]), ("Green", [0, 1, 2, 3]), ("Blue", [90, 80, 70, 60])):
            setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [4, 0, 16])
            data = np.asarray(values, "<u2") << 8
            setattr(ds, f"{name}PaletteColorLookupTableData", data.astype("<u2").tobytes())

    loaded = written(tmp_path, palette, asymmetric((1, 2, 3)))
    assert loaded.volume.voxels[0, 0].tolist() == [[0, 0, 90], [10, 1, 80], [20, 2, 70]]
    assert loaded.volume.voxels[0, 1].tolist() == [[30, 3, 60]] * 3


def test_more_pixels_than_declared_are_said_and_pages_without_position_are_all_shown(tmp_path: Path) -> None:
    def three_pages(k: int, ds: FileDataset) -> None:
        ds.PixelData = ds.PixelData * 3
        if k == 0:
            del ds.ImagePositionPatient, ds.ImageOrientationPatient
            ds.SeriesInstanceUID = "2.25.4"

    write_ct(tmp_path, asymmetric((3, 10, 13)), change=three_pages)
    volumes = {s.series_uid: s.volumes[0] for s in scan(tmp_path, Inline()).series}
    pages, placed = volumes.pop("2.25.4"), volumes.popitem()[1]
    assert pages.shape_kji[0] == 3
    assert placed.shape_kji[0] == 2
    assert all("EXCESS_PIXELS" in {r.code for r in e.reasons} for e in (pages, placed))


def test_mixed_signs_in_one_series_are_held_by_a_wider_number(tmp_path: Path) -> None:
    voxels = np.stack([np.full((4, 5), v) for v in (-5, 60000, 7)])

    def mixed(k: int, ds: FileDataset) -> None:
        put_pixels(ds, voxels[k].astype(np.uint16 if k == 1 else np.int16))

    loaded = written(tmp_path, mixed, voxels.astype(np.int16))
    assert loaded.volume.voxels.dtype == np.int32
    np.testing.assert_array_equal(loaded.volume.voxels, voxels)


@pytest.mark.data
def test_a_mismatch_of_sign_between_codestream_and_header_is_resolved(test_data: Path) -> None:
    (path,) = (test_data / "pydicom-testfiles").rglob("J2K_pixelrep_mismatch.dcm")
    stored, _ = read_frame(str(path), 0)
    # The value pydicom's own tests state for this file.
    assert stored.dtype == np.int16
    assert (int(stored[0, 0]), int(stored.min())) == (-2000, -2000)
