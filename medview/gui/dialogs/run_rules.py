"""Which models run by themselves on what is opened: one switch for all, and a row per model."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QHBoxLayout, QHeaderView, QLineEdit, QTableWidget, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.model_card import needs_text
from medview.gui.parts.theme_tokens import GRID_PX
from medview.ml.packs import ModelPack
from medview.ml.spec import Task
from medview.workspace.run_rules import RunRule, run_on_open, run_rules, use_run_rules
from medview.workspace.workspace import Workspace

_COLUMNS = (_("Model"), _("Only where a description says"), _("Not where it says"))
_EXPLAINED = _(
    "A model that is ticked runs quietly when a series it is for is opened, once for each series; what it finds waits as "
    "a proposal. Words are looked for in the body part and the descriptions of series and study, with commas between them."
)


class RunRulesDialog(QDialog):
    """A table of the installed models; what is changed holds from the next series that is opened."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("Models that run by themselves"))
        self._workspace = workspace
        self.switch = QCheckBox(_("Run models by themselves when a series is opened"))
        self.switch.setToolTip(_("The one switch for all of them"))
        self.switch.setChecked(workspace.settings.run_on_open)
        self.switch.toggled.connect(self._on_switch)
        self._packs = _by_id(workspace)
        self.table = QTableWidget(len(self._packs), len(_COLUMNS))
        self.table.setHorizontalHeaderLabels(list(_COLUMNS))
        self.table.verticalHeader().hide()
        self.table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.boxes: dict[str, QCheckBox] = {}
        self.fields: dict[str, tuple[QLineEdit, QLineEdit]] = {}
        rules = {rule.model: rule for rule in run_rules(workspace)}
        for number, pack in enumerate(self._packs):
            self._fill_row(number, pack, rules.get(pack.spec.id, RunRule(pack.spec.id, on=False)))
        close = text_button(_("Close"), _("Close this window"), role="primary")
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 3)
        layout.addWidget(self.switch)
        layout.addWidget(words(_EXPLAINED, "quiet"))
        layout.addWidget(self.table if self._packs else words(_("No models are installed."), "quiet"), 1)
        layout.addLayout(row)
        self.resize(760, 420)

    def done(self, result: int) -> None:
        """Close, with what was typed last: Esc, too, leaves a field without an end of editing."""
        self._keep()
        super().done(result)

    def _fill_row(self, number: int, pack: ModelPack, rule: RunRule) -> None:
        model_id, change = pack.spec.id, self._keep
        box = QCheckBox(pack.spec.name)
        box.setToolTip(_("Needs {needs}").format(needs=needs_text(pack.spec)))
        box.setChecked(rule.on)
        box.toggled.connect(lambda _on: change())
        holder = QWidget()
        inside = QHBoxLayout(holder)
        inside.setContentsMargins(GRID_PX * 2, 0, GRID_PX, 0)
        inside.addWidget(box)
        wanted = _field(rule.words, _("chest, thorax"), _("One of these words has to be there; empty fits all"), change)
        unwanted = _field(rule.not_words, _("scout"), _("None of these words may be there"), change)
        self.boxes[model_id], self.fields[model_id] = box, (wanted, unwanted)
        for column, widget in enumerate((holder, wanted, unwanted)):
            self.table.setCellWidget(number, column, widget)

    def _on_switch(self, on: bool) -> None:
        run_on_open(self._workspace, on=on)

    def _keep(self) -> None:
        shown = {pack.spec.id: self._rule(pack.spec.id) for pack in self._packs}
        # Rules of models that are not installed now stay.
        others = [rule for rule in run_rules(self._workspace) if rule.model not in shown]
        worth = [rule for rule in shown.values() if rule.on or rule.words or rule.not_words]
        if (rules := (*worth, *others)) != run_rules(self._workspace):
            use_run_rules(self._workspace, rules)

    def _rule(self, model_id: str) -> RunRule:
        wanted, unwanted = (_words_in(field.text()) for field in self.fields[model_id])
        return RunRule(model_id, wanted, unwanted, self.boxes[model_id].isChecked())


def _by_id(workspace: Workspace) -> list[ModelPack]:
    """Return the newest version of each model that can run with nobody at the screen."""
    packs: dict[str, ModelPack] = {}
    for pack in workspace.services.registry.list():
        if pack.available and pack.spec.task is not Task.INTERACTIVE:
            packs.setdefault(pack.spec.id, pack)
    return list(packs.values())


def _field(held: tuple[str, ...], example: str, tip: str, change: Callable[[], object]) -> QLineEdit:
    field = QLineEdit(", ".join(held))
    field.setPlaceholderText(example)
    field.setToolTip(tip)
    field.editingFinished.connect(change)
    return field


def _words_in(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split(",") if (word := part.strip()))
