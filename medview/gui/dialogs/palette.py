"""The list of everything there is to do: type to find, Enter to do it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    QTimer,
)
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from medview.core.language import _
from medview.gui.parts.controls import set_role, words
from medview.gui.parts.theme_tokens import CONTROL_HEIGHT_PX, GRID_PX
from medview.workspace.finder import Entry, found

_SIZE = QSize(560, 420)
_TOP_PX = 56
_SHADE = QColor(0, 0, 0, 90)
_HINT = _("Arrows choose, Enter does it, Esc closes")

Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class EntryModel(QAbstractListModel):
    """Entries that match what was typed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shown: list[Entry] = []

    def show(self, entries: list[Entry]) -> None:
        """Replace all rows."""
        self.beginResetModel()
        self._shown = entries
        self.endResetModel()

    def entry(self, row: int) -> Entry:
        """Return the entry of a row."""
        return self._shown[row]

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Return how many entries match."""
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the title, or for screen readers and tooltips all of it."""
        entry = self._shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.title
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return ". ".join(part for part in (entry.title, entry.detail, entry.keys, entry.why_not) if part)
        return None


class EntryRows(QStyledItemDelegate):
    """Title and detail on the left, keys on the right; what makes no sense now is quiet and says why."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return a row as high as a control."""
        return QSize(0, CONTROL_HEIGHT_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        entry = cast(EntryModel, index.model()).entry(index.row())
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        self._draw(painter, QRect(option.rect), option.palette, entry, chosen=chosen)

    def _draw(self, painter: QPainter, area: QRect, palette: QPalette, entry: Entry, *, chosen: bool) -> None:
        role = QPalette.ColorRole
        if chosen:
            painter.fillRect(area, palette.color(role.Highlight))
        strong = palette.color(role.HighlightedText if chosen else role.Text)
        quiet = strong if chosen else palette.color(role.PlaceholderText)
        inner = area.adjusted(GRID_PX * 3, 0, -GRID_PX * 3, 0)
        metrics = painter.fontMetrics()
        side, middle = Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignVCenter
        painter.setPen(quiet)
        painter.drawText(inner, side | middle, entry.keys)
        inner.setRight(inner.right() - metrics.horizontalAdvance(entry.keys) - GRID_PX * 3)
        painter.setPen(quiet if entry.why_not else strong)
        title = metrics.elidedText(entry.title, Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(inner, middle, title)
        inner.setLeft(inner.left() + metrics.horizontalAdvance(title) + GRID_PX * 3)
        note = entry.why_not or entry.detail
        if note and inner.width() > GRID_PX * 6:
            painter.setPen(quiet)
            painter.drawText(inner, middle, metrics.elidedText(note, Qt.TextElideMode.ElideRight, inner.width()))


class Palette(QWidget):
    """A field and a list at the top of the window, over everything else; a click beside it closes it.

    Parameters
    ----------
    entries : sequence of Entry
        What can be found, as it is at this moment.
    """

    def __init__(self, entries: Sequence[Entry], window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("palette")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._entries, self._window = entries, window
        self._focused_before = QApplication.focusWidget()
        self.field = QLineEdit()
        self.field.setPlaceholderText(_("Find an action, a window or a series"))
        self.field.setAccessibleName(_("Find an action, a window or a series"))
        self.field.setToolTip(_("Words in any order, or a key such as Ctrl+Z"))
        self.field.setClearButtonEnabled(True)
        self.field.installEventFilter(self)
        self.field.textChanged.connect(self._refresh)
        self.model = EntryModel(self)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setItemDelegate(EntryRows(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(lambda _index: self._do())
        self.note = words(_HINT, "quiet")
        self.note.setContentsMargins(GRID_PX * 3, 0, GRID_PX * 3, 0)
        self._frame = QFrame(self)
        self._frame.setProperty("role", "raised")
        inside = QVBoxLayout(self._frame)
        inside.setContentsMargins(GRID_PX * 2, GRID_PX * 2, GRID_PX * 2, GRID_PX * 2)
        inside.setSpacing(GRID_PX * 2)
        for widget in (self.field, self.list, self.note):
            inside.addWidget(widget)
        window.installEventFilter(self)
        self._refresh("")

    def open(self) -> None:
        """Lay it over the window."""
        self._place()
        self.show()
        self.raise_()
        self.field.setFocus()

    def close(self) -> bool:
        """Give the focus back and go."""
        self._window.removeEventFilter(self)
        # Whoever had the focus may be gone by now.
        if self._focused_before is not None and isValid(self._focused_before):
            self._focused_before.setFocus()
        return super().close()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrows choose and Enter act while the field keeps the focus; stay as large as the window."""
        if watched is self._window and event.type() is QEvent.Type.Resize:
            self._place()
        if watched is not self.field or not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        if event.type() is QEvent.Type.ShortcutOverride:
            # No key of the window means anything while something is typed here.
            event.accept()
            return True
        return event.type() is QEvent.Type.KeyPress and self._takes(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Close on a click beside it."""
        if not self._frame.geometry().contains(event.position().toPoint()):
            self.close()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Put what is behind into the shade."""
        QPainter(self).fillRect(self.rect(), _SHADE)

    def _takes(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key in _STEPS:
            self._step(_STEPS[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._do()
        elif key is Qt.Key.Key_Escape or (key is Qt.Key.Key_K and event.modifiers() & Qt.KeyboardModifier.ControlModifier):
            self.close()
        else:
            # Tab would lead behind the shade.
            return key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab)
        return True

    def _place(self) -> None:
        room = self._window.rect()
        self.setGeometry(room)
        width = min(_SIZE.width(), room.width() - GRID_PX * 8)
        height = min(_SIZE.height(), room.height() - _TOP_PX * 2)
        self._frame.setGeometry((room.width() - width) // 2, _TOP_PX, width, height)

    def _refresh(self, text: str) -> None:
        shown = found(self._entries, text)
        self.model.show(shown)
        if shown:
            self.list.setCurrentIndex(self.model.index(0))
        self._tell(_HINT if shown else _("Nothing is called that; try fewer letters."))

    def _step(self, step: int) -> None:
        count = self.model.rowCount()
        if count:
            row = self.list.currentIndex().row()
            # One step goes round at the ends, a page stops there.
            at = (row + step) % count if abs(step) == 1 else min(count - 1, max(0, row + step))
            self.list.setCurrentIndex(self.model.index(at))
            self._tell(_HINT)

    def _do(self) -> None:
        index = self.list.currentIndex()
        if not index.isValid():
            return
        entry = self.model.entry(index.row())
        if entry.why_not:
            self._tell(f"{entry.title}: {entry.why_not[0].lower()}{entry.why_not[1:]}.", "warning")
            return
        self.close()
        # The window has its focus back before anything opens a dialog of its own.
        QTimer.singleShot(0, self._window, entry.run)

    def _tell(self, text: str, role: str = "quiet") -> None:
        self.note.setText(text)
        set_role(self.note, role)


_STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 10, Qt.Key.Key_PageUp: -10}
