"""Where each case of a journal stands: its newest row, and what can be undone and redone."""

from __future__ import annotations

from collections.abc import Iterable

from medview.store.blobs import BlobStore
from medview.store.database import Database
from medview.store.entry import EntryKind
from medview.store.readings import get_reading
from medview.store.recover import load_reading
from medview.store.undo_stacks import UndoStacks


class Heads:
    """The ends of the cases' journals, rows that are still to be written included. For one thread at a time."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs
        self._known: dict[int, tuple[int, UndoStacks]] = {}

    def next(self, reading_id: int, kind: EntryKind) -> tuple[int, int]:
        """Return the number of the next row of a case and the row it refers to, which are then taken.

        Raises
        ------
        StoreError
            When there is nothing to undo or redo, or no such case.
        """
        if reading_id not in self._known:
            with self._database.reading() as connection:
                loaded = load_reading(connection, reading_id, get_reading(connection, reading_id).geometry, self._blobs)
            self._known[reading_id] = (loaded.seq, loaded.stacks)
        last, stacks = self._known[reading_id]
        target = stacks.target(kind)
        stacks.advance(kind, last + 1, target)
        self._known[reading_id] = (last + 1, stacks)
        return last + 1, target

    def of(self, reading_id: int) -> int | None:
        """Return the number of the newest row of a case; None while nobody has asked for the next one or loaded it."""
        known = self._known.get(reading_id)
        return None if known is None else known[0]

    def adopt(self, reading_id: int, seq: int, stacks: UndoStacks) -> None:
        """Go on from a case as it was just loaded."""
        self._known[reading_id] = (seq, stacks.copy())

    def forget(self, reading_ids: Iterable[int]) -> None:
        """Look again where some cases stand when they are asked for the next time."""
        for reading_id in reading_ids:
            self._known.pop(reading_id, None)
