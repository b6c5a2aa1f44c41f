"""The model line of a project: versions of what it trained, and which of them counts; both lists only ever grow."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from medview.core.errors import StoreError
from medview.store import schema
from medview.store.activity import ActivityBook, ActivityKind
from medview.store.clock import Clock, iso
from medview.store.database import Database
from medview.store.faults import explain
from medview.store.model_files import ModelFiles


class OvertakenError(StoreError):
    """Another version counts than the one that a new one was compared with."""


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A trained pack that is to become a version.

    Attributes
    ----------
    line : str
        What the versions follow each other in: the task, of classifiers with what they learnt.
    key, digest : str
        ``id@version`` and identity of the pack.
    run : str
        Name or path of its training; empty where nobody knows.
    compared : int
        The version it was compared with; 0 for none.
    verdict, reason : str
        In the words of the workspace; the reason is a sentence.
    gate, learnt : str
        JSON: how it was compared, and which cases it learnt from; empty for nothing.
    """

    line: str
    key: str
    digest: str
    run: str = ""
    compared: int = 0
    verdict: str = ""
    reason: str = ""
    gate: str = ""
    learnt: str = ""


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version; ``uid`` is the same in all copies of a project, ``version`` counts 1, 2, 3 ... within a line."""

    uid: str
    version: int
    made: NewVersion
    created_utc: str


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """That a version of a line counts from then on; the newest row of a line is what counts.

    Attributes
    ----------
    kind : str
        How it came about, in the words of the workspace.
    who : str
        The person; empty where nobody was asked.
    """

    uid: str
    line: str
    version: int
    kind: str
    reason: str
    who: str
    created_utc: str


class ModelBook:
    """Reads and continues the lists. Its methods may be called from any thread.

    Parameters
    ----------
    changing : callable
        Gives a connection in a transaction, or raises where the project cannot be written.
    check : callable
        Raises where the project cannot be written.

    Attributes
    ----------
    files : ModelFiles
        The packs.
    """

    def __init__(
        self,
        database: Database,
        changing: Callable[[], AbstractContextManager[Connection]],
        check: Callable[[], None],
        activity: ActivityBook,
        clock: Clock,
        files: ModelFiles,
    ) -> None:
        self._database, self._changing, self._check = database, changing, check
        self._activity, self._clock = activity, clock
        self.files = files

    @property
    def project_uid(self) -> str:
        """Which project it is: the same in all copies of it."""
        facts = schema.facts.c
        with self._database.reading() as connection:
            return str(connection.execute(select(facts.value).where(facts.key == "project_uid")).scalar_one())

    def versions(self) -> list[VersionRow]:
        """Return all versions, by line and number."""
        with self._database.reading() as connection:
            return version_rows(connection)

    def choices(self) -> list[ChoiceRow]:
        """Return which versions counted, oldest first."""
        with self._database.reading() as connection:
            return choice_rows(connection)

    def add(self, new: NewVersion, pack: Path, *, counts: str = "", counting: int | None = None) -> VersionRow:
        """Copy a pack into the project and make it the next version of its line; both or nothing.

        A pack that is a version of the line already stays what it is.

        Parameters
        ----------
        pack : Path
            Folder of the pack; it is copied before anything is written down.
        counts : str
            How it comes to count from now on; empty where it does not.
        counting : int, optional
            The version of the line that has to count still, 0 for none; whichever does unless given.

        Raises
        ------
        OvertakenError
            When another version counts: somebody chose it meanwhile.
        StoreError
            When the pack is not what its digest says, or the project cannot be written.
        WriteError, DiskFullError
            When there is no room for it.
        """
        self._check()
        try:
            self.files.put(pack, new.digest)
        except OSError as error:
            raise explain(error, self._database.title) from error
        table, now = schema.model_versions, iso(self._clock.utc())
        with self._changing() as connection:
            known = [row for row in version_rows(connection) if row.made.line == new.line]
            if same := [row for row in known if row.made.digest == new.digest]:
                return same[0]
            if counting is not None and counting != _counts(connection, new.line, known):
                raise OvertakenError(f"Another version of {new.line} counts by now; compare the new one with that.")
            newest = connection.execute(select(func.max(table.c.version)).where(table.c.line == new.line)).scalar() or 0
            row = VersionRow(uuid.uuid4().hex, int(newest) + 1, new, now)
            values = {name: getattr(new, name) for name in NewVersion.__dataclass_fields__}
            connection.execute(
                insert(table).values(version_uid=row.uid, version=row.version, created_utc=row.created_utc, **values)
            )
            said: dict[str, Any] = {"line": new.line, "version": row.version, "model": new.key}
            self._activity.note(connection, ActivityKind.MODEL, **said, verdict=new.verdict, reason=new.reason)
            if counts:
                self._choose(connection, ChoiceRow("", new.line, row.version, counts, new.reason, "", now))
        return row

    def choose(self, line: str, version: int, kind: str, reason: str, who: str) -> None:
        """Let a version count from now on.

        Raises
        ------
        StoreError
            When there is none, its pack is gone or damaged, or the project cannot be written.
        """
        self._check()
        found = [row for row in self.versions() if (row.made.line, row.version) == (line, version)]
        if not found:
            raise StoreError(f"There is no version {version} of {line} in {self._database.title}.")
        if problem := self.files.problem(found[0].made.digest):
            raise StoreError(f"Version {version} of {line} cannot be used: {problem}; choose another.")
        with self._changing() as connection:
            self._choose(connection, ChoiceRow("", line, version, kind, reason, who, iso(self._clock.utc())))
            said: dict[str, Any] = {"line": line, "version": version, "model": found[0].made.key}
            self._activity.note(connection, ActivityKind.MODEL, **said, verdict=kind, reason=reason)

    def _choose(self, connection: Connection, choice: ChoiceRow) -> None:
        connection.execute(
            insert(schema.model_choices).values(
                choice_uid=uuid.uuid4().hex,
                line=choice.line,
                version=choice.version,
                kind=choice.kind,
                reason=choice.reason,
                who=choice.who,
                created_utc=choice.created_utc,
            )
        )


def _counts(connection: Connection, line: str, versions: Sequence[VersionRow]) -> int:
    """Return the version of a line that counts; 0 for none, or one that is not there."""
    chosen = [choice.version for choice in choice_rows(connection) if choice.line == line]
    return chosen[-1] if chosen and any(row.version == chosen[-1] for row in versions) else 0


def version_rows(connection: Connection) -> list[VersionRow]:
    """Return all versions, by line and number."""
    table = schema.model_versions
    return [_version(row) for row in connection.execute(select(table).order_by(table.c.line, table.c.version))]


def choice_rows(connection: Connection) -> list[ChoiceRow]:
    """Return which versions counted, oldest first."""
    table = schema.model_choices
    found = connection.execute(select(table).order_by(table.c.choice_id))
    return [
        ChoiceRow(row.choice_uid, row.line, row.version, row.kind, row.reason, row.who, row.created_utc) for row in found
    ]


def current_models(connection: Connection) -> list[dict[str, Any]]:
    """Return the version that counts of each line, ready for JSON, with how many ``versions`` there are."""
    rows = version_rows(connection)
    newest = {choice.line: choice for choice in choice_rows(connection)}
    return [
        {
            "line": row.made.line,
            "version": row.version,
            "model": row.made.key,
            "since_utc": newest[row.made.line].created_utc,
            "versions": sum(other.made.line == row.made.line for other in rows),
        }
        for row in rows
        if row.made.line in newest and newest[row.made.line].version == row.version
    ]


def model_problems(connection: Connection, files: ModelFiles) -> list[str]:
    """Return what is wrong with the model line of a project, one sentence each; every pack is read."""
    rows = version_rows(connection)
    known = {(row.made.line, row.version) for row in rows}
    problems = [
        f"The pack of version {row.version} of {row.made.line} is damaged: {problem}."
        for row in rows
        if (problem := files.problem(row.made.digest))
    ]
    problems += [
        f"Version {choice.version} of {choice.line} was chosen and is not there."
        for choice in choice_rows(connection)
        if (choice.line, choice.version) not in known
    ]
    return problems


def _version(row: Row[Any]) -> VersionRow:
    made = NewVersion(**{name: row._mapping[name] for name in NewVersion.__dataclass_fields__})
    return VersionRow(row.version_uid, row.version, made, row.created_utc)
