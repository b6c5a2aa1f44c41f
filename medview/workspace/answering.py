"""Answers to questions of forms: given, changed, taken back; from one that is missing to the next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from medview.core.answer import Value, answer_to, wrong
from medview.core.changes import AnswerChange, Command
from medview.core.language import _
from medview.workspace.asked import Asked, missing_now
from medview.workspace.form_targets import look_at

if TYPE_CHECKING:
    # The workspace itself holds what asks here.
    from medview.workspace.workspace import Workspace

TOOL = "form"
"""What the record calls the tool."""


def give(workspace: Workspace, asked: Asked, value: Value | None) -> bool:
    """Answer a question, or take its answer back (None); False when nothing changes.

    Raises
    ------
    ValueError
        When the value is none that the question takes.
    """
    case = workspace.cases.get(asked.case_key)
    if case is None:
        return False
    before = case.labels.answers.get((asked.target.key, asked.question.uid))
    words = asked.question.text
    if value is None:
        return before is not None and case.do(Command(f"Take back: {words}", (AnswerChange(before, None),), TOOL))
    project = workspace.services.project
    reader = "" if project is None else project.reader
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    after = answer_to(asked.form, asked.question, asked.target, value, reader, now)
    same = before is not None and (before.value, before.unit, before.question) == (after.value, after.unit, after.question)
    return not same and case.do(Command(f"Answer: {words}", (AnswerChange(before, after),), TOOL))


def takes(asked: Asked, value: Value) -> bool:
    """Whether a question takes a value."""
    return wrong(asked.question, value) is None


def go_to_missing(workspace: Workspace) -> bool:
    """Show what the next missing answer, from where hands are, is about, and ask for it; False when none is missing."""
    case, at = workspace.active, workspace.forms.at
    if case is None:
        return False
    rows = missing_now(workspace, case)
    if not rows:
        workspace.say(_("Every required question is answered."))
        return False
    keys = [(row.target.key, row.question.uid) for row in rows]
    row = rows[(keys.index(at) + 1) % len(rows)] if at in keys else rows[0]
    look_at(case, row.target)
    workspace.forms.wanted.emit(row.target.key, row.question.uid)
    return True
