"""Changing keys and mouse: choose a scheme, find an action, record a key, see what quarrels before anything is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from medview.core.language import _
from medview.gui.dialogs.key_recorder import KeyRecorder
from medview.gui.dialogs.key_table import KeyTable
from medview.gui.dialogs.mouse_table import MODE_WORDS, MouseTable
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.scheme import Bindings, scheme_names, shipped
from medview.workspace.scheme_edits import (
    Conflict,
    conflicts,
    differences,
    load_bindings,
    reset,
    taken_from,
    why_not_key,
    with_keys,
    without_tool,
)
from medview.workspace.view_state import Mode

_MODES = tuple(Mode)
_MOST_CONFLICTS = 3


class SchemeEditor(QDialog):
    """A draft of Bindings that is put to use when it is kept, and only when nothing in it quarrels.

    Parameters
    ----------
    titles : mapping
        Action id -> title, in the order to show.
    keep : callable
        Puts the draft to use and keeps it; False when it could not.
    """

    def __init__(
        self, bindings: Bindings, titles: Mapping[str, str], keep: Callable[[Bindings], bool], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("Change keys and mouse"))
        self._draft, self._titles, self._keep = bindings, titles, keep
        self._make_parts()
        self._arrange()
        self.table.currentCellChanged.connect(lambda *_at: self._on_choice())
        self.search.textChanged.connect(lambda _text: self._fill())
        self._fill()
        self.table.choose(next(iter(titles)))
        self.resize(680, 620)
        self.search.setFocus()

    @property
    def draft(self) -> Bindings:
        """What would be kept now."""
        return self._draft

    # ------------------------------------------------------------------------------------ parts

    def _make_parts(self) -> None:
        self.schemes = QComboBox()
        self.schemes.setToolTip(_("What keys and mouse begin with; your changes are kept per scheme"))
        for key, name in scheme_names().items():
            self.schemes.addItem(name, key)
        self.schemes.setCurrentIndex(self.schemes.findData(self._draft.base))
        self.schemes.currentIndexChanged.connect(lambda _n: self._take(load_bindings(str(self.schemes.currentData()))[0]))
        self.count = words("", "quiet")
        self.reset_all = text_button(_("Reset all"), _("Take back all your changes to this scheme"))
        self.reset_all.clicked.connect(lambda: self._take(shipped(self._draft.base)))
        self.search = QLineEdit()
        self.search.setPlaceholderText(_("Find by words or by key"))
        self.search.setToolTip(_("Words in any order, or a key such as Ctrl+Z"))
        self.search.setClearButtonEnabled(True)
        self.table = KeyTable(self._titles)
        self.chosen = words("")
        self.record = KeyRecorder()
        self.table.cellDoubleClicked.connect(lambda *_at: self.record.click())
        self.record.recorded.connect(self._on_key)
        self.remove = text_button(_("No key"), _("Take the keys away from this action in this mode"))
        self.remove.clicked.connect(lambda: self._set_keys(()))
        self.reset_one = text_button(_("Reset"), _("The keys of the scheme for this action, in both modes"))
        self.reset_one.clicked.connect(self._on_reset)
        self.mouse = MouseTable()
        self.mouse.changed.connect(self._take)
        self.problem = words("", "warning")
        self.problem.setMinimumHeight(GRID_PX * 9)
        self.problem.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.take_away = text_button("", _("Give the key to the action chosen above only"))
        self.take_away.clicked.connect(self._on_take_away)
        self.save = text_button(_("Save"), _("Use these keys from now on"), role="primary")
        self.save.clicked.connect(self._on_save)
        self.cancel = text_button(_("Cancel"), _("Leave everything as it was"))
        self.cancel.clicked.connect(self.reject)

    def _arrange(self) -> None:
        keys = QWidget()
        column = QVBoxLayout(keys)
        column.setContentsMargins(0, GRID_PX * 2, 0, 0)
        column.setSpacing(GRID_PX * 2)
        column.addWidget(self.search)
        column.addWidget(self.table, 1)
        column.addLayout(_row(self.chosen, self.record, self.remove, self.reset_one, stretch=self.chosen))
        tabs = QTabWidget()
        tabs.addTab(keys, _("Keys"))
        tabs.addTab(self.mouse, _("Mouse"))
        self.tabs = tabs
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 3)
        scheme = words(_("Scheme"))
        scheme.setWordWrap(False)
        self.count.setWordWrap(False)
        layout.addLayout(_row(scheme, self.schemes, self.count, None, self.reset_all))
        layout.addWidget(tabs, 1)
        layout.addLayout(_row(self.problem, self.take_away, stretch=self.problem))
        layout.addLayout(_row(None, self.cancel, self.save))
        for button in self.findChildren(QPushButton):
            # Enter in the search field must not press a button.
            button.setAutoDefault(False)

    # ------------------------------------------------------------------------------------ what is shown

    def _take(self, draft: Bindings) -> None:
        """Go on with another draft."""
        chosen = self.table.chosen()
        self._draft = draft
        self._fill()
        if chosen is not None:
            self.table.choose(chosen[0], chosen[1][0] if len(chosen[1]) == 1 else None)

    def _fill(self) -> None:
        self.table.show_bindings(self._draft, self.search.text())
        self.mouse.show_bindings(self._draft)
        self._on_choice()

    def _on_choice(self) -> None:
        at = self.table.chosen()
        for widget in (self.record, self.remove, self.reset_one):
            widget.setEnabled(at is not None)
        self._judge()
        if at is None:
            self.chosen.setText("")
            return
        where = _("in both modes") if len(at[1]) > 1 else _("while {mode_words}").format(mode_words=MODE_WORDS[at[1][0]])
        self.chosen.setText(f"{self._titles[at[0]]}, {where}")

    def _judge(self) -> None:
        """Say in words what would not work, and let nothing be kept until it is settled."""
        quarrels = conflicts(self._draft, self._titles)
        lines = [self._sentence(conflict) for conflict in quarrels[:_MOST_CONFLICTS]]
        if len(quarrels) > _MOST_CONFLICTS:
            lines.append(_("And {count} more.").format(count=len(quarrels) - _MOST_CONFLICTS))
        lines += [
            _("No button uses the active tool while {mode_words}; give it one under Mouse.").format(
                mode_words=MODE_WORDS[mode]
            )
            for mode in without_tool(self._draft)
        ]
        self.problem.setText("\n".join(lines))
        self.save.setEnabled(not lines)
        mine = self._quarrel_of_chosen(quarrels)
        self.take_away.setVisible(mine is not None)
        if mine is not None:
            self.take_away.setText(_("Only for {titles}").format(titles=self._titles[mine[1]]))
        changes = differences(self._draft)
        number = len(changes.keys) + sum(map(len, changes.mouse.values())) + len(changes.wheel)
        self.count.setText(_("{number} changed by you, in bold").format(number=number) if number else _("As delivered"))
        self.reset_all.setEnabled(number > 0)

    def _sentence(self, conflict: Conflict) -> str:
        names = [self._titles[action] for action in conflict.action_ids]
        return _("{keys} would mean {names} while {mode_words}.").format(
            keys=conflict.keys, names=_(" and ").join(names), mode_words=MODE_WORDS[conflict.mode]
        )

    def _quarrel_of_chosen(self, quarrels: list[Conflict]) -> tuple[Conflict, str] | None:
        at = self.table.chosen()
        return next(((c, at[0]) for c in quarrels if at is not None and at[0] in c.action_ids), None)

    # ------------------------------------------------------------------------------------ what the person does

    def _on_key(self, keys: str) -> None:
        if problem := why_not_key(keys):
            self.problem.setText(problem)
        else:
            self._set_keys((keys,))

    def _set_keys(self, keys: tuple[str, ...]) -> None:
        if (at := self.table.chosen()) is not None:
            self._take(with_keys(self._draft, at[0], at[1], keys))

    def _on_reset(self) -> None:
        if (at := self.table.chosen()) is not None:
            self._take(reset(self._draft, at[0]))

    def _on_take_away(self) -> None:
        draft = self._draft
        for conflict in conflicts(draft, self._titles):
            at = self.table.chosen()
            if at is not None and at[0] in conflict.action_ids:
                for action in conflict.action_ids:
                    draft = draft if action == at[0] else taken_from(draft, action, conflict.mode, conflict.keys)
        self._take(draft)

    def _on_save(self) -> None:
        if self._keep(self._draft):
            self.accept()


def _row(*widgets: QWidget | None, stretch: QWidget | None = None) -> QHBoxLayout:
    """Return widgets side by side; None is room that grows."""
    row = QHBoxLayout()
    row.setSpacing(GRID_PX * 2)
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget, 1 if widget is stretch else 0)
    return row
