"""A contrast study in time whose every number is known: a vessel that fills fast and a lesion that fills slowly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import FileDataset

from tests.helpers.dicom_series import write_ct

SHAPE_KJI = (12, 96, 80)
TIMES_S = (0.0, 3.0, 6.0, 9.0, 12.0, 18.0, 24.0, 32.0, 40.0, 56.0)
VESSEL_KJI, LESION_KJI = (5, 30, 24), (5, 56, 50)
STORED_ZERO = 1024
"""Stored number of 0 HU."""


def enhancement_hu(time_s: float) -> tuple[float, float]:
    """Return how much the vessel and the lesion are above their tissue."""
    vessel = 280.0 * (time_s / 9.0) ** 2 * np.exp(2.0 * (1.0 - time_s / 9.0))
    return float(vessel), float(90.0 * (1.0 - np.exp(-time_s / 14.0)))


def stored_at(time_s: float, shape_kji: tuple[int, int, int] = SHAPE_KJI) -> npt.NDArray[np.int16]:
    """Return the stored voxels of one moment."""
    k, j, i = np.indices(shape_kji)
    stored = np.full(shape_kji, STORED_ZERO - 1000, dtype=np.float64)
    body = ((j - 46) / 42) ** 2 + ((i - 40) / 36) ** 2 < 1
    noise = np.random.default_rng(11).normal(0.0, 9.0, shape_kji)
    stored[body] = (STORED_ZERO + 40 + 3 * k + noise)[body]
    vessel, lesion = enhancement_hu(time_s)
    stored[(j - VESSEL_KJI[1]) ** 2 + (i - VESSEL_KJI[2]) ** 2 < 36] += vessel
    stored[(k - 5) ** 2 * 9 + (j - LESION_KJI[1]) ** 2 + (i - LESION_KJI[2]) ** 2 < 110] += lesion
    return np.rint(stored).astype(np.int16)


def write_contrast(folder: Path, shape_kji: tuple[int, int, int] = SHAPE_KJI) -> list[npt.NDArray[np.int16]]:
    """Write the study, a folder for each moment, and return its stored voxels."""
    written = []
    for number, time_s in enumerate(TIMES_S):

        def change(_k: int, ds: FileDataset, number: int = number, time_s: float = time_s) -> None:
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SOPInstanceUID}.{number}"
            ds.TemporalPositionIdentifier = number + 1
            seconds = 36000 + time_s
            ds.AcquisitionTime = f"{int(seconds) // 3600:02d}{int(seconds) // 60 % 60:02d}{seconds % 60:09.6f}"
            ds.SeriesDescription = "Contrast in time"

        written.append(stored_at(time_s, shape_kji))
        write_ct(folder / f"{number:02d}", written[-1], axes=np.eye(3), change=change)
    return written
