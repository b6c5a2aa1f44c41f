"""What training sees of a patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class TrainingCase:
    """One volume at the spacing the network works at, with its truth.

    Attributes
    ----------
    values : ndarray of float16, shape (k, j, i)
        Normalised as the pack's input says.
    labels : ndarray of uint8, shape (k, j, i)
    boxes : ndarray of float32, shape (n, 6)
        Centre k, j, i in voxels measured at voxel edges (voxel n covers n to n + 1), then extent along k, j, i in mm.
    """

    values: npt.NDArray[np.float16]
    labels: npt.NDArray[np.uint8]
    boxes: npt.NDArray[np.float32]
