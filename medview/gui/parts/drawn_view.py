"""The table of boxes and marks on the screen: columns of a narrow panel, keys of a list."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, Qt, Signal, SignalInstance
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeView, QWidget

from medview.core.annotations import Drawn
from medview.core.language import _
from medview.gui.parts.drawn_model import EYE, LABEL, PLACE, SIZE, DrawnFilter
from medview.gui.parts.theme_tokens import CONTROL_HEIGHT_PX

_MOST_ROWS = 7
_EYE_PX, _SIZE_PX, _PLACE_PX = 30, 82, 68


class DrawnView(QTreeView):
    """Rows that can be sorted and chosen, several at once; as high as they are many, up to a few."""

    delete_wanted = Signal()
    label_wanted = Signal()

    def __init__(self, rows: DrawnFilter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = rows
        self.setModel(rows)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSortingEnabled(True)
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setAccessibleName(_("Boxes and marks"))
        self.setObjectName("drawn list")
        header = self.header()
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSortIndicatorClearable(True)
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(_EYE_PX)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(LABEL, QHeaderView.ResizeMode.Stretch)
        for column, width in ((EYE, _EYE_PX), (SIZE, _SIZE_PX), (PLACE, _PLACE_PX)):
            header.resizeSection(column, width)

    def event(self, event: QEvent) -> bool:
        """Take the keys of the list before the shortcuts of the window do."""
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._acts(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Tell that what is chosen is to be deleted or named."""
        if (signal := self._acts(event)) is not None:
            signal.emit()
        else:
            super().keyPressEvent(event)

    def _acts(self, event: QKeyEvent) -> SignalInstance | None:
        key = Qt.Key
        keys: dict[int, SignalInstance] = {
            key.Key_Delete: self.delete_wanted,
            key.Key_Return: self.label_wanted,
            key.Key_Enter: self.label_wanted,
        }
        return keys.get(event.key())

    def fit(self, count: int) -> None:
        """Become as high as so many rows need, up to a few."""
        rows = min(_MOST_ROWS, count)
        self.setFixedHeight(rows * (CONTROL_HEIGHT_PX + 1) + self.header().sizeHint().height() + 2)

    def chosen(self) -> list[Drawn]:
        """Return the things that are chosen, in the order of the list."""
        rows = sorted(self.selectionModel().selectedRows(), key=QModelIndex.row)
        return [self._rows.row_at(index).one for index in rows]

    def shown(self) -> list[Drawn]:
        """Return the things that the search lets through, in the order of the list."""
        return [self._rows.row_at(self._rows.index(n, LABEL)).one for n in range(self._rows.rowCount())]

    def choose(self, ids: Iterable[str]) -> None:
        """Choose the things with these ids and no others."""
        wanted, selection = set(ids), self.selectionModel()
        flags = QItemSelectionModel.SelectionFlag
        selection.clearSelection()
        for number, one in enumerate(self.shown()):
            if one.annotation_id in wanted:
                index = self._rows.index(number, LABEL)
                selection.select(index, flags.Select | flags.Rows)
                selection.setCurrentIndex(index, flags.NoUpdate)
                self.scrollTo(index)
