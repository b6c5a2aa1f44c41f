"""The left column: what was found, or the cases of the project."""

from __future__ import annotations

from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from medview.core.language import _
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
        self.to_studies = _page_button(_("Studies"), _("What was found in the folders that were opened"))
        self.to_cases = _page_button(_("Cases"), _("What there is to label in the project, and how far it is"))
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

    def _show(self, cases: bool) -> None:
        self._pages.setCurrentWidget(self.cases if cases else self.studies)


def _page_button(title: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(title)
    button.setToolTip(tip)
    button.setObjectName(f"page {title}")
    button.setCheckable(True)
    button.setProperty("role", "flat")
    return button


def _not(value: bool) -> bool:
    return not value
