"""The cases of a project as its list shows them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Result, Row, select

from medview.store import schema
from medview.store.reading_state import ReadingState, ReadingStatus, Role, counting_consensus, reading_states

_FURTHEST = (
    ReadingStatus.RETURNED,
    ReadingStatus.FLAGGED,
    ReadingStatus.IN_WORK,
    ReadingStatus.TO_DO,
    ReadingStatus.DONE,
    ReadingStatus.APPROVED,
)
"""What a case with several readings is: the first of these that one of them is."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case: what there is to label, and who has got how far with it.

    Attributes
    ----------
    patient : str
        Pseudonym of the patient; empty where nothing tells who it is.
    position : int
        Place in the list.
    split : str
        ``train``, ``validation`` or ``test``, or empty.
    excluded : str
        Why it is left out; empty while it is not.
    readings : tuple of ReadingState
        Oldest first.
    """

    case_id: int
    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    modality: str
    description: str
    shape_kji: tuple[int, int, int]
    patient: str
    position: int
    split: str
    excluded: str
    created_utc: str
    readings: tuple[ReadingState, ...] = ()

    def of(self, reader: str, role: Role = Role.READER) -> ReadingState | None:
        """Return the reading of a reader, or None; one that was only opened gives way to one that was worked on."""
        mine = [state for state in self.readings if state.reader == reader and state.role is role]
        return min(mine, key=lambda state: (not state.worked_on, state.copy), default=None)

    @property
    def consensus(self) -> ReadingState | None:
        """What the readers' labels came to, begun or only opened; None where nobody asked for it."""
        return counting_consensus(self.readings)

    @property
    def agreed(self) -> ReadingState | None:
        """The consensus, once somebody worked on it: before that the readers' own labels are all there is."""
        return self.consensus if self.consensus is not None and self.consensus.worked_on else None

    @property
    def status(self) -> ReadingStatus:
        """How far the case is: its consensus where there is one, else what is least finished of its readings."""
        if self.agreed is not None:
            return self.agreed.status
        found = {state.status for state in self.readings if state.role is Role.READER}
        return next((status for status in _FURTHEST if status in found), ReadingStatus.TO_DO)

    @property
    def gestures(self) -> int:
        """Rows in the journals of all its readings."""
        return sum(state.gestures for state in self.readings)

    @property
    def seconds(self) -> int:
        """Of work by all readers, idle time not counted."""
        return sum(state.seconds for state in self.readings)

    @property
    def changed_utc(self) -> str:
        """ISO 8601 time of the newest row of any reading, or of the creation."""
        return max((state.changed_utc for state in self.readings), default=self.created_utc)

    def document(self) -> dict[str, Any]:
        """Return the case ready for JSON."""
        return {
            "case": self.case_id,
            "study_uid": self.study_uid,
            "series_uid": self.series_uid,
            "frame_of_reference_uid": self.frame_of_reference_uid,
            "modality": self.modality,
            "description": self.description,
            "shape": list(self.shape_kji),
            "status": self.status.value,
            "gestures": self.gestures,
            "changed_utc": self.changed_utc,
            "patient": self.patient,
            "split": self.split,
            "excluded": self.excluded,
            "seconds": self.seconds,
            "readings": [state.document() for state in self.readings],
        }


def list_cases(connection: Connection) -> list[CaseRow]:
    """Return all cases in the order of the list. Neither journals nor the lists of their images are read."""
    of_case: dict[int, list[ReadingState]] = {}
    for state in reading_states(connection):
        of_case.setdefault(state.case_id, []).append(state)
    listed, patients = schema.worklist.c, schema.patients.c
    light = [column for column in listed if column.key != "sources"]
    joined = schema.worklist.outerjoin(schema.patients, listed.patient_id == patients.patient_id)
    statement = select(*light, patients.pseudonym).select_from(joined).order_by(listed.position, listed.case_id)
    found: Result[Any] = connection.execute(statement)
    return [_row(row, of_case.get(row.case_id, ())) for row in found]


def _row(row: Row[Any], readings: Sequence[ReadingState]) -> CaseRow:
    shape, frame = _grid(row.geometry)
    return CaseRow(
        case_id=row.case_id,
        study_uid=row.study_uid,
        series_uid=row.series_uid,
        frame_of_reference_uid=frame,
        modality=row.modality,
        description=row.description,
        shape_kji=shape,
        patient=row.pseudonym or "",
        position=row.position,
        split=row.split,
        excluded=row.excluded,
        created_utc=row.created_utc,
        readings=tuple(readings),
    )


def _grid(stored: str) -> tuple[tuple[int, int, int], str]:
    """Return shape and frame of reference; nothing where they are damaged: the list of the others is still to be had."""
    try:
        geometry = json.loads(stored)
        k, j, i = (int(n) for n in geometry["shape_kji"])
        return (k, j, i), str(geometry["key_frame_of_reference_uid"])
    except (KeyError, TypeError, ValueError):
        return (0, 0, 0), ""
