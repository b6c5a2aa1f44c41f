"""What a perfect detector with a pyramid of features answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medview.ml.spec import Shape3

NEAR_CELLS = 1.5
"""Cells inside an object that are no further from its middle answer for it (Tian 2019)."""

LARGEST_CELLS = 8.0
"""An object whose longest edge is over so many cells of a level belongs to a coarser one."""

BOTH = 1.25
"""Objects less than this much over or under the limit between two levels are answered for by both."""

NOTHING, IGNORED = -1, -2
"""In maps of classes: cells that answer for nothing, and cells whose answer is neither right nor wrong."""

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


def level_targets(
    boxes: Floats,
    classes: Integers,
    ignored: npt.NDArray[np.bool_],
    cells: tuple[int, ...],
    step: Shape3,
    level: int,
    levels: int,
) -> tuple[npt.NDArray[np.int16], Floats]:
    """Return what one level is to answer for one sample.

    Parameters
    ----------
    boxes : ndarray, shape (n, 6)
        Lowest and highest corner k, j, i in voxels at voxel edges.
    classes : ndarray, shape (n,)
        From 0.
    ignored : ndarray of bool, shape (n,)
        Boxes it is neither right nor wrong to find.
    cells : tuple of int
        Cells of the level: (k, j, i), or (j, i) for slices.
    step : tuple of int
        Voxels per cell along k, j, i.
    level, levels : int
        Which one of how many; the first is the finest.

    Returns
    -------
    classes : ndarray of int16, of the shape of ``cells``
        Class of the object a cell answers for, ``NOTHING`` or ``IGNORED``.
    boxes : ndarray of float32, shape (2 * dimensions, *cells)
        Lowest and highest corner of that object.
    """
    dims = len(cells)
    steps = np.asarray(step[-dims:], dtype=np.float64)
    longest = LARGEST_CELLS * steps.max()
    least = 0.0 if level == 0 else longest / 2 / BOTH
    most = np.inf if level == levels - 1 else longest * BOTH
    answer = np.full(cells, NOTHING, dtype=np.int16)
    around = np.zeros((2 * dims, *cells), dtype=np.float32)
    low, high = boxes[:, 3 - dims : 3].astype(np.float64), boxes[:, 6 - dims :].astype(np.float64)
    edges = high - low
    # Whatever is ignored is so on every level; objects then take their cells back.
    for n in np.flatnonzero(ignored):
        answer[_inside(low[n], high[n], steps, cells)] = IGNORED
    # Smaller objects are written last: of two that share a cell it answers for the smaller.
    order = np.argsort(-edges.prod(axis=1), kind="stable")
    for n in order[~ignored[order]]:
        if not least < edges[n].max() <= most:
            continue
        middle = (low[n] + high[n]) / 2
        own = np.floor(middle / steps).astype(int)
        first = np.maximum(np.maximum(low[n], middle - NEAR_CELLS * steps), 0)
        last = np.minimum(high[n], middle + NEAR_CELLS * steps)
        where = _inside(first, last, steps, cells)
        answer[where] = classes[n]
        corner = np.concatenate([low[n], high[n]])
        around[(slice(None), *where)] = corner.reshape(-1, *([1] * dims))
        if all(0 <= c < count for c, count in zip(own, cells, strict=True)):
            answer[tuple(own)] = classes[n]
            around[(slice(None), *own)] = corner
    return answer, around


def _inside(
    low: npt.NDArray[np.float64], high: npt.NDArray[np.float64], steps: npt.NDArray[np.float64], cells: tuple[int, ...]
) -> tuple[slice, ...]:
    """Return the cells whose middles lie in a box."""
    first = np.ceil(low / steps - 0.5).astype(int)
    last = np.floor(high / steps - 0.5).astype(int) + 1
    return tuple(
        slice(min(max(0, a), count), min(max(0, b), count)) for a, b, count in zip(first, last, cells, strict=True)
    )


def batch_targets(
    samples: Sequence[tuple[Floats, Integers, npt.NDArray[np.bool_]]],
    shape_kji: Shape3,
    levels: Sequence[Shape3],
    dimensions: int,
) -> list[tuple[npt.NDArray[np.int16], Floats]]:
    """Return for every level the classes (N, *cells) and boxes (N, 2 * dimensions, *cells) of samples of one shape."""
    found = []
    for number, step in enumerate(levels):
        cells = tuple(-(-side // s) for side, s in zip(shape_kji, step, strict=True))[-dimensions:]
        made = [level_targets(*sample, cells, step, number, len(levels)) for sample in samples]
        found.append((np.stack([classes for classes, _ in made]), np.stack([boxes for _, boxes in made])))
    return found
