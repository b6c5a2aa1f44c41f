"""Looking at the labels of other readers, reviewing them and agreeing on a consensus, by key, menu and search."""

from __future__ import annotations

from medview.core.language import _
from medview.core.reading_status import Role
from medview.workspace.action import Action, Run
from medview.workspace.workspace import Workspace


def _several(workspace: Workspace) -> bool:
    return workspace.reviewing.wanted


def _others_shown(workspace: Workspace) -> bool:
    shown, state = workspace.reviewing.shown, workspace.reviewing.state
    return shown is not None and state is not None and shown.reading_id != state.own and shown.role is Role.READER


def _approvable(workspace: Workspace) -> bool:
    shown = workspace.reviewing.shown
    return _others_shown(workspace) or (shown is not None and shown.role is not Role.READER)


def _not_own(workspace: Workspace) -> bool:
    shown, state = workspace.reviewing.shown, workspace.reviewing.state
    return shown is not None and state is not None and bool(state.own) and shown.reading_id != state.own


def _agreeing(workspace: Workspace) -> bool:
    shown = workspace.reviewing.shown
    return shown is not None and shown.role is Role.CONSENSUS


def _own(workspace: Workspace) -> None:
    state = workspace.reviewing.state
    if state is not None:
        workspace.reviewing.look_at(state.own)


def _next(workspace: Workspace) -> None:
    workspace.reviewing.look_at_next()


def _edit(workspace: Workspace) -> None:
    workspace.reviewing.edit()


def _approve(workspace: Workspace) -> None:
    workspace.reviewing.approve()


def _send_back(workspace: Workspace) -> None:
    workspace.bench.panels_visible = True
    workspace.reviewing.comment_wanted.emit()


def _adjudicate(workspace: Workspace) -> None:
    workspace.reviewing.adjudicate()


def _side_by_side(workspace: Workspace) -> None:
    workspace.reviewing.side_by_side()


def _propose(method: str) -> Run:
    def run(workspace: Workspace) -> None:
        workspace.reviewing.propose(method)

    return run


REVIEWER_ACTIONS: tuple[Action, ...] = (
    Action("review.next", _("Look at the labels of the next reader"), _next, "mdi6.account-switch-outline", _several),
    Action("review.own", _("Back to your own labels"), _own, "mdi6.account-outline", _not_own),
    Action("review.side_by_side", _("Readers side by side"), _side_by_side, "mdi6.view-split-vertical", _several),
    Action("review.approve", _("Approve the labels shown"), _approve, "mdi6.check-decagram-outline", _approvable),
    Action("review.send_back", _("Send the labels shown back"), _send_back, "mdi6.undo-variant", _others_shown),
    Action("review.edit", _("Edit the labels shown as a reviewer"), _edit, "mdi6.account-edit-outline", _others_shown),
    Action("review.consensus", _("Open the consensus of the readers"), _adjudicate, "mdi6.scale-balance", _several),
    Action("review.majority", _("Propose what most readers drew"), _propose("majority"), "mdi6.vote-outline", _agreeing),
    Action("review.staple", _("Propose STAPLE of the readers"), _propose("staple"), "mdi6.sigma", _agreeing),
)
"""In the order menus and search show them."""
