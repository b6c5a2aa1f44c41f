"""Readings of two copies of a project, united: rows that follow are appended, where both went on both are kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from medview.core.errors import StoreError
from medview.store import schema
from medview.store.activity import ActivityKind
from medview.store.blobs import BlobStore
from medview.store.chains import Chains
from medview.store.entry import EntryKind
from medview.store.merge_frame import MergeFrame
from medview.store.merge_log import settled
from medview.store.merge_report import MergeReport
from medview.store.parts import blobs_of
from medview.store.reading_state import ReadingStatus, Role, add_state
from medview.store.rows import JournalRow, append_rows, numbered_rows

_DECIDES = (ActivityKind.STATUS, ActivityKind.SENT_BACK, ActivityKind.APPROVED)

_Key = tuple[str, str, str]
"""Whose reading of which images it is, and what for: identity of the images, uid of the reader, role."""


@dataclass(frozen=True, slots=True)
class _Match:
    """A reading here that one of the other copy goes with; ``common`` rows are the same."""

    state: Row[Any]
    common: int


class MergeReadings:
    """Takes the readings of the other copy over. Its connections are those of ``frame``.

    Attributes
    ----------
    numbers : dict of int to int
        Numbers of readings here by those of the other copy.
    lapsed : dict of int to str
        Readings whose approval ended with the merge, and what they are now.
    """

    def __init__(self, frame: MergeFrame, chains: tuple[Chains, Chains], report: MergeReport) -> None:
        self._frame, self._report = frame, report
        self._mine, self._theirs = chains
        self.numbers: dict[int, int] = {0: 0}
        self._wanted: dict[int, int] = {}
        self._begun: list[int] = []
        self.lapsed: dict[int, str] = {}
        self._names = {
            row.reader_uid: row.name
            for row in frame.mine.execute(select(schema.readers.c.reader_uid, schema.readers.c.name))
        }

    def match(self) -> int:
        """Find the place of every reading here, beginning those that have none; return how many rows are to come."""
        here: dict[_Key, list[Row[Any]]] = {}
        before: set[int] = set()
        for state in _states(self._frame.mine):
            before |= {state.case_id} if state.role == Role.CONSENSUS.value else set()
            here.setdefault(self._key(state, self._mine), []).append(state)
        copies = {key: max(one.copy for one in states) for key, states in here.items()}
        # What is somebody's own there comes first, so that it is here where they have nothing yet.
        for state in sorted(_states(self._frame.theirs), key=lambda one: (one.copy, one.reading_id)):
            key = self._key(state, self._theirs)
            known = here.get(key, [])
            found = max(
                (_Match(one, self._mine.common(one.reading_id, self._theirs, state.reading_id)) for one in known),
                key=lambda match: (match.common, -match.state.copy),
                default=None,
            )
            if found is None or not self._goes_with(found, state):
                # Reviews of two readers by one person have nothing in common, and are no two ways of one.
                apart = state.role == Role.REVIEW.value and not (found and found.common)
                copies[key] = copies.get(key, -1) + 1
                # Who only opened a case, or had a model look at it, has gone no way of their own.
                both = _worked_on(state) and any(_worked_on(one) for one in known)
                self._begin(state, copies[key], disputed=both and not apart)
            else:
                self._go_on(found, state)
        self._say_two_consensuses(before)
        return len(self._wanted)

    def _say_two_consensuses(self, before: set[int]) -> None:
        """Say of which cases there is a consensus in each copy; ``before`` are the cases that had one here."""
        state = schema.reading_state.c
        statement = select(state.case_id).where(state.role == Role.CONSENSUS.value, state.reading_id.in_(self._begun))
        for case_id in sorted(set(self._frame.mine.execute(statement).scalars()) & before):
            self._report.conflicts.append(
                f"Case {case_id} has a consensus here and another one in {self._report.other}; "
                "both are kept, and the one that was worked on last counts."
            )

    def _key(self, state: Row[Any], chains: Chains) -> _Key:
        return chains.identities.get(state.reading_id, ""), chains.uids.get(state.reader_id, ""), state.role

    def _goes_with(self, found: _Match, state: Row[Any]) -> bool:
        """Whether one of both is a beginning of the other."""
        if found.common == self._theirs.length(state.reading_id):
            return True
        # Rows made on other voxels are never appended to labels of these.
        same_voxels = not found.state.pixels_sha256 or found.state.pixels_sha256 == state.pixels_sha256
        free = found.state.reading_id not in self._report.extended
        return free and same_voxels and found.common == self._mine.length(found.state.reading_id)

    def _go_on(self, found: _Match, state: Row[Any]) -> None:
        own_id, their_id = found.state.reading_id, state.reading_id
        self.numbers[their_id] = own_id
        if found.common < self._theirs.length(their_id):
            self._report.extended.append(own_id)
            self._want(their_id, found.common)
        if state.pixels_sha256 and not found.state.pixels_sha256:
            self._set_pixels(own_id, state.pixels_sha256)
        self._settle(found.state, state)

    def _begin(self, state: Row[Any], copy: int, *, disputed: bool) -> None:
        frame, their_id = self._frame, state.reading_id
        images = frame.theirs.execute(select(schema.readings).where(schema.readings.c.reading_id == their_id)).one()
        values = {c.key: images._mapping[c] for c in schema.readings.c if c.key != "reading_id"}
        added = frame.mine.execute(insert(schema.readings).values(**values)).inserted_primary_key
        if added is None:
            raise StoreError("A reading could not be added to the project; try again.")
        own_id, case_id = int(added[0]), frame.cases.get(state.case_id, 0)
        reader = frame.reader(state.reader_id)
        add_state(frame.mine, own_id, case_id, reader, state.changed_utc, _role(state.role), copy)
        self._write(own_id, role=state.role, status=state.status, seconds=state.seconds)
        self.numbers[their_id] = own_id
        self._begun.append(own_id)
        self._report.readings += 1
        self._want(their_id, 0)
        if disputed:
            self._report.conflicts.append(
                f"{self._whose(state)} went on with case {case_id} in both copies; "
                f"what was done in {self._report.other} is kept beside, as copy {copy}."
            )

    def _settle(self, mine: Row[Any], theirs: Row[Any]) -> None:
        """Let the status count that was said later, and the longer time."""
        frame, change = self._frame, dict[str, Any]()
        here, there = frame.logs
        decided = (
            here.last(*_DECIDES, reading_id=mine.reading_id),
            there.last(*_DECIDES, reading_id=theirs.reading_id),
        )
        order = [status.value for status in ReadingStatus]
        which = settled((mine.status, theirs.status), decided, frame.logs, order)
        if which.theirs:
            change["status"] = theirs.status
        if which.disputed:
            counts = theirs.status if which.theirs else mine.status
            self._report.conflicts.append(
                f"Case {mine.case_id} of {self._whose(theirs)} is “{mine.status}” here and “{theirs.status}” in "
                f"{self._report.other}; “{counts}” was said later and counts."
            )
        if (lapsed := self._unseen(mine, theirs, change.get("status", mine.status))) is not None:
            change["status"] = lapsed
            self.lapsed[mine.reading_id] = lapsed
            self._report.conflicts.append(
                f"Case {mine.case_id} of {self._whose(theirs)} was approved before all of its labels came together here, "
                f"so it is “{lapsed}” again."
            )
        if theirs.seconds > mine.seconds:
            change["seconds"] = theirs.seconds
        if change:
            self._report.settled += 1
            self._write(mine.reading_id, **change)

    def _unseen(self, mine: Row[Any], theirs: Row[Any], status: str) -> str | None:
        """Return what a reading is in place of approved, where who approved it had not seen all that it holds now."""
        approved = ReadingStatus.APPROVED.value
        sides = (
            (self._frame.mine, mine, self._mine.length(mine.reading_id)),
            (self._frame.theirs, theirs, self._theirs.length(theirs.reading_id)),
        )
        longer, reading, whole = max(sides, key=lambda side: side[2])
        seen = max((length for _copy, state, length in sides if state.status == approved), default=whole)
        if status != approved or seen == whole:
            return None
        journal = schema.journal.c
        further = select(func.count()).where(journal.reading_id == reading.reading_id, journal.seq > seen)
        if not longer.execute(further.where(journal.kind != EntryKind.NOTE.value)).scalar_one():
            return None
        return str(reading.status)

    def take_rows(self, blobs: tuple[BlobStore, BlobStore], progress: Callable[[float], None]) -> None:
        """Append all rows that are to come, in the order they were written, and copy what they refer to.

        Where a reader's chain of hashes here is a beginning of theirs, every row keeps its hash.

        Raises
        ------
        StoreError
            When one of them is damaged.
        """
        for their_id in {stored.reader_id for stored in self._writers()}:
            self._frame.reader(their_id)
        self._report.gestures += append_rows(self._frame.mine, self._coming(blobs, progress))

    def _coming(
        self, blobs: tuple[BlobStore, BlobStore], progress: Callable[[float], None]
    ) -> Iterator[tuple[JournalRow, int]]:
        """Yield the rows with their reader here, once what they refer to is there."""
        kept: set[str] = set()
        for number, stored in enumerate(numbered_rows(self._frame.theirs, list(self._wanted))):
            progress(number / len(self._wanted))
            if not stored.intact:
                raise damaged(self._report.other)
            if stored.row.document:
                for digest in sorted(blobs_of(json.loads(stored.row.document)) - kept):
                    _keep_blob(blobs, digest)
                    kept.add(digest)
            own_id = self._wanted[stored.row_id]
            yield replace(stored.row, reading_id=own_id), self._frame.reader(stored.reader_id)

    def _writers(self) -> Sequence[Row[Any]]:
        """Return the readers of the other copy who wrote anything: those who are new here are added before the rows."""
        readers = schema.readers.c
        return self._frame.theirs.execute(select(readers.reader_id).where(readers.rows > 0)).all() if self._wanted else []

    def _want(self, their_id: int, after_seq: int) -> None:
        own_id = self.numbers[their_id]
        self._wanted |= dict.fromkeys(self._theirs.row_ids_after(their_id, after_seq), own_id)

    def _whose(self, state: Row[Any]) -> str:
        return self._names.get(self._theirs.uids.get(state.reader_id, ""), "") or "Somebody"

    def _set_pixels(self, reading_id: int, pixels: str) -> None:
        readings = schema.readings
        self._frame.mine.execute(update(readings).where(readings.c.reading_id == reading_id).values(pixels_sha256=pixels))

    def _write(self, reading_id: int, **values: object) -> None:
        state = schema.reading_state
        self._frame.mine.execute(update(state).where(state.c.reading_id == reading_id).values(**values))


def damaged(other: str) -> StoreError:
    """Return the error for a copy that not everything can be taken from."""
    return StoreError(f"{other} is damaged, so nothing was taken from it; recover it into a new project, then merge that.")


def _worked_on(state: Row[Any]) -> bool:
    return str(state.status) != ReadingStatus.TO_DO.value


def _keep_blob(blobs: tuple[BlobStore, BlobStore], digest: str) -> None:
    mine, theirs = blobs
    try:
        mine.get(digest)
    except StoreError:
        # What is damaged here is put in its place again, too.
        mine.discard(digest)
        mine.put(theirs.get(digest))


def _states(connection: Connection) -> list[Row[Any]]:
    """Return the states of all readings with the hash of their voxels, oldest first."""
    state, readings = schema.reading_state, schema.readings
    joined = state.join(readings, state.c.reading_id == readings.c.reading_id)
    statement = select(state, readings.c.pixels_sha256).select_from(joined).order_by(state.c.reading_id)
    return list(connection.execute(statement).all())


def _role(stored: str) -> Role:
    try:
        return Role(stored)
    except ValueError:
        return Role.READER
