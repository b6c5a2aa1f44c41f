"""Whose picture this is, along its upper edge."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from medview.gui.drawing.viewport import Viewport
from medview.workspace.owners import Owner

STRIP_HEIGHT_PX = 22
_MARGIN_PX = 8
_LIGHT = 140
"""Brightness from which on black is read better than white."""


class OwnerLayer:
    """A strip in the patient's colour with the patient's name; nothing while all pictures are of one patient."""

    def __init__(self) -> None:
        self._owner: Owner | None = None
        self._viewport: Viewport | None = None

    def update(self, owner: Owner | None, viewport: Viewport) -> None:
        """Take the owner, or None."""
        self._owner, self._viewport = owner, viewport

    @property
    def height_px(self) -> int:
        """Room it takes at the upper edge."""
        return 0 if self._owner is None else STRIP_HEIGHT_PX

    @property
    def text(self) -> str:
        """What it says."""
        return "" if self._owner is None else self._owner.text

    def paint(self, painter: QPainter, font: QFont) -> None:
        """Draw the strip."""
        if self._owner is not None and self._viewport is not None:
            paint_strip(painter, self._owner, self._viewport.width_px, font)


def paint_strip(painter: QPainter, owner: Owner, width_px: float, font: QFont) -> None:
    """Draw the strip along the upper edge of whatever is painted on."""
    strip = QRectF(0, 0, width_px, STRIP_HEIGHT_PX)
    painter.fillRect(strip, QColor(*owner.colour))
    bold = QFont(font)
    bold.setBold(True)
    metrics = QFontMetricsF(bold)
    text = metrics.elidedText(owner.text, Qt.TextElideMode.ElideRight, strip.width() - 2 * _MARGIN_PX)
    red, green, blue = owner.colour
    bright = 0.299 * red + 0.587 * green + 0.114 * blue >= _LIGHT
    painter.setFont(bold)
    painter.setPen(QColor(0, 0, 0) if bright else QColor(255, 255, 255))
    painter.drawText(QPointF(_MARGIN_PX, round((STRIP_HEIGHT_PX + metrics.ascent() - metrics.descent()) / 2)), text)
