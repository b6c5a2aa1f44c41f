"""Changing labels and measurements: undo, proposals, segments."""

from __future__ import annotations

from functools import partial

from medview.core.language import _, in_language
from medview.core.measurement import Measurement
from medview.workspace import drawn, measuring
from medview.workspace.action import Action, Run, can_change
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.places import go_back_and_forth
from medview.workspace.segment_order import as_listed
from medview.workspace.workspace import Workspace


def _can_undo(workspace: Workspace) -> bool:
    case = workspace.active
    return case is not None and (_pours(case) or (case.editable and case.history.next_undo() is not None))


def _can_redo(workspace: Workspace) -> bool:
    case = workspace.active
    return case is not None and (_pours(case) or (case.editable and case.history.next_redo() is not None))


def _pours(case: OpenCase) -> bool:
    """Whether a large change is being carried out: what is asked for meanwhile is done right after it, not lost."""
    return case.pouring is not None and not case.read_only


def _has_proposal(workspace: Workspace) -> bool:
    return can_change(workspace) and workspace.active is not None and bool(workspace.active.labels.proposals)


def _has_segment(workspace: Workspace) -> bool:
    return workspace.active is not None and bool(workspace.active.labels.segmentation.segments)


def _undo(workspace: Workspace) -> None:
    if workspace.active and _pours(workspace.active):
        workspace.active.after_gesture(partial(_undo, workspace))
    elif workspace.active and (command := go_back_and_forth(workspace, workspace.active, -1)):
        workspace.say(_("Undone: {name}").format(name=in_language(command.name)))


def _redo(workspace: Workspace) -> None:
    if workspace.active and _pours(workspace.active):
        workspace.active.after_gesture(partial(_redo, workspace))
    elif workspace.active and (command := go_back_and_forth(workspace, workspace.active, 1)):
        workspace.say(_("Done again: {name}").format(name=in_language(command.name)))


def _accept(workspace: Workspace) -> None:
    case = workspace.active
    if case is not None and case.labels.proposals:
        proposal_id = next(reversed(case.labels.proposals))
        name = case.labels.proposals[proposal_id].prediction.model_name
        labels.accept_and_say(workspace, case, proposal_id, None, _("Accepted what {name} proposed.").format(name=name))


def _reject(workspace: Workspace) -> None:
    case = workspace.active
    if case is not None and case.labels.proposals:
        proposal_id = next(reversed(case.labels.proposals))
        name = case.labels.proposals[proposal_id].prediction.model_name
        if labels.reject(case, proposal_id):
            workspace.say(_("Rejected what {name} proposed.").format(name=name), undo=True)


def _add_segment(workspace: Workspace) -> None:
    if workspace.active is not None:
        labels.add_segment(workspace.active)


def chosen_measurement(workspace: Workspace) -> Measurement | None:
    """Return the measurement that was touched last, or None."""
    case = workspace.active
    found = case.labels.annotations.get(case.view.active_annotation_id) if case is not None else None
    return found if isinstance(found, Measurement) else None


def _has_chosen(workspace: Workspace) -> bool:
    case = workspace.active
    found = case is not None and (chosen_measurement(workspace) is not None or drawn.chosen(case) is not None)
    return can_change(workspace) and found


def _delete_chosen(workspace: Workspace) -> None:
    case, chosen = workspace.active, chosen_measurement(workspace)
    if case is None:
        return
    thing = drawn.chosen(case)
    if chosen is not None and measuring.delete(case, chosen):
        workspace.say(_("Deleted {title}.").format(title=measuring.title(chosen)), undo=True)
    elif thing is not None and drawn.delete(case, [thing]):
        workspace.say(_("Deleted {title}.").format(title=drawn.title(thing)), undo=True)


def _next_segment(step: int) -> Run:
    def run(workspace: Workspace) -> None:
        case = workspace.active
        if case is None or not case.labels.segmentation.segments:
            return
        ids = [s.segment_id for s in as_listed(case.labels.segmentation.segments)]
        at = ids.index(case.view.active_segment_id) if case.view.active_segment_id in ids else -1
        case.view.active_segment_id = ids[(at + step) % len(ids)]

    return run


HISTORY_ACTIONS: tuple[Action, ...] = (
    Action("undo", _("Undo"), _undo, "mdi6.undo", _can_undo),
    Action("redo", _("Redo"), _redo, "mdi6.redo", _can_redo),
)

LABEL_ACTIONS: tuple[Action, ...] = (
    Action("measurement.delete", _("Delete the chosen measurement, box or mark"), _delete_chosen, "", _has_chosen),
    Action("proposal.accept", _("Accept the proposal"), _accept, "mdi6.check-all", _has_proposal),
    Action("proposal.reject", _("Reject the proposal"), _reject, "mdi6.close", _has_proposal),
    Action("segment.add", _("Add a segment"), _add_segment, "mdi6.plus", can_change),
    Action("segment.next", _("Next segment"), _next_segment(1), "", _has_segment),
    Action("segment.previous", _("Previous segment"), _next_segment(-1), "", _has_segment),
)
