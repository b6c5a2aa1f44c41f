"""An outline that is being drawn click by click."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from medview.gui.drawing.viewport import Viewport
from medview.gui.parts.theme_tokens import PICTURE_MEASURE, PICTURE_MEASURE_ACTIVE
from medview.workspace.preview import OutlinePreview

_LINE_PX = 1.5
_HANDLE_PX = 3.5
_CLOSING_PX = 6.0


class OutlinePreviewLayer:
    """The corners so far and their lines, a dashed line to the pointer, a ring around the first corner when it closes."""

    def __init__(self) -> None:
        self._preview: OutlinePreview | None = None
        self._viewport: Viewport | None = None

    def update(self, preview: OutlinePreview | None, viewport: Viewport | None) -> None:
        """Take the preview of this pane, or None."""
        self._preview, self._viewport = preview, viewport

    def move(self, viewport: Viewport) -> None:
        """Show the same preview through another camera."""
        self._viewport = viewport

    @property
    def cover_px(self) -> QRect:
        """The logical pixels it touches."""
        if self._preview is None or self._viewport is None:
            return QRect()
        to = () if self._preview.to is None else (self._preview.to,)
        points = QPolygonF([self._viewport.point_px(*corner) for corner in (*self._preview.corners, *to)])
        return points.boundingRect().adjusted(-9, -9, 9, 9).toAlignedRect()

    def paint(self, painter: QPainter) -> None:
        """Draw the outline with a dark rim, so that it shows on any picture."""
        preview, viewport = self._preview, self._viewport
        if preview is None or viewport is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        corners = [viewport.point_px(*corner) for corner in preview.corners]
        last = [] if preview.to is None else [corners[-1], corners[0] if preview.closes else viewport.point_px(*preview.to)]
        colour = QColor(PICTURE_MEASURE_ACTIVE)
        for line, style in ((corners, Qt.PenStyle.SolidLine), (last, Qt.PenStyle.DashLine)):
            for pen in (QPen(QColor(0, 0, 0, 150), _LINE_PX + 2), QPen(colour, _LINE_PX, style)):
                painter.setPen(pen)
                painter.drawPolyline(QPolygonF(line))
        painter.setPen(QPen(QColor(0, 0, 0, 150), 1))
        painter.setBrush(colour)
        for corner in corners:
            painter.drawEllipse(corner, _HANDLE_PX, _HANDLE_PX)
        if preview.closes:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(PICTURE_MEASURE), _LINE_PX))
            painter.drawEllipse(corners[0], _CLOSING_PX, _CLOSING_PX)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
