from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import GeometryError, ReadError
from medview.core.geometry import Geometry
from medview.core.pixel_hash import pixels_sha256
from medview.core.segmentation import Segment
from medview.core.volume import Volume
from medview.io import nifti, nrrd
from medview.io.label_files import is_label_file, read_labels, write_names
from tests.helpers.dicom_series import oblique, write_ct

SHAPE = (4, 5, 7)


def grid() -> Geometry:
    affine = np.eye(4)
    affine[:3, :3] = oblique().T * [5.0, 0.6, 0.9]
    affine[:3, 3] = (-31.5, 17.25, 42.125)
    return Geometry(SHAPE, affine, "2.25.9")


def labels() -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(0).integers(0, 4, SHAPE).astype(np.uint8)


def test_names_and_colours_travel_beside_a_label_map(tmp_path: Path) -> None:
    path = tmp_path / "labels.nii.gz"
    nifti.write_label_map(path, labels(), grid())
    write_names(path, [Segment("a", "Lung", (1, 2, 3), 0, 2), Segment("b", "Empty", (4, 5, 6), 0, 9)])
    read = read_labels(path, Volume(labels(), grid()))
    named = {segment.value: (segment.name, segment.colour) for segment in read.segments}
    assert named[2] == ("Lung", (1, 2, 3))
    assert named[9] == ("Empty", (4, 5, 6))
    assert named[1][0] == "Label 1"
    np.testing.assert_array_equal(read.layers[0], labels())


def test_a_map_with_turned_axes_is_put_on_the_grid_of_the_image(tmp_path: Path) -> None:
    geometry = grid()
    affine = np.array(geometry.affine_lps)
    affine[:3, 3] = geometry.point_lps_mm((0, SHAPE[1] - 1, 0))
    affine[:3, 1] *= -1
    affine = affine[:, [1, 0, 2, 3]]
    turned = np.flip(labels(), axis=1).transpose(1, 0, 2)
    nrrd.write_label_map(tmp_path / "a.nrrd", turned, Geometry((5, 4, 7), affine))
    read = read_labels(tmp_path / "a.nrrd", Volume(labels(), geometry))
    np.testing.assert_array_equal(read.layers[0], labels())
    assert read.geometry is not None
    assert read.geometry.same_grid(geometry)


def test_a_map_that_was_turned_since_is_placed_by_its_grid_once_somebody_takes_its_pixels_back(tmp_path: Path) -> None:
    """Whether the map or the images were turned cannot be told: the pixels are the same, and the grids differ."""
    geometry = grid()
    images = Volume(labels(), geometry)
    affine = np.array(geometry.affine_lps)
    affine[:3, 3] = geometry.point_lps_mm((0, SHAPE[1] - 1, SHAPE[2] - 1))
    affine[:3, 1:3] *= -1
    nifti.write_label_map(tmp_path / "a.nii.gz", labels()[:, ::-1, ::-1], Geometry(SHAPE, affine))
    segments = [Segment("a", "Lung", (1, 2, 3), 0, 2)]
    write_names(tmp_path / "a.nii.gz", segments, pixels_sha256(images))
    with pytest.raises(GeometryError, match=r"they or it were turned since .*pixels_sha256 out of a\.json"):
        read_labels(tmp_path / "a.nii.gz", images)
    write_names(tmp_path / "a.nii.gz", segments, "")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.nii.gz", images).layers[0], labels())


def test_a_map_of_another_grid_is_refused(tmp_path: Path) -> None:
    nifti.write_label_map(tmp_path / "a.nii", labels(), grid())
    moved = np.array(grid().affine_lps)
    moved[:3, 3] += 3.0
    with pytest.raises(GeometryError, match=r"a\.nii was made on another grid"):
        read_labels(tmp_path / "a.nii", Volume(labels(), Geometry(SHAPE, moved)))


def test_an_image_is_no_label_map(tmp_path: Path) -> None:
    nifti.write_label_map(tmp_path / "a.nii", labels() * 0.37, grid())
    with pytest.raises(ReadError, match="holds fractions"):
        read_labels(tmp_path / "a.nii")
    write_ct(tmp_path / "ct")
    assert not is_label_file(tmp_path / "ct")
    assert not is_label_file(tmp_path / "ct" / "0001.dcm")
    (tmp_path / "note.txt").write_text("hello")
    assert not is_label_file(tmp_path / "note.txt")
    with pytest.raises(ReadError, match="holds no labels"):
        read_labels(tmp_path / "note.txt")


@pytest.mark.data
def test_a_map_with_very_many_values_keeps_them_apart(test_data: Path, tmp_path: Path) -> None:
    many = np.arange(np.prod(SHAPE), dtype=np.int32).reshape(SHAPE) * 7
    nrrd.write_label_map(tmp_path / "a.nrrd", many, grid())
    read = read_labels(tmp_path / "a.nrrd")
    assert len(read.segments) == 139
    (path,) = (test_data / "ct-body-nifti-117-classes").rglob("example_seg.nii.gz")
    classes = read_labels(path)
    assert len(classes.segments) == len(np.unique(classes.layers[0])) - 1 > 20
