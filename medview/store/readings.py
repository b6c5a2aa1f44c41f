"""What a reader labels of a case: a journal, and the images it is drawn on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Result, Row, insert, select, update

from medview.core.errors import StoreError
from medview.core.geometry import Geometry
from medview.store import schema
from medview.store.case_images import (
    CaseKey,
    CaseSources,
    damaged_case,
    identity,
    other_pixels,
    read_images,
    stored_images,
    stored_sources,
)
from medview.store.reading_state import ReadingState, ReadingStatus, Role, add_state, state_of
from medview.store.worklist import list_case, move_case


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """A reading with the images it is drawn on.

    Attributes
    ----------
    pixels_sha256 : str
        Of the voxels the labels were drawn on; empty until a complete series was seen.
    """

    key: CaseKey
    geometry: Geometry
    sources: CaseSources
    pixels_sha256: str
    identity_sha256: str
    state: ReadingState

    @property
    def reading_id(self) -> int:
        """Number of the reading: its journal goes by it."""
        return self.state.reading_id

    @property
    def case_id(self) -> int:
        """Number of the case it is a reading of."""
        return self.state.case_id

    @property
    def reader(self) -> str:
        """Whose it is."""
        return self.state.reader

    @property
    def status(self) -> ReadingStatus:
        """How far it is."""
        return self.state.status

    @property
    def gestures(self) -> int:
        """Rows in its journal, undo and redo included."""
        return self.state.gestures

    @property
    def changed_utc(self) -> str:
        """ISO 8601 time of the newest row, or of the creation."""
        return self.state.changed_utc


def list_readings(connection: Connection, *where: ColumnElement[bool]) -> list[ReadingRow]:
    """Return all readings, or those that meet the conditions; oldest first.

    Raises
    ------
    StoreError
        When what is known of the images of one is damaged.
    """
    readings, state = schema.readings, schema.reading_state
    joined = readings.join(state, readings.c.reading_id == state.c.reading_id).outerjoin(
        schema.readers, state.c.reader_id == schema.readers.c.reader_id
    )
    images = [column for column in readings.c if column.key not in ("reading_id", "status")]
    statement = select(*images, state, schema.readers.c.name).select_from(joined)
    found: Result[Any] = connection.execute(statement.where(*where).order_by(readings.c.reading_id))
    return [_row(row) for row in found]


def get_reading(connection: Connection, reading_id: int) -> ReadingRow:
    """Return one reading.

    Raises
    ------
    StoreError
        When the project has no such reading.
    """
    found = list_readings(connection, schema.readings.c.reading_id == reading_id)
    if not found:
        raise StoreError("The project holds no such case.", detail=f"reading {reading_id}")
    return found[0]


def find_readings(
    connection: Connection, key: CaseKey, geometry: Geometry, sop_instance_uids: Sequence[str] | None = None
) -> list[ReadingRow]:
    """Return what all readers made of a series on a grid; oldest first.

    Parameters
    ----------
    sop_instance_uids : sequence of str, optional
        The images at hand. A series may hold several volumes on one grid (two echoes, say): readings of just these images
        are found, or else those that share some of them, so that the caller can say that images have changed.
    """
    readings = schema.readings.c
    same_series = list_readings(connection, readings.study_uid == key.study_uid, readings.series_uid == key.series_uid)
    found = [row for row in same_series if row.key == key and row.geometry.same_grid(geometry)]
    if sop_instance_uids is None:
        return found
    own = tuple(sop_instance_uids)
    exact = [row for row in found if row.sources.sop_instance_uids == own]
    return exact or [row for row in found if not own or not set(own).isdisjoint(row.sources.sop_instance_uids)]


def add_reading(
    connection: Connection,
    images: tuple[CaseKey, Geometry, CaseSources],
    owner: tuple[int, Role],
    created_utc: str,
    patient_id: int = 0,
) -> ReadingRow:
    """Begin a reading and return it; images that are new to the project become a case.

    Parameters
    ----------
    owner : tuple
        Number of the reader, 0 where it is not known yet, and what the reading is for.
    """
    case_id, _new = list_case(connection, *images, created_utc, patient_id)
    added = connection.execute(
        insert(schema.readings).values(
            **stored_images(*images), pixels_sha256="", status=ReadingStatus.TO_DO.value, created_utc=created_utc
        )
    ).inserted_primary_key
    if added is None:
        raise StoreError("The case could not be added to the project; try again.")
    reader, role = owner
    add_state(connection, int(added[0]), case_id, reader, created_utc, role)
    return get_reading(connection, int(added[0]))


def move_sources(connection: Connection, row: ReadingRow, sources: CaseSources) -> None:
    """Remember where the images are now.

    Raises
    ------
    StoreError
        When these are other images than the labels were drawn on.
    """
    if row.sources.sop_instance_uids != sources.sop_instance_uids:
        raise other_pixels()
    readings = schema.readings
    moved = update(readings).where(readings.c.identity_sha256 == row.identity_sha256)
    connection.execute(moved.values(sources=stored_sources(sources)))
    move_case(connection, row.case_id, sources)


def begin_work(connection: Connection, reading_id: int) -> bool:
    """Note that someone has begun with a reading; return whether an approval ended with it, since labels were changed."""
    state = schema.reading_state
    own = state.c.reading_id == reading_id
    status = connection.execute(select(state.c.status).where(own)).scalar()
    approved = status == ReadingStatus.APPROVED.value
    if approved or status == ReadingStatus.TO_DO.value:
        connection.execute(update(state).where(own).values(status=ReadingStatus.IN_WORK.value))
    return approved


def check_identities(connection: Connection) -> None:
    """Make sure that what the project says about each case is what was said when it was made.

    Raises
    ------
    StoreError
        When something was altered.
    """
    rows = schema.readings.c
    stored = select(rows.reading_id, rows.study_uid, rows.series_uid, rows.geometry, rows.sources, rows.identity_sha256)
    for row in connection.execute(stored):
        try:
            uids = json.loads(row.sources)["sop_instance_uids"]
        except (KeyError, TypeError, ValueError) as error:
            raise damaged_case(row.reading_id, repr(error)) from error
        if identity(row.study_uid, row.series_uid, row.geometry, uids) != row.identity_sha256:
            raise damaged_case(row.reading_id, "identity")


def _row(row: Row[Any]) -> ReadingRow:
    try:
        images = read_images(row.study_uid, row.series_uid, row.geometry, row.sources)
    except (KeyError, TypeError, ValueError) as error:
        raise damaged_case(row.reading_id, repr(error)) from error
    return ReadingRow(*images, row.pixels_sha256, row.identity_sha256, state_of(row))
