"""Cases that are worth labelling next as rows: what a case is called, how long it takes, and under it why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from medview.core.language import _
from medview.gui.parts.icons import icon
from medview.gui.parts.theme import tokens_in_use, ui_font
from medview.gui.parts.theme_tokens import GRID_PX, ICON_SMALL_PX, TEXT_SMALL_PX
from medview.workspace.case_words import case_title
from medview.workspace.next_cases.next_words import minutes_text, reason_text

if TYPE_CHECKING:
    # The database library is imported when a project is opened, which is after the window stands.
    from medview.store.cases import CaseRow
    from medview.workspace.next_cases.batch import NextCase

Index = QModelIndex | QPersistentModelIndex

NEXT_ROLE = int(Qt.ItemDataRole.UserRole) + 1
"""Where a row keeps its NextCase."""
TITLE_ROLE = NEXT_ROLE + 1
DETAIL_ROLE = NEXT_ROLE + 2
MINUTES_ROLE = NEXT_ROLE + 3

ROW_PX = 40
_ROOT = QModelIndex()
_SELECTED = QStyle.StateFlag.State_Selected.value
_UNDER_POINTER = QStyle.StateFlag.State_MouseOver.value
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight


class NextModel(QAbstractListModel):
    """The rows, in the order of the batch."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cases: tuple[tuple[NextCase, CaseRow], ...] = ()
        self._hidden = False

    def show(self, cases: Sequence[tuple[NextCase, CaseRow]], *, hidden: bool) -> None:
        """Show these cases with their lines of the list; no row tells who the patient is while that is hidden."""
        if tuple(cases) == self._cases and hidden == self._hidden:
            return
        self.beginResetModel()
        self._cases, self._hidden = tuple(cases), hidden
        self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return the number of cases."""
        return 0 if parent.isValid() else len(self._cases)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        """Return the case of a row, or its words."""
        if not index.isValid():
            return None
        case, row = self._cases[index.row()]
        if role == NEXT_ROLE:
            return case
        if role == TITLE_ROLE:
            return case_title(row, hidden=self._hidden)
        if role == DETAIL_ROLE:
            return reason_text(case)
        if role == MINUTES_ROLE:
            return minutes_text(case.minutes)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return "\n".join((case_title(row, hidden=self._hidden), reason_text(case), *self._more(case)))
        return None

    def _more(self, case: NextCase) -> list[str]:
        """Return what a row has no room for."""
        whole = _("The whole case: {minutes}").format(minutes=minutes_text(case.minutes))
        lines = [whole]
        if case.ranges:
            lines.append(_("These slices: {minutes}").format(minutes=minutes_text(case.minutes_in_ranges)))
        split = case.split or _("none yet")
        lines.append(_("Split: {split}").format(split=split))
        return lines


class NextRows(QStyledItemDelegate):
    """Draws a row."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return the height of a row."""
        return QSize(0, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        case: NextCase | None = index.data(NEXT_ROLE)
        if case is None:
            return
        view: Any = option
        rect, tokens = QRect(view.rect), tokens_in_use()
        painter.save()
        if int(view.state.value) & (_SELECTED | _UNDER_POINTER):
            painter.fillRect(rect, QColor(tokens.raised))
        sign = QRect(rect.left() + GRID_PX, rect.top() + GRID_PX, ICON_SMALL_PX, ICON_SMALL_PX)
        name, colour = ("mdi6.target", tokens.accent) if case.by_class else ("mdi6.dice-multiple-outline", tokens.quiet)
        icon(name, colour).paint(painter, sign)
        left = sign.right() + GRID_PX * 2
        width = rect.right() - left - GRID_PX
        half = rect.height() // 2
        upper = QRect(left, rect.top(), width, half)
        title_font = painter.font()
        painter.setFont(ui_font(TEXT_SMALL_PX))
        painter.setPen(QColor(tokens.quiet))
        minutes = str(index.data(MINUTES_ROLE))
        painter.drawText(upper, _RIGHT, minutes)
        taken = painter.fontMetrics().horizontalAdvance(minutes) + GRID_PX * 2
        reason = painter.fontMetrics().elidedText(str(index.data(DETAIL_ROLE)), Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRect(left, rect.top() + half - 2, width, half), _LEFT, reason)
        painter.setFont(title_font)
        painter.setPen(QApplication.palette().color(QPalette.ColorRole.Text))
        title = painter.fontMetrics().elidedText(
            str(index.data(TITLE_ROLE)), Qt.TextElideMode.ElideRight, max(0, width - taken)
        )
        painter.drawText(upper, _LEFT, title)
        painter.restore()
