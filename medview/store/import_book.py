"""Which labels came into a project from files: so that the same come in once, and where they are from stays known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, func, select, update

from medview.store import schema
from medview.store.activity import ActivityBook, ActivityKind, activity_entries
from medview.store.database import Database
from medview.store.entry import EntryKind
from medview.store.reading_state import ReadingStatus

IMPORT_TOOL = "import"
"""Of the rows that bring imported labels."""


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """What is written down of the labels of one case.

    Attributes
    ----------
    format : str
        Of the dataset.
    file : str
        Name of the file they stood in, without its folder.
    labels_sha256 : str
        Of what it said (``io.datasets.fingerprint``).
    gesture : str
        Name of the row in the journal; empty where the file says that there is nothing.
    """

    format: str
    file: str
    labels_sha256: str
    gesture: str


class ImportBook:
    """Reads and writes what was imported. Its methods may be called from any thread.

    Parameters
    ----------
    changing : callable
        Gives a connection in a transaction, or raises where the project cannot be written.
    """

    def __init__(
        self, database: Database, changing: Callable[[], AbstractContextManager[Connection]], activity: ActivityBook
    ) -> None:
        self._database, self._changing, self._activity = database, changing, activity

    def of_readings(self) -> dict[int, list[ImportedFile]]:
        """Return what was imported, by reading, oldest first; what a damaged line says is left out."""
        found: dict[int, list[ImportedFile]] = {}
        with self._database.reading() as connection:
            entries = activity_entries(connection, schema.activity.c.kind == ActivityKind.IMPORTED.value)
        for entry in entries:
            said = [str(entry.details.get(name, "")) for name in ("format", "file", "labels_sha256", "gesture")]
            if said[2]:
                found.setdefault(entry.reading_id, []).append(ImportedFile(*said))
        return found

    def holds(self, reading_id: int, gesture: str) -> bool:
        """Whether what an import brought is in a reading, or was undone and can be done again.

        Asked of all rows: how many of them a person can undo says nothing about it.
        """
        journal = schema.journal.c
        own = journal.reading_id == reading_id
        with self._database.reading() as connection:
            made = select(journal.seq).where(own, journal.kind == EntryKind.DO.value, journal.name == gesture)
            for seq in connection.execute(made.where(journal.tool == IMPORT_TOOL)).scalars().all():
                undoing = own, journal.target_seq == seq, journal.kind.in_((EntryKind.UNDO.value, EntryKind.REDO.value))
                last = connection.execute(
                    select(journal.seq, journal.kind).where(*undoing).order_by(journal.seq.desc()).limit(1)
                ).one_or_none()
                if last is None or last.kind == EntryKind.REDO.value:
                    return True
                later = select(func.count()).where(own, journal.kind == EntryKind.DO.value, journal.seq > last.seq)
                if not connection.execute(later).scalar_one():
                    return True
        return False

    def finish(self, imported: Sequence[tuple[int, ImportedFile]]) -> None:
        """Write down what readings got, and that there is nothing more to label in them; all or none.

        To be called once their rows are in the journal: what is done and empty would look like nothing to find.

        Raises
        ------
        StoreError
            When the project cannot be written.
        """
        state = schema.reading_state
        with self._changing() as connection:
            for reading_id, one in imported:
                connection.execute(
                    update(state).where(state.c.reading_id == reading_id).values(status=ReadingStatus.DONE.value)
                )
                self._activity.note(connection, ActivityKind.IMPORTED, reading_id=reading_id, **asdict(one))
