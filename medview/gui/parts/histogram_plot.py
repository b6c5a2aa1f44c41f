"""A histogram with the window as a region that can be dragged. Needs pyqtgraph, which the window does not start with."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QSignalBlocker, Signal
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QWidget

from medview.analysis.histogram import Histogram
from medview.gui.parts.plots import pyqtgraph
from medview.gui.parts.theme import ui_font
from medview.gui.parts.theme_tokens import TEXT_SMALL_PX

_SEEN = 0.0005
"""Part of the values at either end that may lie outside the plot: metal would take most of its width."""
_ROOM = 0.04
"""Free room at either side, as a part of what is shown."""
_AXIS_PX = 18
_REGION_ALPHA, _REGION_HOVER_ALPHA, _GREYED_ALPHA = 50, 80, 40


class HistogramPlot(pyqtgraph.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no type information
    """Counts on a logarithmic scale; the region from black to white."""

    region_wanted = Signal(float, float)
    """The person dragged the region to these ends, in the unit of the histogram."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, enableMenu=False)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.hideAxis("left")
        self.getPlotItem().setContentsMargins(0, 0, 0, 0)
        axis = self.getAxis("bottom")
        axis.enableAutoSIPrefix(False)
        axis.setHeight(_AXIS_PX)
        axis.setStyle(tickLength=3, tickTextOffset=1, tickFont=QFont(ui_font(TEXT_SMALL_PX)))
        self._curve = pyqtgraph.PlotDataItem(stepMode="center", fillLevel=0.0)
        self.addItem(self._curve)
        self.region = pyqtgraph.LinearRegionItem()
        self.region.setZValue(10)
        self.region.sigRegionChanged.connect(self._on_region)
        self.region.sigRegionChangeFinished.connect(self._on_finished)
        self.addItem(self.region)
        self._ends = (0.0, 1.0)
        self._range = (0.0, 1.0)
        self._dragging = False
        self._dress()

    def show_histogram(self, histogram: Histogram) -> None:
        """Take counts."""
        self._curve.setData(histogram.edges, np.log10(1.0 + histogram.counts))
        self.setYRange(0.0, float(np.log10(1.0 + histogram.counts.max())), padding=0.02)
        self._range = (histogram.quantile(_SEEN), histogram.quantile(1.0 - _SEEN))
        self._show_range()

    def show_region(self, low: float, high: float, *, movable: bool) -> None:
        """Put the region between two values; grey and fast where it cannot be moved."""
        self._ends = (low, high)
        if not np.allclose(self.region.getRegion(), self._ends, rtol=1e-9, atol=1e-12):
            # What is shown is not what a person wants anew.
            blocker = QSignalBlocker(self.region)
            self.region.setRegion(self._ends)
            blocker.unblock()
        if self.region.movable != movable:
            self.region.setMovable(movable)
            self._dress()
        if not self._dragging:
            self._show_range()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange) and hasattr(self, "region"):
            self._dress()

    def _on_region(self) -> None:
        low, high = self.region.getRegion()
        # While the hand drags, the plot has to stay still under it.
        self._dragging = True
        self.region_wanted.emit(float(low), float(high))

    def _on_finished(self) -> None:
        self._dragging = False
        self._show_range()

    def _show_range(self) -> None:
        low, high = min(self._range[0], self._ends[0]), max(self._range[1], self._ends[1])
        room = _ROOM * (high - low or 1.0)
        self.setXRange(low - room, high + room, padding=0.0)

    def _dress(self) -> None:
        colours, role = self.palette(), QPalette.ColorRole
        quiet, accent = colours.color(role.PlaceholderText), colours.color(role.Accent)
        self.setBackground(colours.color(role.Base))
        self._curve.setPen(pyqtgraph.mkPen(quiet, width=1))
        self._curve.setBrush(pyqtgraph.mkBrush(_faint(quiet, 110)))
        axis = self.getAxis("bottom")
        axis.setPen(pyqtgraph.mkPen(colours.color(role.Mid)))
        axis.setTextPen(pyqtgraph.mkPen(quiet))
        movable = self.region.movable
        line = accent if movable else quiet
        self.region.setBrush(pyqtgraph.mkBrush(_faint(line, _REGION_ALPHA if movable else _GREYED_ALPHA)))
        self.region.setHoverBrush(pyqtgraph.mkBrush(_faint(line, _REGION_HOVER_ALPHA if movable else _GREYED_ALPHA)))
        for edge in self.region.lines:
            edge.setPen(pyqtgraph.mkPen(line, width=1.5))
            edge.setHoverPen(pyqtgraph.mkPen(line, width=3))


def _faint(colour: QColor, alpha: int) -> QColor:
    faint = QColor(colour)
    faint.setAlpha(alpha)
    return faint
