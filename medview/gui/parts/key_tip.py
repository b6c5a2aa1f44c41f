"""Tooltips that name the keys of an action, also after a person took other keys."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget


class KeyTip(QObject):
    """Keeps a tooltip up to date as long as its widget lives.

    Parameters
    ----------
    text : str
        What the widget does, without keys.
    action : QAction
        Whose keys do the same.
    """

    def __init__(self, widget: QWidget, text: str, action: QAction) -> None:
        super().__init__(widget)
        self._widget, self._text, self._action = widget, text, action
        action.changed.connect(self._show)
        self._show()

    @Slot()
    def _show(self) -> None:
        keys = self._action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        tip = f"{self._text} ({keys})" if keys else self._text
        if tip != self._widget.toolTip():
            self._widget.setToolTip(tip)
