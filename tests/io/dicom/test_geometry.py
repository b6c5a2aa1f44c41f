"""Rows 1 to 23 of the table of known failures that are about how slices become a volume."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset

from medview.core.geometry import Calibration
from medview.core.job import Inline
from medview.core.study import Verdict, VolumeEntry
from medview.io.dicom.scan import scan
from medview.io.load import load_volume
from tests.helpers.dicom_series import SPACING_JI_MM, asymmetric, oblique, write_ct
from tests.helpers.enhanced import enhanced_ct


def entries(folder: Path) -> list[VolumeEntry]:
    return [entry for series in scan(folder, Inline()).series for entry in series.volumes]


def codes(entry: VolumeEntry) -> set[str]:
    return {reason.code for reason in entry.reasons}


def test_negative_spacing_between_slices_and_wrong_thickness_change_nothing(tmp_path: Path) -> None:
    def lying(k: int, ds: FileDataset) -> None:
        ds.SpacingBetweenSlices, ds.SliceThickness, ds.SliceLocation = "-4", "6", str(-k)

    truth = write_ct(tmp_path, change=lying)
    (entry,) = entries(tmp_path)
    assert entry.verdict is Verdict.VOLUME
    np.testing.assert_allclose(entry.geometry.affine_lps, truth, atol=1e-6)  # type: ignore[union-attr]


def test_row_spacing_is_along_columns_and_column_spacing_along_rows(tmp_path: Path) -> None:
    write_ct(tmp_path, axes=np.eye(3))
    (entry,) = entries(tmp_path)
    assert entry.geometry is not None
    down = entry.geometry.point_lps_mm((0, 1, 0)) - entry.geometry.point_lps_mm((0, 0, 0))
    right = entry.geometry.point_lps_mm((0, 0, 1)) - entry.geometry.point_lps_mm((0, 0, 0))
    np.testing.assert_allclose(down, (0, SPACING_JI_MM[0], 0))
    np.testing.assert_allclose(right, (SPACING_JI_MM[1], 0, 0))


@pytest.mark.parametrize(
    ("noise", "verdict", "code"),
    [(5e-5, "volume", None), (2e-3, "volume", "ORIENTATION_ROUNDED"), (0.1, "stack", "BAD_ORIENTATION")],
)
def test_directions_slightly_off_are_straightened_and_unusable_ones_give_no_millimetres(
    tmp_path: Path, noise: float, verdict: str, code: str | None
) -> None:
    def off(k: int, ds: FileDataset) -> None:
        ds.ImageOrientationPatient = [1 + noise, 0, 0, noise, 1, 0]

    write_ct(tmp_path, axes=np.eye(3), change=off)
    (entry,) = entries(tmp_path)
    assert entry.verdict.value == verdict
    assert codes(entry) == ({code} if code else set())
    assert entry.geometry is not None
    if entry.verdict is Verdict.VOLUME:
        directions = entry.geometry.directions_kji
        np.testing.assert_allclose(directions @ directions.T, np.eye(3), atol=1e-9)


def test_two_acquisitions_at_the_same_positions_are_two_time_points(tmp_path: Path) -> None:
    for acquisition in (1, 2):

        def acquired(k: int, ds: FileDataset, acquisition: int = acquisition) -> None:
            ds.AcquisitionNumber = acquisition
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SOPInstanceUID}.{acquisition}"

        write_ct(tmp_path / str(acquisition), change=acquired)
    (entry,) = entries(tmp_path)
    assert (entry.verdict, entry.time_points, codes(entry)) == (Verdict.VOLUME, 2, {"TIME_POINTS"})
    assert "AcquisitionNumber" in entry.reasons[-1].text


def test_images_at_one_position_that_nothing_tells_apart_are_not_a_volume(tmp_path: Path) -> None:
    write_ct(tmp_path / "a")

    def only_two_again(k: int, ds: FileDataset) -> None:
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SOPInstanceUID}.9"

    write_ct(tmp_path / "b", asymmetric() + 5, change=only_two_again, leave_out=[0, 1, 2, 3, 4])
    (entry,) = entries(tmp_path)
    assert (entry.verdict, entry.shape_kji[0]) == (Verdict.STACK, 9)
    assert codes(entry) == {"DUPLICATE_POSITION"}


def test_series_are_told_apart_by_uid_and_never_by_number(tmp_path: Path) -> None:
    write_ct(tmp_path / "a")
    write_ct(tmp_path / "b", series="2.25.77")
    found = scan(tmp_path, Inline()).series
    assert [series.series_number for series in found] == [2, 2]
    assert len({series.series_uid for series in found}) == 2


def test_kinds_of_objects_and_frames_of_reference_in_one_series_are_shown_apart(tmp_path: Path) -> None:
    def mixed(k: int, ds: FileDataset) -> None:
        if k == 6:
            ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
        if k in (4, 5):
            ds.FrameOfReferenceUID = "2.25.4711"

    write_ct(tmp_path, change=mixed)
    found = entries(tmp_path)
    assert [entry.shape_kji[0] for entry in found] == [4, 2, 1]
    assert all({"MIXED_CLASS", "MIXED_FRAME_OF_REFERENCE"} <= codes(entry) for entry in found)


def test_decimal_commas_give_the_same_geometry_as_decimal_points(tmp_path: Path) -> None:
    truth = write_ct(tmp_path / "points")
    write_ct(tmp_path / "commas")
    for path in (tmp_path / "commas").iterdir():
        raw = path.read_bytes()
        at = raw.index(b"\x20\x00\x32\x00DS") + 8
        length = int.from_bytes(raw[at - 2 : at], "little")
        path.write_bytes(raw[:at] + raw[at : at + length].replace(b".", b",") + raw[at + length :])
    (entry,) = entries(tmp_path / "commas")
    assert entry.verdict is Verdict.VOLUME
    np.testing.assert_allclose(entry.geometry.affine_lps, truth, atol=1e-6)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "empty", ["SliceThickness", "SpacingBetweenSlices", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient"]
)
def test_an_empty_geometry_text_is_a_missing_one(tmp_path: Path, empty: str) -> None:
    def emptied(k: int, ds: FileDataset) -> None:
        setattr(ds, empty, "")

    write_ct(tmp_path, change=emptied)
    (entry,) = entries(tmp_path)
    assert entry.verdict is (Verdict.STACK if "I" in empty or empty == "PixelSpacing" else Verdict.VOLUME)
    if empty == "PixelSpacing":
        assert "NO_SPACING" in codes(entry)
        assert entry.geometry is not None
        assert entry.geometry.calibration is Calibration.PIXELS


def test_enhanced_frames_out_of_order_are_sorted_by_position(tmp_path: Path) -> None:
    axes = oblique()
    normal = np.cross(axes[0], axes[1])
    voxels = asymmetric()
    order = [3, 0, 6, 1, 5, 2, 4]
    positions = [np.array([1.0, 2.0, 3.0]) + 5.0 * k * normal for k in order]
    ds = enhanced_ct(voxels[order], positions, [[*axes[0], *axes[1]]] * 7)
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    loaded = load_volume(tmp_path / "a.dcm", None, Inline())
    assert (loaded.entry.verdict, codes(loaded.entry)) == (Verdict.VOLUME, set())
    np.testing.assert_array_equal(loaded.volume.voxels, voxels)
    np.testing.assert_allclose(loaded.volume.geometry.affine_lps[:3, 3], (1, 2, 3), atol=1e-6)


def test_three_orientations_in_one_enhanced_object_are_three_volumes(tmp_path: Path) -> None:
    planes = [np.eye(3)[[0, 1, 2]], np.eye(3)[[1, 2, 0]], np.eye(3)[[0, 2, 1]] * [1, -1, 1]]
    positions, orientations = [], []
    for axes in planes:
        for k in range(2):
            positions.append(5.0 * k * np.cross(axes[0], axes[1]))
            orientations.append([*axes[0], *axes[1]])
    ds = enhanced_ct(asymmetric((6, 10, 13)), positions, orientations)
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    found = entries(tmp_path)
    assert [entry.shape_kji[0] for entry in found] == [2, 2, 2]
    assert all("MIXED_ORIENTATION" in codes(entry) for entry in found)


@pytest.mark.parametrize("where", ["shared", "per frame", "absent"])
def test_rescale_in_functional_groups_is_applied(tmp_path: Path, where: str) -> None:
    voxels = asymmetric((3, 10, 13))
    pairs = [(2.0, -1000.0), (0.5, -10.0), (1.25, 7.0)]
    rescale = {"shared": (2.0, -1000.0), "per frame": pairs, "absent": None}[where]
    positions = [(0.0, 0.0, 5.0 * k) for k in range(3)]
    ds = enhanced_ct(voxels, positions, [[1, 0, 0, 0, 1, 0]] * 3, rescale=rescale)  # type: ignore[arg-type]
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    loaded = load_volume(tmp_path, None, Inline())
    used = {"shared": [pairs[0]] * 3, "per frame": pairs, "absent": [(1.0, 0.0)] * 3}[where]
    wanted = np.stack([v * s + i for v, (s, i) in zip(voxels.astype(np.float64), used, strict=True)])
    np.testing.assert_allclose(loaded.volume.values(), wanted, rtol=1e-6)
    assert loaded.volume.unit == ("HU" if where != "absent" else "")


def test_a_projection_at_the_detector_says_its_millimetres_are_not_the_patients(tmp_path: Path) -> None:
    def projection(k: int, ds: FileDataset) -> None:
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
            delattr(ds, keyword)
        ds.Modality, ds.ImagerPixelSpacing = "DX", [0.2, 0.3]
        if k == 1:
            ds.EstimatedRadiographicMagnificationFactor = "2"

    write_ct(tmp_path, asymmetric((2, 10, 13)), change=projection)
    detector, estimated = sorted(entries(tmp_path), key=lambda e: -e.spacing_kji_mm[1])  # type: ignore[operator]
    assert detector.spacing_kji_mm == (None, 0.2, 0.3)
    assert estimated.spacing_kji_mm == (None, 0.1, 0.15)
    assert "SPACING_AT_DETECTOR" in codes(detector)
    assert "SPACING_ESTIMATED" in codes(estimated)


def test_a_projection_whose_pixel_spacing_repeats_the_detectors_is_not_calibrated(tmp_path: Path) -> None:
    def projection(k: int, ds: FileDataset) -> None:
        del ds.ImagePositionPatient, ds.ImageOrientationPatient
        ds.Modality, ds.ImagerPixelSpacing = "DX", list(SPACING_JI_MM)
        if k == 1:
            ds.PixelSpacingCalibrationType = "FIDUCIAL"

    write_ct(tmp_path, asymmetric((2, 10, 13)), change=projection)
    assert sorted("SPACING_AT_DETECTOR" in codes(entry) for entry in entries(tmp_path)) == [False, True]


def test_pixel_sizes_that_differ_by_rounding_are_one_and_others_are_shown_apart(tmp_path: Path) -> None:
    def rounded(k: int, ds: FileDataset) -> None:
        ds.PixelSpacing = [0.48825, 0.9] if k % 2 else [0.488249, 0.9]

    write_ct(tmp_path / "a", change=rounded)
    assert [entry.shape_kji[0] for entry in entries(tmp_path / "a")] == [7]

    def different(k: int, ds: FileDataset) -> None:
        ds.PixelSpacing = [0.6, 0.9] if k < 4 else [0.65, 0.9]

    write_ct(tmp_path / "b", change=different)
    found = entries(tmp_path / "b")
    assert [entry.shape_kji[0] for entry in found] == [4, 3]
    assert all("MIXED_SPACING" in codes(entry) for entry in found)


def test_one_image_without_position_leaves_the_others_a_volume(tmp_path: Path) -> None:
    def one_without(k: int, ds: FileDataset) -> None:
        if k == 0:
            del ds.ImagePositionPatient

    write_ct(tmp_path, change=one_without)
    found = entries(tmp_path)
    assert [(entry.verdict, entry.shape_kji[0]) for entry in found] == [(Verdict.VOLUME, 6), (Verdict.STACK, 1)]


def test_a_derived_image_at_the_place_of_another_is_shown_apart(tmp_path: Path) -> None:
    write_ct(tmp_path / "a")

    def derived(k: int, ds: FileDataset) -> None:
        ds.ImageType = ["DERIVED", "SECONDARY", "MPR"]
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SOPInstanceUID}.9"

    write_ct(tmp_path / "b", change=derived, leave_out=[0, 1, 2, 4, 5, 6])
    found = entries(tmp_path)
    assert [(entry.verdict, entry.shape_kji[0]) for entry in found] == [(Verdict.VOLUME, 7), (Verdict.VOLUME, 1)]


@pytest.mark.data
def test_an_enhanced_ct_without_hounsfield_units_claims_none(test_data: Path) -> None:
    (entry,) = entries(test_data / "enhanced-ct-2frames")
    assert entry.unit == ""
