"""The journals of a project by the hashes of their rows, to see how far those of two copies go the same way."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from medview.store import schema
from medview.store.rows import read_rows, row_hash


class Chains:
    """The journals of all readings; what rows hold is read only where their hashes differ.

    A row's hash holds that of its reader's row before it. Where somebody worked on two copies, rows that say the same have
    other hashes in each; ``common`` looks at what they say then.

    Attributes
    ----------
    sound : bool
        Whether no row is missing: every one follows its reader's row before it, and the newest are those known.
    uids : dict of int to str
        Uids of readers by number.
    identities : dict of int to str
        Of readings: the hash of the images they are drawn on.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        readers, readings = schema.readers.c, schema.readings.c
        known = connection.execute(select(readers.reader_id, readers.reader_uid, readers.rows, readers.head_sha256)).all()
        self.uids: dict[int, str] = {row.reader_id: row.reader_uid for row in known}
        stored = connection.execute(select(readings.reading_id, readings.identity_sha256))
        self.identities: dict[int, str] = {row.reading_id: row.identity_sha256 for row in stored}
        self._hashes: dict[int, list[str]] = {}
        self._row_ids: dict[int, list[int]] = {}
        self._said: dict[tuple[int, int], list[str]] = {}
        self.sound = self._read() == {row.reader_id: (row.rows, row.head_sha256) for row in known if row.rows}

    def length(self, reading_id: int) -> int:
        """Return how many rows a reading has."""
        return len(self._hashes.get(reading_id, ()))

    def row_ids_after(self, reading_id: int, seq: int) -> Sequence[int]:
        """Return the keys of the rows of a reading after row ``seq``, in their order."""
        return self._row_ids.get(reading_id, [])[seq:]

    def common(self, reading_id: int, other: Chains, other_id: int) -> int:
        """Return how many rows a reading and one of another copy have in common, from the first on."""
        mine, theirs = self._hashes.get(reading_id, []), other._hashes.get(other_id, [])
        same = _alike(mine, theirs)
        if same == min(len(mine), len(theirs)):
            return same
        return same + _alike(self._words(reading_id, same), other._words(other_id, same))

    def _words(self, reading_id: int, after: int) -> list[str]:
        """Return hashes of what rows say, whatever row comes before them."""
        key = reading_id, after
        if key not in self._said:
            rows = read_rows(self._connection, reading_id, after)
            identity = self.identities.get(reading_id, "")
            self._said[key] = [
                row_hash(stored.row, self.uids.get(stored.reader_id, ""), identity, "") if stored.intact else ""
                for stored in rows
            ]
        return self._said[key]

    def _read(self) -> dict[int, tuple[int, str]]:
        """Take in all rows; return rows and head of every reader, nothing where one does not follow another."""
        journal = schema.journal.c
        columns = (journal.row_id, journal.reading_id, journal.seq, journal.reader_id)
        statement = select(*columns, journal.previous_sha256, journal.row_sha256).order_by(journal.row_id)
        heads: dict[int, tuple[int, str]] = {}
        seqs: dict[int, list[int]] = {}
        for row in self._connection.execute(statement):
            count, head = heads.get(row.reader_id, (0, ""))
            if row.previous_sha256 != head:
                return {}
            heads[row.reader_id] = count + 1, row.row_sha256
            self._hashes.setdefault(row.reading_id, []).append(row.row_sha256)
            self._row_ids.setdefault(row.reading_id, []).append(row.row_id)
            seqs.setdefault(row.reading_id, []).append(row.seq)
        if any(numbers != list(range(1, len(numbers) + 1)) for numbers in seqs.values()):
            return {}
        return heads


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many are the same at the beginning; what is empty is like nothing."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b or not a), min(len(one), len(other)))
