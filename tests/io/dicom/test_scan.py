from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest
from pydicom.dataset import FileDataset

from medview.core.errors import CancelledError, ReadError
from medview.core.geometry import Calibration
from medview.core.job import Inline
from medview.core.study import ScanResult, Verdict, VolumeEntry
from medview.io.dicom.scan import scan
from medview.io.load import load_volume
from tests.helpers.dicom_series import Change, asymmetric, oblique, write_ct


def codes(entry: VolumeEntry) -> set[str]:
    return {reason.code for reason in entry.reasons}


def only(found: ScanResult) -> VolumeEntry:
    (series,) = found.series
    (entry,) = series.volumes
    return entry


def test_an_oblique_series_with_lying_names_and_numbers_gets_its_true_affine(tmp_path: Path) -> None:
    truth = write_ct(tmp_path, order=[3, 0, 6, 1, 5, 2, 4])
    entry = only(scan(tmp_path, Inline()))
    assert entry.verdict is Verdict.VOLUME
    assert entry.geometry is not None
    np.testing.assert_allclose(entry.geometry.affine_lps, truth, atol=1e-6)
    assert entry.spacing_kji_mm == pytest.approx((5.0, 0.6, 0.9))
    assert entry.unit == "HU"
    assert codes(entry) == set()


def test_slices_written_feet_first_still_grow_along_row_cross_column(tmp_path: Path) -> None:
    axes = oblique()
    normal = np.cross(axes[0], axes[1])
    write_ct(tmp_path, axes=axes, step_lps_mm=-5.0 * normal)
    entry = only(scan(tmp_path, Inline()))
    assert entry.geometry is not None
    assert entry.geometry.directions_kji[0] @ normal == pytest.approx(1.0)
    assert entry.frames[0].sop_instance_uid.endswith(".7")


def test_a_hundred_orders_of_the_files_give_one_result(tmp_path: Path) -> None:
    write_ct(tmp_path / "a")
    first = scan(tmp_path / "a", Inline())
    files = sorted((tmp_path / "a").iterdir())
    shuffler = random.Random(5)
    from medview.io.dicom.assemble import assemble
    from medview.io.dicom.group import by_series, split
    from medview.io.dicom.header import read_header

    instances = [read_header(str(file)) for file in files]
    for _ in range(100):
        shuffler.shuffle(instances)
        (series,) = by_series(instances)
        (group,) = split(series.instances)
        (entry,) = assemble(group)
        assert entry.frames == only(first).frames
        np.testing.assert_array_equal(
            entry.geometry.affine_lps,
            only(first).geometry.affine_lps,  # type: ignore[union-attr]
        )


def test_a_missing_slice_makes_a_stack_that_says_where(tmp_path: Path) -> None:
    write_ct(tmp_path, leave_out=[3])
    entry = only(scan(tmp_path, Inline()))
    assert entry.verdict is Verdict.STACK
    assert codes(entry) == {"MISSING_SLICE"}
    assert "slices 3 and 4" in entry.reasons[0].text
    assert entry.spacing_kji_mm == (None, pytest.approx(0.6), pytest.approx(0.9))
    assert entry.geometry is not None
    assert entry.geometry.calibration is Calibration.IN_PLANE


def test_rounding_noise_is_silent_and_a_real_unevenness_is_not(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).uniform(-1e-3, 1e-3, size=7)

    def shifted(by: npt.NDArray[np.float64]) -> Change:
        def change(k: int, ds: FileDataset) -> None:
            x, y, z = ds.ImagePositionPatient
            ds.ImagePositionPatient = [x, y, float(z) + float(by[k])]

        return change

    write_ct(tmp_path / "noise", axes=np.eye(3), change=shifted(noise))
    entry = only(scan(tmp_path / "noise", Inline()))
    assert (entry.verdict, codes(entry)) == (Verdict.VOLUME, set())
    write_ct(tmp_path / "slight", axes=np.eye(3), change=shifted(noise * 40))
    entry = only(scan(tmp_path / "slight", Inline()))
    assert (entry.verdict, codes(entry)) == (Verdict.VOLUME, {"UNEVEN_SPACING"})
    write_ct(tmp_path / "uneven", axes=np.eye(3), change=shifted(noise * 1500))
    entry = only(scan(tmp_path / "uneven", Inline()))
    assert (entry.verdict, codes(entry)) == (Verdict.STACK, {"UNEVEN_SPACING"})


