"""Tasks of the queue of models as rows: what runs on which series, how far it is, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from medview.gui.parts.icons import icon
from medview.gui.parts.theme import tokens_in_use, ui_font
from medview.gui.parts.theme_tokens import GRID_PX, ICON_SMALL_PX, TEXT_SMALL_PX, Tokens
from medview.workspace.queue import Queue, QueueTask, TaskState
from medview.workspace.queue_words import place_text, state_text

Index = QModelIndex | QPersistentModelIndex

TASK_ROLE = int(Qt.ItemDataRole.UserRole) + 1
"""Where a row keeps its QueueTask."""
TITLE_ROLE = TASK_ROLE + 1
DETAIL_ROLE = TASK_ROLE + 2

ROW_PX = 40
_BAR_PX = 3
_ROOT = QModelIndex()
_SELECTED = QStyle.StateFlag.State_Selected.value
_TROUBLED = (TaskState.FAILED, TaskState.SKIPPED)
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft

_ICONS = {
    TaskState.WAITING: "mdi6.clock-outline",
    TaskState.RUNNING: "mdi6.play-circle-outline",
    TaskState.DONE: "mdi6.check-circle-outline",
    TaskState.FAILED: "mdi6.alert-circle-outline",
    TaskState.SKIPPED: "mdi6.debug-step-over",
    TaskState.CANCELLED: "mdi6.cancel",
}


class QueueModel(QAbstractListModel):
    """The rows, in the order of the queue.

    Attributes
    ----------
    fraction : float
        How far the running task is.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks: tuple[QueueTask, ...] = ()
        self._names: Mapping[str, str] = {}
        self._hidden = False
        self.fraction = 0.0

    def show(self, queue: Queue, names: Mapping[str, str], *, hidden: bool) -> None:
        """Show these tasks; rows that stay keep their place in the view.

        Parameters
        ----------
        names : mapping of str to str
            What models are called, by ``id@version``.
        hidden : bool
            No row may tell who the patient is.
        """
        same = len(queue.tasks) == len(self._tasks) and hidden == self._hidden
        if same:
            self._tasks, self._names = queue.tasks, names
            if self._tasks:
                self.dataChanged.emit(self.index(0), self.index(len(self._tasks) - 1))
            return
        self.beginResetModel()
        self._tasks, self._names, self._hidden = queue.tasks, names, hidden
        self.endResetModel()

    def went_on(self, fraction: float) -> None:
        """Show how far the running task is."""
        self.fraction = fraction
        for number, task in enumerate(self._tasks):
            if task.state is TaskState.RUNNING:
                self.dataChanged.emit(self.index(number), self.index(number))

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return the number of tasks."""
        return 0 if parent.isValid() else len(self._tasks)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        """Return the task of a row, or its words."""
        if not index.isValid():
            return None
        task = self._tasks[index.row()]
        title = place_text(task.place, hidden=self._hidden)
        name = self._names.get(task.model, task.model)
        state = state_text(task, hidden=self._hidden)
        # What a person has to know stands first: the end is cut off.
        detail = f"{state} · {name}" if task.state in _TROUBLED else f"{name} · {state}"
        if role == TASK_ROLE:
            return task
        if role == TITLE_ROLE:
            return title
        if role == DETAIL_ROLE:
            return detail
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{title}\n{detail}"
        return None


class QueueRows(QStyledItemDelegate):
    """Draws a row: a sign, the series, under it the model and how far it is."""

    def __init__(self, model: QueueModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return the height of a row."""
        return QSize(0, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        task: QueueTask | None = index.data(TASK_ROLE)
        if task is None:
            return
        view: Any = option
        rect = QRect(view.rect)
        palette = QApplication.palette()
        tokens = tokens_in_use()
        painter.save()
        if int(view.state.value) & _SELECTED:
            painter.fillRect(rect, QColor(tokens.raised))
        colour = _colour(task.state, tokens)
        sign = QRect(rect.left() + GRID_PX, rect.top() + GRID_PX, ICON_SMALL_PX, ICON_SMALL_PX)
        icon(_ICONS[task.state], colour).paint(painter, sign)
        left = sign.right() + GRID_PX * 2
        width = rect.right() - left - GRID_PX
        half = rect.height() // 2
        metrics = painter.fontMetrics()
        painter.setPen(palette.color(QPalette.ColorRole.Text))
        title = metrics.elidedText(str(index.data(TITLE_ROLE)), Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRect(left, rect.top(), width, half), _LEFT, title)
        painter.setFont(ui_font(TEXT_SMALL_PX))
        painter.setPen(QColor(colour if task.state in _TROUBLED else tokens.quiet))
        detail = painter.fontMetrics().elidedText(str(index.data(DETAIL_ROLE)), Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRect(left, rect.top() + half - 2, width, half), _LEFT, detail)
        if task.state is TaskState.RUNNING:
            whole = QRect(left, rect.bottom() - _BAR_PX, width, _BAR_PX)
            painter.fillRect(whole, QColor(tokens.line))
            whole.setWidth(round(width * self._model.fraction))
            painter.fillRect(whole, QColor(tokens.accent))
        painter.restore()


def _colour(state: TaskState, tokens: Tokens) -> str:
    return {
        TaskState.RUNNING: tokens.accent,
        TaskState.DONE: tokens.good,
        TaskState.FAILED: tokens.error,
        TaskState.SKIPPED: tokens.warning,
    }.get(state, tokens.quiet)
