"""Drag a circle: the threshold brush paints the values found in it from then on."""

from __future__ import annotations

import math

from medview.core.language import _
from medview.workspace.brush_range import learn
from medview.workspace.pointer import Pointer
from medview.workspace.preview import BrushPreview
from medview.workspace.rule_words import range_text
from medview.workspace.stage import Drag, Stage
from medview.workspace.view_state import Mode, Tool

_LEAST_MM = 1.0
_COLOUR = (224, 163, 62)


def drag(stage: Stage, press: Pointer) -> Drag:
    """Grow a circle from the press; a click looks at what lies closely around it. The threshold brush is in hand after."""
    case, geometry = stage.case, stage.case.volume.geometry
    row_mm, column_mm = press.plane.screen_spacing_mm(geometry)
    radius_mm = max(_LEAST_MM, 1.5 * max(row_mm, column_mm))
    at: Pointer | None = press
    while at is not None:
        apart_mm = math.hypot((at.row - press.row) * row_mm, (at.column - press.column) * column_mm)
        radius_mm = max(radius_mm if at is press else _LEAST_MM, apart_mm)
        at = yield BrushPreview(press.pane, press.row, press.column, radius_mm, _COLOUR, erasing=True)
    found = learn(stage.bench, case, press.index_kji(geometry), radius_mm, press.plane)
    if found is None:
        stage.say(_("There are no values here to take a range from."))
        return
    bench = stage.bench
    bench.tool = bench.last_drawing_tool = Tool.THRESHOLD_BRUSH
    bench.mode = Mode.ANNOTATE
    stage.say(_("The threshold brush paints {range}.").format(range=range_text(case.anchor.volume, found)))
