"""The same picture under another name, in another number format, with another rescale or with a border around it."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.volume import Volume

MOST_VOXELS = 1 << 24
"""Of a larger volume every second, third ... voxel along each axis is looked at."""

_WIDEST = 1 << 20
"""Range of whole numbers up to which they are counted instead of sorted."""

Voxels = npt.NDArray[Any]


def picture_sha256(volume: Volume) -> str:
    """Return what two volumes share when one is the other with its values stretched, shifted, stored otherwise or framed.

    Outer planes of one value are taken away, marked padding counts as the lowest value, and the rest is hashed as the ranks
    of its values: they stay the same under every rescale that keeps different values apart. Empty where all is one value.
    """
    voxels: Voxels = volume.voxels
    if volume.padding is not None and not volume.colour:
        outside = volume.is_padding(voxels)
        if outside.all():
            return ""
        if outside.any():
            voxels = np.where(outside, voxels[~outside].min(), voxels)
    if volume.colour and np.array_equal(voxels[..., 0], voxels[..., 1]) and np.array_equal(voxels[..., 0], voxels[..., 2]):
        voxels = voxels[..., 0]
    voxels = without_frame(voxels)
    step = math.ceil((voxels.size / MOST_VOXELS) ** (1 / 3)) if voxels.size > MOST_VOXELS else 1
    ranks = _ranks(voxels[tuple(slice(None, None, min(step, n)) for n in voxels.shape[:3])])
    if not ranks.any():
        return ""
    return hashlib.sha256(f"{voxels.shape}".encode() + ranks.astype("<u4").tobytes()).hexdigest()


def without_frame(voxels: Voxels) -> Voxels:
    """Return a volume (k, j, i) or (k, j, i, 3) without the outer planes that hold one value only, one plane at least."""
    before: tuple[int, ...] = ()
    while voxels.shape != before:
        before = voxels.shape
        for axis in range(3):
            for end in (0, -1):
                while voxels.shape[axis] > 1 and _constant(np.take(voxels, end, axis)):
                    voxels = voxels[tuple(slice(None) if a != axis else _inner(end) for a in range(voxels.ndim))]
    return voxels


def _inner(end: int) -> slice:
    return slice(1, None) if end == 0 else slice(None, -1)


def _constant(plane: Voxels) -> bool:
    return bool((plane == plane[0, 0]).all())


def _ranks(voxels: Voxels) -> Voxels:
    """Return the number of each value among all that occur, from 0, lowest first."""
    if voxels.dtype.kind in "iu":
        low, high = int(voxels.min()), int(voxels.max())
        if high - low < _WIDEST:
            places = voxels.astype(np.int64).ravel() - low
            there = np.bincount(places, minlength=high - low + 1) > 0
            return np.asarray((np.cumsum(there) - 1)[places])
    return np.asarray(np.unique(voxels.ravel(), return_inverse=True)[1])
