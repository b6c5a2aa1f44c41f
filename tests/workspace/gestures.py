"""What a hand does on a pane, without one."""

from __future__ import annotations

from medview.core.plane import Plane
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Button, Modifiers, Pointer


def pointer(
    case: OpenCase, row: float, column: float, *, plane: Plane = Plane.AXIAL, button: Button = Button.LEFT,
    modifiers: Modifiers = Modifiers.NONE,
) -> Pointer:  # fmt: skip
    layout = case.slice_plane(plane)
    index = case.view.crosshair_kji[layout.normal_axis]
    return Pointer(layout, index, row, column, column * 10.0, row * 10.0, 0.1, button, modifiers)


def drag(hands: Hands, *way: Pointer) -> None:
    hands.press(way[0])
    for step in way[1:]:
        hands.move(step)
    hands.release(way[-1])
