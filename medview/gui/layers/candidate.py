"""What an effect would write, told apart from labels and from what models propose."""

from __future__ import annotations

from PySide6.QtGui import QPainter

from medview.gui.drawing.label_raster import Cut, LabelRaster, Paint, Style
from medview.gui.drawing.viewport import Viewport


class CandidateLayer:
    """A dashed outline and hatches crossing each other; proposals are hatched one way."""

    def __init__(self) -> None:
        self._raster = LabelRaster(Style(dashed=True, hatched=True, crossed=True))
        self._empty = True

    def update(self, cut: Cut | None, paints: tuple[Paint, ...], viewport: Viewport) -> None:
        """Take the slice of the candidate, or None."""
        if cut is not None or not self._empty:
            self._raster.show(cut, paints, viewport)
        self._empty = cut is None

    def paint(self, painter: QPainter) -> None:
        """Draw it."""
        if not self._empty:
            self._raster.paint(painter)
