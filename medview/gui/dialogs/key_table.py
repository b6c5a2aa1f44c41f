"""Actions and their keys by mode, one row each."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from medview.core.language import _
from medview.gui.dialogs.mouse_table import MODE_WORDS
from medview.workspace.finder import Entry, found
from medview.workspace.scheme import Bindings
from medview.workspace.scheme_edits import differences
from medview.workspace.view_state import Mode

_MODES = tuple(Mode)
_KEYS_PX = 168


class KeyTable(QTableWidget):
    """Shows Bindings; what differs from the shipped scheme is bold.

    Parameters
    ----------
    titles : mapping
        Action id -> title, in the order to show.
    """

    def __init__(self, titles: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(0, 1 + len(_MODES), parent)
        self._titles = titles
        self.shown: list[str] = []
        """Action ids of the rows."""
        self.setHorizontalHeaderLabels(
            [_("Action"), *(_("While {mode_words}").format(mode_words=MODE_WORDS[m]) for m in _MODES)]
        )
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in range(1, 1 + len(_MODES)):
            self.setColumnWidth(column, _KEYS_PX)

    def show_bindings(self, bindings: Bindings, query: str) -> None:
        """Show the actions that match a query, and their keys."""
        entries = [Entry(t, lambda: None, ", ".join(_all_keys(bindings, key)), key) for key, t in self._titles.items()]
        matching = {entry.detail for entry in found(entries, query)}
        self.shown = [key for key in self._titles if key in matching]
        self.setRowCount(len(self.shown))
        changed = differences(bindings).keys
        for row, key in enumerate(self.shown):
            self._put(row, 0, self._titles[key], bold=key in changed)
            for column, mode in enumerate(_MODES, 1):
                keys = ", ".join(bindings.shortcuts(key, mode))
                self._put(row, column, keys, bold=mode in changed.get(key, {}))

    def choose(self, action_id: str, mode: Mode | None = Mode.READ) -> None:
        """Make the keys of an action in a mode, or in both, the chosen ones; the first row where it is not shown."""
        row = self.shown.index(action_id) if action_id in self.shown else 0
        self.setCurrentCell(row, 0 if mode is None else 1 + _MODES.index(mode))

    def chosen(self) -> tuple[str, tuple[Mode, ...]] | None:
        """Return the chosen action and mode, both modes on its title; None when nothing is chosen."""
        row, column = self.currentRow(), self.currentColumn()
        if not 0 <= row < len(self.shown):
            return None
        return self.shown[row], (_MODES if column < 1 else (_MODES[column - 1],))

    def _put(self, row: int, column: int, text: str, *, bold: bool) -> None:
        item = QTableWidgetItem(text)
        font = item.font()
        font.setBold(bold)
        item.setFont(font)
        self.setItem(row, column, item)


def _all_keys(bindings: Bindings, key: str) -> list[str]:
    return list(dict.fromkeys(k for mode in _MODES for k in bindings.shortcuts(key, mode)))
