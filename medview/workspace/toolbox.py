"""Every tool of the left button: one line each, from which actions, buttons, keys and the hands follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from medview.core.language import _
from medview.workspace import outline_fill, pulling
from medview.workspace.pointer import Pointer
from medview.workspace.preview import Preview
from medview.workspace.stage import Clicks, DragTool, Stage
from medview.workspace.tools import (
    accept_brush,
    accept_piece,
    box,
    crosshair,
    grow,
    lasso,
    livewire,
    magnifier,
    measure,
    paint,
    point,
    polygon,
    polyline,
    prompt,
    scissors,
    value_range,
    window,
)
from medview.workspace.view_state import Tool

Hover = Callable[[Stage, Pointer], Preview | None]
"""What is drawn under a pointer that rests or passes over."""

Begin = Callable[[Stage, Pointer], Clicks | None]
"""Begins a gesture of several clicks with its first press; None where the press is something else, e.g. on a handle."""


class ToolGroup(Enum):
    """Which row of buttons a tool stands in."""

    LOOK = "look"
    DRAW = "draw"
    SHAPE = "shape"
    MARK = "mark"
    MEASURE = "measure"

    @property
    def title(self) -> str:
        """Name of the row."""
        return {
            "look": _("Look"),
            "draw": _("Draw"),
            "shape": _("Shape"),
            "mark": _("Mark"),
            "measure": _("Measure"),
        }[self.value]


@dataclass(frozen=True, slots=True)
class ToolEntry:
    """One tool.

    Attributes
    ----------
    title, icon : str
        Of its action and its button; the action's id is ``tool.<value of the tool>``.
    hint : str
        What the button does with it, for the line under the picture.
    drag : callable
        Its gesture from press to release.
    clicks : callable or None
        Begins its gesture from click to click; where it returns None, ``drag`` gets the press.
    hover : callable or None
        What is drawn under the pointer while no gesture says something else.
    draws : bool
        It changes labels: it brings the annotate mode with it, and the mode brings it back.
    sized : bool
        It has the brush's radius, which the wheel changes.
    gathers : bool
        Its gesture takes all moves between two frames at once: it needs the last one only, or looks at ``Pointer.before``.
        Without, it gets each of them, as an outline needs that follows the hand.
    passing : bool
        It gives way to another tool once it was used, so it is not gone back to.
    own_click : bool
        A click means something of its own; with the others it moves the crosshair.
    """

    tool: Tool
    title: str
    icon: str
    group: ToolGroup
    hint: str
    drag: DragTool
    clicks: Begin | None = None
    hover: Hover | None = None
    draws: bool = False
    sized: bool = False
    gathers: bool = False
    passing: bool = False
    own_click: bool = False

    @property
    def action_id(self) -> str:
        """Id of the action that takes it."""
        return f"tool.{self.tool.value}"


def _measuring(tool: Tool, title: str, icon: str, what: str, *, gathers: bool = True) -> ToolEntry:
    hint = _("measure {name_of}, pull handles").format(name_of=what)
    return ToolEntry(tool, title, icon, ToolGroup.MEASURE, hint, measure.drag, gathers=gathers)


_LOOK, _DRAW, _SHAPE, _MARK, _MEASURE = (
    ToolGroup.LOOK,
    ToolGroup.DRAW,
    ToolGroup.SHAPE,
    ToolGroup.MARK,
    ToolGroup.MEASURE,
)

TOOLBOX: tuple[ToolEntry, ...] = (
    ToolEntry(Tool.WINDOW, _("Window"), "mdi6.contrast-circle", _LOOK, _("window"), window.drag, gathers=True),
    ToolEntry(
        Tool.CROSSHAIR,
        _("Crosshair"),
        "mdi6.crosshairs",
        _LOOK,
        _("crosshair, its lines turn the planes"),
        crosshair.drag,
        gathers=True,
    ),
    ToolEntry(
        Tool.BRUSH,
        _("Brush"),
        "mdi6.brush",
        _DRAW,
        _("paint (Ctrl: erase)"),
        paint.drag,
        hover=paint.hover,
        draws=True,
        sized=True,
        gathers=True,
        own_click=True,
    ),
    ToolEntry(
        Tool.ERASER,
        _("Eraser"),
        "mdi6.eraser",
        _DRAW,
        _("erase (Ctrl: paint)"),
        paint.drag,
        hover=paint.hover,
        draws=True,
        sized=True,
        gathers=True,
        own_click=True,
    ),
    ToolEntry(
        Tool.THRESHOLD_BRUSH,
        _("Threshold brush"),
        "mdi6.format-paint",
        _DRAW,
        _("paint what lies in the range (Ctrl: erase)"),
        paint.drag,
        hover=paint.hover,
        draws=True,
        sized=True,
        gathers=True,
        own_click=True,
    ),
    ToolEntry(
        Tool.VALUE_RANGE,
        _("Range of the threshold brush from a region"),
        "mdi6.select-marker",
        _DRAW,
        _("drag a circle over what is to be painted"),
        value_range.drag,
        gathers=True,
        passing=True,
        own_click=True,
    ),
    ToolEntry(
        Tool.ACCEPT_BRUSH,
        _("Accept with the brush"),
        "mdi6.sticker-check-outline",
        _DRAW,
        _("take over what is proposed (Ctrl: give it back)"),
        accept_brush.drag,
        hover=accept_brush.hover,
        draws=True,
        sized=True,
        gathers=True,
        own_click=True,
    ),
    ToolEntry(
        Tool.ACCEPT_PIECE,
        _("Accept a piece"),
        "mdi6.checkbox-marked-circle-plus-outline",
        _DRAW,
        _("take over the proposed piece under the pointer (Ctrl: give it back)"),
        accept_piece.drag,
        draws=True,
        gathers=True,
        own_click=True,
    ),
    ToolEntry(
        Tool.LASSO,
        _("Polygon or lasso"),
        "mdi6.shape-polygon-plus",
        _SHAPE,
        _("click corners or draw freely (Enter: close, then fill; Ctrl: erase)"),
        outline_fill.nothing,
        clicks=lasso.begin,
        draws=True,
        own_click=True,
    ),
    ToolEntry(
        Tool.LIVEWIRE,
        _("Livewire"),
        "mdi6.magnet",
        _SHAPE,
        _("click along an edge (Enter: close, then fill; Ctrl: erase)"),
        outline_fill.nothing,
        clicks=livewire.begin,
        draws=True,
        own_click=True,
    ),
    ToolEntry(
        Tool.FILL,
        _("Fill on the slice"),
        "mdi6.format-color-fill",
        _SHAPE,
        _("fill, drag right or left: more or fewer values (Ctrl: erase)"),
        grow.drag,
        draws=True,
        gathers=True,
        own_click=True,
    ),
    ToolEntry(
        Tool.GROW,
        _("Grow a region"),
        "mdi6.auto-fix",
        _SHAPE,
        _("grow, drag right or left: more or fewer values (Ctrl: erase)"),
        grow.drag,
        draws=True,
        gathers=True,
        own_click=True,
    ),
    ToolEntry(
        Tool.SCISSORS,
        _("Scissors"),
        "mdi6.content-cut",
        _SHAPE,
        _("outline what is cut away (Enter: close, then cut)"),
        outline_fill.nothing,
        clicks=scissors.begin,
        draws=True,
        own_click=True,
    ),
    ToolEntry(
        Tool.PROMPT,
        _("Prompt: point at an object"),
        "mdi6.creation",
        _SHAPE,
        _("click or drag on an object (Ctrl: what does not belong to it)"),
        prompt.drag,
        draws=True,
        gathers=True,
        own_click=True,
    ),
    _measuring(Tool.LENGTH, _("Length"), "mdi6.ruler", _("length")),
    _measuring(Tool.BIDIRECTIONAL, _("Long and short axis"), "mdi6.arrow-expand-all", _("long and short axis")),
    _measuring(Tool.ANGLE, _("Angle"), "mdi6.angle-acute", _("angle")),
    _measuring(Tool.COBB, _("Cobb angle"), "mdi6.math-compass", _("cobb angle")),
    ToolEntry(
        Tool.PROBE,
        _("Value at a point"),
        "mdi6.eyedropper",
        _MEASURE,
        _("value at a point"),
        measure.drag,
        gathers=True,
        own_click=True,
    ),
    _measuring(Tool.ELLIPSE, _("Ellipse with mean and area"), "mdi6.ellipse-outline", _("ellipse")),
    _measuring(Tool.RECTANGLE, _("Rectangle with mean and area"), "mdi6.rectangle-outline", _("rectangle")),
    _measuring(Tool.FREEHAND, _("Outline with mean and area"), "mdi6.lasso", _("outline"), gathers=False),
    ToolEntry(
        Tool.POLYGON,
        _("Polygon with mean and area"),
        "mdi6.vector-polygon",
        _MEASURE,
        _("corner of the polygon (Enter closes, Backspace takes back), pull handles"),
        measure.drag,
        clicks=polygon.begin,
        gathers=True,
        own_click=True,
    ),
    ToolEntry(
        Tool.MAGNIFIER,
        _("Magnifier"),
        "mdi6.magnify-scan",
        _LOOK,
        _("magnify"),
        magnifier.drag,
        gathers=True,
        own_click=True,
    ),
    ToolEntry(
        Tool.BOX,
        _("Box"),
        "mdi6.vector-square",
        _MARK,
        _("box on the slice; its handles pull, arrow keys move it"),
        box.flat,
        hover=pulling.hover,
        gathers=True,
        draws=True,
    ),
    ToolEntry(
        Tool.BOX_3D,
        _("3-D box"),
        "mdi6.cube-outline",
        _MARK,
        _("box through slices; the other planes pull its depth"),
        box.solid,
        hover=pulling.hover,
        gathers=True,
        draws=True,
    ),
    ToolEntry(
        Tool.POINT,
        _("Point"),
        "mdi6.map-marker-outline",
        _MARK,
        _("point, pull it"),
        point.drag,
        hover=pulling.hover,
        gathers=True,
        draws=True,
        own_click=True,
    ),
    ToolEntry(
        Tool.POLYLINE,
        _("Polyline"),
        "mdi6.vector-polyline",
        _MARK,
        _("point of the line (Enter ends, its first point closes, Ctrl: add or remove a point)"),
        polyline.drag,
        hover=pulling.hover,
        clicks=polyline.begin,
        gathers=True,
        draws=True,
        own_click=True,
    ),
)
"""In the order buttons, menus and search show them."""

_BY_TOOL = {entry.tool: entry for entry in TOOLBOX}


def entry_of(tool: Tool) -> ToolEntry:
    """Return the line of a tool."""
    return _BY_TOOL[tool]


def of_group(group: ToolGroup) -> tuple[ToolEntry, ...]:
    """Return the tools of one row."""
    return tuple(entry for entry in TOOLBOX if entry.group is group)
