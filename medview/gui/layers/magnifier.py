"""A round loupe under the pointer."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from medview.gui.drawing.viewport import Viewport
from medview.gui.parts.theme_tokens import PICTURE_TEXT
from medview.workspace.preview import LoupePreview

FACTOR = 2.5
"""How much larger things are in the loupe than in the pane."""
RADIUS_PX = 96.0


class MagnifierLayer:
    """Shows what lies under the pointer larger, in place; the camera stays as it is."""

    def __init__(self) -> None:
        self._preview: LoupePreview | None = None
        self._viewport: Viewport | None = None

    def update(self, preview: LoupePreview | None, viewport: Viewport | None) -> None:
        """Take the preview of this pane, or None."""
        self._preview, self._viewport = preview, viewport

    def move(self, viewport: Viewport) -> None:
        """Keep the loupe over the same place through another camera."""
        self._viewport = viewport

    @property
    def cover_px(self) -> QRect:
        """The logical pixels the loupe touches."""
        circle = self._circle()
        return QRect() if circle is None else circle.adjusted(-3, -3, 3, 3).toAlignedRect()

    def paint(self, painter: QPainter, draw: Callable[[QPainter, float], object]) -> None:
        """Draw the loupe.

        Parameters
        ----------
        draw : callable
            Draws picture and labels with a painter that makes everything larger by the factor it is given.
        """
        circle = self._circle()
        if circle is None:
            return
        inside = QPainterPath()
        inside.addEllipse(circle)
        painter.save()
        painter.setClipPath(inside, Qt.ClipOperation.IntersectClip)
        painter.fillRect(circle, Qt.GlobalColor.black)
        middle = circle.center()
        painter.translate(middle)
        painter.scale(FACTOR, FACTOR)
        painter.translate(-middle)
        draw(painter, FACTOR)
        painter.restore()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(QColor(0, 0, 0, 180), 4.0), QPen(QColor(PICTURE_TEXT), 1.5)):
            painter.setPen(pen)
            painter.drawEllipse(circle)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _circle(self) -> QRectF | None:
        preview, viewport = self._preview, self._viewport
        if preview is None or viewport is None:
            return None
        middle, reach = viewport.point_px(preview.row, preview.column), QPointF(RADIUS_PX, RADIUS_PX)
        return QRectF(middle - reach, middle + reach)
