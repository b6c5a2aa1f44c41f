"""Settings of the tools that take over what models propose: which class, and how strictly."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from medview.core.changes import ProposalChange
from medview.core.language import _
from medview.gui.options.brush import BrushOptions
from medview.gui.parts.bind import Subscriptions, follow
from medview.gui.parts.controls import row_of, swatch, words
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.steady import SteadyComboBox
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.events import LabelsChanged
from medview.workspace.review import set_exactly, want
from medview.workspace.review_state import Class, Review
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace

_SWATCH_PX = 12


class AcceptOptions(QWidget):
    """A list of the proposed classes, a box for strictness and, for the brush, its size."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        bench = workspace.bench
        self._classes: list[Class | None] = []
        self.brush = BrushOptions(workspace, actions)
        self.wanted = SteadyComboBox()
        self.wanted.setToolTip(_("What is taken over of the proposals"))
        self.wanted.setIconSize(QSize(_SWATCH_PX, _SWATCH_PX))
        self.wanted.activated.connect(lambda row: want(bench, self._classes[row]))
        self.exactly = QCheckBox(_("Exactly as proposed"))
        self.exactly.setToolTip(_("A stroke also takes away what the segment has more than the proposal"))
        self.exactly.toggled.connect(lambda on: set_exactly(bench, exactly=on))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX)
        layout.addWidget(self.brush)
        layout.addLayout(row_of(words(_("Takes"), "quiet"), self.wanted))
        layout.addWidget(self.exactly)
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self._refresh)
        heard.add(workspace.labels_changed, self._on_labels)
        follow(self, bench, "review", self._show_review)
        follow(self, bench, "tool", self._show_tool)

    def _show_tool(self, tool: Tool) -> None:
        self.brush.setVisible(tool is Tool.ACCEPT_BRUSH)
        self.exactly.setVisible(tool is Tool.ACCEPT_BRUSH)

    def _show_review(self, review: Review) -> None:
        blocker = QSignalBlocker(self.exactly)
        self.exactly.setChecked(review.exactly)
        blocker.unblock()
        self._refresh()

    def _on_labels(self, event: LabelsChanged) -> None:
        if any(isinstance(change, ProposalChange) for change in event.changes):
            self._refresh()

    def _refresh(self) -> None:
        case, wanted = self._workspace.active, self._workspace.bench.review.wanted
        proposals = list(reversed(case.labels.proposals.values())) if case is not None else []
        self.wanted.clear()
        self._classes = [None]
        self.wanted.addItem(_("Every proposed segment"))
        for proposal in proposals:
            mask = proposal.prediction.mask
            for segment in mask.segments if mask is not None else ():
                self._classes.append((proposal.proposal_id, segment.value))
                text = f"{segment.name}, {proposal.prediction.model_name}" if len(proposals) > 1 else segment.name
                self.wanted.addItem(swatch(segment.colour, _SWATCH_PX), text)
        self.wanted.setCurrentIndex(self._classes.index(wanted) if wanted in self._classes else 0)
