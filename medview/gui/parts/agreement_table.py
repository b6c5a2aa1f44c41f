"""The figures of the readers' agreement, a line for each thing and pair."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from medview.core.language import _, in_language
from medview.gui.parts.theme_tokens import CONTROL_HEIGHT_PX
from medview.workspace.agreement_figures import COLUMNS, Kind
from medview.workspace.agreement_view import Line


class AgreementTable(QTableWidget):
    """Shows the lines of one kind; one of them is looked at."""

    line_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind, self._lines = Kind.SEGMENTS, tuple[Line, ...]()
        self.setObjectName("agreement table")
        self.setToolTip(_("Figures with the interval in which 95 % of them lie when patients are drawn again"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(CONTROL_HEIGHT_PX)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.horizontalHeader().setHighlightSections(False)
        self.itemSelectionChanged.connect(self.line_changed)

    @property
    def line(self) -> Line | None:
        """The line that is looked at."""
        row = self.currentRow()
        return self._lines[row] if 0 <= row < len(self._lines) else None

    def show_lines(self, kind: Kind, lines: Sequence[Line]) -> None:
        """Show the lines of a kind, and look at the first."""
        self._kind, self._lines = kind, tuple(lines)
        columns = COLUMNS[kind]
        blocker = QSignalBlocker(self)
        self.setColumnCount(len(columns))
        self.setRowCount(len(lines))
        for number, column in enumerate(columns):
            item = QTableWidgetItem(in_language(column.title))
            item.setToolTip(in_language(column.tip))
            item.setTextAlignment(_side(column.number))
            self.setHorizontalHeaderItem(number, item)
        for row, line in enumerate(lines):
            for number, text in enumerate(line.cells):
                item = QTableWidgetItem(text)
                item.setTextAlignment(_side(columns[number].number))
                whole = f"{columns[number].title}: {text}"
                item.setToolTip("\n".join(part for part in (whole, line.tip) if part))
                self.setItem(row, number, item)
        self.resizeColumnsToContents()
        if lines:
            self.setCurrentCell(0, 0)
        blocker.unblock()
        self.line_changed.emit()

    def text(self) -> str:
        """Return all columns, for a spreadsheet."""
        rows = [tuple(column.title for column in COLUMNS[self._kind]), *(line.cells for line in self._lines)]
        return "\n".join("\t".join(row) for row in rows)


def _side(number: bool) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if number else Qt.AlignmentFlag.AlignLeft
    return Qt.AlignmentFlag.AlignVCenter | side
