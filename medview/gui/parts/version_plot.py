"""A figure of one version of a model after the other. Needs pyqtgraph, which the window does not start with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QPointF, QSize
from PySide6.QtGui import QFont, QPalette
from PySide6.QtWidgets import QToolTip, QWidget

from medview.gui.parts.plots import pyqtgraph
from medview.gui.parts.theme import ui_font
from medview.gui.parts.theme_tokens import TEXT_PX, TEXT_SMALL_PX

_DOT_PX, _LINE_PX = 9, 2
_MARGINS_PX = (4, 8, 12, 4)
_SIZE = QSize(260, 160)
_ROOM = 0.12

Role = QPalette.ColorRole


@dataclass(frozen=True, slots=True)
class VersionDot:
    """One version.

    Attributes
    ----------
    place : int
        In the order of the versions, from 0: some have no figure.
    words : str
        What is said of it.
    """

    place: int
    value: float
    words: str


class VersionPlot(pyqtgraph.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no type information
    """A dot tells its version while the pointer rests on it. The axis begins at 0: less is better, and how much is seen."""

    def __init__(self, title: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, enableMenu=False)
        self.dots: tuple[VersionDot, ...] = ()
        self.setFrameShape(self.Shape.NoFrame)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setToolTip(tip)
        self.setAccessibleName(title)
        self.getPlotItem().setContentsMargins(*_MARGINS_PX)
        for name in ("bottom", "left"):
            # Now and never again: beside a label the very call scales the numbers.
            self.getAxis(name).enableAutoSIPrefix(False)
        self.getAxis("left").setLabel(title)
        self._line = pyqtgraph.PlotDataItem(antialias=True)
        self._scatter = pyqtgraph.ScatterPlotItem(size=_DOT_PX, hoverable=True, hoverSize=_DOT_PX + 3, tip=None)
        self._scatter.sigHovered.connect(self._on_hovered)
        for item in (self._line, self._scatter):
            self.addItem(item)
        self._dress()

    def sizeHint(self) -> QSize:
        """Return a size at which two stand beside each other in a dialog."""
        return _SIZE

    def show_versions(self, names: Sequence[str], dots: Sequence[VersionDot], x_title: str) -> None:
        """Take versions by name, in order, and the dots of those that have a figure."""
        self.dots = tuple(dots)
        xs, ys = [dot.place for dot in dots], [dot.value for dot in dots]
        self._line.setData(xs, ys)
        self._scatter.setData(x=xs, y=ys, data=list(range(len(xs))))
        bottom = self.getAxis("bottom")
        bottom.setTicks([list(enumerate(names))])
        bottom.setLabel(x_title)
        self.setXRange(-0.4, max(1, len(names)) - 0.6, padding=0.0)
        self.setYRange(0.0, (max(ys, default=0.0) or 1.0) * (1 + _ROOM), padding=0.0)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange) and hasattr(self, "_scatter"):
            self._dress()

    def _on_hovered(self, _scatter: object, points: list[Any], event: Any = None) -> None:
        if not len(points):
            QToolTip.hideText()
            return
        words = "\n".join(self.dots[int(point.data())].words for point in points)
        at = event.screenPos() if event is not None and hasattr(event, "screenPos") else QPointF(self.cursor().pos())
        QToolTip.showText(QPointF(at).toPoint(), words, self)

    def _dress(self) -> None:
        palette = self.palette()
        text, quiet = palette.color(Role.WindowText), palette.color(QPalette.ColorGroup.Disabled, Role.WindowText)
        accent = palette.color(Role.Accent)
        self.setBackground(palette.color(Role.Window))
        for name in ("bottom", "left"):
            side = self.getAxis(name)
            side.setPen(pyqtgraph.mkPen(quiet))
            side.setTextPen(pyqtgraph.mkPen(quiet))
            side.setTickFont(QFont(ui_font(TEXT_SMALL_PX)))
            side.label.setFont(QFont(ui_font(TEXT_PX)))
            side.label.setDefaultTextColor(text)
        self._line.setPen(pyqtgraph.mkPen(accent, width=_LINE_PX))
        self._scatter.setPen(pyqtgraph.mkPen(None))
        self._scatter.setBrush(pyqtgraph.mkBrush(accent))
