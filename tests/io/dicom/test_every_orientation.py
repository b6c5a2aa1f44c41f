"""Generated series in every orientation a grid and a patient can have, and several images at one position."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import FileDataset

from medview.cli.scan import document
from medview.core.job import Inline
from medview.core.plane import Plane, SlicePlane
from medview.core.study import Verdict, VolumeEntry
from medview.io.dicom.scan import scan
from medview.io.load import load_volume
from tests.helpers.dicom_series import STEP_MM, asymmetric, oblique, write_ct
from tests.helpers.enhanced import enhanced_ct, one
from tests.helpers.foreign import by_dcm2niix, converted, edge_letters, itk_file, near, on_our_grid, orientation_of

SIGNED_AXES = [
    np.eye(3)[list(order)] * np.asarray(signs)[:, None]
    for order in itertools.permutations(range(3))
    for signs in itertools.product((-1.0, 1.0), repeat=3)
]
"""Row, column and slice direction along the patient's axes in all 48 ways."""

POSITIONS = {
    "HFS": ((1, 0, 0), (0, 1, 0)),
    "HFP": ((-1, 0, 0), (0, -1, 0)),
    "HFDR": ((0, 1, 0), (-1, 0, 0)),
    "HFDL": ((0, -1, 0), (1, 0, 0)),
    "FFS": ((-1, 0, 0), (0, 1, 0)),
    "FFP": ((1, 0, 0), (0, -1, 0)),
    "FFDR": ((0, -1, 0), (-1, 0, 0)),
    "FFDL": ((0, 1, 0), (1, 0, 0)),
}
"""Row and column direction of a slice across the bore, seen from its foot end; PS3.3 C.7.3.1.1.2."""


def entries(folder: Path) -> list[VolumeEntry]:
    return [entry for series in scan(folder, Inline()).series for entry in series.volumes]


def codes(entry: VolumeEntry) -> set[str]:
    return {reason.code for reason in entry.reasons}


@pytest.mark.parametrize("turn", range(20))
def test_all_permutations_of_axes_are_placed_to_a_tenth_of_a_micrometre_and_keep_every_bit(
    tmp_path: Path, turn: int
) -> None:
    voxels = asymmetric((3, 4, 5))
    for number, axes in enumerate(SIGNED_AXES):
        turned = axes @ oblique(turn)
        written = write_ct(tmp_path / str(number), voxels, axes=turned, step_lps_mm=turned[2] * STEP_MM)
        volume = load_volume(tmp_path / str(number), None, Inline()).volume
        # Slices grow along row x column, whichever way they were written.
        backward = float(np.cross(turned[0], turned[1]) @ turned[2]) < 0
        corners = np.asarray(list(itertools.product((2, 0) if backward else (0, 2), (0, 3), (0, 4))))
        truth = corners @ written[:3, :3].T + written[:3, 3]
        np.testing.assert_allclose(volume.geometry.corners_lps_mm(), truth, atol=1e-4)
        assert volume.voxels.dtype == voxels.dtype
        np.testing.assert_array_equal(volume.voxels, voxels[::-1] if backward else voxels)


@pytest.mark.parametrize("leaning_degrees", [0.0, 12.0])
@pytest.mark.parametrize("position", POSITIONS)
def test_letters_and_places_of_every_patient_position_are_those_of_foreign_tools(
    tmp_path: Path, position: str, leaning_degrees: float
) -> None:
    row, column = (np.asarray(direction, dtype=float) for direction in POSITIONS[position])
    # Turned about the column, so that left and right, front and back, head and feet are all oblique in turn.
    angle = np.radians(leaning_degrees)
    row = row * np.cos(angle) + np.cross(column, row) * np.sin(angle)

    def lying(k: int, ds: FileDataset) -> None:
        ds.PatientPosition = position

    write_ct(tmp_path / "dicom", axes=np.stack([row, column, np.cross(row, column)]), change=lying)
    loaded = load_volume(tmp_path / "dicom", None, Inline())
    geometry = loaded.volume.geometry
    (theirs,) = converted(by_dcm2niix(tmp_path / "dicom", tmp_path / "nifti"))
    assert near(theirs.header.geometry.corners_lps_mm(), geometry.corners_lps_mm())
    assert edge_letters(theirs.header.geometry) == edge_letters(geometry)
    assert orientation_of(geometry) == itk_file(loaded.entry.dicom_paths[0]).orientation
    stored = on_our_grid(theirs.volume(0).voxels, theirs.header.geometry, geometry)
    np.testing.assert_array_equal(stored, loaded.volume.voxels)


