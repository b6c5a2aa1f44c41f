"""The cases there are to label, and where their images are."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from medview.core.geometry import Geometry
from medview.store import schema
from medview.store.case_images import (
    CaseImages,
    CaseKey,
    CaseSources,
    damaged_case,
    read_images,
    stored_images,
    stored_sources,
)


def list_case(
    connection: Connection, key: CaseKey, geometry: Geometry, sources: CaseSources, created_utc: str, patient_id: int = 0
) -> tuple[int, bool]:
    """Return the number of the case of some images, and whether it is new on the list.

    What was not known about the patient when it was put there is completed.
    """
    known = find_case(connection, key, geometry, sources)
    if known is None:
        return _add(connection, stored_images(key, geometry, sources), sources, created_utc, patient_id), True
    worklist = schema.worklist
    if patient_id:
        untold = update(worklist).where(worklist.c.case_id == known, worklist.c.patient_id == 0)
        connection.execute(untold.values(patient_id=patient_id))
    return known, False


def find_case(connection: Connection, key: CaseKey, geometry: Geometry, sources: CaseSources) -> int | None:
    """Return the number of the case of just these images, or None."""
    same = schema.worklist.c.identity_sha256 == stored_images(key, geometry, sources)["identity_sha256"]
    found = connection.execute(select(schema.worklist.c.case_id).where(same)).scalar()
    return None if found is None else int(found)


def tells_patient(connection: Connection, key: CaseKey, geometry: Geometry, sources: CaseSources) -> bool:
    """Whether the case of just these images is on the list, and whose it is is known."""
    case_id = find_case(connection, key, geometry, sources)
    listed = schema.worklist.c
    known = select(listed.patient_id).where(listed.case_id == case_id)
    return case_id is not None and bool(connection.execute(known).scalar_one())


def list_images(connection: Connection, reading: Row[Any], wanted_id: int) -> int:
    """Return the number of the case of a stored reading, putting it on the list where it is missing.

    Parameters
    ----------
    wanted_id : int
        The number it gets where that is free.
    """
    worklist = schema.worklist.c
    known = connection.execute(select(worklist.case_id).where(worklist.identity_sha256 == reading.identity_sha256)).scalar()
    if known is not None:
        return int(known)
    columns = {
        name: getattr(reading, name) for name in ("study_uid", "series_uid", "geometry", "sources", "identity_sha256")
    }
    taken = connection.execute(select(worklist.case_id).where(worklist.case_id == wanted_id)).scalar()
    number = None if taken is not None else wanted_id
    return _add(connection, columns, _sources_of(reading.sources), reading.created_utc, 0, number)


def images_of_cases(connection: Connection, *where: ColumnElement[bool]) -> list[CaseImages]:
    """Return the images of all cases, or of those that meet the conditions, in the order of the list.

    Raises
    ------
    StoreError
        When what is known of one is damaged.
    """
    listed, readings, state = schema.worklist.c, schema.readings.c, schema.reading_state.c
    seen: dict[int, str] = {}
    for case_id, pixels in connection.execute(
        select(state.case_id, readings.pixels_sha256)
        .join(schema.readings, state.reading_id == readings.reading_id)
        .where(readings.pixels_sha256 != "")
        .order_by(state.reading_id)
    ):
        seen.setdefault(case_id, pixels)
    found: list[CaseImages] = []
    statement = select(schema.worklist).where(*where).order_by(listed.position, listed.case_id)
    for row in connection.execute(statement):
        try:
            images = read_images(row.study_uid, row.series_uid, row.geometry, row.sources)
        except (KeyError, TypeError, ValueError) as error:
            raise damaged_case(row.case_id, repr(error)) from error
        found.append(CaseImages(row.case_id, *images, seen.get(row.case_id, "")))
    return found


def move_case(connection: Connection, case_id: int, sources: CaseSources) -> None:
    """Remember where the images of a case are now."""
    worklist = schema.worklist
    connection.execute(update(worklist).where(worklist.c.case_id == case_id).values(sources=stored_sources(sources)))


def known_cases(connection: Connection) -> dict[str, tuple[int, int]]:
    """Return number and patient of every case, by the hash of its images."""
    listed = schema.worklist.c
    found = connection.execute(select(listed.identity_sha256, listed.case_id, listed.patient_id))
    return {row.identity_sha256: (int(row.case_id), int(row.patient_id)) for row in found}


def last_places(connection: Connection) -> tuple[int, int]:
    """Return the highest number and the last place of the list."""
    listed = schema.worklist.c
    ends = select(func.coalesce(func.max(listed.case_id), 0), func.coalesce(func.max(listed.position), 0))
    last, position = connection.execute(ends).one()
    return int(last), int(position)


def case_columns(
    columns: dict[str, str], sources: CaseSources, case_id: int, position: int, created_utc: str
) -> dict[str, str | int]:
    """Return a new line of the list."""
    return {
        **columns,
        "case_id": case_id,
        "modality": sources.modality,
        "description": sources.description,
        "patient_id": 0,
        "position": position,
        "split": "",
        "excluded": "",
        "created_utc": created_utc,
    }


def _add(
    connection: Connection,
    columns: dict[str, str],
    sources: CaseSources,
    created_utc: str,
    patient_id: int,
    case_id: int | None = None,
) -> int:
    last, position = last_places(connection)
    number = last + 1 if case_id is None else case_id
    line = case_columns(columns, sources, number, position + 1, created_utc) | {"patient_id": patient_id}
    connection.execute(insert(schema.worklist).values(line))
    return number


def _sources_of(stored: str) -> CaseSources:
    """Return what is said of images whose place on the list is made anew; nothing where it is damaged."""
    try:
        said = json.loads(stored)
        return CaseSources((), (), str(said["modality"]), str(said["description"]))
    except (KeyError, TypeError, ValueError):
        return CaseSources()
