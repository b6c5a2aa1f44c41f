"""The right column: parts that belong to the mode, one under the other."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.panels.check import CheckPanel
from medview.gui.panels.drawn import DrawnPanel
from medview.gui.panels.effects import EffectsPanel
from medview.gui.panels.form import FormPanel
from medview.gui.panels.fusion import FusionPanel
from medview.gui.panels.heat import HeatPanel
from medview.gui.panels.histogram import HistogramPanel
from medview.gui.panels.history import HistoryPanel
from medview.gui.panels.key_images import KeyImagesPanel
from medview.gui.panels.measurements import MeasurementsPanel
from medview.gui.panels.models import ModelsPanel
from medview.gui.panels.next_cases import NextCasesPanel
from medview.gui.panels.planes import PlanesPanel
from medview.gui.panels.proposals import ProposalsPanel
from medview.gui.panels.queue import QueuePanel
from medview.gui.panels.review import ReviewPanel
from medview.gui.panels.segments import SegmentsPanel
from medview.gui.panels.tools import ToolsPanel
from medview.gui.panels.training import TrainingPanel
from medview.gui.panels.window import WindowPanel
from medview.gui.parts.bind import Subscriptions, follow
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.section import Section
from medview.gui.parts.theme_tokens import GRID_PX
from medview.gui.segments.lesion_table import LesionTable
from medview.workspace.effect_state import EffectState
from medview.workspace.scheme import Scheme
from medview.workspace.view_state import Mode
from medview.workspace.workspace import Workspace


class SideColumn(QScrollArea):
    """Scrolls when the parts do not fit; never sideways."""

    def __init__(self, workspace: Workspace, actions: QtActions, scheme: Scheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.window_part = WindowPanel(workspace, scheme)
        self.histogram = HistogramPanel(workspace)
        self.tools = ToolsPanel(workspace, actions)
        self.effects = EffectsPanel(workspace, actions)
        self.segments = SegmentsPanel(workspace, actions)
        self.lesions = LesionTable(workspace, self.segments.watch)
        self.drawn = DrawnPanel(workspace, actions)
        self.proposals = ProposalsPanel(workspace, actions)
        self.models = ModelsPanel(workspace)
        self.queue = QueuePanel(workspace)
        self.next_cases = NextCasesPanel(workspace)
        self.training = TrainingPanel(workspace, actions)
        self.check = CheckPanel(workspace)
        self.planes = PlanesPanel(workspace, actions)
        self.measurements = MeasurementsPanel(workspace, actions)
        self.fusion = FusionPanel(workspace, actions)
        self.heat = HeatPanel(workspace, actions)
        self.key_images = KeyImagesPanel(workspace, actions)
        self.form = FormPanel(workspace, actions)
        self.review = ReviewPanel(workspace, actions)
        self.history = HistoryPanel(workspace)
        self.sections = {
            "window": Section(_("Window"), _stacked(self.window_part, self.histogram)),
            "review": Section(_("Readings and review"), self.review),
            "form": Section(_("Form"), self.form),
            "measurements": Section(_("Measure"), self.measurements),
            "key images": Section(_("Key images"), self.key_images),
            "tools": Section(_("Tools"), self.tools),
            "segments": Section(_("Segments"), self.segments),
            "proposals": Section(_("Proposals"), self.proposals),
            "heat": Section(_("Heat map"), self.heat),
            "effects": Section(_("Effects"), self.effects),
            "lesions": Section(_("Pieces of the segment"), self.lesions),
            "drawn": Section(_("Boxes and marks"), self.drawn),
            "history": Section(_("History"), self.history),
            "training": Section(_("Training"), self.training),
            "queue": Section(_("Queue of models"), self.queue),
            "next": Section(_("What to label next"), self.next_cases),
            "models": Section(_("Models"), self.models),
            "fusion": Section(_("Fusion"), self.fusion),
            "planes": Section(_("Slab and cine"), self.planes),
            "check": Section(_("Check"), self.check),
        }
        for folded in ("fusion", "planes", "next"):
            self.sections[folded].set_open(open_=False)
        inside = QFrame()
        inside.setProperty("role", "panel")
        column = self._column = QVBoxLayout(inside)
        column.setContentsMargins(0, GRID_PX, 0, GRID_PX)
        column.setSpacing(GRID_PX)
        for section in self.sections.values():
            column.addWidget(section)
        column.addStretch(1)
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        follow(self, workspace.bench, "mode", self._arrange)
        self._effect_id, self._effect_grows = "", False
        follow(self, workspace.bench, "effect", self._on_effect)
        self.proposals.count_changed.connect(self._hide_empty)
        self.proposals.difference.grew.connect(self._show_difference)
        self.key_images.count_changed.connect(self._hide_empty)
        self.drawn.wanted_changed.connect(self._hide_empty)
        self.queue.count_changed.connect(self._hide_empty)
        self.next_cases.wanted_changed.connect(self._hide_empty)
        self.training.wanted_changed.connect(self._hide_empty)
        self.heat.wanted_changed.connect(self._hide_empty)
        self.form.wanted_changed.connect(self._hide_empty)
        self.review.wanted_changed.connect(self._hide_empty)
        self.review.field_wanted.connect(self._show_comment)
        self.form.row_wanted.connect(self._show_question)
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self._hide_empty)
        heard.add(workspace.next_cases.revealed, self._show_next)
        self._hide_empty()

    def show_part(self, name: str) -> None:
        """Unfold a part, and the panels where they are folded away, and scroll to it."""
        self._workspace.bench.panels_visible = True
        section = self.sections[name]
        section.setVisible(True)
        section.set_open(open_=True)
        self._column.activate()
        self.ensureWidgetVisible(section)

    def _arrange(self, mode: Mode) -> None:
        for name, modes in _PARTS.items():
            self.sections[name].setVisible(mode in modes)
        self._hide_empty()
        # Another mode is another column: where the old one stood says nothing about it.
        self.verticalScrollBar().setValue(0)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Let its buttons act on the series that its parts show, not on that of the pane the pointer left last."""
        workspace = self._workspace
        if workspace.looked_at is not workspace.active:
            own = (
                cell.pane_id
                for cell in workspace.bench.layout.slices
                if workspace.case_in(cell.pane_id) is workspace.active
            )
            workspace.bench.pointed = next(own, workspace.bench.pointed)
        super().enterEvent(event)

    def _on_effect(self, state: EffectState) -> None:
        """Scroll to an effect that was opened by key or search."""
        if state.effect_id != self._effect_id:
            self._effect_id, self._effect_grows = state.effect_id, bool(state.effect_id)
        elif not self._effect_grows or state.candidate is None:
            return
        else:
            # What it comes to makes the part longer, once.
            self._effect_grows = False
        if state.effect_id and self.isVisible():
            self._column.activate()
            self.show_part("effects")

    def _show_difference(self) -> None:
        """Scroll to a comparison that was opened by key or search."""
        if self.isVisible():
            self.sections["proposals"].set_open(open_=True)
            self._column.activate()
            self.ensureWidgetVisible(self.proposals.difference)

    def _show_next(self) -> None:
        """Scroll to what to label next."""
        self.show_part("next")
        self._column.activate()
        self.ensureWidgetVisible(self.next_cases)

    def _show_question(self, row: QWidget) -> None:
        """Scroll to a question that hands went to by key or search."""
        self._workspace.bench.panels_visible = True
        self.sections["form"].set_open(open_=True)
        self._column.activate()
        self.ensureWidgetVisible(row)

    def _show_comment(self) -> None:
        """Scroll to where it is said why labels are sent back."""
        self.show_part("review")
        self.review.comment.setFocus()

    def _hide_empty(self, *_values: object) -> None:
        # A part that can only say "none" takes no room.
        self.sections["proposals"].setVisible(bool(self.proposals.cards))
        self.sections["key images"].setVisible(self.key_images.count > 0)
        self.sections["drawn"].setVisible(self.drawn.wanted)
        self.sections["queue"].setVisible(self.queue.count > 0)
        self.sections["next"].setVisible(self.next_cases.wanted and self._workspace.bench.mode is Mode.ANNOTATE)
        self.sections["training"].setVisible(self.training.wanted)
        self.sections["heat"].setVisible(self.heat.wanted)
        self.sections["form"].setVisible(self.form.wanted)
        self.sections["review"].setVisible(self.review.wanted)


def _stacked(*parts: QWidget) -> QWidget:
    together = QWidget()
    column = QVBoxLayout(together)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(GRID_PX)
    for part in parts:
        column.addWidget(part)
    return together


_PARTS: dict[str, tuple[Mode, ...]] = {
    "window": (Mode.READ,),
    "measurements": (Mode.READ,),
    "tools": (Mode.ANNOTATE,),
    "segments": (Mode.ANNOTATE,),
    "lesions": (Mode.ANNOTATE,),
    "effects": (Mode.ANNOTATE,),
    "models": (Mode.READ, Mode.ANNOTATE),
    "planes": (Mode.READ,),
    "fusion": (Mode.READ,),
    "check": (Mode.READ,),
    "history": (Mode.ANNOTATE,),
}
"""Which parts stand in which mode; proposals, the heat map, key images, boxes and marks stand wherever there are some."""
