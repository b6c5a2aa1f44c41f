"""Threshold: voxels whose value lies in a range."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from medview.core.errors import LabelError
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.volume import Volume
from medview.edit.effects.effect import Effect, Given, Mask, NewSegment, Result, whole_grid
from medview.edit.effects.settings import Choice, Option, Switch, ValueRange, Values, value_range

_BINS = 256
_PIECE_VOXELS = 1 << 22


def work(given: Given, values: Values, context: JobContext) -> Result:
    """Return the voxels in the range; where it is left to Otsu, that is found first."""
    way, wanted = values["way"], value_range(values, "range")
    ends = (-np.inf, np.inf)
    if way != "range" or wanted is None:
        counts, edges = counted(given.volume, context)
        ends = (float(edges[0]), float(edges[-1]))
        limit = otsu(counts, edges)
        wanted = (ends[0], limit) if way == "below" else (limit, ends[1])
    context.progress(0.3, _("Comparing values"))
    mask = in_range(given.volume, *wanted, context)
    if not values["replace"] and given.segment is not None:
        mask |= given.mask()
    found = {"range": wanted}
    if given.segment is None:
        return Result(new=(NewSegment("Threshold", mask),), found=found)
    return Result({given.active.segment_id: mask}, found=found)


def in_range(volume: Volume, low: float, high: float, context: JobContext) -> Mask:
    """Return which voxels hold a value from ``low`` to ``high``, both included, in the unit of the volume."""
    mask = np.empty(volume.voxels.shape[:3], dtype=np.bool_)
    for piece in _pieces(volume):
        context.raise_if_cancelled()
        found = volume.values((piece,))
        np.logical_and(found >= low, found <= high, out=mask[piece])
        if volume.padding is not None:
            mask[piece] &= ~volume.is_padding(volume.voxels[piece])
    return mask


def counted(volume: Volume, context: JobContext) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return (counts, edges) of the values seen, in bins of equal width between the least and the greatest.

    Raises
    ------
    LabelError
        When there is only one value.
    """
    least, greatest = np.inf, -np.inf
    for piece in _pieces(volume):
        context.raise_if_cancelled()
        seen = volume.seen_values((piece,))
        if seen.size:
            least, greatest = min(least, float(seen.min())), max(greatest, float(seen.max()))
    if not greatest > least:
        raise LabelError("All voxels hold the same value, so there is no threshold between them.")
    counts = np.zeros(_BINS, dtype=np.int64)
    for piece in _pieces(volume):
        context.raise_if_cancelled()
        counts += np.histogram(volume.seen_values((piece,)), _BINS, (least, greatest))[0]
    return counts, np.linspace(least, greatest, _BINS + 1)


def otsu(counts: npt.NDArray[np.int64], edges: npt.NDArray[np.float64]) -> float:
    """Return the value that parts the values best: most variance between the two groups.

    Source: N. Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9 (1979) 62-66.
    """
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1].astype(np.float64)
    above = counts.sum() - below
    sum_below = np.cumsum(counts * middles)[:-1]
    sum_above = float((counts * middles).sum()) - sum_below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sum_below / below - sum_above / above) ** 2
    between = np.nan_to_num(between)
    # Where no voxel lies between the groups all limits there part them equally well: the middle one.
    best = np.flatnonzero(between >= between.max() * (1 - 1e-12))
    return float((edges[1 + best[0]] + edges[1 + best[-1]]) / 2)


def _pieces(volume: Volume) -> Iterator[slice]:
    shape = volume.voxels.shape
    step = max(1, _PIECE_VOXELS // max(1, shape[1] * shape[2]))
    for k in range(0, shape[0], step):
        yield slice(k, min(k + step, shape[0]))


EFFECT = Effect(
    "threshold",
    "Threshold",
    _("Threshold"),
    _("All voxels whose value lies in a range become the active segment"),
    "mdi6.chart-histogram",
    (
        Choice(
            "way",
            _("Range"),
            _("Which values"),
            (
                Option("above", _("Above, by Otsu"), _("The brighter one of the two groups that the values fall into")),
                Option("below", _("Below, by Otsu"), _("The darker one of the two groups that the values fall into")),
                Option("range", _("As set below"), _("From the lower to the upper value, both included")),
            ),
        ),
        ValueRange("range", _("Values that become the segment"), _("Lowest and highest value"), ("way", "range")),
        Switch("replace", _("Replace what it holds"), _("Otherwise voxels are added to the segment"), default=True),
    ),
    whole_grid,
    work,
    needs_segment=False,
    needs_mm=False,
    needs_values=True,
)
