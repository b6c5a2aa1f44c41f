"""Which cases a project has, and what whoever labels them is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from medview.core.errors import StoreError
from medview.core.geometry import Geometry
from medview.core.reading_rule import ReadingRule
from medview.store import schema
from medview.store.activity import ActivityBook, ActivityKind
from medview.store.case_images import CaseImages, CaseKey, CaseSources, stored_images, stored_sources
from medview.store.clock import Clock, iso
from medview.store.database import Database
from medview.store.patients import NOBODY, PatientIdentity, patient_number
from medview.store.worklist import case_columns, images_of_cases, known_cases, last_places, move_case

_INSTRUCTIONS, _RULE = "instructions", "reading_rule"
"""Of the rows in ``facts``."""
_AT_ONCE = 500
"""Numbers in one statement; SQLite takes some thousands."""


@dataclass(frozen=True, slots=True)
class NewCase:
    """Images that are to be labelled.

    Attributes
    ----------
    split : str
        ``train``, ``validation`` or ``test``, or empty.
    """

    key: CaseKey
    geometry: Geometry
    sources: CaseSources
    patient: PatientIdentity = NOBODY
    split: str = ""


@dataclass(frozen=True, slots=True)
class AddedCases:
    """What came of adding cases.

    Attributes
    ----------
    case_ids : tuple of int
        Of all that were given, in their order.
    added : int
        How many were new.
    moved : int
        How many of the others have their files in another place now.
    """

    case_ids: tuple[int, ...] = ()
    added: int = 0
    moved: int = 0

    @property
    def known(self) -> int:
        """How many were on the list already."""
        return len(set(self.case_ids)) - self.added


class WorklistBook:
    """Reads and writes the list of cases. Its methods may be called from any thread.

    All that change something raise MedViewError when the project cannot be written.

    Parameters
    ----------
    changing : callable
        Gives a connection in a transaction, or raises where the project cannot be written.
    activity : ActivityBook
        Where it is written down.
    """

    def __init__(
        self,
        database: Database,
        changing: Callable[[], AbstractContextManager[Connection]],
        activity: ActivityBook,
        clock: Clock,
    ) -> None:
        self._database, self._changing, self._activity, self._clock = database, changing, activity, clock

    def add(self, cases: Sequence[NewCase], progress: Callable[[float], None] = lambda _fraction: None) -> AddedCases:
        """Put images on the list, all or none; those that are there already stay, and where their files are is noted.

        Parameters
        ----------
        progress : callable
            Told how far it is; what it raises undoes everything.
        """
        with self._changing() as connection:
            adding = _Adding(connection, iso(self._clock.utc()))
            for done, case in enumerate(cases, start=1):
                adding.take(case)
                progress(done / len(cases))
            adding.write()
            self._activity.note_each(connection, ActivityKind.ADDED, adding.new)
        return AddedCases(tuple(adding.numbers), len(adding.new), adding.moved)

    def images(self, case_id: int) -> CaseImages:
        """Return the images of one case.

        Raises
        ------
        StoreError
            When there is no such case, or what is known of it is damaged.
        """
        with self._database.reading() as connection:
            found = images_of_cases(connection, schema.worklist.c.case_id == case_id)
        if not found:
            raise StoreError("The project holds no such case.", detail=f"case {case_id}")
        return found[0]

    def exclude(self, case_ids: Collection[int], reason: str) -> None:
        """Leave cases out, for a reason that stands in the list. Their labels stay."""
        with self._changing() as connection:
            why = reason.strip() or "left out"
            _set(connection, case_ids, excluded=why)
            self._note(connection, case_ids, ActivityKind.EXCLUDED, reason=why)

    def include(self, case_ids: Collection[int]) -> None:
        """Take cases in again that were left out."""
        with self._changing() as connection:
            _set(connection, case_ids, excluded="")
            self._note(connection, case_ids, ActivityKind.INCLUDED)

    def set_split(self, case_ids: Collection[int], split: str) -> None:
        """Say which part of a dataset cases belong to: ``train``, ``validation``, ``test`` or empty."""
        with self._changing() as connection:
            _set(connection, case_ids, split=split)
            self._note(connection, case_ids, ActivityKind.SPLIT, split=split)

    def move(self, case_ids: Sequence[int], before: int | None = None) -> None:
        """Put cases, in the order given, before another one of the list; at its end without one."""
        worklist = schema.worklist.c
        with self._changing() as connection:
            in_order = select(worklist.case_id).order_by(worklist.position, worklist.case_id)
            order = dict.fromkeys(connection.execute(in_order).scalars())
            moving = dict.fromkeys(number for number in case_ids if number in order)
            rest = [number for number in order if number not in moving]
            at = rest.index(before) if before in rest else len(rest)
            for position, number in enumerate([*rest[:at], *moving, *rest[at:]], start=1):
                _set(connection, [number], position=position)

    def instructions(self) -> str:
        """Return what annotators are told, in Markdown; empty where nothing is said."""
        return self._fact(_INSTRUCTIONS)

    def keep_instructions(self, text: str) -> None:
        """Say what annotators are told, in Markdown."""
        self._keep_fact(_INSTRUCTIONS, text)

    def reading_rule(self) -> ReadingRule:
        """Return who reads which case."""
        return ReadingRule.read(self._fact(_RULE))

    def keep_reading_rule(self, rule: ReadingRule) -> None:
        """Say who reads which case."""
        self._keep_fact(_RULE, rule.text())

    def _fact(self, key: str) -> str:
        facts = schema.facts.c
        with self._database.reading() as connection:
            return connection.execute(select(facts.value).where(facts.key == key)).scalar_one_or_none() or ""

    def _keep_fact(self, key: str, value: str) -> None:
        with self._changing() as connection:
            connection.execute(insert(schema.facts).prefix_with("OR REPLACE").values(key=key, value=value))
            self._activity.note(connection, ActivityKind.CHANGED, fact=key)

    def _note(self, connection: Connection, case_ids: Iterable[int], kind: ActivityKind, **said: str) -> None:
        self._activity.note_each(connection, kind, case_ids, **said)


class _Adding:
    """Cases on their way to the list: looked up in memory and written together, since a statement each takes long."""

    def __init__(self, connection: Connection, now_utc: str) -> None:
        self._connection, self._now_utc = connection, now_utc
        self._known = known_cases(connection)
        self._last, self._position = last_places(connection)
        self._patients: dict[PatientIdentity, int] = {}
        self._rows: dict[int, dict[str, str | int]] = {}
        self.numbers: list[int] = []
        self.moved = 0

    @property
    def new(self) -> list[int]:
        """Numbers of the cases that were not on the list."""
        return list(self._rows)

    def take(self, case: NewCase) -> None:
        """Take one in; what was told first of one that is known stays."""
        columns = stored_images(case.key, case.geometry, case.sources)
        number, patient_id = self._known.get(columns["identity_sha256"], (0, 0))
        # Nobody gets a pseudonym who has no case.
        told = patient_id or self._patient(case.patient)
        if not number:
            self._last, self._position = self._last + 1, self._position + 1
            number = self._last
            self._rows[number] = case_columns(columns, case.sources, number, self._position, self._now_utc)
        elif number not in self._rows:
            self._complete(number, case, told if told != patient_id else 0)
        self._known[columns["identity_sha256"]] = number, told
        if number in self._rows:
            self._rows[number].update({"patient_id": told, "split": case.split or self._rows[number]["split"]})
        self.numbers.append(number)

    def write(self) -> None:
        """Write those that are new."""
        if self._rows:
            self._connection.execute(insert(schema.worklist), list(self._rows.values()))

    def _patient(self, patient: PatientIdentity) -> int:
        if patient not in self._patients:
            self._patients[patient] = patient_number(self._connection, patient)
        return self._patients[patient]

    def _complete(self, number: int, case: NewCase, patient_id: int) -> None:
        if patient_id:
            _set(self._connection, [number], patient_id=patient_id)
        if case.split:
            _set(self._connection, [number], split=case.split)
        if _is_elsewhere(self._connection, number, case.sources):
            move_case(self._connection, number, case.sources)
            self.moved += 1


def _set(connection: Connection, case_ids: Iterable[int], **values: str | int) -> None:
    numbers = list(case_ids)
    for start in range(0, len(numbers), _AT_ONCE):
        some = schema.worklist.c.case_id.in_(numbers[start : start + _AT_ONCE])
        connection.execute(update(schema.worklist).where(some).values(values))


def _is_elsewhere(connection: Connection, case_id: int, sources: CaseSources) -> bool:
    worklist = schema.worklist.c
    known = connection.execute(select(worklist.sources).where(worklist.case_id == case_id)).scalar_one()
    return bool(known != stored_sources(sources))
