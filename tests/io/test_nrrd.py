from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from medview.core.errors import ReadError
from medview.core.geometry import Geometry
from medview.io.nrrd import read_nrrd, write_label_map
from tests.helpers.dicom_series import oblique


@pytest.mark.data
@pytest.mark.parametrize("name", ["brain1_image.nrrd", "brain1_label.nrrd"])
def test_real_files_lie_and_read_as_simpleitk_says(test_data: Path, name: str) -> None:
    (path,) = (test_data / "nrrd-image-label").rglob(name)
    image = SimpleITK.ReadImage(str(path))
    volume = read_nrrd(path)
    k, j, i = (n - 1 for n in volume.geometry.shape_kji)
    np.testing.assert_allclose(
        volume.geometry.point_lps_mm((k, j, i)), image.TransformIndexToPhysicalPoint((i, j, k)), atol=1e-3
    )
    np.testing.assert_array_equal(volume.voxels, SimpleITK.GetArrayFromImage(image))


def test_a_label_map_on_an_oblique_grid_survives(tmp_path: Path) -> None:
    affine = np.eye(4)
    affine[:3, :3] = oblique().T * [5.0, 0.6, 0.9]
    affine[:3, 3] = (-31.5, 17.25, 42.125)
    geometry = Geometry((4, 5, 7), affine)
    labels = np.random.default_rng(0).integers(0, 9, (4, 5, 7)).astype(np.uint8)
    write_label_map(tmp_path / "labels.nrrd", labels, geometry)
    back = read_nrrd(tmp_path / "labels.nrrd")
    assert back.geometry.same_grid(geometry, 1e-6)
    np.testing.assert_array_equal(back.voxels, labels)
    assert [path.name for path in tmp_path.iterdir()] == ["labels.nrrd"]


def test_a_truncated_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.nrrd").write_bytes(b"NRRD0004\ntype: short\ndimension: 3\nsizes: 4 5 6\nencoding: raw\n\n1234")
    with pytest.raises(ReadError, match=r"a\.nrrd is damaged"):
        read_nrrd(tmp_path / "a.nrrd")
