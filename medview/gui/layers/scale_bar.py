"""How long a millimetre is."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFont, QPainter

from medview.core.language import in_language
from medview.gui.drawing.picture_text import TextBlock, TextLine
from medview.gui.drawing.viewport import Viewport
from medview.gui.parts.theme_tokens import PICTURE_TEXT

_LONGEST_PART = 0.25
_LONGEST_PX = 160.0
_TICK_PX = 6
_ABOVE_EDGE_PX = 30
_LENGTHS_MM = tuple(base * 10.0**power for power in range(-2, 4) for base in (1.0, 2.0, 5.0))


def nice_length_mm(mm_per_px: float, longest_px: float) -> float:
    """Return the longest of 1, 2, 5, 10, 20, 50 ... mm that fits into ``longest_px``, or 0 when none does."""
    fitting = [length for length in _LENGTHS_MM if length / mm_per_px <= longest_px]
    return fitting[-1] if fitting else 0.0


class ScaleBarLayer:
    """A bar of a round number of millimetres above the lower edge."""

    def __init__(self) -> None:
        self._viewport: Viewport | None = None
        self._length_mm = 0.0
        self._text = TextBlock()

    def update(self, viewport: Viewport, font: QFont, *, calibrated: bool, note: str = "") -> None:
        """Take the zoom; ``calibrated`` says whether columns have millimetres, ``note`` what they are true of."""
        self._viewport = viewport
        longest = min(_LONGEST_PX, viewport.width_px * _LONGEST_PART)
        self._length_mm = nice_length_mm(viewport.mm_per_px, longest) if calibrated else 0.0
        text = f"{self._length_mm:g} mm" if self._length_mm < 1000 else f"{self._length_mm / 1000:g} m"
        self._text.set([TextLine(f"{text} {in_language(note)}".rstrip(), PICTURE_TEXT)], font, viewport.device_ratio)

    @property
    def boxes_px(self) -> list[tuple[float, float, float, float]]:
        """Left, top, right, bottom of bar and length; none where there is no bar."""
        if self._viewport is None or not self._length_mm:
            return []
        half = max(self._length_mm / self._viewport.mm_per_px, self._text.size.width()) / 2
        middle, y = self._viewport.width_px / 2, self._viewport.height_px - _ABOVE_EDGE_PX
        return [(middle - half, y - self._text.size.height(), middle + half, y + 2.0)]

    def paint(self, painter: QPainter) -> None:
        """Draw bar and length."""
        if self._viewport is None or not self._length_mm:
            return
        width = round(self._length_mm / self._viewport.mm_per_px)
        left = round((self._viewport.width_px - width) / 2)
        y = self._viewport.height_px - _ABOVE_EDGE_PX
        parts = (
            QRectF(left, y, width, 1),
            QRectF(left, y - _TICK_PX, 1, _TICK_PX),
            QRectF(left + width - 1, y - _TICK_PX, 1, _TICK_PX),
        )
        for part in parts:
            painter.fillRect(part.adjusted(-1, -1, 1, 1), QColor(0, 0, 0))
        for part in parts:
            painter.fillRect(part, QColor(PICTURE_TEXT))
        size = self._text.size
        self._text.paint(painter, QPointF(left + (width - size.width()) / 2, y - 1 - size.height()))
