"""The centre of the window: three planes and what is known about the series."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from medview.core.plane import Plane
from medview.gui.bind import follow
from medview.gui.case_facts import CaseFacts
from medview.gui.slice_view import SliceView
from medview.workspace.hands import Hands
from medview.workspace.workspace import Workspace

_PLACES = {Plane.AXIAL: (0, 0), Plane.CORONAL: (0, 1), Plane.SAGITTAL: (1, 1)}
_FACTS_PLACE = (1, 0)
_GAP_PX = 2


class PaneGrid(QWidget):
    """Axial, coronal and sagittal panes and a quiet page of facts; one pane alone when maximised."""

    pointed_at = Signal(object)
    """PointedAt under the pointer, whichever pane it is in, or None."""

    def __init__(self, workspace: Workspace, hands: Hands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pane_grid")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.panes = {plane: SliceView(workspace, hands, plane, self) for plane in Plane}
        self.facts = CaseFacts(workspace, self)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(_GAP_PX)
        for plane, pane in self.panes.items():
            grid.addWidget(pane, *_PLACES[plane])
            pane.pointed_at.connect(self.pointed_at)
        grid.addWidget(self.facts, *_FACTS_PLACE)
        for n in (0, 1):
            grid.setRowStretch(n, 1)
            grid.setColumnStretch(n, 1)
        self._grid = grid
        follow(self, workspace.bench, "maximised", self._arrange)

    def _arrange(self, maximised: Plane | None) -> None:
        for plane, pane in self.panes.items():
            pane.setVisible(maximised in (None, plane))
        self.facts.setVisible(maximised is None)
        for plane, (row, column) in _PLACES.items():
            if maximised is plane:
                self._stretch(row, column)
        if maximised is None:
            self._stretch(None, None)

    def _stretch(self, row: int | None, column: int | None) -> None:
        for n in (0, 1):
            self._grid.setRowStretch(n, 1 if row in (None, n) else 0)
            self._grid.setColumnStretch(n, 1 if column in (None, n) else 0)
        self._grid.setSpacing(_GAP_PX if row is None else 0)
