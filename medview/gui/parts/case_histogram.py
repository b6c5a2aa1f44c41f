"""The values of the open series with a range that can be dragged: what the range means, a subclass says."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from psygnal import SignalInstance
from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from medview.analysis.histogram import Histogram
from medview.core.language import _
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.plots_loader import PlotsLoader
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.histogram import time_of, want_histogram
from medview.workspace.workspace import Workspace

if TYPE_CHECKING:
    # Brings pyqtgraph, which the window does not start with.
    from medview.gui.parts.histogram_plot import HistogramPlot

HEIGHT_PX = 90
_PACE_MS = 250


class CaseHistogram(QWidget):
    """Hidden for colour; empty until all slices have arrived and the values are counted."""

    def __init__(self, workspace: Workspace, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._name = workspace, name
        self.plot: HistogramPlot | None = None
        self._loading = False
        self._drawn: Histogram | None = None
        self.setFixedHeight(HEIGHT_PX)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        # Time runs faster than anyone reads a histogram.
        self._pace = QTimer(self, interval=_PACE_MS, singleShot=True)
        self._pace.timeout.connect(self._refresh)
        self._of_case = Subscriptions(self)
        Subscriptions(self).add(workspace.active_changed, self._on_active)
        self._on_active()

    def ends(self, case: OpenCase) -> tuple[float, float, bool]:
        """Return lowest and highest value of the range in the unit of the volume, and whether it can be dragged."""
        raise NotImplementedError

    def take(self, case: OpenCase, low: float, high: float) -> None:
        """Take what the person dragged the range to, in the unit of the volume."""
        raise NotImplementedError

    def told_by(self, case: OpenCase) -> tuple[SignalInstance, ...]:
        """Return the signals that tell that the range is another one."""
        raise NotImplementedError

    def tip(self, what: str) -> str:
        """Return the tooltip, from words for what is counted."""
        raise NotImplementedError

    def showEvent(self, event: QShowEvent) -> None:
        """Count and draw when looked at."""
        super().showEvent(event)
        self._refresh()

    def _on_active(self) -> None:
        self._of_case.clear()
        case = self._workspace.active
        self.setVisible(case is not None and not case.volume.colour)
        if case is not None and not case.volume.colour:
            for signal in (case.load_changed, case.histogram_changed, *self.told_by(case)):
                self._of_case.add(signal, self._refresh)
            self._of_case.add(field_signal(case.view, "time_index"), self._on_time)
            self._refresh()

    def _on_time(self, *_values: object) -> None:
        if not self._pace.isActive():
            self._pace.start()

    def _refresh(self, *_values: object) -> None:
        case = self._workspace.active
        if case is None or case.volume.colour or not self.isVisible():
            return
        counted = want_histogram(self._workspace, case)
        if counted is None and case.histogram is not None and time_of(case, case.histogram[0]) is not None:
            # Another time's, which its tooltip says, until this one's is counted.
            counted = case.histogram[1]
        if counted is None:
            if self.plot is not None:
                self.plot.hide()
        elif self.plot is None:
            self._load()
        else:
            self._show(self.plot, counted)

    def _load(self) -> None:
        if not self._loading:
            self._loading = True
            PlotsLoader("medview.gui.parts.histogram_plot", self._on_loaded, self)

    def _on_loaded(self, module: ModuleType) -> None:
        plot: HistogramPlot = module.HistogramPlot(self)
        plot.setObjectName(self._name)
        plot.setAccessibleName(_("Histogram"))
        plot.region_wanted.connect(self._on_region)
        self._layout.addWidget(plot)
        self.plot = plot
        self._refresh()

    def _show(self, plot: HistogramPlot, counted: Histogram) -> None:
        case = self._workspace.active
        assert case is not None
        if counted is not self._drawn:
            self._drawn = counted
            plot.show_histogram(counted)
            what = (
                _("How often each value occurs, in {unit}").format(unit=counted.unit)
                if counted.unit
                else _("How often each value occurs")
            )
            plot.setToolTip(self.tip(f"{what}{_when(case)}"))
        low, high, movable = self.ends(case)
        plot.show_region(low * counted.factor, high * counted.factor, movable=movable)
        plot.show()

    def _on_region(self, low: float, high: float) -> None:
        case, counted = self._workspace.active, self._drawn
        if case is not None and counted is not None and high > low:
            self.take(case, low / counted.factor, high / counted.factor)


def _when(case: OpenCase) -> str:
    """Return which time the values were counted at, where there are several."""
    at = time_of(case, case.histogram[0]) if case.histogram is not None and case.entry.time_points > 1 else None
    return "" if at is None else _(", at time {at}").format(at=at + 1)
