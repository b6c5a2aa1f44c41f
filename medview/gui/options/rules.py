"""The rules that hold for every tool, in three lines: where, on which values, and what becomes of other segments."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from medview.core.language import _
from medview.edit.rules import Area, EditRules, Overlap
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import action_button, set_role, words
from medview.gui.parts.icons import icon
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.range_fields import RangeFields
from medview.gui.parts.steady import SteadyComboBox
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.brush_range import brush_range
from medview.workspace.events import LabelsChanged
from medview.workspace.rule_actions import toggle_values
from medview.workspace.rule_words import rules_in_force
from medview.workspace.workspace import Workspace

_AREAS = {Area.EVERYWHERE: _("everywhere"), Area.INSIDE: _("inside"), Area.OUTSIDE: _("outside")}
_OVERLAPS = {Overlap.REPLACE: _("give way"), Overlap.KEEP: _("stay as they are"), Overlap.ALLOW: _("may overlap")}
_NARROW = 3
"""Letters a box of choices may shrink to; long names are cut, not the column widened."""


class RulesOptions(QWidget):
    """Shows the rules of the bench and changes them; folded to one line that says what is on."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._body = QWidget()
        self.title = QToolButton()
        self.title.setObjectName("rules")
        self.title.setProperty("role", "flat")
        self.title.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.title.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.title.clicked.connect(lambda: self.set_open(open_=self._body.isHidden()))
        self.none = action_button(actions["rules.none"])
        self.none.setObjectName("button rules.none")
        self.area = _choices(_("Where labels may be changed, with every tool"))
        for area, text in _AREAS.items():
            self.area.addItem(text, area)
        self.of_segment = _choices(_("The segment inside or outside of which labels may be changed"))
        self.values_on = QCheckBox(_("Values"))
        self.values_on.setToolTip(_("Only voxels in a range of values may be changed, with every tool"))
        self.values = RangeFields(_("Only values from here to there may be changed"))
        self.overlap = _choices(_("What becomes of other segments where one is drawn; locked ones always stay"))
        for overlap, text in _OVERLAPS.items():
            self.overlap.addItem(text, overlap)
        self._arrange()
        self.area.activated.connect(self._on_area)
        self.of_segment.activated.connect(self._on_area)
        self.values_on.clicked.connect(lambda: toggle_values(workspace))
        self.values.range_wanted.connect(self._on_values)
        self.overlap.activated.connect(self._on_overlap)
        heard = Subscriptions(self)
        heard.add(field_signal(workspace.bench, "rules"), self._refresh)
        heard.add(field_signal(workspace.bench, "brush_ranges"), self._refresh)
        heard.add(workspace.active_changed, self._refresh)
        heard.add(workspace.labels_changed, self._on_labels)
        self._refresh()

    def _arrange(self) -> None:
        heading = QHBoxLayout()
        heading.addWidget(self.title, 1)
        heading.addWidget(self.none)
        grid = QGridLayout(self._body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GRID_PX)
        grid.setColumnStretch(1, 1)
        grid.addWidget(words(_("Area"), "quiet"), 0, 0)
        where = QHBoxLayout()
        where.setSpacing(GRID_PX)
        where.addWidget(self.area, 1)
        where.addWidget(self.of_segment, 1)
        grid.addLayout(where, 0, 1)
        grid.addWidget(self.values_on, 1, 0)
        grid.addWidget(self.values, 1, 1)
        grid.addWidget(words(_("Others"), "quiet"), 2, 0)
        grid.addWidget(self.overlap, 2, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX)
        layout.addLayout(heading)
        layout.addWidget(self._body)
        self.set_open(open_=False)

    def set_open(self, *, open_: bool) -> None:
        """Unfold or fold."""
        self._body.setVisible(open_)
        self.title.setIcon(icon("mdi6.chevron-down" if open_ else "mdi6.chevron-right"))

    def _on_labels(self, event: LabelsChanged) -> None:
        if not event.only_voxels:
            self._refresh()

    def _refresh(self, *_values: object) -> None:
        rules, case = self._workspace.bench.rules, self._workspace.active
        on = rules != EditRules()
        set_role(self.title, "flat-warning" if on else "flat")
        told = rules_in_force(rules, case.anchor.volume) if case is not None else []
        self.title.setText(_("Rules: {rules}").format(rules=" \u00b7 ".join(told)) if told else _("Rules: none"))
        self.title.setToolTip(
            _("What may be changed, with every tool: {rules}").format(rules=", ".join(told) or _("everything but locks"))
        )
        _show(self.area, rules.area)
        self._list_segments(rules)
        self.of_segment.setVisible(rules.area is not Area.EVERYWHERE)
        self.values_on.setChecked(rules.value_range is not None)
        self.values.setVisible(rules.value_range is not None)
        grey = case is not None and not case.anchor.volume.colour
        self.values_on.setEnabled(grey)
        self.values.setEnabled(grey)
        if case is not None and grey:
            ends = rules.value_range or brush_range(self._workspace.bench, case)
            self.values.show_range(case.anchor.volume, *ends)
        _show(self.overlap, rules.overlap)

    def _list_segments(self, rules: EditRules) -> None:
        case = self._workspace.active
        names = [s.name for s in case.labels.segmentation.segments] if case is not None else []
        if rules.area_segment and rules.area_segment not in names:
            # Rules hold from case to case; this one may not have the segment.
            names.append(rules.area_segment)
        if [self.of_segment.itemData(n) for n in range(1, self.of_segment.count())] != names:
            blocker = QSignalBlocker(self.of_segment)
            self.of_segment.clear()
            self.of_segment.addItem(_("all others"), "")
            for name in names:
                self.of_segment.addItem(name, name)
            blocker.unblock()
        _show(self.of_segment, rules.area_segment)

    def _on_area(self, _number: int) -> None:
        area = self.area.currentData()
        name = "" if area is Area.EVERYWHERE else self.of_segment.currentData() or ""
        self._workspace.bench.rules = replace(self._workspace.bench.rules, area=area, area_segment=name)

    def _on_values(self, low: float, high: float) -> None:
        self._workspace.bench.rules = replace(self._workspace.bench.rules, value_range=(low, high))

    def _on_overlap(self, _number: int) -> None:
        self._workspace.bench.rules = replace(self._workspace.bench.rules, overlap=self.overlap.currentData())


def _choices(tip: str) -> QComboBox:
    box = SteadyComboBox()
    box.setToolTip(tip)
    box.setMinimumContentsLength(_NARROW)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return box


def _show(box: QComboBox, value: object) -> None:
    blocker = QSignalBlocker(box)
    # findData compares what Qt made of the values, and finds no enumeration.
    box.setCurrentIndex(next((n for n in range(box.count()) if box.itemData(n) == value), 0))
    blocker.unblock()
