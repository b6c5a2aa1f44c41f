"""The left column: what was found, or the cases of the project."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.browser.case_drop import dropped_cases
from medview.gui.panels.cases import CasesPanel
from medview.gui.panels.studies import StudiesPanel
from medview.gui.parts.bind import bind, follow
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.theme_tokens import GRID_PX, Tokens
from medview.workspace.workspace import Workspace


class LeftColumn(QFrame):
    """Two pages, one of which is shown."""

    def __init__(self, workspace: Workspace, actions: QtActions, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.studies = StudiesPanel(workspace, tokens)
        self.cases = CasesPanel(workspace, actions)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.studies)
        self._pages.addWidget(self.cases)
        self.to_studies = QToolButton()
        _be_page(self.to_studies, _("Studies"), _("What was found in the folders that were opened"))
        self.to_cases = _CasesButton(workspace)
        tip = _("What there is to label in the project, and how far it is; drop studies or folders here to add cases")
        _be_page(self.to_cases, _("Cases"), tip)
        self.to_cases.dragged_over.connect(self._list_cases)
        self.to_cases.cases_dropped.connect(self.cases.cases_dropped)
        self._workspace = workspace
        group = QButtonGroup(self)
        for button in (self.to_studies, self.to_cases):
            group.addButton(button)
        row = QHBoxLayout()
        row.setContentsMargins(GRID_PX * 2, GRID_PX, GRID_PX, 0)
        row.setSpacing(GRID_PX)
        row.addWidget(self.to_studies)
        row.addWidget(self.to_cases)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self._pages, 1)
        bind(self.to_cases, workspace.bench, "cases_listed")
        bind(self.to_studies, workspace.bench, "cases_listed", to_widget=_not, from_widget=_not)
        follow(self, workspace.bench, "cases_listed", self._show)

    def _list_cases(self) -> None:
        self._workspace.bench.cases_listed = True

    def _show(self, cases: bool) -> None:
        self._pages.setCurrentWidget(self.cases if cases else self.studies)


class _CasesButton(QToolButton):
    """Shows the list of cases as soon as something that can become a case is held over it."""

    dragged_over = Signal()
    cases_dropped = Signal(list, list)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.setAcceptDrops(True)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take what can become cases."""
        if dropped_cases(event.mimeData(), self._workspace) is not None:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.dragged_over.emit()

    def dropEvent(self, event: QDropEvent) -> None:
        """Ask for what was dropped to become cases."""
        if (dropped := dropped_cases(event.mimeData(), self._workspace)) is not None:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.cases_dropped.emit(*dropped)


def _be_page(button: QToolButton, title: str, tip: str) -> None:
    button.setText(title)
    button.setToolTip(tip)
    button.setObjectName(f"page {title}")
    button.setCheckable(True)
    button.setProperty("role", "flat")


def _not(value: bool) -> bool:
    return not value
