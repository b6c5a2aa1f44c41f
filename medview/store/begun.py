"""Many readings begun at once, as an import does: one transaction instead of three for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, update

from medview.core.geometry import Geometry
from medview.store import schema
from medview.store.case_images import CaseKey, CaseSources
from medview.store.patients import NOBODY, PatientIdentity, patient_number
from medview.store.reading_state import ReadingStatus, Role
from medview.store.readings import add_reading
from medview.store.worklist import tells_patient


@dataclass(frozen=True, slots=True)
class BegunReading:
    """A reading that is begun with labels that are there already; it is in work until they are in its journal.

    Attributes
    ----------
    pixels_sha256 : str
        Of the voxels they were drawn on (``core.pixel_hash``).
    """

    key: CaseKey
    geometry: Geometry
    sources: CaseSources
    pixels_sha256: str
    patient: PatientIdentity = NOBODY


def begin_readings(connection: Connection, begun: Sequence[BegunReading], reader: int, created_utc: str) -> list[int]:
    """Begin readings of one reader and return their numbers. Whether there are any already is the caller's to know."""
    numbers: list[int] = []
    for one in begun:
        images = one.key, one.geometry, one.sources
        told = tells_patient(connection, *images)
        patient_id = 0 if told else patient_number(connection, one.patient)
        number = add_reading(connection, images, (reader, Role.READER), created_utc, patient_id).reading_id
        readings, state = schema.readings, schema.reading_state
        seen = update(readings).where(readings.c.reading_id == number).values(pixels_sha256=one.pixels_sha256)
        connection.execute(seen)
        begun_now = update(state).where(state.c.reading_id == number).values(status=ReadingStatus.IN_WORK.value)
        connection.execute(begun_now)
        numbers.append(number)
    return numbers
