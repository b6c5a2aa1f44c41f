"""Loss and validation figures over the steps of a training. Needs pyqtgraph, which the window does not start with."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from medview.core.language import _
from medview.core.segmentation import COLOUR_CYCLE
from medview.gui.parts.plots import pyqtgraph
from medview.gui.parts.theme import ui_font
from medview.gui.parts.theme_tokens import GRID_PX, TEXT_SMALL_PX
from medview.workspace.training.run_view import RunView

_MARGINS_PX = (4, 4, 10, 2)
_DOTS = 40
"""With more looks than this the dots would run into one another."""
_MOST_LINES = 10
_FAMILIES = (("dice_after_", _("Dice, clicks: {name}")), ("dice_", _("Dice, {name}")), ("ap50 ", _("AP, {name}")))

Role = QPalette.ColorRole


class RunCurves(QWidget):
    """Two plots over the same steps. The score is the thick line; figures of classes are thin ones in their colours."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loss, self.figures = _plot(_("Loss")), _plot(_("Validation"))
        self.loss.setToolTip(_("What training makes small, over the steps"))
        self.figures.setToolTip(_("Figures on the validation cases at each look; the thick line is the score"))
        self.figures.getAxis("bottom").setLabel(_("Step"))
        self.figures.setXLink(self.loss)
        self._loss = pyqtgraph.PlotDataItem(antialias=True)
        self.loss.addItem(self._loss)
        self._best = pyqtgraph.InfiniteLine(angle=90, movable=False)
        self.figures.addItem(self._best)
        self._lines: dict[str, Any] = {}
        self._legend = self.figures.addLegend(offset=(-8, -8), labelTextSize=f"{TEXT_SMALL_PX}px")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID_PX)
        column.addWidget(self.loss, 2)
        column.addWidget(self.figures, 3)
        self._dress()

    def show_run(self, run: RunView) -> None:
        """Draw the course of a training so far."""
        self._loss.setData(run.loss.steps, run.loss.losses)
        names = _shown(run)
        for name in [one for one in self._lines if one not in names]:
            self.figures.removeItem(self._lines.pop(name))
        steps = np.array([look.step for look in run.looks], dtype=np.float64)
        for name in names:
            if name not in self._lines:
                self._lines[name] = pyqtgraph.PlotDataItem(antialias=True, connect="finite", name=figure_name(name))
                self.figures.addItem(self._lines[name])
            values = np.array([look.figures.get(name, np.nan) for look in run.looks])
            symbol = "o" if len(values) <= _DOTS else None
            self._lines[name].setData(steps, values, symbol=symbol, symbolSize=6 if name == "score" else 4)
        best = run.best
        self._best.setVisible(best is not None)
        if best is not None:
            self._best.setValue(best.step)
        last = max(run.step, run.steps, 1)
        self.loss.setXRange(0, last, padding=0.02)
        self._dress()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange) and hasattr(self, "_lines"):
            self._dress()

    def _dress(self) -> None:
        palette = self.palette()
        text, quiet = palette.color(Role.WindowText), palette.color(QPalette.ColorGroup.Disabled, Role.WindowText)
        accent, base = palette.color(Role.Accent), palette.color(Role.Window)
        for plot in (self.loss, self.figures):
            plot.setBackground(base)
            for name in ("bottom", "left"):
                side = plot.getAxis(name)
                side.setPen(pyqtgraph.mkPen(quiet))
                side.setTextPen(pyqtgraph.mkPen(quiet))
                side.setTickFont(QFont(ui_font(TEXT_SMALL_PX)))
                side.label.setFont(QFont(ui_font(TEXT_SMALL_PX)))
                side.label.setDefaultTextColor(text)
        self._loss.setPen(pyqtgraph.mkPen(accent, width=1.5))
        self._best.setPen(pyqtgraph.mkPen(quiet, width=1, style=Qt.PenStyle.DashLine))
        self._legend.setLabelTextColor(text)
        number = 0
        for name, line in self._lines.items():
            colour = accent
            if name != "score":
                colour = QColor(*COLOUR_CYCLE[number % len(COLOUR_CYCLE)])
                number += 1
            line.setPen(pyqtgraph.mkPen(colour, width=2.5 if name == "score" else 1.2))
            line.setSymbolPen(pyqtgraph.mkPen(None))
            line.setSymbolBrush(pyqtgraph.mkBrush(colour))
        # Names in the legend take the colour of the text when they are made.
        for _sample, label in self._legend.items:
            label.setText(label.text, color=text, size=f"{TEXT_SMALL_PX}px")


def figure_name(name: str) -> str:
    """Return what a figure of a look is called."""
    if name == "score":
        return _("Score")
    for start, title in _FAMILIES:
        if name.startswith(start):
            return title.format(name=name.removeprefix(start))
    return {"map50": _("mAP"), "f1": _("F1"), "auc": _("AUC"), "accuracy": _("Accuracy")}.get(name, name)


def _shown(run: RunView) -> list[str]:
    """Return the figures that lie between 0 and 1, the score first."""
    names = dict.fromkeys(name for look in run.looks for name in look.figures)
    kept = [name for name in names if all(0.0 <= look.figures.get(name, 0.0) <= 1.0 for look in run.looks)]
    return sorted(kept, key=lambda name: name != "score")[:_MOST_LINES]


def _plot(title: str) -> Any:
    plot = pyqtgraph.PlotWidget(enableMenu=False)
    plot.setFrameShape(plot.Shape.NoFrame)
    plot.setMouseEnabled(x=False, y=False)
    plot.hideButtons()
    plot.getPlotItem().setContentsMargins(*_MARGINS_PX)
    plot.showGrid(x=False, y=True, alpha=0.15)
    for name in ("bottom", "left"):
        # Now and never again: beside a label the very call scales the numbers.
        plot.getAxis(name).enableAutoSIPrefix(False)
    plot.getAxis("left").setLabel(title)
    plot.getAxis("left").setWidth(52)
    return plot
