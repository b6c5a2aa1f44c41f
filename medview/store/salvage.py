"""A sound database out of what is left of a damaged one."""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medview.core.errors import StoreError
from medview.store import schema
from medview.store.case_images import identity
from medview.store.database import Database
from medview.store.entry import EntryKind
from medview.store.faults import SQLITE_FAULTS
from medview.store.pages import Value, pages_missing, rows_of_pages
from medview.store.reading_state import mend_states
from medview.store.rows import UNKNOWN_READER, JournalRow, row_hash

Row = tuple[Value, ...]

# Columns as they are called on the disk.
_TABLES = {table.name: tuple(column.name for column in table.columns) for table in schema.metadata.sorted_tables}
_KINDS: dict[str, str] = {
    "journal": "niiitittitttbitt",
    "cases": "ntttttttt",
    "readers": "nttit",
    "snapshots": "niitt",
    "facts": "tt",
    "worklist": "ntttttiittttt",
    "reading_state": "niititiit",
    "patients": "nttt",
    "activity": "ntiiittt",
    "model_versions": "nttitttittttt",
    "model_choices": "nttitttt",
}
"""Types of the columns, to know a row of a page again: n is the key that SQLite keeps elsewhere."""

_ORDER = (
    "facts", "readers", "cases", "journal", "snapshots", "patients", "worklist", "reading_state", "activity",
    "model_versions", "model_choices",
)  # fmt: skip
"""What is referred to comes before what refers to it."""

_DIGEST_LETTERS = 64

_FEW_MISSES = 2000
"""Rows asked for in vain before a table is given up."""

log = logging.getLogger("medview.store")


@dataclass(slots=True)
class Salvaged:
    """What could be found, by table and key.

    Attributes
    ----------
    losses : list of str
        What is known to be missing, one sentence each.
    """

    tables: dict[str, dict[Value, Row]] = field(default_factory=lambda: {name: {} for name in _KINDS})
    losses: list[str] = field(default_factory=list)


def is_sound(file: Path) -> bool:
    """Whether SQLite finds nothing wrong with a database."""
    try:
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return [line for (line,) in connection.execute("PRAGMA quick_check")] == ["ok"]
    except SQLITE_FAULTS:
        return False


def is_project(file: Path) -> bool:
    """Whether a file is, or was before it was damaged, the database of a project: its mark or one of its rows is there."""
    with file.open("rb") as opened:
        header = opened.read(100)
    if header[:16] == b"SQLite format 3\0" and int.from_bytes(header[68:72], "big") == schema.APPLICATION_ID:
        return True
    return any(_fits("cases", values) or _fits("journal", values) for _rowid, values in rows_of_pages(file))


def salvage(file: Path, backups: Sequence[Path], target: Path, title: str) -> list[str]:
    """Write a new database with every row that is left in a damaged one, or in backups of it; return the losses.

    Rows keep their hashes, so that damaged ones are known later.

    Parameters
    ----------
    file : Path
        Is only read. It need not exist.
    target : Path
        The new database.

    Raises
    ------
    StoreError
        When nothing of a project is left.
    OSError, sqlite3.Error
        When the new one cannot be written.
    """
    found = _gather(file, backups)
    if not found.tables["cases"] and not found.tables["journal"] and not found.tables["facts"]:
        raise StoreError(f"Nothing of {title} could be found in its files; restore the project from a copy.")
    if not found.tables["cases"]:
        found.losses.append("No case is left in the database, so no labels could be brought back.")
    missing = pages_missing(file) if file.is_file() else 0
    if missing:
        found.losses.append(f"The file of the database is cut off: {missing} of its pages are gone, with what was in them.")
    _fill_gaps(found, title)
    Database.create(target, title).close()
    with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for table in _ORDER:
            columns = _TABLES[table]
            quoted = ", ".join(f'"{name}"' for name in columns)
            # A row that meets another one of the same place in its case comes second.
            statement = f"INSERT OR IGNORE INTO {table} ({quoted}) VALUES ({', '.join('?' * len(columns))})"
            connection.executemany(statement, [row for _key, row in sorted(found.tables[table].items(), key=_by_key)])
        connection.execute("COMMIT")
    _complete(target, title)
    return found.losses


def _complete(target: Path, title: str) -> None:
    """Make what older versions do not have, and what is lost of what the rows say as well."""
    database = Database(target, title)
    try:
        with database.writing() as connection:
            mend_states(connection)
    finally:
        database.close()


def _gather(file: Path, backups: Sequence[Path]) -> Salvaged:
    found = Salvaged()
    sources: list[Iterator[tuple[str, Value, Row]]] = []
    if file.is_file():
        sources += [_by_sqlite(file), _by_pages(file)]
    sources += [_by_sqlite(backup) for backup in backups]
    spare: dict[tuple[str, Value], list[Row]] = {}
    for source in sources:
        try:
            for table, key, row in source:
                if key in found.tables[table]:
                    spare.setdefault((table, key), []).append(row)
                else:
                    found.tables[table][key] = row
        except (OSError, *SQLITE_FAULTS) as error:
            log.warning("a source of rows ended early: %s", type(error).__name__)
    _choose(found, spare)
    return found


