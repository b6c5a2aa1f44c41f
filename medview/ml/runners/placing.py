"""Where the voxels of the model's grid lie in the input, for boxes and slices; both along the model's axes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.ml.runners.preprocess import Prepared

FloatArray = npt.NDArray[np.float64]


def voxel_scale(prepared: Prepared) -> FloatArray:
    """Return the input's voxels per voxel of the model, along k, j, i of the model."""
    scale: FloatArray = np.asarray(prepared.crop.shape_kji, dtype=np.float64) / np.asarray(prepared.shape_kji)
    return scale


def to_turned(prepared: Prepared, edges_kji: npt.ArrayLike) -> FloatArray:
    """Return places of the model's grid, counted at voxel edges, in the turned input."""
    edges = np.asarray(edges_kji, dtype=np.float64)
    return np.asarray(edges * voxel_scale(prepared) + np.asarray(prepared.crop.min_kji))


def to_model(prepared: Prepared, edges_kji: npt.ArrayLike) -> FloatArray:
    """Return places of the turned input, counted at voxel edges, in the model's grid; the inverse of ``to_turned``."""
    away = np.asarray(edges_kji, dtype=np.float64) - np.asarray(prepared.crop.min_kji)
    return np.asarray(away / voxel_scale(prepared), dtype=np.float64)
