"""Who gets a key: lists and fields while they have the focus, the pane under the pointer otherwise."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QWidget,
)
from shiboken6 import isValid

_MOVES = {
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
}

_KEEPS: tuple[tuple[type[QWidget], set[Qt.Key]], ...] = (
    (QAbstractItemView, _MOVES),
    (QAbstractSlider, _MOVES),
    (QAbstractSpinBox, _MOVES),
    (QComboBox, _MOVES),
    (QAbstractButton, {Qt.Key.Key_Space}),
)
"""Keys that a focused widget of a kind keeps from the shortcuts of the window."""


def take_keys(pane: QWidget) -> None:
    """Give a pane that the pointer entered the focus, unless something is being typed."""
    if not isinstance(QApplication.focusWidget(), QLineEdit | QAbstractSpinBox):
        pane.setFocus(Qt.FocusReason.MouseFocusReason)


class KeyFocus(QObject):
    """Lets navigation keys stay with the widget the person went to with Tab or the mouse.

    It watches the widget that has the focus and no other: a filter of the whole application would see every event of it.
    """

    def __init__(self, app: QApplication, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self._watched: QWidget | None = None
        app.focusChanged.connect(self._on_focus)
        self._on_focus(None, app.focusWidget())

    def stop(self) -> None:
        """Watch nothing any more."""
        self._app.focusChanged.disconnect(self._on_focus)
        self._on_focus(self._watched, None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Accept the shortcut override of keys the focused widget keeps."""
        if event.type() is not QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return False
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        kept = plain and any(isinstance(watched, kind) and event.key() in keys for kind, keys in _KEEPS)
        if kept:
            event.accept()
        return kept

    @Slot(QWidget, QWidget)
    def _on_focus(self, _before: QWidget | None, now: QWidget | None) -> None:
        if self._watched is not None and isValid(self._watched):
            self._watched.removeEventFilter(self)
        self._watched = now
        if now is not None:
            now.installEventFilter(self)