def _choose(found: Salvaged, spare: dict[tuple[str, Value], list[Row]]) -> None:
    """Where a row was found more than once and the first is damaged, take one that is not."""
    for (table, key), others in spare.items():
        if table == "cases" and not _sound_case(found.tables[table][key]):
            found.tables[table][key] = next(filter(_sound_case, others), found.tables[table][key])
    for (table, key), others in spare.items():
        if table == "journal" and not _sound_row(found, found.tables[table][key]):
            sound = (row for row in others if _sound_row(found, row))
            found.tables[table][key] = next(sound, found.tables[table][key])


def _by_sqlite(file: Path) -> Iterator[tuple[str, Value, Row]]:
    """Yield what SQLite still reads, around pages that it does not."""
    with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = lambda stored: stored.decode("utf-8", "replace")
        connection.execute("PRAGMA cell_size_check = ON")
        for table in _KINDS:
            quoted = ", ".join(f'"{name}"' for name in _TABLES[table])
            after, misses = 0, 0
            # Past a page that cannot be read there may be more: rows are counted one by one.
            while misses < _FEW_MISSES:
                try:
                    rows = connection.execute(
                        f"SELECT rowid, {quoted} FROM {table} WHERE rowid > ? ORDER BY rowid", (after,)
                    )
                    for rowid, *values in rows:
                        after, misses = rowid, 0
                        if _fits(table, (None, *values[1:]) if _KINDS[table][0] == "n" else tuple(values)):
                            yield table, values[0], tuple(values)
                    break
                except SQLITE_FAULTS:
                    after, misses = after + 1, misses + 1


def _by_pages(file: Path) -> Iterator[tuple[str, Value, Row]]:
    for rowid, values in rows_of_pages(file):
        for table in _KINDS:
            if _fits(table, values):
                if _KINDS[table][0] == "n":
                    yield table, rowid, (rowid, *values[1:])
                else:
                    yield table, values[0], values
                break


def _fits(table: str, values: Row) -> bool:
    kinds = _KINDS[table]
    if len(values) != len(kinds):
        return False
    types = {"n": type(None), "i": int, "t": str, "b": bytes}
    if not all(isinstance(value, types[kind]) for value, kind in zip(values, kinds, strict=True)):
        return False
    # Migrations look like snapshots otherwise.
    return table != "snapshots" or len(str(values[3])) == _DIGEST_LETTERS


def _fill_gaps(found: Salvaged, title: str) -> None:
    """Put something in the place of facts and readers that are gone, so that what refers to them stays usable."""
    facts, readers, cases, journal = (found.tables[name] for name in ("facts", "readers", "cases", "journal"))
    for key, value in (("project_uid", uuid.uuid4().hex), ("name", title), ("created_utc", "")):
        facts.setdefault(key, (key, value))
    _readings_of_the_list(found)
    orphans = 0
    for row_id, row in list(journal.items()):
        if row[1] not in cases:
            orphans += 1
            del journal[row_id]
        elif row[3] not in readers:
            name = f"{UNKNOWN_READER} {row[3]!r}"
            readers[row[3]] = (row[3], uuid.uuid4().hex, name, 0, "")
            found.losses.append(f"The name of reader {row[3]!r} is gone; their changes are kept without it.")
    if orphans:
        found.losses.append(f"{orphans} changes belong to cases of which nothing else is left; they could not be kept.")
    unnamed = {reader_id for reader_id, row in readers.items() if str(row[2]).startswith(UNKNOWN_READER) and not row[4]}
    for row_id, row in journal.items():
        if row[3] in unnamed:
            # Nothing is left to compare with; what the row holds is checked when it is understood.
            journal[row_id] = (*row[:15], _hash_of(found, row))


def _readings_of_the_list(found: Salvaged) -> None:
    """Bring back the images of readings from the list of cases, where they are gone; what has none is no reading."""
    readings, states, listed = (found.tables[name] for name in ("cases", "reading_state", "worklist"))
    for reading_id, state in list(states.items()):
        if reading_id in readings:
            continue
        case = listed.get(state[1])
        if case is None:
            del states[reading_id]
            continue
        of = dict(zip(_TABLES["worklist"], case, strict=True))
        images = (of["study_uid"], of["series_uid"], of["geometry"], of["sources"], of["identity_sha256"])
        readings[reading_id] = (reading_id, *images, "", state[5], of["created_utc"])


def _sound_case(row: Row) -> bool:
    try:
        uids = json.loads(str(row[4]))["sop_instance_uids"]
        return identity(str(row[1]), str(row[2]), str(row[3]), uids) == row[5]
    except (ValueError, KeyError, TypeError):
        return False


def _sound_row(found: Salvaged, row: Row) -> bool:
    return row[1] in found.tables["cases"] and row[3] in found.tables["readers"] and _hash_of(found, row) == row[15]


def _hash_of(found: Salvaged, row: Row) -> str:
    case, reader = found.tables["cases"][row[1]], found.tables["readers"][row[3]]
    try:
        stored: dict[str, Any] = dict(zip(_TABLES["journal"], row, strict=True))
        for name in ("row_id", "reader_id", "previous_sha256", "row_sha256"):
            del stored[name]
        stored["reading_id"] = stored.pop("case_id")
        stored["kind"] = EntryKind(stored["kind"])
        return row_hash(JournalRow(**stored), str(reader[1]), str(case[5]), str(row[14]))
    except ValueError:
        return ""


def _by_key(item: tuple[Value, Row]) -> tuple[bool, int, str]:
    key = item[0]
    return isinstance(key, str), key if isinstance(key, int) else 0, str(key)
