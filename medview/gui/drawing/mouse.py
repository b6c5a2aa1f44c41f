"""Qt mouse events as pointers."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt

from medview.core.oblique import PlaneLayout
from medview.gui.drawing.viewport import Viewport
from medview.workspace.pointer import Button, Modifiers, Pointer

_BUTTONS = {
    Qt.MouseButton.LeftButton: Button.LEFT,
    Qt.MouseButton.MiddleButton: Button.MIDDLE,
    Qt.MouseButton.RightButton: Button.RIGHT,
}

_MODIFIERS = {
    Qt.KeyboardModifier.ShiftModifier: Modifiers.SHIFT,
    Qt.KeyboardModifier.ControlModifier: Modifiers.CTRL,
    Qt.KeyboardModifier.AltModifier: Modifiers.ALT,
}

_DEGREES_8_PER_NOTCH = 120


def button_of(button: Qt.MouseButton) -> Button:
    """Return the button; those MedView gives no meaning are NONE."""
    return _BUTTONS.get(button, Button.NONE)


def held_button(buttons: Qt.MouseButton) -> Button:
    """Return which of several held buttons counts."""
    return next((mine for theirs, mine in _BUTTONS.items() if theirs in buttons), Button.NONE)


def modifiers_of(modifiers: Qt.KeyboardModifier) -> Modifiers:
    """Return the keys held down."""
    result = Modifiers.NONE
    for theirs, mine in _MODIFIERS.items():
        if theirs in modifiers:
            result |= mine
    return result


def pointer_at(
    position: QPointF,
    viewport: Viewport,
    plane: PlaneLayout,
    slice_index: float,
    button: Button,
    modifiers: Qt.KeyboardModifier,
    pane_id: str = "",
) -> Pointer:
    """Return the pointer for a position in the pane."""
    row, column = viewport.row_column(position.x(), position.y())
    return Pointer(
        plane,
        slice_index,
        row,
        column,
        position.x(),
        position.y(),
        viewport.mm_per_px,
        button,
        modifiers_of(modifiers),
        pane_id,
    )


class Notches:
    """Collects the small steps of touchpads into whole notches of a wheel."""

    def __init__(self) -> None:
        self._eighths = 0

    def add(self, eighths_of_degree: int) -> int:
        """Take a turn; return whole notches, away from the person positive."""
        if self._eighths * eighths_of_degree < 0:
            self._eighths = 0
        self._eighths += eighths_of_degree
        notches = int(self._eighths / _DEGREES_8_PER_NOTCH)
        self._eighths -= notches * _DEGREES_8_PER_NOTCH
        return notches
