"""An outline with anchors that can be pulled."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from medview.gui.drawing.viewport import Viewport
from medview.workspace.preview import ShapePreview

_LINE_PX = 1.5
_ANCHOR_PX = 3.0
_HELD_PX = 5.0
_FILL = 0.18
_MOST_ANCHORS = 400
"""More would cover the line they lie on."""


class ShapePreviewLayer:
    """The line so far in the colour of the segment, dashed when it takes away; anchors; a thin line to the pointer."""

    def __init__(self) -> None:
        self._preview: ShapePreview | None = None
        self._viewport: Viewport | None = None

    def update(self, preview: ShapePreview | None, viewport: Viewport | None) -> None:
        """Take the preview of this pane, or None."""
        self._preview, self._viewport = preview, viewport

    def move(self, viewport: Viewport) -> None:
        """Show the same preview through another camera."""
        self._viewport = viewport

    @property
    def cover_px(self) -> QRect:
        """The logical pixels it touches."""
        preview = self._preview
        if preview is None or self._viewport is None:
            return QRect()
        points = self._points((*preview.line, *preview.rubber))
        return points.boundingRect().adjusted(-9, -9, 9, 9).toAlignedRect()

    def paint(self, painter: QPainter) -> None:
        """Draw it with a dark rim, so that it shows on any picture."""
        preview = self._preview
        if preview is None or self._viewport is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        colour = QColor(*preview.colour)
        line = self._points(preview.line)
        if preview.closed:
            line.append(line.first())
            inside = QColor(colour)
            inside.setAlphaF(0.0 if preview.erasing else _FILL)
            painter.setBrush(inside)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawPolygon(line, Qt.FillRule.OddEvenFill)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        style = Qt.PenStyle.DashLine if preview.erasing else Qt.PenStyle.SolidLine
        for points, thin in ((line, _LINE_PX), (self._points(preview.rubber), 1.0)):
            for pen in (QPen(QColor(0, 0, 0, 150), thin + 2), QPen(colour, thin, style)):
                painter.setPen(pen)
                painter.drawPolyline(points)
        self._paint_anchors(painter, preview, colour)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_anchors(self, painter: QPainter, preview: ShapePreview, colour: QColor) -> None:
        anchors = self._points(preview.anchors)
        every = max(1, len(preview.anchors) // _MOST_ANCHORS)
        painter.setPen(QPen(QColor(0, 0, 0, 170), 1.0))
        painter.setBrush(QColor(255, 255, 255))
        for number in range(anchors.size()):
            first_of_open = number == 0 and not preview.closed
            if number == preview.held or first_of_open or number % every == 0:
                reach = _HELD_PX if number == preview.held else _ANCHOR_PX + first_of_open
                painter.setBrush(colour if number == preview.held else QColor(255, 255, 255))
                at = anchors.at(number)
                painter.drawEllipse(QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach))
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _points(self, places: tuple[tuple[float, float], ...]) -> QPolygonF:
        viewport = self._viewport
        assert viewport is not None
        return QPolygonF([viewport.point_px(row, column) for row, column in places])
