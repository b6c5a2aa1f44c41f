"""Boxes before they are thinned out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SAME_THING = 0.3
"""Boxes of neighbouring slices that share this much of their area (IoU) are cuts of one thing."""


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


def suppress(candidates: Candidates, iou: float, most: int) -> IntArray:
    """Return the indices that stay, best first: of two boxes of one class that overlap by more than ``iou``, the better."""
    order = np.argsort(-candidates.scores, kind="stable")
    sizes = np.prod(candidates.high_kji - candidates.low_kji, axis=1)
    kept: list[int] = []
    for n in order:
        if len(kept) == most:
            break
        rivals = [m for m in kept if candidates.classes[m] == candidates.classes[n]]
        low = np.maximum(candidates.low_kji[rivals], candidates.low_kji[n])
        high = np.minimum(candidates.high_kji[rivals], candidates.high_kji[n])
        common = np.prod(np.clip(high - low, 0.0, None), axis=1)
        if not (common > iou * (sizes[rivals] + sizes[n] - common)).any():
            kept.append(int(n))
    return np.asarray(kept, dtype=np.int64)


def join_slices(candidates: Candidates) -> Candidates:
    """Join boxes of one slice each, after suppression, into boxes through slices.

    From slice to slice a box goes on with the one of its class that shares most with it; one slice may be missing between.
    A joined box reaches around all of its cuts, and its score is the best of them.
    """
    chains: list[list[int]] = []
    ends: dict[int, list[int]] = {}
    """Chains by the slice on which they could go on."""
    slices = np.rint(candidates.low_kji[:, 0]).astype(int)
    for n in np.lexsort((-candidates.scores, slices)):
        here = int(slices[n])
        open_here = [*ends.get(here, ()), *ends.get(here - 1, ())]
        shares = [_share(candidates, chains[c][-1], int(n)) for c in open_here]
        best = int(np.argmax(shares)) if shares else -1
        if best >= 0 and shares[best] >= SAME_THING:
            chain = open_here[best]
            chains[chain].append(int(n))
            for place in (here, here - 1):
                ends[place] = [c for c in ends.get(place, ()) if c != chain]
        else:
            chain = len(chains)
            chains.append([int(n)])
        ends.setdefault(here + 1, []).append(chain)
    return Candidates(
        np.asarray([candidates.low_kji[c].min(axis=0) for c in chains]).reshape(-1, 3),
        np.asarray([candidates.high_kji[c].max(axis=0) for c in chains]).reshape(-1, 3),
        np.asarray([candidates.scores[c].max() for c in chains]),
        np.asarray([candidates.classes[c[0]] for c in chains], dtype=np.int64),
    )


def _share(candidates: Candidates, one: int, other: int) -> float:
    """Return the IoU of two boxes inside their slices; 0 for two classes."""
    if candidates.classes[one] != candidates.classes[other]:
        return 0.0
    low, high = candidates.low_kji[:, 1:], candidates.high_kji[:, 1:]
    common = float(np.prod(np.clip(np.minimum(high[one], high[other]) - np.maximum(low[one], low[other]), 0.0, None)))
    both = float(np.prod(high[one] - low[one]) + np.prod(high[other] - low[other])) - common
    return common / both if both > 0 else 0.0
