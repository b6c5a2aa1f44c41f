"""Cases as dots, with lines across and a band. Needs pyqtgraph, which the window does not start with."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QToolTip, QWidget

from medview.core.language import _
from medview.gui.parts.plots import pyqtgraph
from medview.gui.parts.theme import ui_font
from medview.gui.parts.theme_tokens import TEXT_PX, TEXT_SMALL_PX
from medview.workspace.agreement_plots import Dots

_DOT_PX = 8
_BAND_ALPHA, _DOT_ALPHA = 46, 190
_MARGINS_PX = (6, 8, 12, 4)
_ROOM = 0.06

Role = QPalette.ColorRole


class DotPlot(pyqtgraph.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no type information
    """A dot tells its case while the pointer rests on it, and asks for it when it is pressed."""

    case_wanted = Signal(str)
    """The person pressed the dot of a case."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, enableMenu=False)
        self.dots: Dots | None = None
        self.setFrameShape(self.Shape.NoFrame)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setToolTip(_("A dot is a case; press it to open the case"))
        self.getPlotItem().setContentsMargins(*_MARGINS_PX)
        for name in ("bottom", "left"):
            # Now and never again: beside a label the very call scales the numbers.
            self.getAxis(name).enableAutoSIPrefix(False)
        self._band = pyqtgraph.LinearRegionItem(orientation="horizontal", movable=False)
        self._band.setZValue(-10)
        self.addItem(self._band)
        self._scatter = pyqtgraph.ScatterPlotItem(size=_DOT_PX, hoverable=True, hoverSize=_DOT_PX + 4, tip=None)
        self.addItem(self._scatter)
        self._scatter.sigClicked.connect(self._on_pressed)
        self._scatter.sigHovered.connect(self._on_hovered)
        self._across: list[Any] = []
        self._dress()

    def show_dots(self, dots: Dots | None) -> None:
        """Take dots; none empties the plot."""
        self.dots = dots
        for item in self._across:
            self.removeItem(item)
        self._across.clear()
        self._band.setVisible(dots is not None and dots.band is not None)
        if dots is None:
            self._scatter.clear()
            return
        if dots.band is not None:
            self._band.setRegion(dots.band)
        self._scatter.setData(
            x=[dot.x for dot in dots.dots], y=[dot.y for dot in dots.dots], data=list(range(len(dots.dots)))
        )
        for number, (value, words) in enumerate(dots.lines):
            options = {"position": 0.98, "anchors": [(1.0, 1.0), (1.0, 1.0)]}
            line = pyqtgraph.InfiniteLine(value, angle=0, label=words, labelOpts=options)
            line.first = number == 0
            self._across.append(line)
            self.addItem(line)
        bottom, left = self.getAxis("bottom"), self.getAxis("left")
        bottom.setLabel(dots.x_title)
        left.setLabel(dots.y_title)
        # Numbers of cases in the order of the list say nothing; the dots say which they are.
        bottom.setStyle(showValues=not dots.by_case)
        self._scale(dots)
        self._dress()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange) and hasattr(self, "_across"):
            self._dress()

    def _scale(self, dots: Dots) -> None:
        xs = np.array([dot.x for dot in dots.dots] or [0.0, 1.0])
        ys = np.array([*(dot.y for dot in dots.dots), *(value for value, _words in dots.lines)] or [0.0, 1.0])
        low, high = dots.span_y or (float(ys.min()), float(ys.max()))
        least = max(abs(low), abs(high)) * 0.1 or 1.0
        room = max(high - low, least)
        # What is written over the highest line needs room; a range that is whole has it below.
        above = _ROOM if dots.span_y is not None else 2 * _ROOM
        self.setYRange(low - room * _ROOM, high + room * above, padding=0.0)
        wide = max(float(np.ptp(xs)), abs(float(xs.max())) * 0.1, 1.0)
        self.setXRange(float(xs.min()) - wide * _ROOM, float(xs.max()) + wide * _ROOM, padding=0.0)

    def _on_pressed(self, _scatter: object, points: list[Any], _event: object = None) -> None:
        if self.dots is not None and len(points):
            self.case_wanted.emit(self.dots.dots[int(points[0].data())].case)

    def _on_hovered(self, _scatter: object, points: list[Any], event: Any = None) -> None:
        self.setCursor(Qt.CursorShape.PointingHandCursor if len(points) else Qt.CursorShape.ArrowCursor)
        if self.dots is None or not len(points):
            QToolTip.hideText()
            return
        words = "\n".join(self.dots.dots[int(point.data())].words for point in points[:6])
        at = event.screenPos() if event is not None and hasattr(event, "screenPos") else QPointF(self.cursor().pos())
        QToolTip.showText(QPointF(at).toPoint(), words, self)

    def _dress(self) -> None:
        palette = self.palette()
        text, quiet = palette.color(Role.WindowText), palette.color(QPalette.ColorGroup.Disabled, Role.WindowText)
        accent, base = palette.color(Role.Accent), palette.color(Role.Window)
        self.setBackground(base)
        for name in ("bottom", "left"):
            side = self.getAxis(name)
            side.setPen(pyqtgraph.mkPen(quiet))
            side.setTextPen(pyqtgraph.mkPen(quiet))
            side.setTickFont(QFont(ui_font(TEXT_SMALL_PX)))
            side.label.setFont(QFont(ui_font(TEXT_PX)))
            side.label.setDefaultTextColor(text)
        self._scatter.setPen(pyqtgraph.mkPen(None))
        self._scatter.setBrush(pyqtgraph.mkBrush(_faint(accent, _DOT_ALPHA)))
        self._band.setBrush(pyqtgraph.mkBrush(_faint(accent, _BAND_ALPHA)))
        for edge in self._band.lines:
            edge.setPen(pyqtgraph.mkPen(None))
        for line in self._across:
            dash = Qt.PenStyle.SolidLine if line.first else Qt.PenStyle.DashLine
            line.setPen(pyqtgraph.mkPen(text if line.first else quiet, width=1, style=dash))
            line.label.setColor(text)
            line.label.setFont(QFont(ui_font(TEXT_SMALL_PX)))


def _faint(colour: QColor, alpha: int) -> QColor:
    return QColor(colour.red(), colour.green(), colour.blue(), alpha)
