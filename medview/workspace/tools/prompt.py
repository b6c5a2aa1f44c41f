"""Point at an object: a click is a point, a drag a scribble, a box or a lasso; Ctrl says what does not belong to it."""

from __future__ import annotations

import uuid

import numpy as np

from medview.core.language import _
from medview.core.prompt import Prompt, PromptKind
from medview.core.vector import Triple, triple
from medview.workspace.pointer import Modifiers, Pointer
from medview.workspace.preview import ShapePreview
from medview.workspace.stage import Drag, Stage

_SLACK_PX = 3.0
"""A drag that stays closer than this is a click."""
_APART_PX = 2.0
"""Places of a line that lie closer say nothing new."""
_MOST_POINTS = 400

NEGATIVE = (230, 60, 60)
"""Colour of what is taken away while it is drawn."""


def drag(stage: Stage, press: Pointer) -> Drag:
    """Show what is drawn and ask for the object at the end."""
    if not may_prompt(stage, press) or stage.prompting is None:
        return
    kind = stage.bench.prompt_drag
    path = [press]
    while (move := (yield _preview(stage, kind, path))) is not None:
        for at in (*move.before, move):
            if at.apart_px(path[-1]) >= _APART_PX:
                path.append(at)
    prompt = prompt_of(stage, kind, path)
    if prompt is None:
        stage.say(_("That was too small to be a box or a lasso; draw it larger, or click for a point."))
        return
    stage.prompting.add(stage.case, prompt)


def may_prompt(stage: Stage, press: Pointer) -> bool:
    """Whether an object can be asked for now; says why not."""
    case, segment = stage.case, stage.case.active_segment
    if case.read_only:
        stage.say(case.read_only)
    elif not case.ready:
        stage.say(_("Wait until the slices have arrived; then it can be labelled."))
    elif case.volume.colour:
        stage.say(_("This picture is in colour, so there is no one value to compare."))
    elif segment is not None and segment.locked:
        stage.say(_("{name} is locked; unlock it in the segment list to change it.").format(name=segment.name))
    elif press.voxel_kji(case.volume.geometry) is None:
        stage.say(_("That is outside of the picture."))
    else:
        return True
    return False


def prompt_of(stage: Stage, kind: PromptKind, path: list[Pointer]) -> Prompt | None:
    """Return the prompt of a press and what followed; None where it encloses nothing."""
    press = path[0]
    geometry = stage.case.anchor.volume.geometry
    places = [(at.row, at.column) for at in path]
    if all(at.apart_px(press) <= _SLACK_PX for at in path):
        kind, places = PromptKind.POINT, places[:1]
    elif kind is PromptKind.BOX:
        places = _corners(path)
    places = places[:: max(1, len(places) // _MOST_POINTS)]
    if len(places) < kind.least or (kind.flat and _area(places) < 1.0):
        return None
    points: tuple[Triple, ...] = tuple(
        triple(geometry.point_lps_mm(press.plane.index_kji(geometry, press.slice_index, row, column)))
        for row, column in places
    )
    grid = press.plane.grid(geometry, press.slice_index)
    positive = Modifiers.CTRL not in press.modifiers
    thickness_mm = press.plane.spacing_mm(geometry)
    return Prompt(uuid.uuid4().hex, kind, positive, points, triple(grid.normal_lps), thickness_mm)


def _corners(path: list[Pointer]) -> list[tuple[float, float]]:
    first, last = path[0], path[-1]
    return [(first.row, first.column), (first.row, last.column), (last.row, last.column), (last.row, first.column)]


def _area(places: list[tuple[float, float]]) -> float:
    """Return how many pixels a closed line goes around."""
    rows, columns = np.asarray(places).T
    return abs(float(rows @ np.roll(columns, 1) - columns @ np.roll(rows, 1))) / 2


def _preview(stage: Stage, kind: PromptKind, path: list[Pointer]) -> ShapePreview | None:
    if len(path) < 2:
        return None
    segment, erasing = stage.case.active_segment, Modifiers.CTRL in path[0].modifiers
    colour = segment.colour if segment is not None else stage.case.labels.segmentation.free_colour()
    line = _corners(path) if kind is PromptKind.BOX else [(at.row, at.column) for at in path]
    return ShapePreview(
        path[0].pane, tuple(line), (), (), NEGATIVE if erasing else colour, closed=kind.flat, erasing=erasing
    )
