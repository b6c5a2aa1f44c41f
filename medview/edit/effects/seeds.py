"""Grow from seeds: strokes in several segments become segments that meet at the edges of the picture."""

from __future__ import annotations

import hashlib
import math
import threading
from dataclasses import dataclass

import numpy as np

from medview.core.box import Box
from medview.core.errors import LabelError
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.segmentation import Segment, Segmentation, SegmentRole
from medview.core.volume import Volume
from medview.edit.effects.between import changeable, taken_by_others
from medview.edit.effects.effect import Effect, Given, Result, reach_kji
from medview.edit.effects.lazy_masks import LazyMasks
from medview.edit.effects.settings import Choice, Number, Option, OtherSegment, Values, number
from medview.edit.grey_noise import grey_of
from medview.edit.grow_from_seeds import SeedGrowth
from medview.edit.seed_forest import Mask

MOST_SEGMENTS = 250
_ROUND_VOXELS = 16
"""The region ends at multiples of this, so that most strokes leave it as it is and growing can go on from where it was."""
_MOST_VOXELS = 200_000_000
_SAMPLED = 1 << 16


def work(given: Given, values: Values, context: JobContext) -> Result:
    """Return the segments grown until they meet; the seeds stay theirs."""
    context.raise_if_cancelled()
    wanted = _kept.wanted
    segments = _grown(given.labels)
    if len(segments) < 2:
        raise LabelError("Draw in at least two segments that are visible and not locked; one may be the background.")
    seeds = np.zeros(given.geometry.shape_kji, dtype=np.uint8)
    for number_, segment in reversed(list(enumerate(segments, start=1))):
        seeds[given.labels.mask(segment)] = number_
    closed = taken_by_others(given.labels, segments)
    context.raise_if_cancelled()
    calm = values["noise"] == "much"
    key = _key(given, closed, calm)
    growth = _kept.take(key)
    if growth is None:
        grey = grey_of(given.volume, context, calm=calm, share=(0.0, 0.2))
        growth = SeedGrowth(grey, given.geometry, closed if closed.any() else None)
    try:
        grown = growth.grow(seeds, context, (0.2, 0.6))
    finally:
        _kept.keep(key, growth, wanted)
    background = str(values.get("background", ""))
    numbers = {one.segment_id: n for n, one in enumerate(segments, start=1) if one.segment_id != background}
    return Result(
        LazyMasks(tuple(numbers), lambda key: (grown == numbers[key]) | given.labels.mask(given.labels.segment(key))),
        note=_("Draw on where it is wrong; it grows again after each stroke."),
    )


def forget() -> None:
    """Let go of what growing on after another stroke would need."""
    _kept.clear()


@dataclass(frozen=True, slots=True)
class _Key:
    series_uid: str
    region: Box
    pixels: bytes
    closed: bytes
    calm: bool


class _Kept:
    """The growth of the last run, so that the next one only works out what a stroke changed. It never changes a result."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[_Key, SeedGrowth] | None = None
        self.wanted = 0
        """Another number once nothing is wanted any more of what runs now."""

    def take(self, key: _Key) -> SeedGrowth | None:
        with self._lock:
            last, self._last = self._last, None
        return last[1] if last is not None and last[0] == key else None

    def keep(self, key: _Key, growth: SeedGrowth, wanted: int) -> None:
        """Keep what a run came to, unless somebody let go of it since it began."""
        with self._lock:
            if wanted == self.wanted:
                self._last = (key, growth)

    def clear(self) -> None:
        with self._lock:
            self._last = None
            self.wanted += 1


_kept = _Kept()


def _key(given: Given, closed: Mask, calm: bool) -> _Key:
    return _Key(
        given.volume.series_uid,
        given.region,
        _digest_of_some(given.volume),
        hashlib.blake2b(np.packbits(closed).tobytes()).digest() if closed.any() else b"",
        calm,
    )


def _digest_of_some(volume: Volume) -> bytes:
    """Return a digest of voxels all over the region: a series read again under the same name may have other ones."""
    step = max(1, math.ceil((volume.voxels.size / _SAMPLED) ** (1 / 3)))
    some = volume.voxels[::step, ::step, ::step]
    return hashlib.blake2b(some.tobytes()).digest()


def _grown(labels: Segmentation) -> list[Segment]:
    """Return the segments that are seeds: lying over the others (unsure) is not a place to grow from."""
    return [s for s in labels.segments if changeable(s) and s.role is not SegmentRole.IGNORE and _holds(labels, s)]


def _holds(labels: Segmentation, segment: Segment) -> bool:
    layer = labels.layers.get(segment.layer_id)
    return layer is not None and bool(np.any(layer.voxels == segment.value))


def _region(labels: Segmentation, _active: Segment | None, values: Values) -> Box:
    boxes = [box for s in labels.segments if changeable(s) and s.role is not SegmentRole.IGNORE if (box := labels.box(s))]
    if len(boxes) < 2:
        raise LabelError("Draw in at least two segments that are visible and not locked; one may be the background.")
    if len(boxes) > MOST_SEGMENTS:
        raise LabelError(f"No more than {MOST_SEGMENTS} segments can be grown at once; hide or lock some of them.")
    region = Box.union_of(boxes)
    assert region is not None
    around = region.padded(reach_kji(labels.geometry, number(values, "margin_mm")))
    k0, j0, i0 = (n // _ROUND_VOXELS * _ROUND_VOXELS for n in around.min_kji)
    k1, j1, i1 = (-(-n // _ROUND_VOXELS) * _ROUND_VOXELS for n in around.max_kji)
    rounded = Box((k0, j0, i0), (k1, j1, i1)).clipped(labels.geometry.shape_kji)
    if rounded.size > _MOST_VOXELS:
        raise LabelError("The seeds span too many voxels to be grown at once; draw them in a smaller part of the series.")
    return rounded


EFFECT = Effect(
    "grow_from_seeds",
    "Grow from seeds",
    _("Grow from seeds"),
    _(
        "Draw a few strokes in each of two or more segments, one of them for the background.\n"
        "They grow until they meet, along the edges of the picture."
    ),
    "mdi6.sprout-outline",
    (
        OtherSegment(
            "background",
            _("Background"),
            _("This segment only holds the others back: it is not grown itself when the effect is applied"),
        ),
        Number(
            "margin_mm",
            _("Around the strokes"),
            _("How far beyond the box around all strokes they may grow"),
            default=5.0,
            low=0.0,
            high=100.0,
            unit=_("mm"),
        ),
        Choice(
            "noise",
            _("Noise"),
            _("How noisy the picture is"),
            (
                Option("little", _("Little"), _("Fine detail counts")),
                Option("much", _("Much"), _("What edges enclose is smoothed first; takes a little longer")),
            ),
        ),
    ),
    _region,
    work,
    needs_segment=False,
    needs_values=True,
    at_once=False,
    closed=forget,
    short=_("Seeds"),
)
