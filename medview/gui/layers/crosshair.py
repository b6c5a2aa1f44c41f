"""Where the other planes cut this one."""

from __future__ import annotations

import math
from collections.abc import Iterable

from PySide6.QtCore import QLineF, QPointF, QRect
from PySide6.QtGui import QColor, QPainter, QPen

from medview.gui.drawing.viewport import Viewport

_GAP_PX = 16.0
"""Half of the opening in the middle: what is pointed at stays free."""

_OPACITY = 170
_STRAIGHT = 1e-4
"""Lines less slanting than this are drawn as straight ones: half a pixel over a large screen."""
_HANDLE_PART = 0.3
_HANDLE_PX = 4.5


Line = tuple[float, float, str]
"""Pixels to the right and down, of any length, and the colour (``#rrggbb``) of a line."""


class CrosshairLayer:
    """Thin lines with an opening where they would meet, each in the colour of the plane it stands for."""

    def __init__(self) -> None:
        self._at = QPointF()
        self._viewport: Viewport | None = None
        self._lines: tuple[tuple[QPointF, QColor], ...] = ()
        self._handles = False

    def update(self, row: float, column: float, lines: Iterable[Line], viewport: Viewport, *, handles: bool) -> None:
        """Put the lines through a row and a column; with ``handles`` they show where they can be turned."""
        self._viewport, self._handles = viewport, handles
        at = viewport.point_px(row, column)
        self._at = QPointF(round(at.x() - 0.5) + 0.5, round(at.y() - 0.5) + 0.5)
        made = []
        for right, down, colour in lines:
            length = math.hypot(right, down)
            ink = QColor(colour)
            ink.setAlpha(_OPACITY)
            made.append((QPointF(right / length, down / length), ink))
        self._lines = tuple(made)

    def strips(self) -> tuple[QRect, ...]:
        """The logical pixels that the lines cover."""
        if self._viewport is None:
            return ()
        x, y = round(self._at.x() - 0.5), round(self._at.y() - 0.5)
        wide, high = self._viewport.width_px, self._viewport.height_px
        if self._handles or any(min(abs(d.x()), abs(d.y())) > _STRAIGHT for d, _ in self._lines):
            return (self._viewport.pane_px,)
        return QRect(0, y - 1, wide, 3), QRect(x - 1, 0, 3, high)

    def paint(self, painter: QPainter) -> None:
        """Draw the lines."""
        if self._viewport is None:
            return
        far = float(self._viewport.width_px + self._viewport.height_px)
        for direction, colour in self._lines:
            slanting = min(abs(direction.x()), abs(direction.y())) > _STRAIGHT
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, slanting)
            painter.setPen(QPen(colour, 1))
            for way in (direction, -direction):
                painter.drawLine(QLineF(self._at + way * _GAP_PX, self._at + way * far))
            if self._handles:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
                reach = _HANDLE_PART * min(self._viewport.width_px, self._viewport.height_px)
                painter.setBrush(QColor(0, 0, 0, 120))
                for way in (direction, -direction):
                    painter.drawEllipse(self._at + way * reach, _HANDLE_PX, _HANDLE_PX)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
