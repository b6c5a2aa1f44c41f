"""What is known to go wrong with label maps: mirrored axes, images without a place, two placements, other images."""

from __future__ import annotations

import itertools
import json
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from PIL import Image
from pydicom.dataset import FileDataset

from medview.core.errors import GeometryError, WriteError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.pixel_hash import pixels_sha256
from medview.core.segmentation import LabelArray, Segment, Segmentation
from medview.core.volume import Volume
from medview.io import nifti, nrrd
from medview.io.label_files import read_labels, write_names
from medview.io.load import load_volume
from medview.workspace.conversion import convert
from medview.workspace.exports import write_named_map
from tests.helpers.dicom_series import asymmetric, oblique, write_ct

SHAPE = (4, 5, 7)
SPACING_KJI_MM = (5.0, 0.6, 0.9)


def blob() -> LabelArray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 3, 5:7] = 1
    labels[2, 3, 6] = 1
    return labels


def grid(directions: np.ndarray) -> Geometry:  # type: ignore[type-arg]
    affine = np.eye(4)
    affine[:3, :3] = directions * SPACING_KJI_MM
    affine[:3, 3] = (-31.5, 17.25, 42.125)
    return Geometry(SHAPE, affine)


def centre_by_simpleitk(path: Path) -> np.ndarray:  # type: ignore[type-arg]
    image = SimpleITK.ReadImage(str(path))
    hits = np.argwhere(SimpleITK.GetArrayFromImage(image))
    return np.mean([image.TransformIndexToPhysicalPoint([int(i), int(j), int(k)]) for k, j, i in hits], axis=0)


@pytest.mark.parametrize("turn", range(20))
def test_a_blob_keeps_its_place_for_all_48_orders_of_axes_in_twenty_oblique_positions(tmp_path: Path, turn: int) -> None:
    volume = Volume(asymmetric(SHAPE), grid(oblique(turn).T))
    for order, signs in itertools.product(itertools.permutations(range(3)), itertools.product((-1.0, 1.0), repeat=3)):
        geometry = grid(oblique(turn).T @ (np.eye(3)[list(order)].T * signs))
        truth = geometry.point_lps_mm(np.argwhere(blob())).mean(axis=0)
        for name, form in (("blob.nii", nifti), ("blob.nrrd", nrrd)):
            form.write_label_map(tmp_path / name, blob(), geometry)
            np.testing.assert_allclose(centre_by_simpleitk(tmp_path / name), truth, atol=1e-4)
        own = read_labels(tmp_path / "blob.nii", Volume(volume.voxels, geometry))
        np.testing.assert_array_equal(own.layers[0], blob())


def without_positions(k: int, dataset: FileDataset) -> None:
    del dataset.ImagePositionPatient, dataset.ImageOrientationPatient, dataset.FrameOfReferenceUID


@pytest.mark.parametrize("ending", ["nii.gz", "nrrd"])
@pytest.mark.parametrize("what", ["radiograph", "picture", "stack with a gap"])
def test_images_without_positions_become_no_nifti_or_nrrd_that_would_claim_some(
    tmp_path: Path, ending: str, what: str
) -> None:
    source = tmp_path / "source"
    if what == "picture":
        source.mkdir()
        Image.fromarray(np.arange(130, dtype=np.uint8).reshape(10, 13)).save(source / "a.png")
    elif what == "radiograph":
        write_ct(source, asymmetric()[:1], change=without_positions)
    else:
        write_ct(source, leave_out=[3])
    missing = "no millimetres along the stack" if what == "stack with a gap" else "no position in the patient"
    with pytest.raises(WriteError, match=rf"out\.{ending} was not written: the images state {missing}, .*medview render"):
        convert(source, tmp_path / f"out.{ending}", None, None, Inline())
    assert not (tmp_path / f"out.{ending}").exists()


def test_labels_of_images_without_positions_claim_no_place_and_come_back_voxel_for_voxel(tmp_path: Path) -> None:
    write_ct(tmp_path / "xr", asymmetric()[:1], change=without_positions)
    volume = load_volume(tmp_path / "xr", None, Inline()).volume
    assert volume.geometry.calibration is not Calibration.VOLUME
    segmentation = Segmentation(volume.geometry, segments=[Segment("a", "Rib", (1, 2, 3), 0, 1)])
    segmentation.layer(0).voxels[0, 2:4, 9:13] = 1
    path = tmp_path / "labels.nii.gz"
    write_named_map(path, segmentation, pixels_sha256(volume))
    assert not nifti.placed(str(path))
    image = SimpleITK.ReadImage(str(path))
    assert (image.GetMetaData("sform_code"), image.GetMetaData("qform_code")) == ("0", "0")
    np.testing.assert_array_equal(read_labels(path, volume).layers[0], segmentation.layer(0).voxels)
    with pytest.raises(WriteError, match="the images state no positions, which NRRD always claims; write NIfTI instead"):
        nrrd.write_label_map(tmp_path / "labels.nrrd", segmentation.layer(0).voxels, volume.geometry)
    other = Volume(volume.voxels[:, ::-1], volume.geometry)
    with pytest.raises(GeometryError, match="made on other images"):
        read_labels(path, other)
    turned = Volume(np.zeros((1, 13, 10), np.int16), Geometry((1, 13, 10), np.eye(4), calibration=Calibration.PIXELS))
    (tmp_path / "labels.json").unlink()
    with pytest.raises(GeometryError, match="made on images of another size"):
        read_labels(path, turned)