@pytest.mark.parametrize("position", POSITIONS)
def test_a_mark_on_the_patients_left_is_drawn_at_the_edge_that_says_left(tmp_path: Path, position: str) -> None:
    row, column = (np.asarray(direction, dtype=float) for direction in POSITIONS[position])
    write_ct(tmp_path, np.zeros((7, 10, 13), np.int16), axes=np.stack([row, column, np.cross(row, column)]))
    geometry = load_volume(tmp_path, None, Inline()).volume.geometry
    corners = geometry.corners_lps_mm()
    middle, reach = corners.mean(axis=0), np.ptp(corners, axis=0) / 2
    for plane in Plane:
        axes = SlicePlane.of(plane, geometry)
        left, right, top, bottom = axes.edge_letters(geometry)
        rows, columns = (n - 1 for n in axes.screen_shape(geometry))
        for letter, direction in {"L": (1, 0, 0), "P": (0, 1, 0), "H": (0, 0, 1)}.items():
            mark = middle + np.asarray(direction) * reach
            _, at_row, at_column = axes.screen(geometry, geometry.index_kji(mark))
            drawn = {
                left: at_column < 0.5,
                right: at_column > columns - 0.5,
                top: at_row < 0.5,
                bottom: at_row > rows - 0.5,
            }
            assert [edge for edge, touched in drawn.items() if touched] == ([letter] if letter in drawn else [])


def test_a_slice_across_the_others_that_calls_itself_no_scout_is_shown_apart(tmp_path: Path) -> None:
    def one_across(k: int, ds: FileDataset) -> None:
        if k == 3:
            ds.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]

    write_ct(tmp_path, axes=np.eye(3), change=one_across)
    found = entries(tmp_path)
    assert [entry.shape_kji[0] for entry in found] == [6, 1]
    assert all("MIXED_ORIENTATION" in codes(entry) for entry in found)
    assert found[0].verdict is Verdict.STACK  # the place it came from is missing now
    assert "MISSING_SLICE" in codes(found[0])


@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("EchoTime", ["4.6", "2.3"]),
        ("InversionTime", ["900", "150"]),
        ("DiffusionBValue", [1000.0, 0.0]),
        ("TriggerTime", ["340", "20"]),
        ("FrameReferenceTime", ["60000", "5000"]),
        ("AcquisitionNumber", ["2", "1"]),
        ("ContentTime", ["101500", "101400"]),
    ],
)
def test_several_images_at_every_position_are_volumes_of_one_size_told_apart_by_what_differs(
    tmp_path: Path, keyword: str, values: list[Any]
) -> None:
    for time, value in enumerate(values):

        def told_apart(k: int, ds: FileDataset, time: int = time, value: Any = value) -> None:
            setattr(ds, keyword, value)
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SOPInstanceUID}.{time}"

        write_ct(tmp_path / str(time), asymmetric() + time, change=told_apart)
    (entry,) = entries(tmp_path)
    assert (entry.verdict, entry.time_points, entry.shape_kji) == (Verdict.VOLUME, 2, (7, 10, 13))
    assert codes(entry) == {"TIME_POINTS"}
    assert keyword in entry.reasons[0].text
    each = [[frame.sop_instance_uid[-1] for frame in entry.frames[time * 7 : time * 7 + 7]] for time in range(2)]
    assert sorted(map(tuple, each)) == [("0",) * 7, ("1",) * 7]


