"""The attributes of a file as a tree that can be searched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    QTimer,
)
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QHeaderView, QLineEdit, QTreeView, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.workspace import Workspace

if TYPE_CHECKING:
    # The DICOM reader is no part of the window.
    from medview.io.dicom.tag_list import TagList, TagRow

_COLUMNS = (_("Tag"), _("Name"), "VR", _("Value"))
_WIDTHS = (150, 260, 44)
_SEARCH_MS = 120
_SHOWN_LETTERS = 300

Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class TagModel(QAbstractItemModel):
    """Rows of a TagList as a tree. Every row knows its parent; the internal id of an index is the row's number."""

    def __init__(self, rows: Sequence[TagRow], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows = rows
        self._parent: list[int] = []
        self._place: list[int] = []
        self._children: dict[int, list[int]] = {}
        above: list[int] = []
        for number, row in enumerate(rows):
            del above[row.depth :]
            mother = above[-1] if above else -1
            brothers = self._children.setdefault(mother, [])
            self._parent.append(mother)
            self._place.append(len(brothers))
            brothers.append(number)
            above.append(number)

    def number(self, index: Index) -> int:
        """Return the number of the row of an index, -1 above all."""
        return int(index.internalId()) if index.isValid() else -1

    def index(self, row: int, column: int, parent: Index = _NOWHERE) -> QModelIndex:
        """Return the index of the n-th child."""
        children = self._children.get(self.number(parent), [])
        return self.createIndex(row, column, children[row]) if 0 <= row < len(children) else QModelIndex()

    def parent(self, index: Index = _NOWHERE) -> QModelIndex:  # type: ignore[override]  # QObject.parent() too
        """Return the index of the sequence or item a row is in."""
        mother = self._parent[self.number(index)] if index.isValid() else -1
        return self.createIndex(self._place[mother], 0, mother) if mother >= 0 else QModelIndex()

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Return how many rows are directly below one."""
        return len(self._children.get(self.number(parent), [])) if parent.column() <= 0 else 0

    def columnCount(self, _parent: Index = _NOWHERE) -> int:
        """Return tag, name, VR and value."""
        return len(_COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return one line; the whole of it in the tooltip."""
        row = self.rows[self.number(index)]
        text = (row.tag, row.name, row.vr, row.value)[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return " ".join(text[:_SHOWN_LETTERS].split()) if index.column() == len(_COLUMNS) - 1 else text
        if role == Qt.ItemDataRole.ToolTipRole and text:
            return "\n".join(part for part in (row.keyword if index.column() < 2 else "", text) if part)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the names of the columns."""
        shown = orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return _COLUMNS[section] if shown else None


class TagFilter(QSortFilterProxyModel):
    """Shows rows that have all words somewhere, with the sequences they are in."""

    def __init__(self, model: TagModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: list[str] = []
        self._text = [
            f"{row.tag} {row.tag.strip('()').replace(',', '')} {row.keyword} {row.name} {row.value}".casefold()
            for row in model.rows
        ]
        self.setRecursiveFilteringEnabled(True)
        self.setSourceModel(model)

    def look_for(self, text: str) -> None:
        """Show only what has every word."""
        self._words = text.casefold().split()
        self.invalidate()

    def matching(self) -> int:
        """Return how many rows match."""
        return sum(map(self._matches, range(len(self._text))))

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        """Whether a row has every word."""
        model = self.sourceModel()
        assert isinstance(model, TagModel)
        return self._matches(model.number(model.index(row, 0, parent)))

    def _matches(self, number: int) -> bool:
        return all(word in self._text[number] for word in self._words)


class TagsDialog(QDialog):
    """Search, tree, copy. It goes when the identity of the patient is hidden, for tags name the patient."""

    def __init__(self, tags: TagList, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("Tags of this image"))
        self._tags = tags
        self.model = TagModel(tags.rows, self)
        self.filter = TagFilter(self.model, self)
        self.search = QLineEdit()
        self.search.setPlaceholderText(_("Find by tag, name or value"))
        self.search.setToolTip(_("Words in any order: 0018,0050, SliceThickness, or a part of a value"))
        self.search.setClearButtonEnabled(True)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SEARCH_MS)
        self._soon.timeout.connect(self.look)
        self.search.textChanged.connect(lambda _text: self._soon.start())
        self.tree = QTreeView()
        self.tree.setModel(self.filter)
        self.tree.setUniformRowHeights(True)
        self.tree.setAlternatingRowColors(False)
        self.tree.setIndentation(GRID_PX * 4)
        header = self.tree.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column, width in enumerate(_WIDTHS):
            self.tree.setColumnWidth(column, width)
        self.count = words("", "quiet")
        self.count.setWordWrap(False)
        self.copy_value = text_button(_("Copy the value"), _("Copy the value of the chosen row (Ctrl+C)"))
        self.copy_value.clicked.connect(self.copy)
        QShortcut(QKeySequence.StandardKey.Copy, self.tree, self.copy, context=Qt.ShortcutContext.WidgetShortcut)
        self.tree.selectionModel().currentChanged.connect(lambda *_at: self._on_choice())
        close = text_button(_("Close"), _("Close this window"), role="primary")
        close.clicked.connect(self.accept)
        for button in (self.copy_value, close):
            button.setAutoDefault(False)
        row = QHBoxLayout()
        row.setSpacing(GRID_PX * 2)
        row.addWidget(self.count, 1)
        row.addWidget(self.copy_value)
        row.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 2)
        layout.addWidget(ElidedLabel(tags.file, "heading", mode=Qt.TextElideMode.ElideMiddle))
        layout.addWidget(self.search)
        layout.addWidget(self.tree, 1)
        layout.addLayout(row)
        Subscriptions(self).add(field_signal(workspace.bench, "identity_hidden"), self._on_hidden)
        self._on_choice()
        self.look()
        self.resize(860, 640)
        self.search.setFocus()

    def look(self) -> None:
        """Show what matches the search, opened down to it."""
        text = self.search.text()
        self.filter.look_for(text)
        if text.strip():
            self.tree.expandAll()
        else:
            self.tree.collapseAll()
        told = (
            _("{matching} of {count} rows").format(matching=self.filter.matching(), count=len(self.model.rows))
            if text.strip()
            else _("{count} rows").format(count=len(self.model.rows))
        )
        self.count.setText(" · ".join(part for part in (told, in_language(self._tags.note)) if part))

    def copy(self) -> None:
        """Copy the value of the chosen row, and say so where it is not the whole."""
        row = self._chosen()
        if row is None:
            return
        QGuiApplication.clipboard().setText(row.value)
        self.count.setText(
            _("Copied {name}, shortened.").format(name=row.name)
            if row.shortened
            else _("Copied {name}.").format(name=row.name)
        )

    def _chosen(self) -> TagRow | None:
        index = self.tree.currentIndex()
        return self.model.rows[self.model.number(self.filter.mapToSource(index))] if index.isValid() else None

    def _on_choice(self) -> None:
        row = self._chosen()
        self.copy_value.setEnabled(row is not None and bool(row.value))

    def _on_hidden(self, hidden: bool) -> None:
        if hidden:
            self.reject()
