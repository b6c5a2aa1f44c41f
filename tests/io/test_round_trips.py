"""One off-centre blob keeps its place in the patient through every format, whatever the axes (row 24)."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK

from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.segmentation import Segment, Segmentation
from medview.io import nifti, nrrd
from medview.io.dicom.seg import read_seg, write_seg
from medview.io.imported_labels import ImportedLabels
from medview.io.label_files import read_labels
from medview.io.load import load_volume
from tests.helpers.dicom_series import asymmetric, oblique, write_ct

SHAPE = (4, 5, 7)


def blob() -> npt.NDArray[np.uint8]:
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 3, 5:7] = 1
    labels[2, 3, 6] = 1
    return labels


def centre(labels: npt.NDArray[np.bool_], geometry: Geometry) -> npt.NDArray[np.float64]:
    return np.asarray(geometry.point_lps_mm(np.argwhere(labels)).mean(axis=0))


def centre_by_simpleitk(path: Path) -> npt.NDArray[np.float64]:
    image = SimpleITK.ReadImage(str(path))
    hits = np.argwhere(SimpleITK.GetArrayFromImage(image))
    return np.mean([image.TransformIndexToPhysicalPoint([int(i), int(j), int(k)]) for k, j, i in hits], axis=0)


def only_mask(read: ImportedLabels) -> npt.NDArray[np.bool_]:
    (segment,) = read.segments
    return np.asarray(read.layers[segment.layer_id] == segment.value)


@pytest.mark.parametrize("signs", list(itertools.product((-1.0, 1.0), repeat=3)))
def test_a_blob_stays_where_it_is(tmp_path: Path, signs: tuple[float, float, float]) -> None:
    for number, order in enumerate(itertools.permutations(range(3))):
        axes = (np.eye(3)[list(order)] * np.asarray(signs)[:, None]) @ oblique(number)
        write_ct(tmp_path / str(number), asymmetric(SHAPE), axes=axes)
        loaded = load_volume(tmp_path / str(number), None, Inline())
        geometry = loaded.volume.geometry
        segmentation = Segmentation(geometry, segments=[Segment("a", "Blob", (1, 2, 3), 0, 1)])
        segmentation.layer(0).voxels[...] = blob()
        truth = centre(blob() == 1, geometry)

        nifti.write_label_map(tmp_path / "blob.nii.gz", blob(), geometry)
        nrrd.write_label_map(tmp_path / "blob.nrrd", blob(), geometry)
        write_seg(tmp_path / "blob.dcm", segmentation, [Path(p) for p in loaded.entry.dicom_paths])
        for name in ("blob.nii.gz", "blob.nrrd"):
            np.testing.assert_allclose(centre_by_simpleitk(tmp_path / name), truth, atol=1e-4)
        for name in ("blob.nii.gz", "blob.nrrd", "blob.dcm"):
            read = read_labels(tmp_path / name, loaded.volume)
            np.testing.assert_array_equal(only_mask(read), blob() == 1)
        alone = read_seg(tmp_path / "blob.dcm")
        np.testing.assert_allclose(centre(only_mask(alone), alone.geometry), truth, atol=1e-4)