def test_frames_of_an_enhanced_object_at_one_position_are_volumes_in_time(tmp_path: Path) -> None:
    frames = asymmetric((6, 10, 13))
    # Position changes slowest, as scanners interleave.
    positions = [(0.0, 0.0, 5.0 * (n // 2)) for n in range(6)]
    ds = enhanced_ct(frames, positions, [[1, 0, 0, 0, 1, 0]] * 6)
    for n, group in enumerate(ds.PerFrameFunctionalGroupsSequence):
        group.FrameContentSequence = one(TemporalPositionIndex=n % 2 + 1)
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    (entry,) = entries(tmp_path)
    assert (entry.verdict, entry.time_points, entry.shape_kji[0]) == (Verdict.VOLUME, 2, 3)
    assert [frame.number for frame in entry.frames] == [0, 2, 4, 1, 3, 5]


@pytest.mark.parametrize("turns", ["positions", "times"])
def test_a_series_broken_off_keeps_the_volumes_that_its_numbers_show_to_be_complete(tmp_path: Path, turns: str) -> None:
    for time in range(3):

        def numbered(k: int, ds: FileDataset, time: int = time) -> None:
            ds.InstanceNumber = 7 * time + k + 1 if turns == "positions" else 3 * k + time + 1
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SOPInstanceUID}.{time}"

        write_ct(tmp_path / str(time), asymmetric() + time, change=numbered, leave_out=[3, 6] if time == 2 else [])
    found = entries(tmp_path)
    assert [(entry.verdict, entry.time_points, entry.shape_kji[0]) for entry in found] == [
        (Verdict.VOLUME, 2, 7),
        (Verdict.STACK, 1, 5),
    ]
    assert [frame.sop_instance_uid[-1] for frame in found[0].frames] == ["0"] * 7 + ["1"] * 7
    assert codes(found[0]) == {"TIME_BY_INSTANCE_NUMBER", "INCOMPLETE_TIME_POINT"}


def test_numbers_that_count_in_no_turns_keep_nothing(tmp_path: Path) -> None:
    for time in range(3):

        def numbered(k: int, ds: FileDataset, time: int = time) -> None:
            ds.InstanceNumber = 1 + (5 * (7 * time + k)) % 22
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SOPInstanceUID}.{time}"

        write_ct(tmp_path / str(time), change=numbered, leave_out=[3] if time == 2 else [])
    (entry,) = entries(tmp_path)
    assert (entry.verdict, entry.shape_kji[0]) == (Verdict.STACK, 20)
    assert codes(entry) == {"DUPLICATE_POSITION"}


@pytest.mark.data
def test_a_functional_series_with_a_file_lost_keeps_its_nine_other_volumes(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "mr-fmri-4d" / "In" / "20180918GE"
    (whole,) = entries(source)
    for path in source.rglob("*.dcm"):
        if not path.name.endswith("-00071.dcm"):
            (tmp_path / path.name).symlink_to(path)
    volumes, rest = entries(tmp_path)
    assert (volumes.time_points, volumes.shape_kji[0], rest.shape_kji[0]) == (9, 15, 14)
    kept = [frame.sop_instance_uid for frame in volumes.frames]
    lost = {frame.sop_instance_uid for frame in whole.frames} - set(kept)
    assert kept == [frame.sop_instance_uid for frame in whole.frames if frame.sop_instance_uid not in lost]


def test_versions_of_one_image_are_no_volumes_in_time(tmp_path: Path) -> None:
    for version in range(3):
        write_ct(tmp_path / str(version), asymmetric() + version)
    (entry,) = entries(tmp_path)
    assert (entry.verdict, entry.time_points, entry.shape_kji[0]) == (Verdict.STACK, 1, 21)
    assert codes(entry) == {"DUPLICATE_UID", "DUPLICATE_POSITION"}


def test_images_that_repeat_their_numbers_are_not_mixed_into_volumes(tmp_path: Path) -> None:
    for copy in range(2):

        def renamed(k: int, ds: FileDataset, copy: int = copy) -> None:
            # The order of UIDs says nothing about which image belongs to which volume.
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"2.25.{(k + copy) % 2}.{k}"

        write_ct(tmp_path / str(copy), asymmetric() + copy, change=renamed)
    (entry,) = entries(tmp_path)
    assert (entry.verdict, entry.time_points, entry.shape_kji[0]) == (Verdict.STACK, 1, 14)
    assert "DUPLICATE_POSITION" in codes(entry)


def test_files_that_each_hold_every_position_are_volumes_even_with_one_number(tmp_path: Path) -> None:
    voxels = asymmetric((3, 10, 13))
    for copy in range(2):
        ds = enhanced_ct(voxels + copy, [(0.0, 0.0, 5.0 * k) for k in range(3)], [[1, 0, 0, 0, 1, 0]] * 3)
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"2.25.{copy + 1}"
        ds.save_as(tmp_path / f"{copy}.dcm", enforce_file_format=True)
    (entry,) = entries(tmp_path)
    assert (entry.verdict, entry.time_points, entry.shape_kji[0]) == (Verdict.VOLUME, 2, 3)
    assert codes(entry) == {"TIME_BY_INSTANCE_NUMBER"}
    assert "only the files" in entry.reasons[0].text
    assert [Path(frame.path).name for frame in entry.frames] == ["0.dcm"] * 3 + ["1.dcm"] * 3


@pytest.mark.parametrize("modality", ["CR", "DX", "MG", "XA"])
def test_a_projection_claims_no_affine(tmp_path: Path, modality: str) -> None:
    def projection(k: int, ds: FileDataset) -> None:
        ds.Modality = modality
        del ds.ImagePositionPatient, ds.ImageOrientationPatient

    write_ct(tmp_path, asymmetric((1, 10, 13)), change=projection)
    found: Any = document(scan(tmp_path, Inline()))
    (volume,) = found["series"][0]["volumes"]
    assert (volume["verdict"], volume["affine_lps"], volume["spacing_mm"][0]) == ("stack", None, None)
    assert "NO_POSITION" in {reason["code"] for reason in volume["reasons"]}
