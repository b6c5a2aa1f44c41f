from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import FileDataset

from medview.core.errors import AmbiguousError, ReadError
from medview.core.geometry import Calibration
from medview.core.job import Inline
from medview.core.study import Verdict
from medview.io.load import load_volume
from tests.helpers.dicom_series import ROOT, asymmetric, write_ct


def test_a_series_is_loaded_whole_with_its_meaning(tmp_path: Path) -> None:
    truth = write_ct(tmp_path / "ct")
    loaded = load_volume(tmp_path / "ct", None, Inline())
    np.testing.assert_array_equal(loaded.volume.voxels, asymmetric())
    np.testing.assert_allclose(loaded.volume.geometry.affine_lps, truth, atol=1e-6)
    np.testing.assert_allclose(loaded.volume.values(), asymmetric() - 1024.0)
    assert loaded.volume.sop_instance_uids == tuple(f"{ROOT}.2.{n}" for n in range(1, 8))
    assert (loaded.volume.modality, loaded.volume.unit, loaded.damaged) == ("CT", "HU", ())


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("missing", None, r"missing is not there; choose another file or folder\."),
        ("note.txt", b"dear reader", r"note\.txt holds no images; choose a DICOM folder"),
        ("empty.dcm", b"", r"empty\.dcm holds no images"),
        ("cut.nii", b"\x5c\x01\x00\x00" + b"\x00" * 340 + b"n+1\x00", r"cut\.nii is damaged"),
        ("cut.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 30, r"cut\.png is damaged"),
        ("cut.zip", b"PK\x03\x04" + b"\x00" * 30, r"cut\.zip"),
    ],
)
def test_bad_input_is_one_sentence_about_that_file(tmp_path: Path, name: str, content: bytes | None, sentence: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ReadError, match=sentence) as caught:
        load_volume(tmp_path / name, None, Inline())
    assert caught.value.sentence.count("\n") == 0


def test_an_empty_folder_and_one_without_images_say_so(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="holds no images"):
        load_volume(tmp_path, None, Inline())
    (tmp_path / "note.txt").write_text("dear reader")
    with pytest.raises(ReadError, match="holds no images"):
        load_volume(tmp_path, None, Inline())


def test_a_truncated_file_alone_is_named_as_damaged(tmp_path: Path) -> None:
    write_ct(tmp_path / "ct")
    cut = tmp_path / "cut.dcm"
    whole = (tmp_path / "ct" / "0003.dcm").read_bytes()
    for keep in (300, 600, len(whole) - 10):
        cut.write_bytes(whole[:keep])
        with pytest.raises(ReadError, match=r"cut\.dcm is damaged: .*copy it again"):
            load_volume(cut, None, Inline())


def test_several_series_are_listed_and_a_uid_picks_one(tmp_path: Path) -> None:
    write_ct(tmp_path / "a")
    write_ct(tmp_path / "b", series=f"{ROOT}.55")
    with pytest.raises(AmbiguousError, match="2 series; name one with --series: 2") as caught:
        load_volume(tmp_path, None, Inline())
    assert "Phantom^One" not in caught.value.sentence
    assert load_volume(tmp_path, f"{ROOT}.55", Inline()).series.series_uid == f"{ROOT}.55"
    with pytest.raises(ReadError, match=r"holds no series 1\.2\.3"):
        load_volume(tmp_path, "1.2.3", Inline())


def test_the_largest_volume_of_a_mixed_size_series_is_loaded_and_says_so(tmp_path: Path) -> None:
    def half_are_small(k: int, ds: FileDataset) -> None:
        if k >= 5:
            ds.Columns = 11
            ds.PixelData = ds.PixelData[: 10 * 11 * 2]

    write_ct(tmp_path, change=half_are_small)
    loaded = load_volume(tmp_path, None, Inline())
    assert loaded.volume.geometry.shape_kji == (5, 10, 13)
    assert "MIXED_SIZE" in {reason.code for reason in loaded.entry.reasons}


def test_a_truncated_slice_is_reported_and_the_others_are_there(tmp_path: Path) -> None:
    write_ct(tmp_path)
    bad = tmp_path / "0003.dcm"
    bad.write_bytes(bad.read_bytes()[:-20])
    loaded = load_volume(tmp_path, None, Inline())
    assert {Path(d.path).name for d in loaded.damaged} == {"0003.dcm"}
    assert not loaded.volume.voxels[3].any()
    assert loaded.volume.voxels[4].any()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "I;16", "LA", "CMYK"])
def test_pictures_of_every_mode_are_one_slice_without_millimetres(tmp_path: Path, mode: str) -> None:
    pixels = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30) * 7
    picture = Image.fromarray(pixels) if mode == "I;16" else Image.fromarray((pixels >> 5).astype(np.uint8)).convert(mode)
    name = "a.jpg" if mode == "CMYK" else "a.png"
    picture.save(tmp_path / name)
    loaded = load_volume(tmp_path / name, None, Inline())
    assert loaded.entry.verdict is Verdict.STACK
    assert loaded.volume.geometry.calibration is Calibration.PIXELS
    assert loaded.volume.geometry.shape_kji == (1, 20, 30)
    assert loaded.volume.colour == (mode not in ("L", "1", "I;16"))
    if mode == "I;16":
        np.testing.assert_array_equal(loaded.volume.voxels[0], pixels)


def test_a_file_that_may_not_be_read_is_listed(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    write_ct(tmp_path)
    (tmp_path / "0000.dcm").chmod(0)
    loaded = load_volume(tmp_path, None, Inline())
    assert "may not be read" in loaded.damaged[0].reason
