"""In which blocks of a volume padding lies, worked out once: pictures through it look closer only where it may be mixed."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.analysis.padding import holds_padding, padding_test
from medview.core.volume import Volume

Blocks = npt.NDArray[np.uint8]

SIDE = 8
"""Voxels along each side of a block."""
MIXED = 1
"""Some voxels in or right beside a block are padding."""
WHOLE = 2
"""All of them are, and of one number: interpolation between them gives that again."""

_known: dict[int, tuple[weakref.ref[Any], tuple[float, float], Blocks]] = {}
"""By the address of the array object of the voxels; an entry goes with its array."""


def known_blocks(volume: Volume) -> Blocks | None:
    """Return what ``find_blocks`` has found in these voxels, or None where nobody has looked yet."""
    known = _known.get(id(volume.voxels))
    if known is None or known[0]() is not volume.voxels or known[1] != volume.padding:
        return None
    return known[2]


def find_blocks(volume: Volume, interrupt: Callable[[], None] = lambda: None) -> Blocks | None:
    """Look for padding in all blocks and keep what is found as long as the voxels live; None where there is none.

    It takes some tenths of a second for a large volume, and only tells the truth once all slices have arrived.

    Parameters
    ----------
    interrupt : callable
        Called for every slice; what it raises ends the search.

    Returns
    -------
    ndarray of uint8, shape (blocks along k + 1, along j + 1, along i + 1)
        0, MIXED or WHOLE. Entry n along an axis is of the places from voxel ``SIDE * (n - 1)`` to ``SIDE * n``, and of one
        voxel more on either side; entry 0 is of those before voxel 0.
    """
    if volume.padding is None or volume.colour or not holds_padding(volume):
        return None
    is_padding, (low, high) = padding_test(volume), volume.padding
    one_number = volume.voxels.dtype.kind in "iu" and np.floor(high) == np.ceil(low)
    some, every = [], []
    for cut in volume.voxels:
        interrupt()
        here = is_padding(cut)
        some.append(_joined(_joined(here, 0, np.logical_or), 1, np.logical_or))
        every.append(_joined(_joined(here, 0, np.logical_and), 1, np.logical_and))
    blocks = _joined(np.asarray(some), 0, np.logical_or).astype(np.uint8)
    if one_number:
        blocks[_joined(np.asarray(every), 0, np.logical_and)] = WHOLE
    blocks = np.pad(blocks, [(1, 0)] * 3, mode="edge")
    _known[id(volume.voxels)] = (weakref.ref(volume.voxels, _forgets(id(volume.voxels))), volume.padding, blocks)
    return blocks


def _joined(flags: npt.NDArray[np.bool_], axis: int, join: np.ufunc) -> npt.NDArray[np.bool_]:
    """Join flags of voxels to those of blocks along an axis.

    A place in the last cell of a block lies beside the first voxel of the next one; rounding reaches another one further.
    """
    blocks = -(-flags.shape[axis] // SIDE)
    beyond = [(0, 0)] * flags.ndim
    beyond[axis] = (1, blocks * SIDE + 2 - flags.shape[axis])
    flags = np.moveaxis(np.pad(flags, beyond, mode="edge"), axis, 0)
    found = flags[0 : blocks * SIDE : SIDE].copy()
    for n in range(1, SIDE + 3):
        join(found, flags[n : n + blocks * SIDE : SIDE], out=found)
    return np.moveaxis(found, 0, axis)


def _forgets(key: int) -> Callable[[object], None]:
    def forget(gone: object) -> None:
        entry = _known.get(key)
        if entry is not None and entry[0] is gone:
            del _known[key]

    return forget
