"""From folders, files and tables to cases of a project."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from medview.core.errors import ReadError, StoreError
from medview.core.job import JobContext, JobPart
from medview.core.language import _
from medview.core.study import DamagedFile, Reason, ScanResult, Series, Verdict, VolumeEntry
from medview.io.dicom.scan import scan
from medview.io.library import Library
from medview.io.reader_pool import Pool
from medview.store.patients import PatientIdentity
from medview.store.project import Project
from medview.store.worklist_book import AddedCases, NewCase
from medview.workspace.case_filter import SPLITS
from medview.workspace.jobs import Lane
from medview.workspace.keeping import images_of, patient_of_headers

_SPLIT_WORDS = {"training": "train", "val": "validation", "valid": "validation", "testing": "test"}
_COLUMNS = ("path", "patient", "split", "series")
_TABLE_BYTES = 64 << 20
"""A table of a million paths is smaller."""


@dataclass(frozen=True, slots=True)
class WantedPlace:
    """A folder, file or zip whose images are to become cases.

    Attributes
    ----------
    patient : str
        Whose they are, in place of what the headers say; empty for that.
    split : str
        One of ``SPLITS``, or empty.
    series_uid : str
        The only series that is meant; empty for all.
    """

    path: Path
    patient: str = ""
    split: str = ""
    series_uid: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A volume that cannot be labelled, and why."""

    path: str
    description: str
    reasons: tuple[Reason, ...]

    def sentence(self) -> str:
        """Return it in one line."""
        why = self.reasons[-1].text if self.reasons else "its pixels cannot be read."
        return Reason("LEFT_OUT", f"{self.description or Path(self.path).name} was left out: {why}").text


@dataclass(frozen=True, slots=True)
class FoundCases:
    """What was found in the places.

    Attributes
    ----------
    nameless : int
        Cases of which nothing tells the patient.
    """

    cases: tuple[NewCase, ...] = ()
    refused: tuple[LeftOut, ...] = ()
    damaged: tuple[DamagedFile, ...] = ()
    nameless: int = 0


@dataclass(frozen=True, slots=True)
class Addition:
    """What came of it.

    Attributes
    ----------
    patients : int
        People among the cases.
    total : int
        Cases the project has now.
    """

    found: FoundCases
    added: AddedCases
    patients: int = 0
    total: int = 0

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "added": self.added.added,
            "known": self.added.known,
            "moved": self.added.moved,
            "patients": self.patients,
            "without_patient": self.found.nameless,
            "cases": self.total,
            "refused": [
                {
                    "path": one.path,
                    "description": one.description,
                    "reasons": [{"code": reason.code, "text": reason.text} for reason in one.reasons],
                }
                for one in self.found.refused
            ],
            "damaged": [{"path": one.path, "reason": one.reason} for one in self.found.damaged],
        }


@dataclass(frozen=True, slots=True)
class AddCases:
    """Request: look into places and put what can be labelled on the list of a project.

    Attributes
    ----------
    patient_from : str
        A regular expression that finds the patient in a path: its first group, or all of what it fits; empty for what
        the headers say.
    scanned : tuple of Series
        Looked into before: added as they were found.
    """

    project: Project
    places: tuple[WantedPlace, ...]
    pool: Pool
    library: Library | None = None
    patient_from: str = ""
    scanned: tuple[Series, ...] = ()
    lane: Lane = field(default=Lane.READ)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Adding cases to {name}").format(name=self.project.path.name)

    def run(self, context: JobContext) -> Addition:
        """Scan in reader processes, then write in one transaction.

        Raises
        ------
        MedViewError
            When a place is not there, nothing in them can be labelled, or the project cannot be written.
        """
        if self.project.read_only:
            raise StoreError(self.project.read_only_reason)
        found = find_cases(
            self.places,
            JobPart(context, 0.0, 0.9),
            self.pool,
            self.library,
            patient_from=self.patient_from,
            scanned=self.scanned,
        )
        if not found.cases:
            raise _nothing(self.places, found)

        def written(fraction: float) -> None:
            context.raise_if_cancelled()
            context.progress(0.9 + 0.1 * fraction, self.title)

        added = self.project.worklist.add(found.cases, written)
        people = {case.patient.key_sha256() for case in found.cases if case.patient.known}
        return Addition(found, added, len(people), len(self.project.cases()))


