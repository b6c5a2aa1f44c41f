"""Where the other planes cut this one."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRect
from PySide6.QtGui import QColor, QPainter, QPen

from medview.gui.viewport import Viewport

_GAP_PX = 16.0
"""Half of the opening in the middle: what is pointed at stays free."""

_OPACITY = 170


class CrosshairLayer:
    """Two thin lines with an opening where they would meet, each in the colour of the plane it stands for."""

    def __init__(self) -> None:
        self._at = QPointF()
        self._viewport: Viewport | None = None
        self._across = QColor()
        self._down = QColor()

    def update(self, row: float, column: float, across: str, down: str, viewport: Viewport) -> None:
        """Put the lines through a row and a column, coloured ``across`` and ``down`` (``#rrggbb``)."""
        self._viewport = viewport
        at = viewport.point_px(row, column)
        self._at = QPointF(round(at.x() - 0.5) + 0.5, round(at.y() - 0.5) + 0.5)
        self._across, self._down = QColor(across), QColor(down)
        self._across.setAlpha(_OPACITY)
        self._down.setAlpha(_OPACITY)

    def strips(self) -> tuple[QRect, QRect]:
        """The logical pixels that the lines cover."""
        if self._viewport is None:
            return QRect(), QRect()
        x, y = round(self._at.x() - 0.5), round(self._at.y() - 0.5)
        return QRect(0, y - 1, self._viewport.width_px, 3), QRect(x - 1, 0, 3, self._viewport.height_px)

    def paint(self, painter: QPainter) -> None:
        """Draw the lines."""
        if self._viewport is None:
            return
        x, y = self._at.x(), self._at.y()
        width, height = float(self._viewport.width_px), float(self._viewport.height_px)
        painter.setPen(QPen(self._across, 1))
        painter.drawLine(QLineF(0.0, y, x - _GAP_PX, y))
        painter.drawLine(QLineF(x + _GAP_PX, y, width, y))
        painter.setPen(QPen(self._down, 1))
        painter.drawLine(QLineF(x, 0.0, x, y - _GAP_PX))
        painter.drawLine(QLineF(x, y + _GAP_PX, x, height))
