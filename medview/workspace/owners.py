"""Whose pictures a pane shows, for when more than one patient is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medview.core.language import _
from medview.core.study import Series
from medview.io.dicom.names import person_name
from medview.workspace.open_case import OpenCase
from medview.workspace.study_order import hidden_names, patient_key

if TYPE_CHECKING:
    # The workspace keeps the list of patients.
    from medview.workspace.workspace import Workspace

Patient = tuple[str, ...]
"""What tells patients apart."""

COLOURS = ((0, 114, 178), (230, 159, 0), (204, 121, 167), (0, 158, 115), (86, 180, 233), (213, 94, 0))
"""Okabe and Ito's colours, the most different first: blue and orange are told apart by nearly everybody."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a picture is.

    Attributes
    ----------
    colour : tuple of int
        RGB; the same for all pictures of the patient for as long as any series is open.
    """

    text: str
    colour: tuple[int, int, int]


def patient_of(series: Series) -> Patient:
    """Return what tells the patient of a series from others.

    Both ID and name count: two hospitals give one ID to two people. Without either, nobody can say that two studies are
    of one patient.
    """
    who = (series.patient_id.strip().casefold(), " ".join(person_name(series.patient_name).casefold().split()))
    if any(letter.isalnum() for text in who for letter in text):
        return who
    return ("", "", series.study_uid or series.series_uid)


def owner_strip(workspace: Workspace, case: OpenCase) -> Owner | None:
    """Return whose picture a case is; None while all open cases are of one patient."""
    if len({patient_of(one.series) for one in workspace.cases.values()}) < 2:
        return None
    who = patient_of(case.series)
    place = workspace.patients.index(who) if who in workspace.patients else len(workspace.patients)
    colour = COLOURS[place % len(COLOURS)]
    if workspace.bench.identity_hidden:
        return Owner(names_while_hidden(workspace)[patient_key(case.series)], colour)
    series = workspace.bench.as_read(case.series)
    told = dict.fromkeys(part for part in (person_name(series.patient_name), series.patient_id) if part)
    if told:
        return Owner(" \u00b7 ".join(told), colour)
    return Owner(
        _("{names_while_hidden}, not named in the files").format(
            names_while_hidden=names_while_hidden(workspace)[patient_key(case.series)]
        ),
        colour,
    )


def names_while_hidden(workspace: Workspace) -> dict[Patient, str]:
    """Return what panes and the study list call the patients while their identity is hidden, see ``hidden_names``."""
    return hidden_names((*workspace.series, *(case.series for case in workspace.cases.values())))