def test_a_tilted_gantry_gives_a_sheared_volume_whatever_the_tilt_attribute_says(tmp_path: Path) -> None:
    def lying_tilt(k: int, ds: FileDataset) -> None:
        ds.GantryDetectorTilt = "-18.5"

    axes = np.eye(3)
    truth = write_ct(tmp_path, axes=axes, step_lps_mm=(0.0, 1.7, 4.7), change=lying_tilt)
    entry = only(scan(tmp_path, Inline()))
    assert entry.verdict is Verdict.VOLUME
    assert codes(entry) == {"TILT"}
    assert entry.geometry is not None
    assert entry.geometry.sheared
    np.testing.assert_allclose(entry.geometry.affine_lps, truth, atol=1e-6)


def test_a_localiser_in_the_series_is_shown_apart_and_named(tmp_path: Path) -> None:
    def first_is_scout(k: int, ds: FileDataset) -> None:
        if k == 0:
            ds.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
            ds.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]

    write_ct(tmp_path, axes=np.eye(3), change=first_is_scout)
    (series,) = scan(tmp_path, Inline()).series
    assert [entry.shape_kji[0] for entry in series.volumes] == [6, 1]
    assert "LOCALISER" in codes(series.volumes[1])
    assert series.best is series.volumes[0]


def test_a_mixed_size_series_is_split_and_nothing_is_dropped(tmp_path: Path) -> None:
    def half_are_small(k: int, ds: FileDataset) -> None:
        if k >= 5:
            ds.Columns = 11
            ds.PixelData = ds.PixelData[: 10 * 11 * 2]

    write_ct(tmp_path, change=half_are_small)
    (series,) = scan(tmp_path, Inline()).series
    assert [entry.shape_kji for entry in series.volumes] == [(5, 10, 13), (2, 10, 11)]
    assert all("MIXED_SIZE" in codes(entry) for entry in series.volumes)


def test_a_series_without_positions_is_a_stack_in_number_order(tmp_path: Path) -> None:
    def without_position(k: int, ds: FileDataset) -> None:
        del ds.ImagePositionPatient

    write_ct(tmp_path, change=without_position, order=[6, 5, 4, 3, 2, 1, 0])
    entry = only(scan(tmp_path, Inline()))
    assert entry.verdict is Verdict.STACK
    assert codes(entry) == {"NO_POSITION"}
    assert [int(f.sop_instance_uid.rsplit(".", 1)[1]) for f in entry.frames] == [1, 2, 3, 4, 5, 6, 7]


def test_comparing_files_that_may_be_copies_is_reported_and_can_be_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medview.io.dicom.scan.PROGRESS_EVERY", 2)
    write_ct(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")

    class Impatient(Inline):
        said: ClassVar[list[tuple[float, str]]] = []

        def progress(self, fraction: float, text: str) -> None:
            if text.startswith("Comparing"):
                self.said.append((fraction, text))
                self.cancel()

    with pytest.raises(CancelledError):
        scan(tmp_path, Impatient())
    assert Impatient.said == [(2 / 14, "Comparing file 2 of 14")]


def test_exact_copies_are_shown_once_and_conflicting_uids_are_all_kept(tmp_path: Path) -> None:
    write_ct(tmp_path / "copies")
    shutil.copy(tmp_path / "copies" / "0002.dcm", tmp_path / "copies" / "again.dcm")
    entry = only(scan(tmp_path / "copies", Inline()))
    assert entry.shape_kji[0] == 7
    assert (entry.verdict, codes(entry)) == (Verdict.VOLUME, {"DUPLICATE_FILE"})

    write_ct(tmp_path / "conflict")
    content = bytearray((tmp_path / "conflict" / "0002.dcm").read_bytes())
    content[-2] ^= 1
    (tmp_path / "conflict" / "other.dcm").write_bytes(content)
    entry = only(scan(tmp_path / "conflict", Inline()))
    assert entry.shape_kji[0] == 8
    assert entry.verdict is Verdict.STACK
    assert {"DUPLICATE_UID", "DUPLICATE_POSITION"} <= codes(entry)


def test_volumes_in_time_are_told_apart_and_an_incomplete_one_is_shown_apart(tmp_path: Path) -> None:
    for time in range(3):

        def in_time(k: int, ds: FileDataset, time: int = time) -> None:
            ds.TemporalPositionIdentifier = time + 1
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SOPInstanceUID}.{time}"

        write_ct(tmp_path / str(time), asymmetric() + time, change=in_time)
    entry = only(scan(tmp_path, Inline()))
    assert (entry.verdict, entry.time_points, entry.shape_kji[0]) == (Verdict.VOLUME, 3, 7)
    assert codes(entry) == {"TIME_POINTS"}
    assert [frame.sop_instance_uid[-1] for frame in entry.frames] == ["0"] * 7 + ["1"] * 7 + ["2"] * 7
    (tmp_path / "2" / "0003.dcm").unlink()
    (series,) = scan(tmp_path, Inline()).series
    assert [(e.time_points, e.shape_kji[0]) for e in series.volumes] == [(2, 7), (1, 6)]
    assert "INCOMPLETE_TIME_POINT" in codes(series.volumes[0])


