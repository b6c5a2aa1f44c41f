"""Scissors: an outline cuts the active segment through all slices, or as deep as is set."""

from __future__ import annotations

import math

from medview.core.screen_map import ScreenMap
from medview.edit.outline import Prism
from medview.workspace.cutting import cut_away
from medview.workspace.label_writing import may_write
from medview.workspace.outline_clicks import Drawn, OutlineClicks, OutlineKind
from medview.workspace.pointer import Pointer
from medview.workspace.stage import Stage


def begin(stage: Stage, press: Pointer) -> OutlineClicks | None:
    """Begin an outline where there is something to cut."""
    return OutlineClicks(stage, press, _KIND) if may_write(stage, erase=True) else None


def _cut(drawn: Drawn) -> bool:
    stage, geometry = drawn.stage, drawn.stage.case.volume.geometry
    depth_mm = stage.bench.cut_depth_mm
    depth = depth_mm / 2 / drawn.layout.spacing_mm(geometry) if depth_mm > 0 else math.inf
    seen = ScreenMap.of(drawn.layout, geometry)
    return cut_away(stage, Prism(drawn.corners, seen, drawn.at - depth, drawn.at + depth))


_KIND = OutlineKind(_cut, always_erases=True)
