"""Settings of the tools for boxes, points and lines: what the next one is called, how deep a 3-D box is."""

from __future__ import annotations

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtWidgets import QCompleter, QLineEdit, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.bind import Subscriptions, bind, field_signal, follow
from medview.gui.parts.controls import number_box, row_of, words
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.steady import SteadyComboBox
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.drawn import label_choices
from medview.workspace.events import LabelsChanged
from medview.workspace.new_drawn import MAX_DEPTH, MIN_DEPTH
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace


class MarkOptions(QWidget):
    """A field for the label, and for the tool that needs it one for the depth."""

    def __init__(self, workspace: Workspace, _actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, bench = workspace, workspace.bench
        self.label = QLineEdit()
        self.label.setPlaceholderText(_("As the active segment"))
        self.label.setToolTip(_("What the next box, point or line is called; left empty, as the active segment"))
        self.label.setAccessibleName(self.label.toolTip())
        self.label.setClearButtonEnabled(True)
        bind(self.label, bench, "mark_label", from_widget=lambda text: " ".join(text.split()))
        self._labels = QStringListModel(self)
        completer = QCompleter(self._labels, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.label.setCompleter(completer)
        self.box_depth = number_box(
            MIN_DEPTH, MAX_DEPTH, _("How deep a new 3-D box is; pull it on the other planes afterwards")
        )
        self.box_depth.setDecimals(1)
        bind(self.box_depth, bench, "box_depth")
        self.unit = SteadyComboBox()
        self.unit.addItem("mm", userData=False)
        self.unit.addItem(_("slices"), userData=True)
        self.unit.setToolTip(_("Whether the depth is in millimetres or in slices"))
        self.unit.setAccessibleName(self.unit.toolTip())
        bind(self.unit, bench, "box_depth_in_slices")
        self.deep = QWidget()
        deep = row_of(words(_("Depth"), "quiet"), self.box_depth, self.unit)
        deep.setContentsMargins(0, 0, 0, 0)
        self.deep.setLayout(deep)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX)
        layout.addLayout(row_of(words(_("Label"), "quiet"), self.label))
        layout.addWidget(self.deep)
        follow(self, bench, "tool", self._on_tool)
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self._offer)
        heard.add(workspace.labels_changed, self._on_labels)
        heard.add(field_signal(bench, "mark_label"), self._offer)
        self._offer()

    def _on_tool(self, tool: Tool) -> None:
        self.deep.setVisible(tool is Tool.BOX_3D)

    def _on_labels(self, event: LabelsChanged) -> None:
        if not event.only_voxels:
            self._offer()

    def _offer(self, *_values: object) -> None:
        case = self._workspace.active
        names = label_choices(case) if case is not None else []
        if names != self._labels.stringList():
            self._labels.setStringList(names)
