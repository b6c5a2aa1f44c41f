"""Cases of a project: one series on one grid each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from medview.core.errors import StoreError
from medview.core.geometry import Geometry
from medview.store import schema
from medview.store.codec import canonical
from medview.store.codec_values import decode_geometry, encode_geometry


class CaseStatus(Enum):
    """How far the work on a case is."""

    TO_DO = "to do"
    IN_WORK = "in work"
    DONE = "done"
    FLAGGED = "flagged"


@dataclass(frozen=True, slots=True)
class CaseKey:
    """Which images a case is about. The grid belongs to the key too and travels beside it."""

    study_uid: str
    series_uid: str
    frame_of_reference_uid: str = ""


@dataclass(frozen=True, slots=True)
class CaseSources:
    """The images labels are drawn on.

    Attributes
    ----------
    sop_instance_uids : tuple of str
        In the order of k; empty for files that are not DICOM.
    paths : tuple of str
        Where the images were when the case was last opened; used to find them again, never to build another path.
    """

    sop_instance_uids: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    modality: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case as the project lists it.

    Attributes
    ----------
    pixels_sha256 : str
        Of the voxels the labels were drawn on; empty until a complete series was seen.
    gestures : int
        Rows in the journal, undo and redo included.
    changed_utc : str
        ISO 8601 time of the newest row, or of the creation.
    """

    case_id: int
    key: CaseKey
    geometry: Geometry
    sources: CaseSources
    status: CaseStatus
    pixels_sha256: str
    identity_sha256: str
    gestures: int
    changed_utc: str

    def document(self) -> dict[str, Any]:
        """Return the case ready for JSON."""
        return {
            "case": self.case_id,
            "study_uid": self.key.study_uid,
            "series_uid": self.key.series_uid,
            "frame_of_reference_uid": self.key.frame_of_reference_uid,
            "modality": self.sources.modality,
            "description": self.sources.description,
            "shape": list(self.geometry.shape_kji),
            "status": self.status.value,
            "gestures": self.gestures,
            "changed_utc": self.changed_utc,
        }


def list_cases(connection: Connection, *where: ColumnElement[bool]) -> list[CaseRow]:
    """Return all cases, or those that meet the conditions; oldest first."""
    cases, journal = schema.cases.c, schema.journal.c
    statement = (
        select(
            schema.cases,
            func.count(journal.row_id).label("gestures"),
            func.coalesce(func.max(journal.created_utc), cases.created_utc).label("changed_utc"),
        )
        .select_from(schema.cases.outerjoin(schema.journal))
        .where(*where)
        .group_by(cases.case_id)
        .order_by(cases.case_id)
    )
    return [_row(row) for row in connection.execute(statement)]


def get_case(connection: Connection, case_id: int) -> CaseRow:
    """Return one case.

    Raises
    ------
    StoreError
        When the project has no such case.
    """
    found = list_cases(connection, schema.cases.c.case_id == case_id)
    if not found:
        raise StoreError("The project holds no such case.", detail=f"case {case_id}")
    return found[0]


def find_case(
    connection: Connection, key: CaseKey, geometry: Geometry, sop_instance_uids: Sequence[str] | None = None
) -> CaseRow | None:
    """Return the case of a series on a grid, or None.

    Parameters
    ----------
    sop_instance_uids : sequence of str, optional
        The images at hand. A series may hold several volumes on one grid (two echoes, say): the case of just these images
        is found, or else one that shares some of them, so that its caller can say that images have changed.
    """
    cases = schema.cases.c
    same_series = list_cases(connection, cases.study_uid == key.study_uid, cases.series_uid == key.series_uid)
    found = [case for case in same_series if case.key == key and case.geometry.same_grid(geometry)]
    if sop_instance_uids is not None:
        own = tuple(sop_instance_uids)
        exact = [case for case in found if case.sources.sop_instance_uids == own]
        sharing = [case for case in found if not own or not set(own).isdisjoint(case.sources.sop_instance_uids)]
        found = exact or sharing
    return found[0] if found else None


