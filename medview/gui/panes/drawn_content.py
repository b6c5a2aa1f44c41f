"""What boxes, points and lines show on one slice, as values for the layers."""

from __future__ import annotations

from collections.abc import Mapping

from medview.core.annotations import BoxAnnotation, Drawn, Trace
from medview.core.box_cut import boxes_near, cut_of
from medview.core.language import _
from medview.core.oblique import PlaneLayout
from medview.core.trace import TraceKind
from medview.gui.layers.measurements import FigureOnSlice, Style
from medview.workspace.accepting import shown_boxes
from medview.workspace.drawn import all_drawn, colour_of, size_text, title
from medview.workspace.handles import Place, box_handles, trace_handles, trace_lines
from medview.workspace.open_case import OpenCase

NEAR_SLICES = 1.0
NEAR_MM = 2.0
"""A thing is shown faintly on slices beside it, as far as one slice or this, whichever is more."""


Colours = Mapping[str, tuple[int, int, int]]
"""Of the segments, by their name in small letters."""


def drawn_on_slice(case: OpenCase, plane: PlaneLayout, index: float, colours: Colours) -> list[FigureOnSlice]:
    """Return boxes, points and lines that lie on a slice or near it."""
    near = max(NEAR_SLICES, NEAR_MM / plane.spacing_mm(case.volume.geometry))
    found: list[FigureOnSlice] = []
    shown = [one for one in all_drawn(case) if one.visible]
    boxes = [one for one in shown if isinstance(one, BoxAnnotation)]
    here = {one.annotation_id for one in boxes_near(boxes, plane, case.volume.geometry, index, near)}
    for one in shown:
        if isinstance(one, Trace) or one.annotation_id in here:
            colour = _colour(one, colours)
            if isinstance(one, BoxAnnotation):
                found += _box(case, one, plane, index, near, colour)
            else:
                found += _trace(case, one, plane, index, near, colour)
    return found


def proposed_on_slice(
    case: OpenCase, plane: PlaneLayout, index: float, colours: Colours, *, pulled: bool = False
) -> list[FigureOnSlice]:
    """Return the proposed boxes that a slice cuts: no person has accepted them.

    Parameters
    ----------
    pulled : bool
        The tool can pull at the chosen one, so its handles are shown.
    """
    boxes = [box for proposal in case.labels.proposals.values() for box in shown_boxes(case, proposal)]
    found = []
    for box in boxes_near(boxes, plane, case.volume.geometry, index):
        cut = cut_of(box, plane, case.volume.geometry, index)
        if cut is not None:
            text = box.label if box.score is None else f"{box.label} {box.score:.2f}"
            outline = (*cut.corners, cut.corners[0])
            beside = max(cut.corners, key=lambda place: (place[1], -place[0]))
            key, chosen = f"proposed:{box.annotation_id}", box.annotation_id == case.view.proposed_box_id
            handles = tuple(handle.at for handle in box_handles(box, cut)) if chosen and pulled else ()
            colour = _colour(box, colours)
            found.append(FigureOnSlice((outline,), handles, (text,), beside, chosen, key, colour, Style.PROPOSED))
    return found


def _colour(one: Drawn, colours: Colours) -> str:
    red, green, blue = colour_of(one.label, colours)
    return f"#{red:02x}{green:02x}{blue:02x}"


def _box(
    case: OpenCase, box: BoxAnnotation, plane: PlaneLayout, index: float, near: float, colour: str
) -> list[FigureOnSlice]:
    cut = cut_of(box, plane, case.volume.geometry, index, near)
    if cut is None:
        return []
    active = box.annotation_id == case.view.active_annotation_id
    on_slice = cut.away == 0.0
    handles = tuple(handle.at for handle in box_handles(box, cut)) if active and on_slice else ()
    return [
        FigureOnSlice(
            (((*cut.corners, cut.corners[0])),),
            handles,
            _text(case, box, active=active) if on_slice else (),
            max(cut.corners, key=lambda place: (place[1], -place[0])),
            active,
            box.annotation_id,
            colour,
            Style.SOLID if on_slice else Style.NEAR,
        )
    ]


def _trace(case: OpenCase, trace: Trace, plane: PlaneLayout, index: float, near: float, colour: str) -> list[FigureOnSlice]:
    geometry = case.volume.geometry
    active = trace.annotation_id == case.view.active_annotation_id
    handles = trace_handles(trace, plane, geometry, index)
    lines = trace_lines(trace, plane, geometry, index - 0.5, index + 0.5)
    found: list[FigureOnSlice] = []
    for low, high in ((index - near - 0.5, index - 0.5), (index + 0.5, index + near + 0.5)):
        aside = trace_lines(trace, plane, geometry, low, high)
        if aside:
            found.append(_faint(trace, aside, colour, f"{trace.annotation_id} {low < index}"))
    if trace.kind is TraceKind.POINT and not handles:
        across, row, column = plane.screen(geometry, trace.points_kji(geometry)[0])
        if abs(across - index) <= near + 0.5:
            return [
                FigureOnSlice(
                    (),
                    (),
                    (),
                    (row, column),
                    key=trace.annotation_id,
                    colour=colour,
                    style=Style.NEAR,
                    rings=((row, column),),
                )
            ]
    if not handles and not lines:
        return found
    places = [*(handle.at for handle in handles), *(place for line in lines for place in line)]
    shown = tuple(handle.at for handle in handles) if active or trace.kind is TraceKind.POINT else ()
    found.append(
        FigureOnSlice(
            tuple(tuple(line) for line in lines),
            shown,
            _text(case, trace, active=active),
            max(places, key=lambda place: place[1]),
            active,
            trace.annotation_id,
            colour,
            rings=shown if trace.kind is TraceKind.POINT else (),
        )
    )
    return found


def _faint(trace: Trace, lines: list[list[Place]], colour: str, key: str) -> FigureOnSlice:
    return FigureOnSlice(
        tuple(tuple(line) for line in lines), (), (), lines[0][0], key=key, colour=colour, style=Style.NEAR
    )


def _text(case: OpenCase, one: Drawn, *, active: bool) -> tuple[str, ...]:
    """Return what stands beside a thing: its label and score; of the chosen one its size too."""
    score = one.score if isinstance(one, BoxAnnotation) else None
    said = [one.label if score is None else f"{one.label} {score:.2f}".strip()]
    if active:
        said = [said[0] or title(one), size_text(case.volume, one)]
    flat = isinstance(one, Trace) or one.flat_edge is not None
    time_index = case.images.time(one)
    if flat and case.entry.time_points > 1 and time_index != case.view.time_index:
        said.append(_("at time {time_index}").format(time_index=time_index + 1))
    return tuple(filter(None, said))
