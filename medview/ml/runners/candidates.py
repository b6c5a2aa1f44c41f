"""Boxes before they are thinned out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.job import JobContext

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SAME_THING = 0.3
"""Boxes of neighbouring slices that share this much of their area (IoU) are cuts of one thing."""

_TOGETHER = 256
"""Boxes of a slice that are compared at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Boxes in voxels of the model's grid, half-open at voxel edges.

    Attributes
    ----------
    low_kji, high_kji : ndarray of float64, shape (n, 3)
    scores : ndarray of float64, shape (n,)
    classes : ndarray of int64, shape (n,)
    """

    low_kji: FloatArray
    high_kji: FloatArray
    scores: FloatArray
    classes: IntArray

    def __getitem__(self, which: IntArray) -> Candidates:
        """Return some of them, in the given order."""
        return Candidates(self.low_kji[which], self.high_kji[which], self.scores[which], self.classes[which])

    def moved(self, by_kji: npt.ArrayLike) -> Candidates:
        """Return the same boxes elsewhere."""
        by = np.asarray(by_kji, dtype=np.float64)
        return Candidates(self.low_kji + by, self.high_kji + by, self.scores, self.classes)

    @classmethod
    def joined(cls, several: Sequence[Candidates]) -> Candidates:
        """Return all of several."""
        if not several:
            return cls(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0), np.zeros(0, dtype=np.int64))
        return cls(
            np.concatenate([c.low_kji for c in several]),
            np.concatenate([c.high_kji for c in several]),
            np.concatenate([c.scores for c in several]),
            np.concatenate([c.classes for c in several]),
        )


def suppress(candidates: Candidates, iou: float, most: int, context: JobContext) -> IntArray:
    """Return the indices that stay, best first: of two boxes of one class that overlap by more than ``iou``, the better.

    Raises
    ------
    CancelledError
    """
    left = np.argsort(-candidates.scores, kind="stable")
    low, high, classes = candidates.low_kji[left].T, candidates.high_kji[left].T, candidates.classes[left]
    sizes = _product(high - low)
    kept: list[int] = []
    # Each that is kept takes its rivals out at once, so that there are as many rounds as boxes in the end.
    while len(left) and len(kept) < most:
        context.raise_if_cancelled()
        kept.append(int(left[0]))
        common = _product(np.clip(np.minimum(high[:, 1:], high[:, :1]) - np.maximum(low[:, 1:], low[:, :1]), 0.0, None))
        beaten = (classes[1:] == classes[0]) & (common > iou * (sizes[1:] + sizes[0] - common))
        if beaten.any():
            stays = np.flatnonzero(~beaten) + 1
            left, classes, sizes, low, high = left[stays], classes[stays], sizes[stays], low[:, stays], high[:, stays]
        else:
            left, classes, sizes, low, high = left[1:], classes[1:], sizes[1:], low[:, 1:], high[:, 1:]
    return np.asarray(kept, dtype=np.int64)


def suppress_in_slices(candidates: Candidates, iou: float, context: JobContext) -> IntArray:
    """Return the indices that stay of boxes of one slice each, slice by slice; see ``suppress``."""
    slices = np.rint(candidates.low_kji[:, 0])
    order = np.argsort(slices, kind="stable")
    ends = np.flatnonzero(np.diff(slices[order])) + 1
    kept = [one[suppress(candidates[one], iou, len(one), context)] for one in np.split(order, ends)]
    return np.concatenate(kept)


def join_slices(candidates: Candidates, context: JobContext) -> Candidates:
    """Join boxes of one slice each, after suppression, into boxes through slices.

    From slice to slice a box goes on with the one of its class that shares most with it; one slice may be missing between.
    A joined box reaches around all of its cuts, and its score is the best of them.

    Raises
    ------
    CancelledError
    """
    chains: list[list[int]] = []
    ended: dict[int, list[int]] = {}
    """Chains by the slice that they reach so far."""
    slices = np.rint(candidates.low_kji[:, 0]).astype(int)
    order = np.lexsort((-candidates.scores, slices))
    for group in np.split(order, np.flatnonzero(np.diff(slices[order])) + 1) if len(order) else ():
        here = int(slices[group[0]])
        open_here = [*ended.get(here - 1, ()), *ended.get(here - 2, ())]
        tails = np.asarray([chains[c][-1] for c in open_here], dtype=np.int64)
        taken = np.zeros(len(open_here), dtype=bool)
        reached = ended.setdefault(here, [])
        for first in range(0, len(group), _TOGETHER):
            context.raise_if_cancelled()
            some = group[first : first + _TOGETHER]
            for n, shares in zip(some.tolist(), _shares(candidates, some, tails), strict=True):
                shares[taken] = 0.0
                best = int(np.argmax(shares)) if len(shares) else -1
                if best >= 0 and shares[best] >= SAME_THING:
                    taken[best] = True
                    chains[open_here[best]].append(n)
                    reached.append(open_here[best])
                else:
                    reached.append(len(chains))
                    chains.append([n])
        gone = {chain for chain, was in zip(open_here, taken.tolist(), strict=True) if was}
        ended[here - 1] = [chain for chain in ended.get(here - 1, ()) if chain not in gone]
    return Candidates(
        np.asarray([candidates.low_kji[c].min(axis=0) for c in chains]).reshape(-1, 3),
        np.asarray([candidates.high_kji[c].max(axis=0) for c in chains]).reshape(-1, 3),
        np.asarray([candidates.scores[c].max() for c in chains]),
        np.asarray([candidates.classes[c[0]] for c in chains], dtype=np.int64),
    )


def _shares(candidates: Candidates, some: IntArray, others: IntArray) -> FloatArray:
    """Return the IoU of boxes with others inside their slices, shape (some, others); 0 for another class."""
    low, high = candidates.low_kji[:, 1:].T, candidates.high_kji[:, 1:].T
    common = np.minimum(high[:, some, None], high[:, None, others]) - np.maximum(low[:, some, None], low[:, None, others])
    shared = _product(np.clip(common, 0.0, None))
    sizes = _product(high - low)
    both = sizes[some, None] + sizes[others] - shared
    same = (candidates.classes[some, None] == candidates.classes[others]) & (both > 0)
    return np.where(same, shared / np.where(both > 0, both, 1.0), 0.0)


def _product(sides: FloatArray) -> FloatArray:
    """Return the product along the first axis, whose few rows are multiplied faster than many short ones are reduced."""
    found: FloatArray = sides[0]
    for side in sides[1:]:
        found = found * side
    return found
