"""What a training came to: figures with their intervals, and the worst cases, which a click opens."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from medview.core.language import _, plural
from medview.gui.parts.controls import words
from medview.gui.parts.theme_tokens import CONTROL_HEIGHT_PX, GRID_PX
from medview.workspace.training.run_report import ReportCase, RunReport

_CASE_ROLE = int(Qt.ItemDataRole.UserRole) + 1
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
_ROW_PX = 22


class ReportView(QWidget):
    """A case is asked for by a click or Enter."""

    case_wanted = Signal(int, object)
    """Number of a case, and the slice that shows what is wrong, or None."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: RunReport | None = None
        self.said = words("", "quiet")
        self.figures = plain_table([_("Figure"), _("Value"), _("95 % interval")])
        self.figures.setToolTip(_("On the validation cases; the interval draws patients again"))
        self.worst = plain_table([_("Case"), _("Score"), _("What is wrong")])
        self.worst.setObjectName("run worst")
        self.worst.setToolTip(_("The worst cases first; a click opens one at the slice that shows it"))
        self.worst.setCursor(Qt.CursorShape.PointingHandCursor)
        self.worst.cellClicked.connect(self._on_case)
        self.worst.cellActivated.connect(self._on_case)
        tables = QHBoxLayout()
        tables.setSpacing(GRID_PX * 3)
        for title, table, share in ((_("Figures"), self.figures, 1), (_("Worst cases"), self.worst, 1)):
            column = QVBoxLayout()
            column.setSpacing(GRID_PX)
            column.addWidget(words(title, "quiet"))
            column.addWidget(table, 1)
            tables.addLayout(column, share)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX * 2)
        layout.addWidget(self.said)
        layout.addLayout(tables, 1)

    def show_report(self, report: RunReport | None) -> None:
        """Show a report, or that there is none yet."""
        if report is self._shown and report is not None:
            return
        self._shown = report
        self.said.setVisible(report is None or report.cases > 0)
        if report is None:
            self.said.setText(_("Figures are there once the model is judged."))
        else:
            cases = plural("Judged on {n} validation case", "Judged on {n} validation cases", report.cases)
            patients = (
                ""
                if report.patients is None
                else plural(" of {n} patient.", " of {n} patients.", report.patients).format(n=report.patients)
            )
            self.said.setText(cases.format(n=report.cases) + (patients or "."))
        rows = () if report is None else report.figures
        fill(self.figures, [(one.title, number(one.value), interval(one.low, one.high)) for one in rows])
        self._list_worst(() if report is None else report.worst)

    def _list_worst(self, cases: Sequence[ReportCase]) -> None:
        fill(self.worst, [(case_name(one), number(one.score), one.why) for one in cases])
        for row, one in enumerate(cases):
            item = self.worst.item(row, 0)
            if item is not None:
                item.setData(_CASE_ROLE, one)

    def _on_case(self, row: int, _column: int) -> None:
        item = self.worst.item(row, 0)
        case = item.data(_CASE_ROLE) if item is not None else None
        if isinstance(case, ReportCase) and case.case_id is not None:
            self.case_wanted.emit(case.case_id, case.k)


def case_name(one: ReportCase) -> str:
    """Return what a case is called: its number in the project, and the slice."""
    name = _("Case {number}").format(number=one.case_id) if one.case_id is not None else one.key
    return name if one.k is None else _("{case}, slice {k}").format(case=name, k=one.k + 1)


def number(value: float | None, *, signed: bool = False) -> str:
    """Return a figure as it is written."""
    if value is None:
        return "–"
    return f"{value:+.3f}" if signed else f"{value:.3f}"


def interval(low: float | None, high: float | None, *, signed: bool = False) -> str:
    """Return an interval as it is written."""
    if low is None or high is None:
        return "–"
    return f"{number(low, signed=signed)} … {number(high, signed=signed)}"


def plain_table(titles: Sequence[str]) -> QTableWidget:
    """Return a table of whole rows that nobody edits; the first column takes what is left."""
    table = QTableWidget(0, len(titles))
    name_columns(table, titles)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(_ROW_PX)
    header = table.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    header.setHighlightSections(False)
    header.setFixedHeight(CONTROL_HEIGHT_PX)
    table.setShowGrid(False)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setWordWrap(False)
    return table


def name_columns(table: QTableWidget, titles: Sequence[str]) -> None:
    """Say what the columns are; the first one holds words."""
    table.setHorizontalHeaderLabels(list(titles))
    first = table.horizontalHeaderItem(0)
    if first is not None:
        first.setTextAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)


def fill(table: QTableWidget, rows: Sequence[Sequence[str]]) -> None:
    """Put rows of texts into a table; figures stand to the right."""
    table.setRowCount(len(rows))
    for line, cells in enumerate(rows):
        for column, text in enumerate(cells):
            item = QTableWidgetItem(text)
            item.setToolTip(text)
            if text[:1].isdigit() or text[:1] in "+-–" or text.startswith("−"):
                item.setTextAlignment(_RIGHT)
            table.setItem(line, column, item)
