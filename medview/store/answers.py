"""What the journal says was answered in all readings of a project, without replaying anything else."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from medview.core.answer import Answer, AnswerKey
from medview.store.codec_answers import decode_answer_change
from medview.store.standing import standing_changes

_TOOLS = ("form", "review")
"""Of the commands that answer questions, and of those that begin a review with the answers of another reading."""


def reading_answers(
    connection: Connection, reading_ids: Collection[int] | None = None
) -> dict[int, dict[AnswerKey, Answer]]:
    """Return the answers that stand in each reading, or in some of them.

    What was undone is left out, rows that are damaged are passed over.
    """
    found: dict[int, dict[AnswerKey, Answer]] = {}
    for reading_id, change in standing_changes(connection, "answer", _TOOLS, decode_answer_change, reading_ids):
        answers = found.setdefault(reading_id, {})
        if change.after is not None:
            answers[change.after.key] = change.after
        elif change.before is not None:
            answers.pop(change.before.key, None)
    return {reading_id: answers for reading_id, answers in found.items() if answers}
