"""Cases of a project as rows: how far each is, what it is called, what is said of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QItemSelection, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from medview.core.reading_status import ReadingStatus
from medview.gui.parts.icons import icon
from medview.gui.parts.theme import tokens_in_use, ui_font
from medview.gui.parts.theme_tokens import GRID_PX, ICON_SMALL_PX, TEXT_SMALL_PX, Tokens
from medview.workspace.case_filter import FINISHED, Who
from medview.workspace.case_words import case_detail, case_title

if TYPE_CHECKING:
    from medview.store.cases import CaseRow

Index = QModelIndex | QPersistentModelIndex

CASE_ROLE = int(Qt.ItemDataRole.UserRole) + 1
"""Where a row keeps its CaseRow."""
TITLE_ROLE = CASE_ROLE + 1
DETAIL_ROLE = CASE_ROLE + 2

ROW_PX = 40
_BAR_PX = 3
_ROOT = QModelIndex()
_SELECTED = QStyle.StateFlag.State_Selected.value
_UNDER_POINTER = QStyle.StateFlag.State_MouseOver.value
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft

_ICONS = {
    ReadingStatus.TO_DO: "mdi6.circle-outline",
    ReadingStatus.IN_WORK: "mdi6.circle-half-full",
    ReadingStatus.DONE: "mdi6.check-circle",
    ReadingStatus.FLAGGED: "mdi6.flag",
    ReadingStatus.RETURNED: "mdi6.undo-variant",
    ReadingStatus.APPROVED: "mdi6.check-decagram",
}
_LEFT_OUT = "mdi6.cancel"


class CaseModel(QAbstractListModel):
    """The cases that are looked for, in the order asked for. Words are made only for the rows that are seen."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[CaseRow] = []
        self.who = Who()
        self._lacking: Mapping[int, int] = {}
        self._hidden = False

    def show(
        self, rows: list[CaseRow], who: Who, lacking: Mapping[int, int] | None = None, *, hidden: bool = False
    ) -> None:
        """Show these cases; rows that stay keep their place in the view.

        Parameters
        ----------
        lacking : mapping of int to int, optional
            How many required answers readings lack, by their number.
        hidden : bool
            No row may tell who the patient is.
        """
        self._hidden, self._lacking = hidden, lacking or {}
        same = [row.case_id for row in rows] == [row.case_id for row in self._rows]
        if same:
            self._rows, self.who = rows, who
            if rows:
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows, self.who = rows, who
        self.endResetModel()

    def place_of(self, case_id: int) -> QModelIndex:
        """Return where a case stands; an invalid index where it is not among them."""
        number = next((n for n, row in enumerate(self._rows) if row.case_id == case_id), None)
        return QModelIndex() if number is None else self.index(number)

    def selection_of(self, case_ids: Collection[int]) -> QItemSelection:
        """Return where cases stand, with those beside each other in one range; others are left out."""
        found = QItemSelection()
        numbers = [n for n, row in enumerate(self._rows) if row.case_id in case_ids]
        for _of, beside in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
            run = [n for _count, n in beside]
            found.select(self.index(run[0]), self.index(run[-1]))
        return found

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return the number of cases."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        """Return the case of a row, or its words."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == CASE_ROLE:
            return row
        if role == TITLE_ROLE:
            return case_title(row, hidden=self._hidden)
        if role == DETAIL_ROLE:
            return self._detail(row)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{case_title(row, hidden=self._hidden)}\n{self._detail(row)}"
        return None

    def lacks(self, row: CaseRow) -> bool:
        """Whether a case is finished though required answers are missing."""
        reading = self.who.reading(row)
        return reading is not None and reading.status in FINISHED and self._lacking.get(reading.reading_id, 0) > 0

    def _detail(self, row: CaseRow) -> str:
        reading = self.who.reading(row)
        return case_detail(row, self.who, 0 if reading is None else self._lacking.get(reading.reading_id, 0))


class CaseRows(QStyledItemDelegate):
    """Draws a row: a sign of how far it is, what it is called, under it what is said of it.

    Attributes
    ----------
    current : int
        Number of the case that is open: its row has a bar.
    """

    def __init__(self, model: CaseModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.current = 0

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return the height of a row."""
        return QSize(0, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        row: CaseRow | None = index.data(CASE_ROLE)
        if row is None:
            return
        view: Any = option
        rect = QRect(view.rect)
        palette = QApplication.palette()
        tokens = tokens_in_use()
        state = int(view.state.value)
        painter.save()
        if state & (_SELECTED | _UNDER_POINTER):
            painter.fillRect(rect, QColor(tokens.raised))
        if row.case_id == self.current:
            painter.fillRect(QRect(rect.left(), rect.top(), _BAR_PX, rect.height()), QColor(tokens.accent))
        status = self._model.who.status(row)
        name, colour = (_LEFT_OUT, tokens.quiet) if row.excluded else (_ICONS[status], _colour(status, tokens))
        sign = QRect(rect.left() + GRID_PX * 2, rect.top() + GRID_PX + 1, ICON_SMALL_PX, ICON_SMALL_PX)
        icon(name, colour).paint(painter, sign)
        left = sign.right() + GRID_PX * 2
        width = rect.right() - left - GRID_PX
        half = rect.height() // 2
        painter.setPen(QColor(tokens.quiet) if row.excluded else palette.color(QPalette.ColorRole.Text))
        title = painter.fontMetrics().elidedText(str(index.data(TITLE_ROLE)), Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRect(left, rect.top() + 1, width, half), _LEFT, title)
        painter.setFont(ui_font(TEXT_SMALL_PX))
        loud = (status is ReadingStatus.RETURNED or self._model.lacks(row)) and not row.excluded
        painter.setPen(QColor(tokens.warning if loud else tokens.quiet))
        detail = painter.fontMetrics().elidedText(str(index.data(DETAIL_ROLE)), Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRect(left, rect.top() + half - 2, width, half), _LEFT, detail)
        painter.restore()


def _colour(status: ReadingStatus, tokens: Tokens) -> str:
    return {
        ReadingStatus.IN_WORK: tokens.accent,
        ReadingStatus.DONE: tokens.good,
        ReadingStatus.APPROVED: tokens.good,
        ReadingStatus.FLAGGED: tokens.warning,
        ReadingStatus.RETURNED: tokens.warning,
    }.get(status, tokens.quiet)
