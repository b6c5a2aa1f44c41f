"""DICOM series made to order: anisotropic, non-square, asymmetric, and broken in the ways real ones are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

ROOT = "2.25.1234567890"
SPACING_JI_MM = (0.6, 0.9)
STEP_MM = 5.0
SHAPE_KJI = (7, 10, 13)


def oblique(seed: int = 3) -> npt.NDArray[np.float64]:
    """Row, column and normal direction as rows of a proper rotation."""
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    if np.linalg.det(rotation) < 0:
        rotation[2] *= -1
    return np.asarray(rotation)


def asymmetric(shape_kji: tuple[int, int, int] = SHAPE_KJI, dtype: str = "int16") -> npt.NDArray[Any]:
    """Voxels that differ everywhere, with one bright corner."""
    k, j, i = np.indices(shape_kji)
    voxels = (100 * k + 7 * j + i).astype(dtype)
    voxels[0, 0, -1] = 1500
    return voxels


def ct_slice(
    stored: npt.NDArray[Any],
    position_lps_mm: Sequence[float],
    axes: npt.NDArray[np.float64] | None = None,
    *,
    number: int = 1,
    series: str = f"{ROOT}.2",
    spacing_ji_mm: tuple[float, float] = SPACING_JI_MM,
) -> FileDataset:
    """One CT slice; ``axes`` holds row and column direction."""
    axes = np.eye(3) if axes is None else axes
    uid = f"{series}.{number}"
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = uid
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, uid
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = f"{ROOT}.1", series, f"{ROOT}.3"
    ds.Modality, ds.PatientID, ds.PatientName = "CT", "P1", "Phantom^One"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SeriesDescription, ds.SeriesNumber, ds.InstanceNumber = "phantom", 2, number
    ds.ImageOrientationPatient = [f"{v:.12g}"[:16] for v in (*axes[0], *axes[1])]
    ds.ImagePositionPatient = [f"{v:.12g}"[:16] for v in position_lps_mm]
    ds.PixelSpacing = list(spacing_ji_mm)
    ds.SliceThickness = "5"
    ds.RescaleSlope, ds.RescaleIntercept = "1", "-1024"
    put_pixels(ds, stored)
    return ds


def put_pixels(ds: Dataset, stored: npt.NDArray[Any]) -> None:
    ds.Rows, ds.Columns = stored.shape[:2]
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = stored.dtype.itemsize * 8
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(stored.dtype.kind == "i")
    ds.PixelData = stored.astype(stored.dtype.newbyteorder("<")).tobytes()


Change = Callable[[int, FileDataset], None]


def slightly_uneven(k: int, ds: FileDataset) -> None:
    """Move a slice of an axial series as far as rounding and unsteady tables do: it still counts as a volume."""
    x, y, z = (float(v) for v in ds.ImagePositionPatient)
    along = (0.0, 0.06, -0.04, 0.05, -0.05, 0.04, 0.0)[k]
    ds.ImagePositionPatient = [x + 0.02 * (k % 2), y, z + along]


def write_ct(
    folder: Path,
    voxels: npt.NDArray[Any] | None = None,
    *,
    axes: npt.NDArray[np.float64] | None = None,
    origin_lps_mm: Sequence[float] = (-31.0, 17.5, 42.25),
    step_lps_mm: Sequence[float] | None = None,
    series: str = f"{ROOT}.2",
    change: Change | None = None,
    order: Sequence[int] | None = None,
    leave_out: Sequence[int] = (),
) -> npt.NDArray[np.float64]:
    """Write a series, one file per k, and return its true affine_lps.

    Parameters
    ----------
    step_lps_mm
        From slice to slice; along row x column by 5 mm unless given.
    change
        Alters the data set of slice k before it is written.
    order
        File names follow this permutation of k, so that name and instance number lie.
    """
    voxels = asymmetric() if voxels is None else voxels
    axes = oblique() if axes is None else axes
    normal = np.cross(axes[0], axes[1])
    step = np.asarray(step_lps_mm) if step_lps_mm is not None else normal * STEP_MM
    folder.mkdir(parents=True, exist_ok=True)
    order = list(range(len(voxels))) if order is None else list(order)
    for k, stored in enumerate(voxels):
        if k in leave_out:
            continue
        position = np.asarray(origin_lps_mm) + k * step
        ds = ct_slice(stored, [float(p) for p in position], axes, number=order[k] + 1, series=series)
        if change is not None:
            change(k, ds)
        ds.save_as(folder / f"{order[k]:04d}.dcm", enforce_file_format=True)
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = axes[1] * SPACING_JI_MM[0]
    affine[:3, 2] = axes[0] * SPACING_JI_MM[1]
    affine[:3, 3] = origin_lps_mm
    return affine
