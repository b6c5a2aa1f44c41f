"""Where a proposal and a segment differ."""

from __future__ import annotations

from PySide6.QtGui import QPainter

from medview.analysis.mask_difference import ADDED, REMOVED
from medview.gui.drawing.label_raster import Cut, LabelRaster, Paint, Style
from medview.gui.drawing.viewport import Viewport
from medview.gui.parts.theme_tokens import ADDED_COLOUR, REMOVED_COLOUR

_FILL = 0.35


class DifferenceLayer:
    """What the proposal has more as an even tint, what it has less hatched: told apart without colour, too."""

    def __init__(self) -> None:
        self._more, self._less = LabelRaster(), LabelRaster(Style(hatched=True))
        self._empty = True

    def update(self, cut: Cut | None, viewport: Viewport) -> None:
        """Take the slice of the difference (ADDED, REMOVED), or None."""
        if cut is not None or not self._empty:
            self._more.show(cut, (Paint(ADDED, ADDED_COLOUR, _FILL),), viewport)
            self._less.show(cut, (Paint(REMOVED, REMOVED_COLOUR, _FILL * 0.6),), viewport)
        self._empty = cut is None

    def paint(self, painter: QPainter) -> None:
        """Draw it."""
        if not self._empty:
            self._more.paint(painter)
            self._less.paint(painter)