def add_case(connection: Connection, key: CaseKey, geometry: Geometry, sources: CaseSources, created_utc: str) -> CaseRow:
    """Add a case and return it."""
    stored_geometry = canonical(encode_geometry(geometry) | {"key_frame_of_reference_uid": key.frame_of_reference_uid})
    result = connection.execute(
        insert(schema.cases).values(
            study_uid=key.study_uid,
            series_uid=key.series_uid,
            geometry=stored_geometry,
            sources=_encode_sources(sources),
            identity_sha256=identity(key.study_uid, key.series_uid, stored_geometry, sources.sop_instance_uids),
            pixels_sha256="",
            status=CaseStatus.TO_DO.value,
            created_utc=created_utc,
        )
    )
    case_id = result.inserted_primary_key
    if case_id is None:
        raise StoreError("The case could not be added to the project; try again.")
    return get_case(connection, int(case_id[0]))


def move_sources(connection: Connection, case: CaseRow, sources: CaseSources) -> None:
    """Remember where the images are now.

    Raises
    ------
    StoreError
        When these are other images than the labels were drawn on.
    """
    if case.sources.sop_instance_uids != sources.sop_instance_uids:
        raise other_pixels()
    connection.execute(
        update(schema.cases).where(schema.cases.c.case_id == case.case_id).values(sources=_encode_sources(sources))
    )


def begin_work(connection: Connection, case_id: int) -> None:
    """Note that someone has begun with a case."""
    cases = schema.cases
    connection.execute(
        update(cases)
        .where(cases.c.case_id == case_id, cases.c.status == CaseStatus.TO_DO.value)
        .values(status=CaseStatus.IN_WORK.value)
    )


def identity(study_uid: str, series_uid: str, stored_geometry: str, sop_instance_uids: Sequence[str]) -> str:
    """Return the SHA-256 of what makes a case this case; every row of its journal carries it in its own hash."""
    return hashlib.sha256(canonical([study_uid, series_uid, stored_geometry, list(sop_instance_uids)]).encode()).hexdigest()


def check_identities(connection: Connection) -> None:
    """Make sure that what the project says about each case is what was said when it was made.

    Raises
    ------
    StoreError
        When something was altered.
    """
    cases = schema.cases.c
    stored = select(cases.case_id, cases.study_uid, cases.series_uid, cases.geometry, cases.sources, cases.identity_sha256)
    for row in connection.execute(stored):
        try:
            uids = json.loads(row.sources)["sop_instance_uids"]
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(row.case_id, repr(error)) from error
        if identity(row.study_uid, row.series_uid, row.geometry, uids) != row.identity_sha256:
            raise _damaged(row.case_id, "identity")


def other_pixels() -> StoreError:
    """Return the error for images that are not those the labels were drawn on."""
    return StoreError(
        "The images of this series have changed since it was labelled, so its labels are not shown on them; "
        "open the original images to see the labels."
    )


def _row(row: Row[Any]) -> CaseRow:
    try:
        geometry = json.loads(row.geometry)
        sources = json.loads(row.sources)
        return CaseRow(
            case_id=row.case_id,
            key=CaseKey(row.study_uid, row.series_uid, geometry["key_frame_of_reference_uid"]),
            geometry=decode_geometry(geometry),
            sources=CaseSources(
                tuple(sources["sop_instance_uids"]), tuple(sources["paths"]), sources["modality"], sources["description"]
            ),
            status=CaseStatus(row.status),
            pixels_sha256=row.pixels_sha256,
            identity_sha256=row.identity_sha256,
            gestures=row.gestures,
            changed_utc=row.changed_utc,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(row.case_id, repr(error)) from error


def _damaged(case_id: int, detail: str) -> StoreError:
    return StoreError(
        "What the project says about a case is damaged; restore the project from a copy.",
        detail=f"case {case_id}: {detail}",
    )


def _encode_sources(sources: CaseSources) -> str:
    return canonical(
        {
            "sop_instance_uids": list(sources.sop_instance_uids),
            "paths": list(sources.paths),
            "modality": sources.modality,
            "description": sources.description,
        }
    )
