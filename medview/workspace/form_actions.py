"""Forms by key, menu and search."""

from __future__ import annotations

from medview.core.language import _
from medview.workspace.action import Action
from medview.workspace.answering import go_to_missing
from medview.workspace.workspace import Workspace


def _answer(workspace: Workspace) -> None:
    workspace.forms.wanted.emit("", "")


def _next_missing(workspace: Workspace) -> None:
    go_to_missing(workspace)


def _is_asked(workspace: Workspace) -> bool:
    case = workspace.active
    return case is not None and next(workspace.forms.asked_of(case), None) is not None


def _agree(workspace: Workspace) -> None:
    if workspace.active is not None:
        workspace.forms.readers.take_agreed(workspace.active)


def _can_agree(workspace: Workspace) -> bool:
    case = workspace.active
    return case is not None and case.editable and bool(workspace.forms.readers.agreed(case))


FORM_ACTIONS: tuple[Action, ...] = (
    Action("form.answer", _("Answer the form"), _answer, "mdi6.form-select", _is_asked),
    Action("form.agree", _("Take over what all readers answered alike"), _agree, "mdi6.check-all", _can_agree),
    Action("form.next_missing", _("Next question without an answer"), _next_missing, "mdi6.arrow-right", _is_asked),
)
"""In the order menus and search show them."""
