"""What is said about readings by those who review them, and the readings that reviews and consensus begin."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, update

from medview.core.errors import StoreError
from medview.store import schema
from medview.store.activity import ActivityBook, ActivityEntry, ActivityKind, activity_entries
from medview.store.clock import Clock, iso
from medview.store.database import Database
from medview.store.reading_state import ReadingStatus, Role, counting_consensus
from medview.store.readings import ReadingRow, add_reading, get_reading, list_readings
from medview.store.review_links import gestures_of_people, gone_on, reviewed_readings
from medview.store.rows import reader_id

_SAID = (ActivityKind.COMMENTED, ActivityKind.SENT_BACK, ActivityKind.APPROVED)


@dataclass(frozen=True, slots=True)
class Pin:
    """A place that something is said about: in the patient, and the voxel it was said at."""

    point_lps_mm: tuple[float, float, float]
    index_kji: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ReviewComment:
    """What somebody said of a reading.

    Attributes
    ----------
    uid : str
        Of its entry in the activity.
    kind : str
        ``commented``, ``sent back`` or ``approved``.
    pin : Pin or None
        Where it is about; None for all of the reading.
    with_edit : bool
        Approved as a reviewer corrected it.
    """

    uid: str
    kind: str
    who: str
    when_utc: str
    case_id: int
    reading_id: int
    text: str
    pin: Pin | None = None
    with_edit: bool = False


class ReviewBook:
    """Reads and writes reviews. Its methods may be called from any thread.

    All that change something raise MedViewError when the project cannot be written.

    Parameters
    ----------
    changing : callable
        Gives a connection in a transaction, or raises where the project cannot be written.
    reader : tuple of str
        Name and uid of who reviews.
    """

    def __init__(
        self,
        database: Database,
        changing: Callable[[], AbstractContextManager[Connection]],
        activity: ActivityBook,
        reader: tuple[str, str],
        clock: Clock,
    ) -> None:
        self._database, self._changing, self._activity = database, changing, activity
        self._reader, self._clock = reader, clock

    def readings(self, case_id: int) -> list[ReadingRow]:
        """Return all readings of a case with their images, oldest first."""
        with self._database.reading() as connection:
            return list_readings(connection, schema.reading_state.c.case_id == case_id)

    def beside(self, reading_id: int) -> list[ReadingRow]:
        """Return all readings of the case that a reading is of, itself too."""
        state = schema.reading_state.c
        own = select(state.case_id).where(state.reading_id == reading_id).scalar_subquery()
        with self._database.reading() as connection:
            return list_readings(connection, state.case_id == own)

    def looked_at(self, reading_id: int) -> None:
        """Write down that somebody looked at the labels of another."""
        self._activity.add(ActivityKind.OPENED, reading_id=reading_id, beside=True)

    def comments(self, case_id: int) -> list[ReviewComment]:
        """Return what was said of the readings of a case, oldest first."""
        activity = schema.activity.c
        wanted: tuple[ColumnElement[bool], ...] = (
            activity.case_id == case_id,
            activity.kind.in_([kind.value for kind in _SAID]),
        )
        with self._database.reading() as connection:
            return [_comment(entry) for entry in activity_entries(connection, *wanted)]

    def comment(self, reading_id: int, text: str, pin: Pin | None = None) -> None:
        """Say something of a reading, at a place or of all of it."""
        self._activity.add(ActivityKind.COMMENTED, reading_id=reading_id, text=text.strip(), **_place(pin))

    def send_back(self, reading_id: int, text: str, pin: Pin | None = None) -> None:
        """Ask for a reading to be worked on again, saying why and where."""
        if not text.strip():
            raise StoreError("Say what is to be done before the labels are sent back.")
        with self._changing() as connection:
            self._set_status(connection, reading_id, ReadingStatus.RETURNED)
            self._activity.note(connection, ActivityKind.SENT_BACK, reading_id=reading_id, text=text.strip(), **_place(pin))

    def approve(self, reading_id: int, text: str = "") -> None:
        """Say that a reading is good; of a review, that the reader's labels are as they were corrected in it."""
        said = text.strip()
        with self._changing() as connection:
            self._set_status(connection, reading_id, ReadingStatus.APPROVED)
            of = reviewed_readings(connection).get(reading_id)
            if of is None:
                self._activity.note(connection, ActivityKind.APPROVED, reading_id=reading_id, text=said)
                return
            # What is said is said of the reader's labels; the edit only is as far as they are.
            status = ReadingStatus.APPROVED.value
            self._activity.note(connection, ActivityKind.STATUS, reading_id=reading_id, status=status)
            self._set_status(connection, of, ReadingStatus.APPROVED)
            self._activity.note(connection, ActivityKind.APPROVED, reading_id=of, text=said, with_edit=True)

    def reviewed(self) -> dict[int, int]:
        """Return the reading that each review is of, by numbers."""
        with self._database.reading() as connection:
            return reviewed_readings(connection)

    def gone_on(self, case_id: int = 0) -> dict[int, list[str]]:
        """Return who went on after a consensus was last worked on, by number of the consensus: of a case, or of all."""
        with self._database.reading() as connection:
            return gone_on(connection, case_id)

    def begin_review(self, of: int) -> tuple[ReadingRow, bool]:
        """Return the reviewer's own reading that begins with the labels of another, and whether it is new and still empty.

        Parameters
        ----------
        of : int
            Number of the reading that is reviewed; it stays as it is.
        """
        with self._changing() as connection:
            reviewed = get_reading(connection, of)
            links = reviewed_readings(connection)
            for known in self._own(connection, reviewed.case_id, Role.REVIEW):
                if links.get(known.reading_id) == of:
                    return known, not known.gestures
            begun = self._begin(connection, reviewed, Role.REVIEW)
            whose = _uid_of(connection, of)
            self._activity.note(connection, ActivityKind.REVIEWED, reading_id=begun.reading_id, of=whose, reading=of)
            return begun, True

    def begin_consensus(self, case_id: int) -> ReadingRow:
        """Return the consensus of a case, whoever began it, beginning it where there is none."""
        with self._changing() as connection:
            readings = list_readings(connection, schema.reading_state.c.case_id == case_id)
            if not readings:
                raise StoreError("Nobody has labelled this case yet, so there is nothing to agree on.")
            counts = counting_consensus(row.state for row in readings)
            opened = next((row for row in readings if counts is not None and row.reading_id == counts.reading_id), None)
            opened = opened or self._begin(connection, readings[0], Role.CONSENSUS)
            made = gestures_of_people(connection, case_id)
            saw = [[r.reading_id, made.get(r.reading_id, 0)] for r in readings if r.state.role is Role.READER]
            own = made.get(opened.reading_id, 0)
            self._activity.note(connection, ActivityKind.CONSENSUS, reading_id=opened.reading_id, saw=saw, own=own)
            return opened

    def _own(self, connection: Connection, case_id: int, role: Role) -> list[ReadingRow]:
        state = schema.reading_state.c
        me = reader_id(connection, *self._reader)
        return list_readings(connection, state.case_id == case_id, state.reader_id == me, state.role == role.value)

    def _begin(self, connection: Connection, like: ReadingRow, role: Role) -> ReadingRow:
        """Begin a reading of the same images, tied to the same voxels."""
        taken = len(self._own(connection, like.case_id, role))
        images = like.key, like.geometry, like.sources
        begun = add_reading(connection, images, (reader_id(connection, *self._reader), role), iso(self._clock.utc()))
        readings, state = schema.readings, schema.reading_state
        connection.execute(
            update(readings).where(readings.c.reading_id == begun.reading_id).values(pixels_sha256=like.pixels_sha256)
        )
        connection.execute(update(state).where(state.c.reading_id == begun.reading_id).values(copy=taken))
        return get_reading(connection, begun.reading_id)

    @staticmethod
    def _set_status(connection: Connection, reading_id: int, status: ReadingStatus) -> None:
        state = schema.reading_state
        connection.execute(update(state).where(state.c.reading_id == reading_id).values(status=status.value))


def _uid_of(connection: Connection, reading_id: int) -> str:
    state, readers = schema.reading_state.c, schema.readers.c
    owner = select(state.reader_id).where(state.reading_id == reading_id).scalar_subquery()
    return str(connection.execute(select(readers.reader_uid).where(readers.reader_id == owner)).scalar() or "")


def _place(pin: Pin | None) -> dict[str, Any]:
    if pin is None:
        return {}
    return {"point_lps_mm": list(pin.point_lps_mm), "index_kji": list(pin.index_kji)}


def _comment(entry: ActivityEntry) -> ReviewComment:
    said = entry.details
    try:
        x, y, z = (float(n) for n in said["point_lps_mm"])
        k, j, i = (int(n) for n in said["index_kji"])
        pin = Pin((x, y, z), (k, j, i))
    except (KeyError, TypeError, ValueError):
        pin = None
    text = str(said.get("text", ""))
    about = entry.case_id, entry.reading_id
    return ReviewComment(entry.uid, entry.kind, entry.who, entry.when_utc, *about, text, pin, bool(said.get("with_edit")))
