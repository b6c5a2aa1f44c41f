"""What stands of one kind of change in the journals, undo and redo followed, without replaying anything else."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Protocol, Self, TypeVar

from sqlalchemy import Connection, or_, select, true

from medview.core.errors import StoreError
from medview.store import schema
from medview.store.entry import EntryKind

_UNDOING = (EntryKind.UNDO.value, EntryKind.REDO.value)


class Reversible(Protocol):
    """A change that can be taken back."""

    def inverse(self) -> Self:
        """Return the change that takes this one back."""
        ...


Made = TypeVar("Made", bound=Reversible)


def standing_changes(
    connection: Connection,
    kind: str,
    tools: Collection[str],
    decode: Callable[[Mapping[str, Any]], Made],
    reading_ids: Collection[int] | None = None,
) -> Iterator[tuple[int, Made]]:
    """Yield the changes of a kind with their reading, in the order they took place; undoing one yields its inverse.

    Rows that are damaged are passed over.

    Parameters
    ----------
    kind : str
        Of the changes, as documents say it.
    tools : collection of str
        Of the commands that make such changes.
    reading_ids : collection of int, optional
        All readings when not given.
    """
    journal = schema.journal.c
    wanted = true() if reading_ids is None else journal.reading_id.in_(reading_ids)
    rows = select(journal.reading_id, journal.seq, journal.document).where(wanted, journal.tool.in_(tools))
    made = {
        (row.reading_id, row.seq): _decoded(row.document, kind, decode)
        for row in connection.execute(rows.where(journal.document.like(f'%"kind":"{kind}"%')))
    }
    if not made:
        return
    steps = select(journal.reading_id, journal.seq, journal.kind, journal.target_seq).where(
        journal.reading_id.in_({reading_id for reading_id, _seq in made}),
        or_(journal.tool.in_(tools), journal.kind.in_(_UNDOING)),
    )
    for step in connection.execute(steps.order_by(journal.reading_id, journal.seq)):
        changes = made.get((step.reading_id, step.target_seq if step.kind in _UNDOING else step.seq), [])
        if step.kind == EntryKind.UNDO.value:
            changes = [change.inverse() for change in reversed(changes)]
        for change in changes:
            yield step.reading_id, change


def _decoded(document: str, kind: str, decode: Callable[[Mapping[str, Any]], Made]) -> list[Made]:
    try:
        return [decode(change) for change in json.loads(document)["changes"] if change["kind"] == kind]
    except (KeyError, TypeError, ValueError, AttributeError, StoreError):
        return []
