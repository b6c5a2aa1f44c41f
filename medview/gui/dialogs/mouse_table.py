"""What each button does in each mode, and the wheel, to be chosen from lists."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QWidget

from medview.core.language import _
from medview.gui.parts.controls import words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.scheme import Bindings
from medview.workspace.scheme_edits import with_drag, with_wheel
from medview.workspace.view_state import Mode

MODE_WORDS = {Mode.READ: _("reading"), Mode.ANNOTATE: _("annotating")}

_BUTTONS = {
    "left": _("Left button"),
    "middle": _("Middle button"),
    "right": _("Right button"),
    "shift+left": _("Shift and left"),
    "ctrl+left": _("Ctrl and left"),
    "alt+left": _("Alt and left"),
    "ctrl+shift+left": _("Ctrl, Shift and left"),
    "shift+right": _("Shift and right"),
    "ctrl+right": _("Ctrl and right"),
}
_DRAGS = {
    "tool": _("Active tool"),
    "pan": _("Move the picture"),
    "zoom": _("Zoom"),
    "window": _("Window"),
    "crosshair": _("Crosshair"),
    "pick": _("Pick the segment"),
    "": _("Nothing"),
}
_WHEEL = {"": _("Wheel"), "ctrl": _("Ctrl and wheel"), "shift": _("Shift and wheel")}
_STEPS = {"slice": _("Slices"), "zoom": _("Zoom"), "radius": _("Brush size, else slices")}


class MouseTable(QWidget):
    """Lists for buttons by mode, and for the wheel. Holds no fact: it shows Bindings and says what they should become."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bindings: Bindings | None = None
        self._lists: list[tuple[QComboBox, Callable[[Bindings], str]]] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(0, GRID_PX * 2, 0, 0)
        grid.setHorizontalSpacing(GRID_PX * 4)
        grid.setVerticalSpacing(GRID_PX)
        for column, mode in enumerate(Mode, 1):
            grid.addWidget(words(_("While {mode_words}").format(mode_words=MODE_WORDS[mode]), "quiet"), 0, column)
        for row, (chord, name) in enumerate(_BUTTONS.items(), 1):
            grid.addWidget(words(name), row, 0)
            for column, mode in enumerate(Mode, 1):
                tip = _("What {name} does while {mode_words}").format(name=name.lower(), mode_words=MODE_WORDS[mode])
                grid.addWidget(self._button_list(mode, chord, tip), row, column)
        first = len(_BUTTONS) + 1
        for row, (chord, name) in enumerate(_WHEEL.items(), first):
            grid.addWidget(words(name), row, 0)
            grid.addWidget(self._wheel_list(chord, _("What {name} does").format(name=name.lower())), row, 1)
        for column in (1, 2):
            grid.setColumnStretch(column, 1)
        grid.setRowStretch(first + len(_WHEEL), 1)

    def show_bindings(self, bindings: Bindings) -> None:
        """Show what the mouse does."""
        self._bindings = bindings
        for box, read in self._lists:
            blocker = QSignalBlocker(box)
            box.setCurrentIndex(box.findData(read(bindings)))
            blocker.unblock()

    def _button_list(self, mode: Mode, chord: str, tip: str) -> QComboBox:
        def read(bindings: Bindings) -> str:
            table = bindings.mouse.get(mode, {})
            return table.get(chord, table.get(chord.rpartition("+")[2], ""))

        return self._list(_DRAGS, tip, read, lambda bindings, what: with_drag(bindings, mode, chord, what))

    def _wheel_list(self, chord: str, tip: str) -> QComboBox:
        def read(bindings: Bindings) -> str:
            return bindings.wheel.get(chord, "slice")

        return self._list(_STEPS, tip, read, lambda bindings, what: with_wheel(bindings, chord, what))

    def _list(
        self,
        choices: dict[str, str],
        tip: str,
        read: Callable[[Bindings], str],
        write: Callable[[Bindings, str], Bindings],
    ) -> QComboBox:
        box = QComboBox()
        box.setToolTip(tip)
        box.setAccessibleName(tip)
        for key, name in choices.items():
            box.addItem(name, key)

        def chosen() -> None:
            if self._bindings is not None:
                self.changed.emit(write(self._bindings, str(box.currentData())))

        box.currentIndexChanged.connect(chosen)
        self._lists.append((box, read))
        return box
