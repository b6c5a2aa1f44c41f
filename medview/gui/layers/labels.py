"""The labels people have drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtGui import QPainter

from medview.gui.drawing.label_raster import Cut, LabelRaster, Paint
from medview.gui.drawing.viewport import Viewport


class LabelsLayer:
    """Fill and outline of the visible segments of all label layers."""

    def __init__(self) -> None:
        self._rasters: dict[int, LabelRaster] = {}

    def update(self, cuts: Mapping[int, tuple[Cut, Sequence[Paint]]], viewport: Viewport) -> None:
        """Take the slice of every label layer, by layer id, with the paints of its visible segments."""
        self._rasters = {layer_id: self._rasters.get(layer_id) or LabelRaster() for layer_id in cuts}
        for layer_id, (cut, paints) in cuts.items():
            self._rasters[layer_id].show(cut, paints, viewport)

    def knows(self, layer_id: int) -> bool:
        """Whether a label layer was there at the last update."""
        return layer_id in self._rasters

    def refresh(self, layer_id: int, ranges: tuple[int, int, int, int], part: Cut | None = None) -> None:
        """Draw (row0, row1, column0, column1) of a label layer again, from ``part`` where the cut is no view into it."""
        self._rasters[layer_id].refresh(*ranges, part)

    def paint(self, painter: QPainter) -> None:
        """Draw all label layers."""
        for raster in self._rasters.values():
            raster.paint(painter)
