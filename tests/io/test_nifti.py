from __future__ import annotations

import itertools
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from medview.core.errors import ReadError, WriteError
from medview.core.geometry import Geometry
from medview.core.volume import Rescale, Volume
from medview.io.nifti import read_header, read_nifti, write_label_map, write_volume
from tests.helpers.dicom_series import asymmetric, oblique

SPACING_KJI_MM = (5.0, 0.6, 0.9)


def grid(directions: np.ndarray, shape: tuple[int, int, int] = (4, 5, 7)) -> Geometry:  # type: ignore[type-arg]
    affine = np.eye(4)
    affine[:3, :3] = directions * np.asarray(SPACING_KJI_MM)
    affine[:3, 3] = (-31.5, 17.25, 42.125)
    return Geometry(shape, affine)


def itk_corners(image: SimpleITK.Image) -> np.ndarray:  # type: ignore[type-arg]
    i, j, k = image.GetSize()
    ends = itertools.product((0, k - 1), (0, j - 1), (0, i - 1))
    return np.asarray([image.TransformIndexToPhysicalPoint((i, j, k)) for k, j, i in ends])


@pytest.mark.parametrize("turn", range(6))
def test_an_oblique_volume_is_where_simpleitk_says_it_is(tmp_path: Path, turn: int) -> None:
    geometry = grid(oblique(turn).T)
    volume = Volume(asymmetric((4, 5, 7)), geometry, rescale=Rescale(2.0, -3.0))
    write_volume(tmp_path / "volume.nii.gz", volume)
    image = SimpleITK.ReadImage(str(tmp_path / "volume.nii.gz"))
    np.testing.assert_allclose(itk_corners(image), geometry.corners_lps_mm(), atol=1e-4)
    np.testing.assert_allclose(SimpleITK.GetArrayFromImage(image), volume.values(), rtol=1e-6)
    back = read_nifti(tmp_path / "volume.nii.gz")
    assert back.geometry.same_grid(geometry)
    np.testing.assert_array_equal(back.voxels, volume.voxels)
    assert back.rescale == volume.rescale


def test_all_48_orders_and_directions_of_axes_keep_every_voxel_in_its_place(tmp_path: Path) -> None:
    labels = np.zeros((4, 5, 7), np.uint8)
    labels[1, 3, 6], labels[0, 0, 1] = 9, 4
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((-1.0, 1.0), repeat=3):
            directions = (np.eye(3)[list(order)].T * signs) @ np.eye(3)
            geometry = grid(oblique(1).T @ directions)
            write_label_map(tmp_path / "labels.nii", labels, geometry)
            image = SimpleITK.ReadImage(str(tmp_path / "labels.nii"))
            np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image), labels)
            np.testing.assert_allclose(itk_corners(image), geometry.corners_lps_mm(), atol=1e-4)
            assert read_nifti(tmp_path / "labels.nii").geometry.same_grid(geometry)


def test_sform_and_qform_say_the_same_and_a_sheared_grid_has_an_sform_only(tmp_path: Path) -> None:
    write_label_map(tmp_path / "straight.nii", np.ones((4, 5, 7), np.uint8), grid(oblique().T))
    raw = (tmp_path / "straight.nii").read_bytes()
    assert struct.unpack_from("<2h", raw, 252) == (1, 1)
    assert read_header(str(tmp_path / "straight.nii")).reasons == ()
    sheared = grid(np.eye(3) + np.diag([0.3, 0.0], k=1))
    write_label_map(tmp_path / "sheared.nii", np.ones((4, 5, 7), np.uint8), sheared)
    assert struct.unpack_from("<2h", (tmp_path / "sheared.nii").read_bytes(), 252) == (0, 1)
    assert read_nifti(tmp_path / "sheared.nii").geometry.same_grid(sheared)


def test_two_placements_that_disagree_are_said(tmp_path: Path) -> None:
    write_label_map(tmp_path / "a.nii", np.ones((4, 5, 7), np.uint8), grid(oblique().T))
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    struct.pack_into("<f", raw, 268, 999.0)
    (tmp_path / "a.nii").write_bytes(raw)
    assert [reason.code for reason in read_header(str(tmp_path / "a.nii")).reasons] == ["AFFINES_DISAGREE"]


@pytest.mark.data
@pytest.mark.parametrize(
    "name",
    [
        "weights-brainchop/t1_crop.nii.gz",
        "ct-body-nifti-117-classes",
        "mr-fmri-4d/Ref",
        "mr-enhanced",
        "transfer-syntaxes/Ref",
    ],
)
def test_real_files_lie_and_read_as_simpleitk_says(test_data: Path, name: str) -> None:
    found = [test_data / name] if (test_data / name).is_file() else sorted((test_data / name).rglob("*.nii*"))
    assert found
    for path in found:
        image = SimpleITK.ReadImage(str(path))
        if image.GetDimension() == 4:
            image = image[:, :, :, 0]
        volume = read_nifti(path)
        np.testing.assert_allclose(itk_corners(image), volume.geometry.corners_lps_mm(), atol=0.01)
        np.testing.assert_allclose(SimpleITK.GetArrayFromImage(image), volume.values(), rtol=1e-6)


@pytest.mark.parametrize("keep", [0, 100, 348, 400])
def test_a_truncated_file_is_one_sentence(tmp_path: Path, keep: int) -> None:
    write_label_map(tmp_path / "a.nii", np.ones((4, 5, 7), np.uint8), grid(np.eye(3)))
    (tmp_path / "a.nii").write_bytes((tmp_path / "a.nii").read_bytes()[:keep])
    with pytest.raises(ReadError, match=r"a\.nii is damaged: it ends"):
        read_nifti(tmp_path / "a.nii")


def test_a_truncated_gzip_is_one_sentence(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (4, 5, 7)).astype(np.uint8)
    write_label_map(tmp_path / "a.nii.gz", noise, grid(np.eye(3)))
    whole = (tmp_path / "a.nii.gz").read_bytes()
    (tmp_path / "a.nii.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ReadError, match=r"a\.nii\.gz is damaged"):
        read_nifti(tmp_path / "a.nii.gz")


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"labels\.nii was not written: the folder gone is not there"):
        write_label_map(tmp_path / "gone" / "labels.nii", np.ones((4, 5, 7), np.uint8), grid(np.eye(3)))


def test_the_same_labels_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_label_map(tmp_path / f"{name}.nii.gz", np.ones((4, 5, 7), np.uint8), grid(np.eye(3)))
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