def find_cases(
    places: Sequence[WantedPlace],
    context: JobContext,
    pool: Pool,
    library: Library | None = None,
    *,
    patient_from: str = "",
    scanned: Sequence[Series] = (),
) -> FoundCases:
    """Return a case for every volume that can be labelled, each once, in the order of the places.

    Raises
    ------
    ReadError
        When a place is not there, or ``patient_from`` is no regular expression.
    CancelledError
        When the context says so.
    """
    pattern = _pattern(patient_from)
    scans: dict[Path, ScanResult] = {}
    cases: dict[tuple[str, str, tuple[str, ...]], NewCase] = {}
    refused: dict[str, LeftOut] = {}
    for number, place in enumerate((*places, None)):
        context.raise_if_cancelled()
        if place is None:
            place, found = WantedPlace(Path()), ScanResult(tuple(scanned))
        else:
            if place.path not in scans:
                part = JobPart(context, number / len(places), (number + 1) / len(places))
                scans[place.path] = scan(place.path, part, pool, library)
            found = scans[place.path]
        for series, entry in _volumes(found, place):
            first = entry.paths[0] if entry.paths else str(place.path)
            if entry.verdict is Verdict.REFUSED or entry.geometry is None:
                refused.setdefault(first, LeftOut(first, series.description, entry.reasons))
                continue
            patient = _patient(place, series, first, pattern)
            images = images_of(series, entry, entry.geometry)
            case = NewCase(*images, patient, place.split)
            known = cases.setdefault((series.study_uid, series.series_uid, images[2].paths), case)
            if place.split and place.split != known.split:
                cases[series.study_uid, series.series_uid, images[2].paths] = replace(known, split=place.split)
    nameless = sum(not case.patient.known for case in cases.values())
    damaged = {one.path: one for result in scans.values() for one in result.damaged}
    return FoundCases(tuple(cases.values()), tuple(refused.values()), tuple(damaged.values()), nameless)


def places_of_table(path: Path) -> tuple[WantedPlace, ...]:
    """Read a CSV that names places, one a line, under the headings path, patient, split and series (all but path optional).

    A table of one column may go without a heading. Relative paths count from the folder of the table.

    Raises
    ------
    ReadError
        When it cannot be read, names no path, or a path that is not there; the line is named.
    """
    try:
        if path.stat().st_size > _TABLE_BYTES:
            raise ReadError(f"{path.name} is too large for a table of paths.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path.name} cannot be read as a table (CSV, UTF-8).", detail=repr(error)) from error
    try:
        rows = [(number, row) for number, row in enumerate(_rows(text), start=1) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise ReadError(f"{path.name} cannot be read as a table (CSV, UTF-8).", detail=repr(error)) from error
    heading = [cell.strip().casefold() for cell in rows[0][1]] if rows else []
    if "path" in heading:
        rows = rows[1:]
    elif rows and all(len(row) == 1 for _n, row in rows):
        heading = ["path"]
    else:
        raise ReadError(f"{path.name} has no column path; its first line has to name the columns {', '.join(_COLUMNS)}.")
    return tuple(_place(path, number, dict(zip(heading, row, strict=False))) for number, row in rows)


def _rows(text: str) -> Iterator[list[str]]:
    first = text.partition("\n")[0]
    # What spreadsheets write where the comma parts decimals.
    delimiter = ";" if first.count(";") > first.count(",") else "\t" if first.count("\t") > first.count(",") else ","
    return csv.reader(text.splitlines(), delimiter=delimiter)


def _place(table: Path, number: int, cells: dict[str, str]) -> WantedPlace:
    said = {name: cells.get(name, "").strip() for name in _COLUMNS}
    if not said["path"]:
        raise ReadError(f"Line {number} of {table.name} names no path.")
    path = table.parent / said["path"]
    if not path.exists():
        raise ReadError(f"Line {number} of {table.name} names {Path(said['path']).name}, which is not there.")
    split = said["split"].casefold()
    split = _SPLIT_WORDS.get(split, split)
    if split and split not in SPLITS:
        raise ReadError(f"Line {number} of {table.name} names the split {said['split']}; use {', '.join(SPLITS)}.")
    return WantedPlace(path, said["patient"], split, said["series"])


def _pattern(patient_from: str) -> re.Pattern[str] | None:
    try:
        return re.compile(patient_from) if patient_from else None
    except re.error as error:
        raise ReadError(f"{patient_from} is no regular expression: {error}.") from error


def _volumes(found: ScanResult, place: WantedPlace) -> Iterator[tuple[Series, VolumeEntry]]:
    for series in found.series:
        if place.series_uid in ("", series.series_uid):
            yield from ((series, entry) for entry in series.volumes)


def _patient(place: WantedPlace, series: Series, path: str, pattern: re.Pattern[str] | None) -> PatientIdentity:
    if place.patient:
        return PatientIdentity(place.patient)
    if pattern is None:
        return patient_of_headers(series)
    found = pattern.search(Path(path.partition("::")[0]).absolute().as_posix())
    named = next((group for group in found.groups() if group), found.group()) if found is not None else ""
    return PatientIdentity(named)


def _nothing(places: Sequence[WantedPlace], found: FoundCases) -> ReadError:
    if not places:
        why = f" {found.refused[0].sentence()}" if found.refused else ""
        return ReadError(f"Nothing of this can be labelled.{why}")
    if found.refused:
        return ReadError(f"No image in {places[0].path.name} can be labelled. {found.refused[0].sentence()}")
    if len(places) > 1:
        return ReadError(f"No image in {len(places)} places can be read; choose others with DICOM, NIfTI or NRRD files.")
    return ReadError(f"No image in {places[0].path.name} can be read; choose a place with DICOM, NIfTI or NRRD files.")
