"""The list of segments: chosen, shown, locked, renamed and moved in place."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QTreeView, QWidget

from medview.core.language import _
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.segments.row_buttons import ask_colour, press
from medview.gui.segments.segment_cells import Cell
from medview.gui.segments.segment_delegate import SegmentDelegate
from medview.gui.segments.segment_model import ROW_ROLE, GroupRow, Index, SegmentModel
from medview.workspace.open_case import OpenCase

_PRESSED_AT_ONCE = (Cell.FOLD, Cell.STATUS, Cell.COLOUR, Cell.EYE, Cell.CUBE, Cell.LOCK)
"""Parts of a row that are buttons: a press on them chooses nothing."""


class SegmentTree(QTreeView):
    """Shows what the view of the case says: which segment is active, which are chosen, which groups are folded.

    Rows are drawn, not made of widgets, so that 120 segments cost what is seen of them.
    """

    menu_wanted = Signal(QPoint)
    """A menu for what is chosen, at a place on the screen."""
    delete_wanted = Signal()
    """What is chosen is to go."""
    status_wanted = Signal(list, QPoint)
    """A choice of states for segments, at a place on the screen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("segment list")
        self.setAccessibleName(_("Segments"))
        self._case: OpenCase | None = None
        self._following = False
        self.rows = SegmentModel(self)
        self.delegate = SegmentDelegate(self)
        self.setModel(self.rows)
        self.setItemDelegate(self.delegate)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setUniformRowHeights(True)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setExpandsOnDoubleClick(False)
        self.setItemsExpandable(False)
        self.setDragEnabled(True)
        self.setAcceptDrops(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDropIndicatorShown(True)
        self.rows.structure_changed.connect(self._restore)
        self._of_case = Subscriptions(self)

    def take(self, case: OpenCase | None) -> None:
        """Show the segments of a case."""
        self._of_case.clear()
        self._case = case
        self.rows.take(case)
        if case is not None:
            self._of_case.add(field_signal(case.view, "active_segment_id"), self._on_active)
            self._of_case.add(field_signal(case.view, "chosen_segment_ids"), self._restore_chosen)
            self._of_case.add(field_signal(case.view, "solo_segment_ids"), self._on_solo)
            self._of_case.add(field_signal(case.view, "folded_groups"), self._restore)
        self._restore()

    def begin_group_rename(self, name: str) -> None:
        """Let the name of a group be typed in place."""
        for group, index in self.rows.groups():
            if group == name and index.flags() & Qt.ItemFlag.ItemIsEditable:
                self.scrollTo(index)
                self.edit(index)

    def begin_rename(self, segment_id: str) -> None:
        """Let the name of a segment be typed in place."""
        index = self.rows.index_of(segment_id)
        if index.isValid() and index.flags() & Qt.ItemFlag.ItemIsEditable:
            self.scrollTo(index)
            self.edit(index)

    # ------------------------------------------------------------------------------------ what the view of the case says

    def _on_active(self, segment_id: str) -> None:
        case = self._case
        if case is not None and segment_id and segment_id not in case.view.chosen_segment_ids:
            case.view.chosen_segment_ids = (segment_id,)
        self._show_active()

    def _on_solo(self, *_values: object) -> None:
        self.rows.refresh()

    def _restore(self, *_values: object) -> None:
        case = self._case
        self.delegate.folded = case.view.folded_groups if case is not None else frozenset()
        for name, index in self.rows.groups():
            self.setExpanded(index, name not in self.delegate.folded)
        self._restore_chosen()
        self._show_active()

    def _restore_chosen(self, *_values: object) -> None:
        if self._following:
            return
        chosen = self._case.view.chosen_segment_ids if self._case is not None else ()
        selection = QItemSelection()
        for one in chosen:
            index = self.rows.index_of(one)
            if index.isValid():
                selection.select(index, index)
        self._following = True
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._following = False

    def _show_active(self) -> None:
        active = self._case.view.active_segment_id if self._case is not None else ""
        before, self.delegate.active_id = self.delegate.active_id, active
        index = self.rows.index_of(active)
        for changed in (self.rows.index_of(before), index):
            if changed.isValid():
                self.update(changed)
        if index.isValid():
            self._following = True
            self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
            self._following = False
            # A folded group stays folded.
            if not index.parent().isValid() or self.isExpanded(index.parent()):
                self.scrollTo(index)

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        """Tell the view of the case what is chosen."""
        super().selectionChanged(selected, deselected)
        case = self._case
        if case is None or self._following:
            return
        ids = {self.rows.segment_id(index) for index in self.selectionModel().selectedIndexes()}
        self._following = True
        chosen = case.view.chosen_segment_ids = tuple(one for one in self.rows.listed if one in ids)
        self._following = False
        # A press makes its row the current one before it is selected; keys do it the other way round.
        current = self.rows.segment_id(self.currentIndex())
        if current in ids:
            case.view.active_segment_id = current
        elif chosen and case.view.active_segment_id not in ids:
            case.view.active_segment_id = chosen[-1]

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Make the segment under the keys, or the one that was pressed, the active one."""
        super().currentChanged(current, previous)
        case, segment_id = self._case, self.rows.segment_id(current)
        if case is not None and segment_id and not self._following and self.selectionModel().isSelected(current):
            case.view.active_segment_id = segment_id

    # ------------------------------------------------------------------------------------ mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Press a button of a row, or choose it."""
        at = event.position().toPoint()
        if event.button() is Qt.MouseButton.LeftButton and self._press(at):
            event.accept()
            return
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Rename; on a button of a row it is a second press."""
        cell, index = self._cell(event.position().toPoint())
        if cell in _PRESSED_AT_ONCE or isinstance(index.data(ROW_ROLE), GroupRow):
            self._press(event.position().toPoint())
            return
        super().mouseDoubleClickEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for a menu for what is chosen, or for the members of a group."""
        index = self.indexAt(event.pos())
        case = self._case
        if case is not None and isinstance(index.data(ROW_ROLE), GroupRow):
            case.view.chosen_segment_ids = tuple(self.rows.ids_under(index))
        self.menu_wanted.emit(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete what is chosen; letters go to the window's shortcuts, not to a search of Qt's."""
        if event.key() == Qt.Key.Key_Delete:
            self.delete_wanted.emit()
            return
        if event.text() and event.text().isprintable() and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()
            return
        super().keyPressEvent(event)

    def _cell(self, at: QPoint) -> tuple[Cell | None, QModelIndex]:
        index = self.indexAt(at)
        if not index.isValid():
            return None, index
        for cell, place in self.delegate.cells_at(QRect(self.visualRect(index)), index).items():
            if place.contains(at):
                return cell, index
        return None, index

    def _press(self, at: QPoint) -> bool:
        """Do what the button of a row under the pointer does; False where there is none."""
        cell, index = self._cell(at)
        case, row = self._case, index.data(ROW_ROLE)
        if case is None or row is None:
            return False
        if cell is Cell.STATUS:
            if case.editable:
                self.status_wanted.emit(self.rows.ids_under(index), self.viewport().mapToGlobal(at))
            return True
        if cell is Cell.COLOUR:
            self.ask_colour(self.rows.ids_under(index))
            return True
        return press(case, cell, row)

    def ask_colour(self, ids: list[str]) -> None:
        """Ask for a colour for segments."""
        if self._case is not None:
            ask_colour(self._case, ids, self)
