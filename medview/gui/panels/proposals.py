"""What models propose for the open series."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from medview.core.annotations import BoxAnnotation
from medview.core.language import _
from medview.core.prediction import Prediction, Proposal
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.box_list import BoxList
from medview.gui.parts.controls import clear_layout, words
from medview.gui.parts.difference_card import DifferenceCard
from medview.gui.parts.key_tip import KeyTip
from medview.gui.parts.proposal_card import ProposalCard
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.score_view import ScoreView
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.events import LabelsChanged
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.operations.explain import can_explain, explain
from medview.workspace.operations.pieces import want_pieces
from medview.workspace.operations.probability import show_probability
from medview.workspace.review import want
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace


class ProposalsPanel(QWidget):
    """One card per live proposal, newest first."""

    count_changed = Signal(int)

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._actions = workspace, actions
        self.cards: list[ProposalCard] = []
        self._shown: tuple[object, ...] = ()
        self._column = QVBoxLayout()
        self._column.setSpacing(GRID_PX * 2)
        self.difference = DifferenceCard(workspace, actions)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        whole.setSpacing(GRID_PX * 2)
        whole.addLayout(self._column)
        whole.addWidget(self.difference)
        heard = Subscriptions(self)
        for signal in (workspace.active_changed, workspace.load_changed, workspace.history_changed):
            heard.add(signal, self.refresh)
        heard.add(workspace.labels_changed, self._on_labels)
        self.refresh()

    def refresh(self) -> None:
        """Show the proposals of the active case."""
        case = self._workspace.active
        found = list(reversed(case.labels.proposals.values())) if case else []
        stale = [labels.stale(case, p) for p in found] if case else []
        # Not whether it can be changed this very moment: a stroke going on would build every card anew.
        fixed = case is not None and (bool(case.read_only) or case.reading)
        now = (case, fixed, *found)
        if now == self._shown:
            for card, old in zip(self.cards, stale, strict=True):
                card.show_stale(old)
            return
        self._shown = now
        with_keys = next((card.proposal_id for card in self.cards if _has_keys(card)), None)
        scrolled_px = {card.proposal_id: card.rows.scrolled_px for card in self.cards if card.rows is not None}
        clear_layout(self._column)
        self.cards = []
        for proposal, old in zip(found, stale, strict=True):
            card = ProposalCard(proposal, read_only=fixed, extra=self._finds(case, proposal, fixed=fixed))
            card.show_stale(old)
            card.accepted.connect(self._accept)
            card.accepted_segment.connect(self._accept_segment)
            card.rejected.connect(self._reject)
            card.pointed_at.connect(self._go_to)
            card.brush_wanted.connect(self._take_brush)
            card.compare_wanted.connect(self._workspace.differences.open)
            card.probability_wanted.connect(self._show_probability)
            if not self.cards:
                # Keys mean the newest one.
                KeyTip(card.accept_all, card.accept_all.toolTip(), self._actions["proposal.accept"])
                KeyTip(card.reject_all, card.reject_all.toolTip(), self._actions["proposal.reject"])
            self.cards.append(card)
            self._column.addWidget(card)
        if not found:
            self._column.addWidget(words(_("No proposals. Run a model below."), "quiet"))
        self._go_on(with_keys, scrolled_px)
        self.count_changed.emit(len(found))

    def _go_on(self, with_keys: str | None, scrolled_px: Mapping[str, int]) -> None:
        """Let new cards stand where those did that they are in place of."""
        for card in self.cards:
            if card.rows is not None and scrolled_px.get(card.proposal_id):
                card.rows.scroll_to(scrolled_px[card.proposal_id])
            boxes = card.findChild(BoxList)
            if boxes is not None and card.proposal_id == with_keys:
                boxes.list.setFocus()

    def _finds(self, case: OpenCase | None, proposal: Proposal, *, fixed: bool) -> list[QWidget]:
        """Return what shows the boxes and scores of a proposal."""
        prediction, which = proposal.prediction, proposal.proposal_id
        if case is None or not (prediction.boxes or prediction.scores):
            return []
        finds: list[QWidget] = []
        explains = can_explain(self._workspace, proposal)
        if prediction.boxes:
            boxes = BoxList(case, proposal, read_only=fixed, explain=explains)
            boxes.accepted.connect(partial(self._accept_box, which))
            boxes.adjusted.connect(partial(self._adjust_box, which))
            boxes.rejected.connect(partial(self._reject_box, which))
            boxes.pointed_at.connect(partial(self._go_to, which))
            boxes.explained.connect(partial(self._explain_box, which))
            finds.append(boxes)
        if prediction.scores:
            scores = ScoreView(case, proposal, explain=explains)
            scores.explained.connect(partial(self._explain_class, which))
            finds.append(scores)
        return finds

    def _on_labels(self, event: LabelsChanged) -> None:
        case = self._workspace.active
        if case is not None and event.series_uid == case.key and (case.labels.proposals or self.cards):
            self.refresh()

    def _accept(self, proposal_id: str) -> None:
        case = self._workspace.active
        if case is not None:
            name = case.labels.proposals[proposal_id].prediction.model_name
            whole = _("Accepted what {name} proposed.").format(name=name)
            labels.accept_and_say(self._workspace, case, proposal_id, None, whole)

    def _accept_segment(self, proposal_id: str, value: int) -> None:
        case = self._workspace.active
        mask = case.labels.proposals[proposal_id].prediction.mask if case is not None else None
        if case is None or mask is None:
            return
        name = next(segment.name for segment in mask.segments if segment.value == value)
        labels.accept_and_say(self._workspace, case, proposal_id, {value}, _("Accepted {name}.").format(name=name))

    def _accept_box(self, proposal_id: str, annotation_id: str) -> None:
        case = self._workspace.active
        if case is None:
            return
        boxes = case.labels.proposals[proposal_id].prediction.boxes
        name = next(box.label for box in boxes if box.annotation_id == annotation_id)
        if labels.accept_box(case, proposal_id, annotation_id):
            self._workspace.say(_("Accepted {name}.").format(name=name), undo=True)

    def _adjust_box(self, proposal_id: str, annotation_id: str) -> None:
        case = self._workspace.active
        if case is None:
            return
        self._accept_box(proposal_id, annotation_id)
        box = case.labels.annotations.get(annotation_id)
        if isinstance(box, BoxAnnotation):
            set_tool(self._workspace, Tool.BOX_3D if box.flat_edge is None else Tool.BOX)
            case.view.active_annotation_id = annotation_id

    def _reject_box(self, proposal_id: str, annotation_id: str) -> None:
        case = self._workspace.active
        if case is None:
            return
        boxes = case.labels.proposals[proposal_id].prediction.boxes
        name = next(box.label for box in boxes if box.annotation_id == annotation_id)
        if labels.reject_box(case, proposal_id, annotation_id):
            self._workspace.say(_("Rejected {name}.").format(name=name), undo=True)

    def _explain_box(self, proposal_id: str, annotation_id: str, method: str) -> None:
        case = self._workspace.active
        proposal = None if case is None else case.labels.proposals.get(proposal_id)
        if case is None or proposal is None:
            return
        box = next((b for b in proposal.prediction.boxes if b.annotation_id == annotation_id), None)
        if box is not None:
            explain(self._workspace, case, proposal, box.label, method, box)

    def _explain_class(self, proposal_id: str, name: str, method: str) -> None:
        case = self._workspace.active
        proposal = None if case is None else case.labels.proposals.get(proposal_id)
        if case is None or proposal is None:
            return
        slices = proposal.prediction.slice_scores
        here = None if slices is None else case.view.crosshair_kji[slices.axis]
        explain(self._workspace, case, proposal, name, method, slice_index=here)

    def _reject(self, proposal_id: str) -> None:
        case = self._workspace.active
        if case is not None:
            name = case.labels.proposals[proposal_id].prediction.model_name
            if labels.reject(case, proposal_id):
                self._workspace.say(_("Rejected what {name} proposed.").format(name=name), undo=True)

    def _show_probability(self, proposal_id: str, value: int) -> None:
        show_probability(self._workspace, proposal_id, value)

    def _take_brush(self, proposal_id: str, value: int) -> None:
        want(self._workspace.bench, (proposal_id, value))
        set_tool(self._workspace, Tool.ACCEPT_BRUSH)

    def _go_to(self, proposal_id: str, what: object) -> None:
        case = self._workspace.active
        if case is None or proposal_id not in case.labels.proposals:
            return
        prediction = case.labels.proposals[proposal_id].prediction

        def go() -> None:
            index = target_kji(prediction, what)
            if index is not None and case is self._workspace.active:
                case.view.focus_kji = None
                case.view.crosshair_kji = index

        if isinstance(what, str) or prediction.mask is None:
            go()
        else:
            want_pieces(self._workspace, [prediction.mask], go)


def _has_keys(card: ProposalCard) -> bool:
    boxes = card.findChild(BoxList)
    return boxes is not None and boxes.list.hasFocus()


def target_kji(prediction: Prediction, what: object) -> tuple[int, int, int] | None:
    """Return a voxel in the middle of a predicted box (annotation id) or of the largest piece of a segment (mask value).

    None where it is empty, or where the pieces of the mask were not looked for yet.
    """
    geometry = prediction.geometry
    if isinstance(what, str):
        box = next((b for b in prediction.boxes if b.annotation_id == what), None)
        if box is None:
            return None
        low, high = box.bounds_kji(geometry)
        middle = np.clip(np.floor((low + high) / 2 + 1e-6), 0, np.asarray(geometry.shape_kji) - 1)
        return int(middle[0]), int(middle[1]), int(middle[2])
    mask = prediction.mask
    pieces = () if mask is None else mask.pieces or ()
    return next((piece.centre_kji for piece in pieces if piece.value == what), None)
