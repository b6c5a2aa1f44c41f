"""The real head of the test data as a DICOM series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.uid import MRImageStorage

from medview.io.nifti import read_nifti
from tests.helpers.dicom_series import ct_slice


def write_head(test_data: Path, folder: Path) -> Path:
    """Write ``t1_crop`` as an MR series of one file per slice; return the folder."""
    volume = read_nifti(test_data / "weights-brainchop" / "t1_crop.nii.gz")
    folder.mkdir()
    geometry = volume.geometry
    rows, columns = (geometry.affine_lps[:3, axis] / geometry.spacing_kji_mm[axis] for axis in (2, 1))
    axes = np.stack([rows, columns, np.cross(rows, columns)])
    spacing_ji_mm = geometry.spacing_kji_mm[1:]
    for k, stored in enumerate(volume.voxels):
        position = geometry.point_lps_mm((k, 0, 0))
        dataset = ct_slice(stored.astype(np.uint16), position, axes, number=k + 1, spacing_ji_mm=spacing_ji_mm)
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = MRImageStorage
        dataset.Modality = "MR"
        dataset.SliceThickness = str(geometry.spacing_kji_mm[0])
        del dataset.RescaleSlope, dataset.RescaleIntercept
        dataset.save_as(folder / f"{k:03d}.dcm", enforce_file_format=True)
    return folder
