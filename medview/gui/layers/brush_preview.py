"""What the brush will cover."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from medview.gui.drawing.viewport import Viewport
from medview.workspace.preview import BrushPreview


class BrushPreviewLayer:
    """A circle of the brush's radius in millimetres around the pointer; dashed when erasing."""

    def __init__(self) -> None:
        self._preview: BrushPreview | None = None
        self._viewport: Viewport | None = None

    def update(self, preview: BrushPreview | None, viewport: Viewport | None) -> None:
        """Take the preview of this pane, or None."""
        self._preview, self._viewport = preview, viewport

    def move(self, viewport: Viewport) -> None:
        """Show the same preview through another camera."""
        self._viewport = viewport

    @property
    def cover_px(self) -> QRect:
        """The logical pixels the circle touches."""
        circle = self._circle()
        return QRect() if circle is None else circle.adjusted(-3, -3, 3, 3).toAlignedRect()

    def paint(self, painter: QPainter) -> None:
        """Draw the circle with a dark rim, so that it shows on any picture."""
        circle, preview = self._circle(), self._preview
        if circle is None or preview is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(0, 0, 0, 160), 3.0))
        painter.drawEllipse(circle)
        style = Qt.PenStyle.DashLine if preview.erasing else Qt.PenStyle.SolidLine
        painter.setPen(QPen(QColor(*preview.colour), 1.5, style))
        painter.drawEllipse(circle)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _circle(self) -> QRectF | None:
        preview, viewport = self._preview, self._viewport
        if preview is None or viewport is None:
            return None
        middle = viewport.point_px(preview.row, preview.column)
        radius = preview.radius_mm / viewport.mm_per_px
        return QRectF(middle - QPointF(radius, radius), middle + QPointF(radius, radius))
