"""Local work on large arrays, some slices at a time: it can be given up between two of them, and needs little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

_MOST_VOXELS = 1 << 22
"""Of a slab: a few tenths of a second of the slowest work."""


def nothing() -> None:
    """Do nothing between two slabs."""


def by_slabs(mask: Mask, reach_k: int, work: Callable[[Mask], Mask], between: Callable[[], None] = nothing) -> Mask:
    """Return ``work(mask)`` for work on whose every voxel only voxels at most ``reach_k`` slices away have a bearing.

    Parameters
    ----------
    mask : ndarray of bool, shape (k, j, i)
    work : callable
        Takes some slices of the mask and returns as many.
    between : callable
        Called before each slab; what it raises ends the work.
    """
    out = np.empty_like(mask)
    for inner, outer in _slabs(mask.shape, reach_k):
        between()
        start = inner.start - outer.start
        out[inner] = work(mask[outer])[start : start + inner.stop - inner.start]
    return out


def _slabs(shape: tuple[int, ...], reach_k: int) -> Iterator[tuple[slice, slice]]:
    # No thinner than what is read besides.
    step = max(1, 2 * reach_k, _MOST_VOXELS // max(1, shape[1] * shape[2]))
    for k in range(0, shape[0], step):
        end = min(k + step, shape[0])
        yield slice(k, end), slice(max(0, k - reach_k), min(end + reach_k, shape[0]))
