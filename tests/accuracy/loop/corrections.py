"""What a person would repair of a slice of a proposal: what is wrong by more than a voxel, all of each such place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Slice = npt.NDArray[np.uint8]
"""Numbers of classes, 0 for none."""
Flags = npt.NDArray[np.bool_]


def corrected(found: Slice, truth: Slice) -> Slice:
    """Return a slice as it is after somebody looked at it.

    A voxel is wrong by more than a voxel where neither it nor one of its four neighbours is truly what it is called. A
    place is wrong voxels that touch, corners included. It becomes as the truth is, all of it, where one of its voxels is
    wrong by more than a voxel, where it holds a piece of the truth that the proposal has nothing of, or a piece of the
    proposal of which nothing is true. Others stay: an edge that is off by one voxel is as good as people's own.

    Parameters
    ----------
    found, truth : ndarray of uint8, shape (j, i)
        Numbers of classes, 0 for none.
    """
    from scipy import ndimage

    wrong = found != truth
    if not wrong.any():
        return found.copy()
    seen = wrong & ~_nearly(found, truth)
    for name in np.union1d(np.unique(found[wrong]), np.unique(truth[wrong])):
        if name:
            seen |= _without(truth == name, found == name) | _without(found == name, truth == name)
    places, count = ndimage.label(wrong, structure=np.ones((3, 3)))
    repaired = np.zeros(count + 1, dtype=np.bool_)
    repaired[np.unique(places[seen & wrong])] = True
    repaired[0] = False
    return np.where(repaired[places], truth, found).astype(np.uint8)


def changed_voxels(before: Slice, after: Slice, classes: int) -> int:
    """Return how many voxels were added to a class or taken from one; from one class to another counts in both."""
    return int(sum(np.count_nonzero((before == n) != (after == n)) for n in range(1, 1 + classes)))


def _nearly(found: Slice, truth: Slice) -> Flags:
    """Return where the truth holds, in a voxel or one of its four neighbours, what the voxel is called."""
    around = np.pad(truth, 1, mode="edge")
    neighbours = (around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:])
    return np.asarray(np.any([found == one for one in (truth, *neighbours)], axis=0))


def _without(pieces: Flags, other: Flags) -> Flags:
    """Return the pieces of a mask of which another mask has nothing."""
    from scipy import ndimage

    labels, count = ndimage.label(pieces, structure=np.ones((3, 3)))
    met = np.zeros(count + 1, dtype=np.bool_)
    met[np.unique(labels[other])] = True
    met[0] = True
    return np.asarray(~met[labels])
