"""Scissors: an outline cuts the active segment through all slices, or as deep as is set."""

from __future__ import annotations

import math

from medview.core.language import _
from medview.core.screen_map import ScreenMap
from medview.edit.outline import Prism
from medview.edit.whole_masks import cut
from medview.workspace.label_writing import AT_ONCE_VOXELS, LabelWriting, may_write
from medview.workspace.outline_clicks import Drawn, OutlineClicks, OutlineKind
from medview.workspace.pointer import Pointer
from medview.workspace.stage import Stage


def begin(stage: Stage, press: Pointer) -> OutlineClicks | None:
    """Begin an outline where there is something to cut."""
    return OutlineClicks(stage, press, _KIND) if may_write(stage, erase=True) else None


def _cut(drawn: Drawn) -> bool:
    stage = drawn.stage
    case, bench = stage.case, stage.bench
    if not may_write(stage, erase=True):
        return False
    segment = case.active_segment
    assert segment is not None
    box = case.labels.segmentation.box(segment)
    geometry = case.volume.geometry
    depth = math.inf
    if bench.cut_depth_mm > 0:
        depth = bench.cut_depth_mm / 2 / drawn.layout.spacing_mm(geometry)
    seen = ScreenMap.of(drawn.layout, geometry)
    prism = Prism(drawn.corners, seen, drawn.at - depth, drawn.at + depth)
    region = None if box is None else box if bench.cut_outside else prism.box(box)
    if region is None or region.empty:
        stage.say(_("There is nothing of {name} to cut there.").format(name=segment.name))
        return True
    if stage.later is not None and math.prod(region.shape_kji) > AT_ONCE_VOXELS:
        return stage.later.start(case, cut(prism, outside=bench.cut_outside))
    writing = LabelWriting(stage, "scissors", erase=True)
    writing.write(prism.pieces(region, outside=bench.cut_outside))
    if writing.commit(f"Scissors: {writing.name}") is None:
        stage.say(_("There is nothing of {name} to cut there.").format(name=segment.name))
    return True


_KIND = OutlineKind(_cut, always_erases=True)
