"""What the journal says was answered in all readings of a project, without replaying anything else."""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import Connection, or_, select, true

from medview.core.answer import Answer, AnswerKey
from medview.core.changes import AnswerChange
from medview.core.errors import StoreError
from medview.store import schema
from medview.store.codec_answers import decode_answer_change
from medview.store.entry import EntryKind

_TOOLS = ("form", "review")
"""Of the commands that answer questions, and of those that begin a review with the answers of another reading."""


def reading_answers(
    connection: Connection, reading_ids: Collection[int] | None = None
) -> dict[int, dict[AnswerKey, Answer]]:
    """Return the answers that stand in each reading, or in some of them.

    What was undone is left out, rows that are damaged are passed over.
    """
    journal = schema.journal.c
    wanted = true() if reading_ids is None else journal.reading_id.in_(reading_ids)
    given: dict[tuple[int, int], list[AnswerChange]] = {}
    for row in connection.execute(
        select(journal.reading_id, journal.seq, journal.document).where(
            wanted, journal.tool.in_(_TOOLS), journal.kind.not_in((EntryKind.UNDO.value, EntryKind.REDO.value))
        )
    ):
        given[row.reading_id, row.seq] = _changes(row.document)
    if not given:
        return {}
    found: dict[int, dict[AnswerKey, Answer]] = {}
    undoing = (EntryKind.UNDO.value, EntryKind.REDO.value)
    steps = select(journal.reading_id, journal.seq, journal.kind, journal.target_seq).where(
        journal.reading_id.in_({reading_id for reading_id, _seq in given}),
        or_(journal.tool.in_(_TOOLS), journal.kind.in_(undoing)),
    )
    for step in connection.execute(steps.order_by(journal.reading_id, journal.seq)):
        changes = given.get((step.reading_id, step.target_seq if step.kind in undoing else step.seq), [])
        if step.kind == EntryKind.UNDO.value:
            changes = [change.inverse() for change in reversed(changes)]
        answers = found.setdefault(step.reading_id, {})
        for change in changes:
            if change.after is not None:
                answers[change.after.key] = change.after
            elif change.before is not None:
                answers.pop(change.before.key, None)
    return {reading_id: answers for reading_id, answers in found.items() if answers}


def _changes(document: str) -> list[AnswerChange]:
    if '"kind":"answer"' not in document:
        return []
    try:
        return [decode_answer_change(change) for change in json.loads(document)["changes"] if change["kind"] == "answer"]
    except (KeyError, TypeError, ValueError, AttributeError, StoreError):
        return []