def test_converting_labels_of_images_without_positions_says_that_they_claim_no_place(tmp_path: Path) -> None:
    write_ct(tmp_path / "xr", asymmetric()[:1], change=without_positions)
    volume = load_volume(tmp_path / "xr", None, Inline()).volume
    nifti.write_label_map(tmp_path / "a.nii", np.ones((1, 10, 13), np.uint8), volume.geometry)
    notes = convert(tmp_path / "a.nii", tmp_path / "b.nii.gz", tmp_path / "xr", None, Inline())
    assert notes == (
        "a.nii does not say which images it was made on; only its grid was compared.",
        "b.nii.gz claims no place in the patient, as the images state none; use it voxel by voxel.",
    )


def test_both_placements_are_written_alike_and_read_alike_by_others(tmp_path: Path) -> None:
    geometry = grid(oblique(2).T)
    nifti.write_label_map(tmp_path / "a.nii", blob(), geometry)
    whole = bytearray((tmp_path / "a.nii").read_bytes())
    by_sform = SimpleITK.ReadImage(str(tmp_path / "a.nii"))
    struct.pack_into("<h", whole, 254, 0)
    (tmp_path / "b.nii").write_bytes(whole)
    by_qform = SimpleITK.ReadImage(str(tmp_path / "b.nii"))
    np.testing.assert_allclose(by_sform.GetDirection(), by_qform.GetDirection(), atol=1e-5)
    np.testing.assert_allclose(by_sform.GetOrigin(), by_qform.GetOrigin(), atol=1e-4)
    assert nifti.read_nifti(tmp_path / "b.nii").geometry.same_grid(geometry)


def test_the_pixels_a_map_was_made_on_stand_in_its_companion_and_go_on_through_other_formats(tmp_path: Path) -> None:
    write_ct(tmp_path / "ct")
    volume = load_volume(tmp_path / "ct", None, Inline()).volume
    pixels = pixels_sha256(volume)
    segmentation = Segmentation(volume.geometry, segments=[Segment("a", "Lung", (1, 2, 3), 0, 1)])
    segmentation.layer(0).voxels[1:3, 2:6, 3:9] = 1
    write_named_map(tmp_path / "a.nii.gz", segmentation, pixels)
    assert json.loads((tmp_path / "a.json").read_text())["pixels_sha256"] == pixels
    steps = [("a.nii.gz", "b.dcm", tmp_path / "ct"), ("b.dcm", "c.nrrd", None), ("c.nrrd", "d.nii.gz", tmp_path / "ct")]
    for source, target, reference in steps:
        assert convert(tmp_path / source, tmp_path / target, reference, None, Inline()) == ()
    for name in ("b.dcm", "c.nrrd", "d.nii.gz"):
        read = read_labels(tmp_path / name, volume)
        assert read.pixels_sha256 == pixels
        np.testing.assert_array_equal(read.layers[0], segmentation.layer(0).voxels)
    changed = asymmetric()
    changed[3, 4, 5] += 1
    write_ct(tmp_path / "other", changed)
    for name in ("a.nii.gz", "b.dcm", "c.nrrd"):
        with pytest.raises(GeometryError, match="was made on other images than these"):
            convert(tmp_path / name, tmp_path / "out.nii.gz", tmp_path / "other", None, Inline())
    assert not (tmp_path / "out.nii.gz").exists()


@pytest.mark.parametrize("said", ["no hash", 7, "a" * 63, None])
def test_a_companion_whose_hash_is_no_hash_says_nothing(tmp_path: Path, said: object) -> None:
    geometry = grid(oblique().T)
    nifti.write_label_map(tmp_path / "a.nii", blob(), geometry)
    write_names(tmp_path / "a.nii", [Segment("a", "Lung", (1, 2, 3), 0, 1)])
    document = json.loads((tmp_path / "a.json").read_text())
    (tmp_path / "a.json").write_text(json.dumps(document | {"pixels_sha256": said}))
    read = read_labels(tmp_path / "a.nii", Volume(asymmetric(SHAPE), geometry))
    assert read.pixels_sha256 == ""
    assert read.segments[0].name == "Lung"
    assert len(read.notes) == 1
