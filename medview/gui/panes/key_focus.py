"""Who gets a key: lists and fields while they have the focus, the pane under the pointer otherwise."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
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

from medview.gui.panes.slice_view import SliceView

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


class KeyFocus(QObject):
    """Event filter of the application.

    Navigation keys stay with the widget the person went to with Tab or the mouse; the pane the pointer enters takes them
    over, unless something is being typed.
    """

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Accept the shortcut override of keys the focused widget keeps; give the focus to panes."""
        if event.type() is QEvent.Type.Enter and isinstance(watched, SliceView):
            focused = QApplication.focusWidget()
            if not isinstance(focused, QLineEdit | QAbstractSpinBox):
                watched.setFocus(Qt.FocusReason.MouseFocusReason)
            return False
        if event.type() is not QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return False
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        kept = plain and any(isinstance(watched, kind) and event.key() in keys for kind, keys in _KEEPS)
        if kept:
            event.accept()
        return kept
