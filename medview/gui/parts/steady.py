"""Controls of a column that scrolls: the wheel moves the column past them and leaves their values alone."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QSlider, QWidget


class SteadySlider(QSlider):
    """A level slider the wheel does not move."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the column."""
        event.ignore()


class SteadyComboBox(QComboBox):
    """A choice the wheel does not change; in its open list the wheel scrolls."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # The wheel gives no focus either: keys would go on to a control nobody clicked.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the column."""
        event.ignore()


class SteadySpinBox(QDoubleSpinBox):
    """A number the wheel steps through only while it is being edited."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step while it has the focus; else leave the wheel to the column."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
