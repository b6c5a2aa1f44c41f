"""Above the list of cases: search, which of them are listed, and in which order."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QMenu, QToolButton, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.controls import icon_button
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.case_filter import Order, Which, is_open
from medview.workspace.case_words import ORDER, WHICH
from medview.workspace.workspace import Workspace


class CaseBar(QWidget):
    """Shows and changes what the list looks for."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cases = workspace.worklist
        self.search = QLineEdit()
        self.search.setObjectName("case search")
        self.search.setPlaceholderText(_("Search cases"))
        self.search.setToolTip(_("Shows only cases with these words in pseudonym, kind of series, split, reason or reader"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._on_text)
        self.which = QComboBox()
        self.which.setObjectName("case filter")
        self.which.setToolTip(_("Which cases are listed"))
        for which in Which:
            self.which.addItem(WHICH[which], which)
        self.which.currentIndexChanged.connect(self._on_which)
        self.order = icon_button("mdi6.sort", _("Order of the cases"))
        self.order.setObjectName("case order")
        self.order_menu = QMenu(self.order)
        self.order.setMenu(self.order_menu)
        self.order.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        group = QActionGroup(self)
        self._choices: dict[Order, QAction] = {}
        for order, title in ORDER.items():
            choice = self._choices[order] = QAction(title, group, checkable=True)
            choice.setData(order)
            self.order_menu.addAction(choice)
        group.triggered.connect(self._on_order)
        second = QHBoxLayout()
        second.setSpacing(0)
        second.addWidget(self.which, 1)
        second.addSpacing(GRID_PX)
        second.addWidget(self.order)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX * 2, 0, GRID_PX, 0)
        column.setSpacing(GRID_PX)
        column.addWidget(self.search)
        column.addLayout(second)
        Subscriptions(self).add(self._cases.changed, self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is looked for."""
        wanted = self._cases.wanted
        # A field that somebody types into is not written over: blanks at its end count for nothing, but belong there.
        if self.search.text().strip() != wanted.text:
            blocker = QSignalBlocker(self.search)
            self.search.setText(wanted.text)
            blocker.unblock()
        blocker = QSignalBlocker(self.which)
        self.which.setCurrentIndex(self.which.findData(wanted.which))
        mine = sum(is_open(row, self._cases.who, self._cases.rule) for row in self._cases.rows)
        self.which.setItemText(self.which.findData(Which.MINE), f"{WHICH[Which.MINE]} ({mine})")
        blocker.unblock()
        self._choices[wanted.order].setChecked(True)

    def _on_text(self, text: str) -> None:
        self._cases.look_for(replace(self._cases.wanted, text=text.strip()))

    def _on_which(self, _index: int) -> None:
        self._cases.look_for(replace(self._cases.wanted, which=self.which.currentData(Qt.ItemDataRole.UserRole)))

    def _on_order(self, choice: QAction) -> None:
        self._cases.look_for(replace(self._cases.wanted, order=choice.data()))
