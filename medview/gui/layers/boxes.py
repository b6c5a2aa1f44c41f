"""Boxes on the slices they cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from medview.gui.drawing.picture_text import draw_haloed
from medview.gui.drawing.viewport import Viewport

_LINE_PX = 2


@dataclass(frozen=True, slots=True)
class BoxOnSlice:
    """A box where the slice cuts it.

    Attributes
    ----------
    row0, row1, column0, column1 : float
        Screen rows and columns of its outer edges, where n - 0.5 is the edge before voxel n.
    colour : str
        ``#rrggbb``.
    proposed : bool
        Drawn dashed: no person has accepted it.
    """

    row0: float
    row1: float
    column0: float
    column1: float
    text: str
    colour: str
    proposed: bool = False


class BoxesLayer:
    """Outlines with what they are called and how sure the model is."""

    def __init__(self) -> None:
        self._boxes: tuple[BoxOnSlice, ...] = ()
        self._viewport: Viewport | None = None

    def update(self, boxes: Sequence[BoxOnSlice], viewport: Viewport) -> None:
        """Take the boxes that the slice cuts."""
        self._boxes, self._viewport = tuple(boxes), viewport

    def paint(self, painter: QPainter, font: QFont) -> None:
        """Draw outlines and names."""
        if self._viewport is None:
            return
        metrics = QFontMetricsF(font)
        for box in self._boxes:
            top_left = self._viewport.point_px(box.row0, box.column0)
            frame = QRectF(top_left, self._viewport.point_px(box.row1, box.column1))
            style = Qt.PenStyle.DashLine if box.proposed else Qt.PenStyle.SolidLine
            painter.setBrush(Qt.BrushStyle.NoBrush)
            # A dark rim keeps the line visible on bone.
            painter.setPen(QPen(QColor(0, 0, 0, 150), _LINE_PX + 2))
            painter.drawRect(frame)
            painter.setPen(QPen(QColor(box.colour), _LINE_PX, style))
            painter.drawRect(frame)
            baseline = frame.top() - 6
            if baseline - metrics.ascent() < 0:
                baseline = frame.bottom() + 4 + metrics.ascent()
            draw_haloed(painter, QPointF(round(frame.left()), round(baseline)), box.text, font, box.colour)
