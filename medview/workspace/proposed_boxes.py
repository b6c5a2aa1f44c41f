"""Boxes that models propose, under the hand: a click chooses one, and who pulls at one takes it over as it becomes."""

from __future__ import annotations

from dataclasses import replace

from medview.core.annotations import BoxAnnotation, Drawn
from medview.core.box_cut import boxes_near
from medview.core.prediction import Proposal
from medview.workspace.accepting import shown_boxes
from medview.workspace.handles import Handle, handle_under, smallest_around
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer


def all_shown(case: OpenCase) -> list[BoxAnnotation]:
    """Return the proposed boxes that are shown, of all models; the chosen one first."""
    found = [box for proposal in case.labels.proposals.values() for box in shown_boxes(case, proposal)]
    return sorted(found, key=lambda box: box.annotation_id != case.view.proposed_box_id)


def held_proposed(case: OpenCase, pointer: Pointer) -> tuple[Drawn, Handle] | None:
    """Return the proposed box that has a handle under the pointer, and the handle; None where there is none."""
    geometry = case.volume.geometry
    shown = all_shown(case)
    here = {box.annotation_id for box in boxes_near(shown, pointer.plane, geometry, pointer.slice_index)}
    return handle_under([box for box in shown if box.annotation_id in here], pointer, geometry)


def choose_around(case: OpenCase, pointer: Pointer) -> bool:
    """Choose the smallest proposed box that the pointer is inside of; False where it is inside of none."""
    found = smallest_around(all_shown(case), pointer, case.volume.geometry)
    if found is not None:
        case.view.proposed_box_id = found.annotation_id
    return found is not None


def proposal_with(case: OpenCase, annotation_id: str) -> Proposal | None:
    """Return the proposal that a box is still a part of."""
    proposals = case.labels.proposals.values()
    return next((p for p in proposals if any(b.annotation_id == annotation_id for b in p.prediction.boxes)), None)


def without_box(proposal: Proposal, annotation_id: str) -> Proposal | None:
    """Return what is left of a proposal without one of its boxes; None where nothing is."""
    prediction = proposal.prediction
    left = tuple(box for box in prediction.boxes if box.annotation_id != annotation_id)
    rest = replace(proposal, prediction=replace(prediction, boxes=left))
    return None if rest.empty else rest