def test_other_files_are_counted_and_a_truncated_one_is_named(tmp_path: Path) -> None:
    write_ct(tmp_path)
    (tmp_path / "notes.txt").write_text("nothing to see")
    (tmp_path / "empty").touch()
    whole = (tmp_path / "0001.dcm").read_bytes()
    (tmp_path / "0001.dcm").write_bytes(whole[:-40])
    (tmp_path / "0002.dcm").write_bytes(whole[:700])
    found = scan(tmp_path, Inline())
    assert (found.seen, found.dicom, found.ignored) == (9, 6, {"other": 1, "empty": 1})
    assert [Path(d.path).name for d in found.damaged] == ["0001.dcm", "0002.dcm"]
    assert all(d.reason.endswith("copy it again from its source.") for d in found.damaged)
    entry = only(found)
    assert {"DAMAGED_SLICE", "MISSING_SLICE"} <= codes(entry)


def test_a_path_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="nowhere is not there"):
        scan(tmp_path / "nowhere", Inline())


@pytest.mark.parametrize("content", [None, "text"])
def test_a_folder_without_images_gives_an_empty_result(tmp_path: Path, content: str | None) -> None:
    if content:
        (tmp_path / "readme.txt").write_text(content)
    assert scan(tmp_path, Inline()).series == ()


def test_a_zip_of_a_study_reads_like_the_folder(tmp_path: Path) -> None:
    write_ct(tmp_path / "study")
    shutil.make_archive(str(tmp_path / "study"), "zip", tmp_path / "study")
    folder, archive = scan(tmp_path / "study", Inline()), scan(tmp_path / "study.zip", Inline())
    assert only(archive).geometry.same_grid(only(folder).geometry)  # type: ignore[union-attr, arg-type]
    assert archive.dicom == 7
    np.testing.assert_array_equal(load_volume(tmp_path / "study.zip", None, Inline()).volume.voxels, asymmetric())


def test_links_that_lead_back_up_end(tmp_path: Path) -> None:
    write_ct(tmp_path / "study")
    (tmp_path / "study" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "study" / "gone").symlink_to(tmp_path / "nothing")
    found = scan(tmp_path, Inline())
    assert only(found).shape_kji[0] == 7
    assert [Path(d.path).name for d in found.damaged] == ["gone"]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    write_ct(tmp_path / "study")
    os.mkfifo(tmp_path / "study" / "pipe")
    (tmp_path / "study" / "link").symlink_to(tmp_path / "study" / "pipe")
    assert scan(tmp_path / "study", Inline()).seen == 7
    with pytest.raises(ReadError, match="pipe is neither a file nor a folder"):
        scan(tmp_path / "study" / "pipe", Inline())


def test_a_folder_below_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_ct(tmp_path / "study" / "open")
    (tmp_path / "study" / "closed").mkdir()
    real = os.scandir

    def guarded(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = scan(tmp_path / "study", Inline())
    assert only(found).shape_kji[0] == 7
    assert [damaged.reason for damaged in found.damaged] == ["The folder closed cannot be listed; ask for access to it."]


def test_an_archive_in_an_archive_is_counted_and_left_alone(tmp_path: Path) -> None:
    write_ct(tmp_path / "study")
    shutil.make_archive(str(tmp_path / "study" / "inner"), "zip", tmp_path / "study")
    shutil.make_archive(str(tmp_path / "outer"), "zip", tmp_path / "study")
    found = scan(tmp_path / "outer.zip", Inline())
    assert (found.dicom, found.ignored) == (7, {"zip": 1})
