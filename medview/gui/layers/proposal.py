"""What models propose, told apart from labels at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from medview.gui.drawing.label_raster import Cut, LabelRaster, Paint, Style
from medview.gui.drawing.viewport import Viewport
from medview.gui.parts.icons import icon
from medview.gui.parts.theme_tokens import PICTURE_QUIET, PICTURE_TEXT

_LETTER_PX = 20
_CHIP_HEIGHT_PX = 20
_GAP_PX = 4
_PAD_PX = 8
_GLYPH_PX = 14


@dataclass(frozen=True, slots=True)
class ProposedMask:
    """The slice of a proposed mask, in screen orientation, and how its segments are drawn."""

    cut: Cut
    paints: tuple[Paint, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """A small framed line: a model's badge, one of its scores, or the mark of a key image.

    Attributes
    ----------
    badge : bool
        Drawn with the dashed frame of a proposal.
    icon : str
        qtawesome name of a glyph before the text, or empty.
    colour : tuple of int, or None
        RGB of a square before the text: what a tint means.
    """

    text: str
    badge: bool = False
    icon: str = ""
    colour: tuple[int, int, int] | None = None


class ProposalLayer:
    """Hatched masks with dashed outlines, and chips that name the models and their scores."""

    def __init__(self) -> None:
        self._rasters: list[LabelRaster] = []
        self._chips: tuple[Chip, ...] = ()
        self._viewport: Viewport | None = None
        self._top_px = 0.0

    def update(self, masks: Sequence[ProposedMask], viewport: Viewport) -> None:
        """Take the masks that the slice cuts."""
        self._viewport = viewport
        while len(self._rasters) < len(masks):
            self._rasters.append(LabelRaster(Style(dashed=True, hatched=True)))
        del self._rasters[len(masks) :]
        for raster, mask in zip(self._rasters, masks, strict=True):
            raster.show(mask.cut, mask.paints, viewport)

    def update_chips(self, chips: Sequence[Chip], top_px: float) -> None:
        """Take the chips, stacked at the right edge from ``top_px`` down."""
        self._chips, self._top_px = tuple(chips), top_px

    def paint(self, painter: QPainter) -> None:
        """Draw the masks."""
        for raster in self._rasters:
            raster.paint(painter)

    def paint_chips(self, painter: QPainter, font: QFont) -> None:
        """Draw the chips; they lie above everything that is anatomy."""
        if self._viewport is None or not self._chips:
            return
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        widest = self._viewport.width_px - 2 * _PAD_PX
        glyphs = [_GLYPH_PX + _GAP_PX if chip.icon or chip.colour else 0 for chip in self._chips]
        texts = [
            metrics.elidedText(chip.text, Qt.TextElideMode.ElideMiddle, widest - 2 * _PAD_PX - glyph)
            for chip, glyph in zip(self._chips, glyphs, strict=True)
        ]
        widths = [metrics.horizontalAdvance(text) + 2 * _PAD_PX + glyph for text, glyph in zip(texts, glyphs, strict=True)]
        y = self._top_px
        if max(widths) + _PAD_PX > self._viewport.width_px / 2 - _LETTER_PX:
            # The letter in the middle of the upper edge says where up is: nothing lies over it.
            y += _LETTER_PX
        for chip, glyph, text, width in zip(self._chips, glyphs, texts, widths, strict=True):
            frame = QRectF(self._viewport.width_px - _PAD_PX - width + 0.5, y + 0.5, width - 1, _CHIP_HEIGHT_PX - 1)
            painter.setBrush(QColor(20, 23, 26, 215))
            painter.setPen(QPen(QColor(PICTURE_QUIET), 1, Qt.PenStyle.DashLine if chip.badge else Qt.PenStyle.SolidLine))
            painter.drawRoundedRect(frame, 4, 4)
            place = QRect(round(frame.left() + _PAD_PX), round(y + (_CHIP_HEIGHT_PX - _GLYPH_PX) / 2), _GLYPH_PX, _GLYPH_PX)
            if chip.icon:
                icon(chip.icon, PICTURE_TEXT).paint(painter, place)
            elif chip.colour:
                painter.fillRect(place.adjusted(2, 2, -2, -2), QColor(*chip.colour))
            painter.setPen(QColor(PICTURE_TEXT))
            baseline = y + (_CHIP_HEIGHT_PX + metrics.ascent() - metrics.descent()) / 2
            painter.drawText(QPointF(round(frame.left() + _PAD_PX + glyph), round(baseline)), text)
            y += _CHIP_HEIGHT_PX + _GAP_PX
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
