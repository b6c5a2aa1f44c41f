"""Text that stays readable on any picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QPointF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPixmap

_HALO = QColor(0, 0, 0)
_HALO_OFFSETS = ((1, 1), (-1, -1), (1, -1), (-1, 1))
_MARGIN_PX = 2
_KEPT = 512
"""Pictures of single lines; a few kilobytes each."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line and its colour."""

    text: str
    colour: str


class Align(Enum):
    """Where lines of different lengths meet; the value is the part of the free room left of a line."""

    LEFT = 0.0
    CENTRE = 0.5
    RIGHT = 1.0


def draw_haloed(painter: QPainter, at: QPointF, text: str, font: QFont, colour: str) -> None:
    """Draw ``text`` with its baseline starting at ``at`` and a dark rim around every letter."""
    painter.setFont(font)
    painter.setPen(_HALO)
    for dx, dy in _HALO_OFFSETS:
        painter.drawText(at + QPointF(dx, dy), text)
    painter.setPen(QColor(colour))
    painter.drawText(at, text)


class TextBlock:
    """Lines drawn once into a small picture and then only copied, since text costs more than anything else in a pane."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._picture: QPixmap | None = None
        self.size = QSizeF()

    def set(self, lines: Sequence[TextLine], font: QFont, device_ratio: float, align: Align = Align.LEFT) -> None:
        """Take new lines."""
        key = (tuple(lines), font.key(), device_ratio, align)
        if key == self._key:
            return
        self._key = key
        metrics = QFontMetricsF(font)
        widths = [metrics.horizontalAdvance(line.text) for line in lines]
        height = metrics.lineSpacing()
        self.size = QSizeF(max(widths, default=0.0) + 2 * _MARGIN_PX, height * len(lines) + 2 * _MARGIN_PX)
        if not any(widths):
            self._picture, self.size = None, QSizeF()
            return
        picture = QPixmap((self.size * device_ratio).toSize())
        picture.setDevicePixelRatio(device_ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        for n, (line, width) in enumerate(zip(lines, widths, strict=True)):
            x = _MARGIN_PX + align.value * (max(widths) - width)
            baseline = _MARGIN_PX + n * height + metrics.ascent()
            draw_haloed(painter, QPointF(round(x), round(baseline)), line.text, font, line.colour)
        painter.end()
        self._picture = picture

    def paint(self, painter: QPainter, top_left: QPointF) -> None:
        """Draw the block."""
        if self._picture is not None:
            painter.drawPixmap(QPointF(round(top_left.x()), round(top_left.y())), self._picture)


class KeptTexts:
    """Single lines that are drawn in many places, each kept as a small picture while there is room for it."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[str, str, str, float], TextBlock] = {}

    def draw(self, painter: QPainter, top_left: QPointF, text: str, font: QFont, colour: str) -> None:
        """Draw a line with its upper left corner at a place."""
        ratio = painter.device().devicePixelRatioF()
        key = (text, colour, font.key(), ratio)
        block = self._blocks.get(key)
        if block is None:
            if len(self._blocks) >= _KEPT:
                self._blocks.clear()
            block = self._blocks[key] = TextBlock()
            block.set([TextLine(text, colour)], font, ratio)
        block.paint(painter, top_left - QPointF(_MARGIN_PX, _MARGIN_PX))
