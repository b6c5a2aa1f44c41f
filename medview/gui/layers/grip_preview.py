"""What a press would take hold of."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from medview.gui.drawing.viewport import Viewport
from medview.workspace.preview import GripPreview

_RING_PX = 7.0
_CROSS_PX = 11.0
_REACH_PX = 14


class GripPreviewLayer:
    """A ring around the handle under the pointer; with a cross where all of a thing would move."""

    def __init__(self) -> None:
        self._preview: GripPreview | None = None
        self._viewport: Viewport | None = None

    def update(self, preview: GripPreview | None, viewport: Viewport | None) -> None:
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
        at = self._viewport.point_px(self._preview.row, self._preview.column)
        reach = QPointF(_REACH_PX, _REACH_PX)
        return QRectF(at - reach, at + reach).toAlignedRect()

    def paint(self, painter: QPainter) -> None:
        """Draw the ring with a dark rim."""
        if self._preview is None or self._viewport is None:
            return
        at = self._viewport.point_px(self._preview.row, self._preview.column)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(QColor(0, 0, 0, 170), 3.5), QPen(QColor(255, 255, 255), 1.5)):
            painter.setPen(pen)
            painter.drawEllipse(at, _RING_PX, _RING_PX)
            if self._preview.whole:
                for way in (QPointF(1.0, 0.0), QPointF(0.0, 1.0)):
                    painter.drawLine(at + way * _RING_PX, at + way * _CROSS_PX)
                    painter.drawLine(at - way * _RING_PX, at - way * _CROSS_PX)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
