"""The rules by which series are hung: a person's own, which can be changed, above those MedView came with."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QHBoxLayout, QTableWidget, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.controls import icon_button, text_button, words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.hanging import PLANES_OF_GRID, PLANES_OF_PATIENT, HangingRule, own_rules, shipped_rules, use_rules
from medview.workspace.layout import LAYOUTS
from medview.workspace.workspace import Workspace

_COLUMNS = (_("Series"), _("Layout"), _("Planes"), _("Earlier study beside"), "")
_EXPLAINED = _(
    "The first rule that fits decides how a series is hung when it is opened. Grey "
    "rules come with MedView and stay; a rule of your own goes before them."
)
_PLANES = {PLANES_OF_GRID: _("Along the slices"), PLANES_OF_PATIENT: _("Of the patient")}


class HangingDialog(QDialog):
    """A table, the first rule that fits a series counts; changes hold from the next series that is opened."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("Hanging rules"))
        self._workspace = workspace
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.setHorizontalHeaderLabels(list(_COLUMNS))
        self.table.verticalHeader().hide()
        self.table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.add = text_button(_("Add one like the open series"), _("Takes its modality and the present layout"))
        self.add.clicked.connect(self._add)
        self.add.setEnabled(workspace.active is not None)
        close = text_button(_("Close"), _("Close this window"), role="primary")
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addWidget(self.add)
        row.addStretch(1)
        row.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 3)
        layout.addWidget(words(_EXPLAINED, "quiet"))
        layout.addWidget(self.table, 1)
        layout.addLayout(row)
        self.resize(760, 420)
        self._fill()

    def _fill(self) -> None:
        own = own_rules(self._workspace)
        self.table.setRowCount(0)
        for number, rule in enumerate((*own, *shipped_rules())):
            self.table.insertRow(number)
            self._fill_row(number, rule, mine=number < len(own))
        self.table.resizeColumnsToContents()
        self.table.horizontalHeader().setStretchLastSection(True)

    def _fill_row(self, number: int, rule: HangingRule, *, mine: bool) -> None:
        layouts = _choice(_("How the centre is divided for such series"))
        for layout_id in (*LAYOUTS, *(() if rule.layout in LAYOUTS else (rule.layout,))):
            layouts.addItem(LAYOUTS.get(layout_id, _("{layout_id} panes").format(layout_id=layout_id)), layout_id)
        layouts.setCurrentIndex(layouts.findData(rule.layout))
        layouts.currentIndexChanged.connect(partial(self._set_layout, number, layouts))
        planes = _choice(_("Which way the planes look: along the slices as acquired, or straight through the patient"))
        for key, title in _PLANES.items():
            planes.addItem(title, key)
        planes.setCurrentIndex(planes.findData(rule.planes))
        planes.currentIndexChanged.connect(partial(self._set_planes, number, planes))
        prior = QCheckBox()
        prior.setChecked(rule.prior)
        prior.setToolTip(_("Hang the earlier study of the patient beside it, where there is one"))
        prior.toggled.connect(partial(self._set_prior, number))
        remove = icon_button("mdi6.close", _("Remove this rule"))
        remove.clicked.connect(partial(self._remove, number))
        fits = words(rule_text(rule), "" if mine else "quiet")
        for column, widget in enumerate((fits, layouts, planes, prior, remove)):
            widget.setEnabled(mine)
            self.table.setCellWidget(number, column, widget)

    def _set_layout(self, number: int, box: QComboBox, _index: int) -> None:
        self._put(number, replace(self._own(number), layout=str(box.currentData()), panes=()))

    def _set_planes(self, number: int, box: QComboBox, _index: int) -> None:
        self._put(number, replace(self._own(number), planes=str(box.currentData())))

    def _set_prior(self, number: int, on: bool) -> None:
        self._put(number, replace(self._own(number), prior=on))

    def _own(self, number: int) -> HangingRule:
        return own_rules(self._workspace)[number]

    def _put(self, number: int, rule: HangingRule) -> None:
        own = list(own_rules(self._workspace))
        own[number] = rule
        use_rules(self._workspace, own)

    def _remove(self, number: int, _checked: bool = False) -> None:
        own = own_rules(self._workspace)
        use_rules(self._workspace, [*own[:number], *own[number + 1 :]])
        self._fill()

    def _add(self, _checked: bool = False) -> None:
        case = self._workspace.active
        if case is not None:
            layout = self._workspace.bench.layout
            rule = HangingRule(layout.spelt, (case.series.modality,), case.entry.verdict.value)
            use_rules(self._workspace, [rule, *own_rules(self._workspace)])
            self._fill()


def rule_text(rule: HangingRule) -> str:
    """Return which series a rule is for, in words."""
    kinds = ", ".join(rule.modality) or _("All series")
    parts = [kinds]
    if rule.verdict:
        parts.append({"volume": "volumes", "stack": "stacks"}.get(rule.verdict, rule.verdict))
    if rule.most_slices:
        parts.append(
            _("single pictures")
            if rule.most_slices == 1
            else _("up to {most_slices} slices").format(most_slices=rule.most_slices)
        )
    return "; ".join(parts)


def _choice(tip: str) -> QComboBox:
    box = QComboBox()
    box.setToolTip(tip)
    # In a table the width of the column is taken from the box, and that of the box from its longest entry.
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return box
