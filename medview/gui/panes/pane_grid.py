"""The centre of the window: panes as the layout says, and what is known about the series."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from medview.gui.panes.detached_pane import DetachedPane
from medview.gui.panes.slice_view import SliceView
from medview.gui.panes.volume_view import VolumeView
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.case_facts import CaseFacts
from medview.workspace.hands import Hands
from medview.workspace.layout import LARGEST_GRID, Cell, CellKind
from medview.workspace.workspace import Workspace

_GAP_PX = 2


class PaneGrid(QWidget):
    """Panes by the ids of the layout's cells; one alone when maximised, others in windows of their own when detached."""

    pointed_at = Signal(object)
    """PointedAt under the pointer, whichever pane it is in, or None."""

    menu_wanted = Signal(str, QPoint)
    """As of SliceView, whichever pane it is."""

    series_dropped = Signal(object, object, str)
    """As of SliceView, whichever pane it is."""

    def __init__(self, workspace: Workspace, hands: Hands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pane_grid")
        self._workspace, self._hands = workspace, hands
        self.panes: dict[str, SliceView] = {}
        self.facts = CaseFacts(workspace, self)
        self.volume: VolumeView | None = None
        self.windows: dict[str, DetachedPane] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        self._grid = grid
        heard = Subscriptions(self)
        for name in ("layout", "maximised", "detached"):
            heard.add(field_signal(workspace.bench, name), self._arrange)
        self._arrange()

    @property
    def pointed_pane(self) -> SliceView:
        """The pane that fills the centre, or the one the pointer was in last."""
        bench = self._workspace.bench
        return self.panes.get(bench.maximised or bench.pointed) or next(iter(self.panes.values()))

    def _arrange(self, *_values: object) -> None:
        bench = self._workspace.bench
        layout = bench.layout
        self._drop(set(self.panes) - {cell.pane_id for cell in layout.slices})
        alone = layout.cell(bench.maximised)
        shown = (alone,) if alone is not None else layout.cells
        self._free_detached()
        while self._grid.count():
            self._grid.takeAt(0)
        self.facts.hide()
        if self.volume is not None:
            self.volume.hide()
        for cell in layout.cells:
            widget = self._widget(cell)
            if cell.pane_id in bench.detached:
                self._detach(cell.pane_id, widget)
            elif cell in shown:
                self._grid.addWidget(widget, cell.row, cell.column, cell.row_span, cell.column_span)
                widget.show()
            else:
                widget.hide()
        self._stretch([cell for cell in shown if cell.pane_id not in bench.detached], alone=alone is not None)

    def _stretch(self, shown: list[Cell], *, alone: bool) -> None:
        rows = {cell.row + n for cell in shown for n in range(cell.row_span)}
        columns = {cell.column + n for cell in shown for n in range(cell.column_span)}
        for n in range(LARGEST_GRID):
            self._grid.setRowStretch(n, int(n in rows))
            self._grid.setColumnStretch(n, int(n in columns))
        self._grid.setSpacing(0 if alone else _GAP_PX)

    def _widget(self, cell: Cell) -> QWidget:
        if cell.kind is CellKind.FACTS:
            return self.facts
        if cell.kind is CellKind.VOLUME:
            if self.volume is None:
                self.volume = VolumeView(self._workspace, self)
                self.volume.maximise_wanted.connect(partial(self._maximise, cell.pane_id))
            return self.volume
        if cell.pane_id not in self.panes:
            pane = self.panes[cell.pane_id] = SliceView(self._workspace, self._hands, cell.pane_id, self)
            pane.pointed_at.connect(self.pointed_at)
            pane.menu_wanted.connect(self.menu_wanted)
            pane.series_dropped.connect(self.series_dropped)
        return self.panes[cell.pane_id]

    def _drop(self, pane_ids: set[str]) -> None:
        for pane_id in pane_ids:
            pane = self.panes.pop(pane_id)
            pane.hide()
            pane.setParent(None)
            pane.deleteLater()

    def _detach(self, pane_id: str, widget: QWidget) -> None:
        if pane_id not in self.windows:
            window = self.windows[pane_id] = DetachedPane(self._workspace, pane_id, self.window())
            window.closed.connect(partial(self._take_back, pane_id))
        self.windows[pane_id].hold(widget)

    def _free_detached(self) -> None:
        """Take panes that are no longer detached, or no longer there, out of their windows."""
        for pane_id in set(self.windows) - (set(self._workspace.bench.detached) & set(self.panes)):
            window = self.windows.pop(pane_id)
            pane = self.panes.get(pane_id)
            if pane is not None:
                pane.setParent(self)
            window.closed.disconnect()
            window.close()
            window.deleteLater()

    def close_views(self) -> None:
        """End what runs beside the window."""
        if self.volume is not None:
            self.volume.shut()

    def _maximise(self, pane_id: str) -> None:
        bench = self._workspace.bench
        bench.maximised = "" if bench.maximised == pane_id else pane_id

    def _take_back(self, pane_id: str) -> None:
        bench = self._workspace.bench
        bench.detached = tuple(one for one in bench.detached if one != pane_id)
