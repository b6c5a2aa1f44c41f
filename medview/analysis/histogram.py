"""How often each value occurs in a volume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.suv import SuvKind
from medview.core.volume import Volume

BINS = 256
_TABLE_BITS = 16
"""Whole numbers of at most so many bits are counted one by one; a table of them stays small."""


def _nothing() -> None:
    """Do nothing between two slices."""


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Counts of the values seen in a volume; padding and what is no number is not among them.

    Attributes
    ----------
    edges : ndarray of float64, shape (bins + 1,)
        In ``unit``, rising.
    counts : ndarray of int64, shape (bins,)
        A bin takes in its lower edge, the last one its upper edge as well.
    factor : float
        What the values of the volume were multiplied by: 1, or the way from becquerels to uptake.
    """

    edges: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    unit: str = ""
    factor: float = 1.0

    @property
    def total(self) -> int:
        """How many values were counted."""
        return int(self.counts.sum())

    def quantile(self, part: float) -> float:
        """Return the edge under which at least this part (0 to 1) of the values lies, as exactly as the bins are."""
        below = np.concatenate([[0], np.cumsum(self.counts)])
        return float(self.edges[int(np.searchsorted(below, part * below[-1], side="left"))])


def histogram(
    volume: Volume, slices: Sequence[int], between: Callable[[], None] = _nothing, bins: int = BINS
) -> Histogram | None:
    """Return the histogram of some slices of a volume; None for colour, or when no value was seen.

    PET is counted in standardised uptake by body weight where the header states enough.

    Parameters
    ----------
    slices : sequence of int
        Indices k; damaged ones hold no values and are left out by whoever asks.
    between : callable
        Called before each slice; what it raises ends the work.
    """
    if volume.colour:
        return None
    found = _whole_numbers(volume, slices, between, bins)
    if found is None:
        found = _any_numbers(volume, slices, between, bins)
    if found is None:
        return None
    edges, counts = found
    factor = volume.suv.factor(SuvKind.BODY_WEIGHT) if volume.suv is not None else None
    if factor is None:
        return Histogram(edges, counts, volume.unit)
    return Histogram(edges * factor, counts, SuvKind.BODY_WEIGHT.title, factor)


Counted = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]
"""Edges in the unit of the volume, and counts."""


def _whole_numbers(volume: Volume, slices: Sequence[int], between: Callable[[], None], bins: int) -> Counted | None:
    """Count stored whole numbers one by one; None where they are no whole numbers, too large, or none was seen.

    Bins hold equally many of them, else every few bins would hold one more and look higher than their neighbours.
    """
    kind = volume.voxels.dtype
    if kind.kind not in "iu" or kind.itemsize * 8 > _TABLE_BITS:
        return None
    size = 1 << (8 * kind.itemsize)
    lowest = -size // 2 if kind.kind == "i" else 0
    counts = np.zeros(size, dtype=np.int64)
    for k in slices:
        between()
        counts += np.bincount(np.subtract(volume.voxels[k], lowest, dtype=np.intp).ravel(), minlength=size)
    counts[volume.is_padding(np.arange(lowest, lowest + size))] = 0
    seen = np.flatnonzero(counts)
    if not seen.size:
        return None
    first, last = int(seen[0]), int(seen[-1])
    each = -(-(last + 1 - first) // bins)
    starts = np.arange(first, last + 1, each)
    stored = lowest + first - 0.5 + each * np.arange(len(starts) + 1)
    edges = np.asarray(stored * volume.rescale.slope + volume.rescale.intercept, dtype=np.float64)
    grouped = np.asarray(np.add.reduceat(counts[: last + 1], starts), dtype=np.int64)
    return (edges, grouped) if volume.rescale.slope >= 0 else (edges[::-1], grouped[::-1])


def _any_numbers(volume: Volume, slices: Sequence[int], between: Callable[[], None], bins: int) -> Counted | None:
    """Count values slice by slice, the range first: a volume may be larger than what is left of memory."""
    ends: list[float] = []
    for k in slices:
        between()
        values = volume.seen_values((k,))
        if values.size:
            ends += [float(values.min()), float(values.max())]
    if not ends:
        return None
    low, high = min(ends), max(ends)
    around = (low, high) if high > low else (low - 0.5, high + 0.5)
    counts = np.zeros(bins, dtype=np.int64)
    for k in slices:
        between()
        counts += np.histogram(volume.seen_values((k,)), bins, around)[0]
    return np.linspace(*around, bins + 1), counts
