"""How often two readers chose what: a table whose cells are the darker the more often."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.controls import words
from medview.gui.parts.theme import tokens_in_use
from medview.gui.parts.theme_tokens import CONTROL_HEIGHT_PX, GRID_PX
from medview.workspace.agreement_plots import Confusion

_MOST_ALPHA = 150


class ConfusionTable(QWidget):
    """Rows are what the first reader chose, columns what the second did; on the diagonal both chose the same."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._confusion: Confusion | None = None
        self.title = words("", "quiet")
        self.view = QTableWidget()
        self.view.setObjectName("agreement confusion")
        self.view.setToolTip(_("Rows: the first reader; columns: the second; on the diagonal both chose the same"))
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.verticalHeader().setDefaultSectionSize(CONTROL_HEIGHT_PX)
        self.view.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 2, GRID_PX * 2, GRID_PX * 2, 0)
        layout.addWidget(self.title)
        layout.addWidget(self.view, 1)

    def show_confusion(self, confusion: Confusion) -> None:
        """Take a table."""
        self._confusion = confusion
        text = _("Rows: {first}. Columns: {second}.")
        self.title.setText(text.format(first=confusion.first, second=confusion.second))
        count = len(confusion.categories)
        self.view.setRowCount(count)
        self.view.setColumnCount(count)
        self.view.setVerticalHeaderLabels(confusion.categories)
        self.view.setHorizontalHeaderLabels(confusion.categories)
        most = max((n for row in confusion.counts for n in row), default=0) or 1
        tokens = tokens_in_use()
        for a, row in enumerate(confusion.counts):
            for b, number in enumerate(row):
                item = QTableWidgetItem(str(number))
                item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                colour = QColor(tokens.good if a == b else tokens.warning)
                colour.setAlpha(round(_MOST_ALPHA * number / most))
                item.setBackground(colour)
                self.view.setItem(a, b, item)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._confusion is not None:
            self.show_confusion(self._confusion)
