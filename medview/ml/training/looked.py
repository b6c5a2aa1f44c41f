"""What a look at validation saw of one example, handed over on the way to whoever keeps pictures of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """One validation example, on the grid of the network. Arrays may be mapped from the disk; nothing is copied.

    Attributes
    ----------
    values : ndarray
        Prepared values (channels, k, j, i).
    truth, found : ndarray of uint8
        Class numbers (1, k, j, i), or per class 0, 1 and ``UNKNOWN`` (classes, k, j, i).
    spacing_kji : tuple of float
        Of the grid.
    """

    key: str
    values: npt.NDArray[np.floating]
    truth: npt.NDArray[np.uint8]
    found: npt.NDArray[np.uint8]
    spacing_kji: tuple[float, float, float]
