"""A region that would be written, and what is said of it beside the hand."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from medview.gui.drawing.label_raster import Cut, LabelRaster, Paint, Style
from medview.gui.drawing.viewport import Viewport
from medview.gui.parts.theme_tokens import PICTURE_TEXT
from medview.workspace.preview import RegionPreview

_FILL = 0.4
_AWAY_PX = 18
_PAD_PX = 6


class RegionPreviewLayer:
    """The region with a dashed outline and an even fill; the text on a dark ground in the pane the hand is in."""

    def __init__(self) -> None:
        self._preview: RegionPreview | None = None
        self._viewport: Viewport | None = None
        self._raster = LabelRaster(Style(dashed=True))
        self._shown = False
        self._text = False
        self._font = QFont()

    def update(
        self, preview: RegionPreview | None, cut: Cut | None, viewport: Viewport | None, font: QFont, *, text: bool = False
    ) -> None:
        """Take the preview, its cut with the slice of this pane, and whether its text stands here; or None."""
        self._preview, self._viewport, self._font, self._text = preview, viewport, font, text
        self._shown = preview is not None and cut is not None
        if preview is not None and viewport is not None and cut is not None:
            self._raster.show(cut, [Paint(1, preview.colour, _FILL)], viewport)

    @property
    def cover_px(self) -> QRect:
        """The logical pixels it touches; all of the pane while it shows a region."""
        if self._preview is None or self._viewport is None:
            return QRect()
        return self._viewport.pane_px

    def paint(self, painter: QPainter) -> None:
        """Draw it."""
        preview, viewport = self._preview, self._viewport
        if preview is None or viewport is None:
            return
        if self._shown:
            self._raster.paint(painter)
        if not self._text or not preview.text:
            return
        metrics = QFontMetricsF(self._font)
        wide = metrics.horizontalAdvance(preview.text) + 2 * _PAD_PX
        high = metrics.height() + _PAD_PX
        at = viewport.point_px(preview.row, preview.column) + QPointF(_AWAY_PX, _AWAY_PX)
        # Inside the pane, wherever the hand is.
        left = max(0.0, min(at.x(), viewport.width_px - wide - _PAD_PX))
        top = max(0.0, min(at.y(), viewport.height_px - high - _PAD_PX))
        painter.fillRect(QRectF(left, top, wide, high), QColor(0, 0, 0, 170))
        painter.setFont(self._font)
        painter.setPen(QColor(PICTURE_TEXT))
        painter.drawText(QPointF(left + _PAD_PX, top + _PAD_PX / 2 + metrics.ascent()), preview.text)
