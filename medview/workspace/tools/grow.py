"""Fill and grow: a press finds what hangs together with the voxel under it, a drag widens or narrows its values."""

from __future__ import annotations

import math
import time

import numpy as np

from medview.core.box import Box
from medview.core.geometry import Calibration
from medview.core.language import _
from medview.core.screen_map import ScreenMap
from medview.edit.region_growth import RegionGrowth
from medview.edit.rules import Mask
from medview.edit.slice_flood import SliceFlood
from medview.edit.value_range import ValueRange
from medview.workspace.label_writing import AT_ONCE_VOXELS, LabelWriting, may_write
from medview.workspace.pointer import Modifiers, Pointer
from medview.workspace.preview import RegionPreview
from medview.workspace.rule_words import range_text
from medview.workspace.stage import Drag, Stage
from medview.workspace.view_state import Tool

_DOUBLED_PX = 80.0
"""A drag so far to the right, or up, makes the range twice as wide; to the left, or down, half as wide."""
_WIDEST = 12.0
"""Doublings."""
_SHOWN_EVERY_S = 0.15
"""How often a region is drawn that grows while the hand rests."""
_MOMENT_S = 0.02
"""A region that takes longer to find is shown as far as it is found; the rest of it comes while the hand rests."""


def drag(stage: Stage, press: Pointer) -> Drag:
    """Show the region under the hand and write it at the end; Ctrl takes it away instead."""
    case, erase = stage.case, Modifiers.CTRL in press.modifiers
    if not may_write(stage, erase=erase):
        return
    if case.volume.colour:
        stage.say(_("This picture is in colour, so there is no one value to compare."))
        return
    seed = press.voxel_kji(case.volume.geometry)
    if seed is None:
        return
    finder = _Finder(stage, press, seed)
    at, found = press, finder.found(press)
    shown, shown_at = _preview(stage, at, found), time.perf_counter()
    while (move := (yield shown)) is not None:
        rests = (move.x_px, move.y_px) == (at.x_px, at.y_px)
        at, found = move, finder.found(move)
        # Drawing what is there so far takes longer than finding a little more.
        if found.complete or not rests or time.perf_counter() - shown_at >= _SHOWN_EVERY_S:
            shown, shown_at = _preview(stage, at, found), time.perf_counter()
    _write(stage, found, erase=erase)


class _Found:
    """A region as far as it is known."""

    def __init__(self, values: ValueRange, flooded: tuple[Box, Mask] | None, growth: RegionGrowth | None = None) -> None:
        self.values, self.growth = values, growth
        self._flooded = flooded
        self.box = growth.box if growth is not None else flooded[0] if flooded is not None else None
        self._whole: Mask | None = None

    @property
    def complete(self) -> bool:
        """Whether all of it is known."""
        return self.growth is None or self.growth.done

    @property
    def count(self) -> int:
        """Voxels."""
        if self.growth is not None:
            return self.growth.count
        return 0 if self._flooded is None else int(np.count_nonzero(self._flooded[1]))

    def mask(self, box: Box) -> Mask:
        """Return which voxels of a box it holds."""
        if self.growth is not None:
            if box != self.box:
                return self.growth.mask(box)
            if self._whole is None:
                self._whole = self.growth.mask(box)
            return self._whole
        found = np.zeros(box.shape_kji, dtype=np.bool_)
        if self._flooded is not None:
            around, mask = self._flooded
            common = around.intersection(box)
            found[common.within(box).slices] = mask[common.within(around).slices]
        return found


class _Finder:
    """Finds the region of a press again and again, with other ranges."""

    def __init__(self, stage: Stage, press: Pointer, seed: tuple[int, int, int]) -> None:
        case = stage.case
        self._bench, self._volume, self._press, self._seed = stage.bench, case.volume, press, seed
        self._range = ValueRange.around(case.volume, seed)
        self._value = float(case.volume.values(seed))
        self._seen = ScreenMap.of(press.plane, case.volume.geometry)
        self._growing: tuple[ValueRange, RegionGrowth] | None = None
        self._flood: SliceFlood | None = None
        if stage.bench.tool is Tool.FILL:
            self._flood = SliceFlood(case.volume, self._seen, press.slice_index)

    def found(self, at: Pointer) -> _Found:
        """Return the region for a place of the hand; asked again for the same place it goes on with it."""
        way_px = (at.x_px - self._press.x_px) - (at.y_px - self._press.y_px)
        # What lies under the hand belongs to it, however narrow the range.
        values = self._range.widened(2.0 ** max(-_WIDEST, min(_WIDEST, way_px / _DOUBLED_PX))).with_value(self._value)
        corners, limit = self._bench.grow_corners, self._bench.grow_limit_mm or None
        if self._flood is not None:
            return _Found(values, self._flood.mask(self._seed, values, corners=corners, limit_mm=limit))
        if self._growing is None or self._growing[0] != values:
            growth = RegionGrowth(self._volume, self._seed, values, corners=corners, limit_mm=limit, first=self._on_picture)
            self._growing = values, growth
        growth = self._growing[1]
        until = time.perf_counter() + _MOMENT_S
        growth.run(lambda: time.perf_counter() >= until)
        return _Found(values, None, growth)

    def _on_picture(self, box: Box) -> bool:
        """Whether the picture the hand is on passes through a box."""
        ends = [(low, high - 1) for low, high in zip(box.min_kji, box.max_kji, strict=True)]
        across = self._seen.screen([(k, j, i) for k in ends[0] for j in ends[1] for i in ends[2]])[:, 0]
        half = self._seen.half_thickness
        return bool(across.min() - half <= self._press.slice_index <= across.max() + half)


def _preview(stage: Stage, at: Pointer, found: _Found) -> RegionPreview:
    case = stage.case
    segment = case.active_segment
    colour = segment.colour if segment is not None else case.labels.segmentation.free_colour()
    text = _text(stage, found)
    return RegionPreview(at.pane, case.key, found.box, found.mask, colour, at.row, at.column, text, complete=found.complete)


def _text(stage: Stage, found: _Found) -> str:
    volume = stage.case.volume
    text = range_text(volume, (found.values.low, found.values.high))
    if not found.complete:
        return _("{range}, still growing").format(range=text)
    if volume.geometry.calibration is not Calibration.VOLUME:
        return _("{range}, {count} voxels").format(range=text, count=found.count)
    volume_ml = found.count * volume.geometry.voxel_volume_mm3 / 1000
    return _("{range}, {volume:.2f} mL").format(range=text, volume=volume_ml)


def _write(stage: Stage, found: _Found, *, erase: bool) -> None:
    if found.box is None or not may_write(stage, erase=erase):
        return
    large = not found.complete or math.prod(found.box.shape_kji) > AT_ONCE_VOXELS
    if large and stage.later is not None and found.growth is not None:
        stage.later.grow(stage.case, found.growth, erase=erase)
        return
    writing = LabelWriting(stage, "grow", erase=erase)
    writing.write([(found.box, found.mask(found.box))])
    if erase:
        writing.commit(f"Erase {writing.name}")
    elif stage.bench.tool is Tool.FILL:
        writing.commit(f"Fill {writing.name}")
    else:
        writing.commit(f"Grow {writing.name}")
