"""A curve with a band around it and a line at the present place, in the colours of the theme."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from medview.analysis.time_curve import TimeCurve
from medview.core.language import _
from medview.gui.parts.plots import pyqtgraph
from medview.gui.parts.theme import ui_font
from medview.gui.parts.theme_tokens import TEXT_PX, TEXT_SMALL_PX
from medview.workspace.time_axis import TimeAxis

_BAND_ALPHA = 46
_LINE_PX = 2
_DOT_PX = 6
_NOW_DOT_PX = 10
_MARGINS_PX = (6, 10, 14, 4)
"""Left, top, right, bottom: numbers at the ends of the axes reach over them."""
_MOST_DOTS = 80
"""With more times than this the dots would run into one another."""

Role = QPalette.ColorRole


class CurvePlot(QWidget):
    """Mean over time with a band of one SD. Colours come from the palette, so that a change of theme reaches it."""

    index_wanted = Signal(int)
    """The person clicked at a time, or pulled the line there: its number."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._x: npt.NDArray[np.float64] = np.empty(0)
        self._mean: npt.NDArray[np.float64] = np.empty(0)
        self.plot = pyqtgraph.PlotWidget(self)
        self.plot.setFrameShape(self.plot.Shape.NoFrame)
        self.plot.setMenuEnabled(False)
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.hideButtons()
        self.plot.setToolTip(_("Click to go to a time, or drag the line through them"))
        self.plot.getPlotItem().setContentsMargins(*_MARGINS_PX)
        for name in ("bottom", "left"):
            # Now and never again: beside a label the very call scales the numbers.
            self.plot.getPlotItem().getAxis(name).enableAutoSIPrefix(False)
        # All curves share one look; the band lies at the back, the present place in front.
        self._low, self._high = pyqtgraph.PlotCurveItem(), pyqtgraph.PlotCurveItem()
        self._band = pyqtgraph.FillBetweenItem(self._low, self._high)
        self._line = pyqtgraph.PlotDataItem(connect="finite", antialias=True)
        self.now = pyqtgraph.InfiniteLine(angle=90, movable=True)
        self._dot = pyqtgraph.ScatterPlotItem(size=_NOW_DOT_PX)
        for item in (self._band, self._line, self.now, self._dot):
            self.plot.addItem(item)
        self.plot.scene().sigMouseClicked.connect(self._on_click)
        self.now.sigDragged.connect(self._on_drag)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.plot)
        self._use_palette()

    def show_curve(self, axis: TimeAxis | None, curve: TimeCurve | None) -> None:
        """Take a curve; none empties the plot."""
        count = 0 if curve is None or axis is None else len(curve.mean)
        self._x = np.asarray(axis.values[:count] if axis is not None else (), dtype=np.float64)
        self._mean = curve.mean if curve is not None and count else np.empty(0)
        sd = np.nan_to_num(curve.sd) if curve is not None and count else np.empty(0)
        known = np.isfinite(self._mean)
        self._line.setData(self._x, self._mean, symbolSize=_DOT_PX, symbol="o" if 0 < count <= _MOST_DOTS else None)
        self._low.setData(self._x[known], (self._mean - sd)[known])
        self._high.setData(self._x[known], (self._mean + sd)[known])
        self._band.setVisible(bool(sd.any()))
        labels = self.plot.getPlotItem()
        if axis is not None and curve is not None:
            labels.getAxis("bottom").setLabel(f"{axis.name} ({axis.unit})" if axis.unit else axis.name)
            labels.getAxis("left").setLabel(f"{curve.name} ({curve.unit})" if curve.unit else curve.name)
            self._scale(axis, sd)
        self.plot.setVisible(count > 0)

    def _scale(self, axis: TimeAxis, sd: npt.NDArray[np.float64]) -> None:
        """Show all times, also those not read yet, so that the curve grows to the right and nothing jumps."""
        self.plot.setXRange(axis.values[0], axis.values[-1], padding=0.03)
        known = np.isfinite(self._mean)
        if known.any():
            low, high = float((self._mean - sd)[known].min()), float((self._mean + sd)[known].max())
            # A flat line lies in the middle, not on noise of rounding.
            least = max(abs(low), abs(high)) * 1e-3 or 1.0
            middle, half = (low + high) / 2, max(high - low, least) / 2
            self.plot.setYRange(middle - half, middle + half, padding=0.08)

    def mark(self, index: int) -> None:
        """Put the line at a time by its number; below 0 hides it."""
        shown = 0 <= index < len(self._x)
        self.now.setVisible(shown)
        value = self._mean[index] if shown else np.nan
        if shown and self.now.value() != self._x[index]:
            self.now.setValue(self._x[index])
        self._dot.setData([self._x[index]] if np.isfinite(value) else [], [value] if np.isfinite(value) else [])

    def near(self, x: float) -> int:
        """Return the number of the time nearest to a place on the axis, -1 where there is none."""
        return int(np.abs(self._x - x).argmin()) if len(self._x) else -1

    def _on_click(self, event: Any) -> None:
        box = self.plot.getPlotItem().getViewBox()
        if event.button() == Qt.MouseButton.LeftButton and box.sceneBoundingRect().contains(event.scenePos()):
            self._ask(box.mapSceneToView(event.scenePos()).x())

    def _on_drag(self, line: Any) -> None:
        index = self._ask(line.value())
        if index >= 0:
            # The line snaps: there is nothing between two times.
            line.setValue(self._x[index])

    def _ask(self, x: float) -> int:
        index = self.near(x)
        if index >= 0:
            self.index_wanted.emit(index)
        return index

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._use_palette()

    def _use_palette(self) -> None:
        palette = self.palette()
        # Where a style sheet reigns, the colour of placeholders is see-through; that of what is disabled is the quiet one.
        text, quiet = palette.color(Role.WindowText), palette.color(QPalette.ColorGroup.Disabled, Role.WindowText)
        accent, base = palette.color(Role.Accent), palette.color(Role.Window)
        band = QColor(accent)
        band.setAlpha(_BAND_ALPHA)
        self.plot.setBackground(base)
        for name in ("bottom", "left"):
            side = self.plot.getPlotItem().getAxis(name)
            side.setPen(pyqtgraph.mkPen(quiet))
            side.setTextPen(pyqtgraph.mkPen(quiet))
            side.setTickFont(ui_font(TEXT_SMALL_PX))
            side.label.setFont(ui_font(TEXT_PX))
            side.label.setDefaultTextColor(text)
        clear = pyqtgraph.mkPen(None)
        self._low.setPen(clear)
        self._high.setPen(clear)
        self._band.setBrush(pyqtgraph.mkBrush(band))
        self._line.setPen(pyqtgraph.mkPen(accent, width=_LINE_PX))
        self._line.setSymbolPen(clear)
        self._line.setSymbolBrush(pyqtgraph.mkBrush(accent))
        self.now.setPen(pyqtgraph.mkPen(text, width=1))
        self.now.setHoverPen(pyqtgraph.mkPen(text, width=_LINE_PX))
        self._dot.setPen(pyqtgraph.mkPen(base, width=_LINE_PX))
        self._dot.setBrush(pyqtgraph.mkBrush(text))
