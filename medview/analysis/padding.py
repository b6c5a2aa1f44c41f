"""Voxels that mark places outside the field of view."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from math import ceil, floor
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.volume import Volume

_padded: dict[int, tuple[weakref.ref[Any], bool]] = {}
"""Whether voxels in use hold padding, by the address of the array object."""


def holds_padding(volume: Volume) -> bool:
    """Whether any voxel is padding. It is looked up once for every volume: ask when all slices have arrived."""
    if volume.padding is None or volume.colour:
        return False
    key = id(volume.voxels)
    known = _padded.get(key)
    if known is None or known[0]() is not volume.voxels:
        is_padding = padding_test(volume)
        # Slice by slice: a mask of the whole volume would be half as large as it.
        found = any(bool(is_padding(cut).any()) for cut in volume.voxels)
        known = _padded[key] = (weakref.ref(volume.voxels, _forgets(key)), found)
    return known[1]


def _forgets(key: int) -> Callable[[object], None]:
    def forget(gone: object) -> None:
        entry = _padded.get(key)
        if entry is not None and entry[0] is gone:
            del _padded[key]

    return forget


def padding_test(volume: Volume) -> Callable[[Any], npt.NDArray[np.bool_]]:
    """Return ``volume.is_padding`` without the way over floating point, which takes five times as long for integers."""
    dtype: np.dtype[Any] = volume.voxels.dtype
    if volume.padding is None or dtype.kind not in "iu":
        return volume.is_padding
    limits = np.iinfo(dtype)
    low, high = max(ceil(volume.padding[0]), limits.min), min(floor(volume.padding[1]), limits.max)
    if low == high:
        return partial(np.equal, dtype.type(low))
    if low > high:
        return volume.is_padding
    return lambda stored: np.asarray((stored >= dtype.type(low)) & (stored <= dtype.type(high)))
