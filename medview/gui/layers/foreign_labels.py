"""Labels that were drawn on another series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtGui import QPainter

from medview.gui.drawing.label_raster import Cut, LabelRaster, Paint
from medview.gui.drawing.viewport import Viewport


@dataclass(frozen=True, slots=True, eq=False)
class ForeignCut:
    """Labels of another series on the slice, in screen orientation.

    Attributes
    ----------
    cut : ndarray of uint8, shape (rows, columns)
        Covers the slice, each of whose rows and columns it may cut into parts.
    """

    cut: Cut
    paints: tuple[Paint, ...]


class ForeignLabelsLayer:
    """Outlines without a fill: what cannot be edited here looks lighter than what can."""

    def __init__(self) -> None:
        self._cuts: tuple[ForeignCut, ...] = ()
        self._rasters: list[LabelRaster] = []

    def update(self, cuts: Sequence[ForeignCut], viewport: Viewport) -> None:
        """Take the labels that lie on the slice."""
        self._cuts = tuple(cuts)
        while len(self._rasters) < len(cuts):
            self._rasters.append(LabelRaster())
        del self._rasters[len(cuts) :]
        self.move(viewport)

    def move(self, viewport: Viewport) -> None:
        """Show the same labels from another camera."""
        for raster, foreign in zip(self._rasters, self._cuts, strict=True):
            rows, columns = foreign.cut.shape
            finer = replace(
                viewport,
                rows=rows,
                columns=columns,
                row_px=viewport.row_px * viewport.rows / rows,
                column_px=viewport.column_px * viewport.columns / columns,
            )
            raster.show(foreign.cut, foreign.paints, finer)

    def paint(self, painter: QPainter) -> None:
        """Draw the outlines."""
        for raster in self._rasters:
            raster.paint(painter)
