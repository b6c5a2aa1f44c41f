"""Actions on what models propose: comparing it with what is drawn, and going through where both differ."""

from __future__ import annotations

from medview.core.language import _
from medview.workspace.action import Action, Run
from medview.workspace.review import in_hand, of_segment
from medview.workspace.workspace import Workspace


def _proposed(workspace: Workspace) -> bool:
    return workspace.active is not None and in_hand(workspace.active, workspace.bench) is not None


def _compare(workspace: Workspace) -> None:
    case = workspace.active
    if case is None or workspace.differences.close():
        return
    found = in_hand(case, workspace.bench)
    if found is not None:
        proposal, _mask, wanted = found
        predicted = of_segment(case, workspace.bench, proposal, wanted) or wanted[0]
        workspace.differences.open(proposal.proposal_id, predicted.value)


def _compared(workspace: Workspace) -> bool:
    return workspace.bench.review.difference.found is not None


def _go(step: int) -> Run:
    def run(workspace: Workspace) -> None:
        workspace.differences.go(step)

    return run


REVIEW_ACTIONS: tuple[Action, ...] = (
    Action("proposal.compare", _("Compare the proposal with the segment"), _compare, "mdi6.vector-difference", _proposed),
    Action("difference.next", _("Next smaller difference"), _go(1), "", _compared),
    Action("difference.previous", _("Next larger difference"), _go(-1), "", _compared),
)
"""In the order menus and search show them."""
