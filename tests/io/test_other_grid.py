"""Label maps of another grid: where they would come down, as others carry them there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from medview.core.errors import GeometryError, OtherGridError
from medview.core.geometry import Calibration, Geometry
from medview.io import nifti, nrrd
from medview.io.imported_labels import Target
from medview.io.label_files import read_on, write_names
from medview.io.other_grid import Way, placings
from tests.helpers.grids import turned_grid

SHAPE = (9, 14, 11)


def drawn() -> np.ndarray:
    labels = np.zeros(SHAPE, dtype=np.uint8)
    labels[2:6, 3:10, 2:7] = 1
    labels[4, 5, 4] = 0
    labels[6:8, 8:12, 5:9] = 3
    return labels


def moved(geometry: Geometry, *mm: float) -> Geometry:
    affine = np.array(geometry.affine_lps)
    affine[:3, 3] += mm
    return Geometry(geometry.shape_kji, affine, geometry.frame_of_reference_uid, geometry.calibration)


def test_labels_come_down_where_simpleitk_carries_them_on_a_turned_grid(tmp_path: Path) -> None:
    own = Geometry.from_spacing(SHAPE, (2.9, 1.1, 1.3), (-8.0, -7.0, -12.0))
    wanted = moved(turned_grid(degrees=25.0, shape_kji=(12, 15, 13)), 0.317, -0.211, 0.173)
    middle = own.point_lps_mm([(n - 1) / 2 for n in SHAPE]) - wanted.point_lps_mm([5.5, 7.0, 6.0])
    wanted = moved(wanted, *middle)
    nrrd.write_label_map(tmp_path / "a.nrrd", drawn(), own)
    with pytest.raises(OtherGridError):
        read_on(str(tmp_path / "a.nrrd"), Target(wanted))
    (found,) = placings(str(tmp_path / "a.nrrd"), Target(wanted))
    assert found.way is Way.PLACE
    labels = SimpleITK.ReadImage(str(tmp_path / "a.nrrd"))
    grid = SimpleITK.Image([13, 15, 12], SimpleITK.sitkUInt8)
    grid.SetSpacing([float(mm) for mm in wanted.spacing_kji_mm[::-1]])
    grid.SetOrigin([float(mm) for mm in wanted.affine_lps[:3, 3]])
    grid.SetDirection([float(part) for part in wanted.directions_kji[::-1].T.ravel()])
    judged = SimpleITK.GetArrayFromImage(
        SimpleITK.Resample(labels, grid, SimpleITK.Transform(), SimpleITK.sitkNearestNeighbor)
    )
    assert [segment.name for segment in found.labels.segments] == ["Label 1", "Label 3"]
    for segment, value in zip(found.labels.segments, (1, 3), strict=True):
        mask = found.labels.layers[segment.layer_id] == segment.value
        np.testing.assert_array_equal(mask, judged == value)
        assert mask.any()


def test_a_map_of_the_same_size_may_be_taken_voxel_by_voxel_too(tmp_path: Path) -> None:
    own = Geometry.from_spacing(SHAPE, (3.0, 1.0, 1.5), (10.0, 20.0, 30.0))
    nifti.write_label_map(tmp_path / "a.nii", drawn(), own)
    by_place, by_voxel = placings(str(tmp_path / "a.nii"), Target(moved(own, 3.0, 0.0, 0.0)))
    assert (by_place.way, by_voxel.way) == (Way.PLACE, Way.VOXELS)
    np.testing.assert_array_equal(by_voxel.labels.layers[0], drawn())
    np.testing.assert_array_equal(by_place.labels.layers[0], np.pad(drawn(), ((0, 0), (0, 0), (0, 2)))[:, :, 2:])
    assert by_place.kept == pytest.approx(np.count_nonzero(drawn()[:, :, 2:]) / np.count_nonzero(drawn()))
    half = placings(str(tmp_path / "a.nii"), Target(moved(own, 0.0, 8.0, 0.0)))[0]
    assert 0.2 < half.kept < 0.6


def test_what_would_be_mirrored_is_never_offered_voxel_by_voxel(tmp_path: Path) -> None:
    own = Geometry.from_spacing(SHAPE, (3.0, 1.0, 1.5), (10.0, 20.0, 30.0))
    nifti.write_label_map(tmp_path / "a.nii", drawn(), own)
    affine = np.array(own.affine_lps)
    affine[:3, 3] = own.point_lps_mm((0, 0, SHAPE[2] - 1)) + 0.7
    affine[:3, 2] *= -1
    found = placings(str(tmp_path / "a.nii"), Target(Geometry(SHAPE, affine)))
    assert [one.way for one in found] == [Way.PLACE]


def test_nothing_is_offered_that_lies_nowhere_or_belongs_to_other_images(tmp_path: Path) -> None:
    own = Geometry.from_spacing(SHAPE, (3.0, 1.0, 1.5))
    path = tmp_path / "a.nii"
    nifti.write_label_map(path, drawn(), own)
    far = moved(Geometry.from_spacing((5, 6, 7), (3.0, 1.0, 1.5)), 500.0, 0.0, 0.0)
    with pytest.raises(OtherGridError, match="nothing of it lies on these images"):
        placings(str(path), Target(far))
    flat = Geometry(SHAPE, own.affine_lps, "", Calibration.PIXELS)
    with pytest.raises(GeometryError, match="states no positions"):
        placings(str(path), Target(flat))
    write_names(path, (), "0" * 64)
    with pytest.raises(OtherGridError, match="says which images it was made on"):
        placings(str(path), Target(moved(own, 3.0, 0.0, 0.0)))
