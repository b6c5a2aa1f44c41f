"""Frozen descriptions of what is read for the list of cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from medview.core.errors import MedViewError, ReadError
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.pixel_hash import pixels_sha256
from medview.core.reading_rule import ReadingRule
from medview.core.study import Series, Verdict, VolumeEntry
from medview.io.dicom.scan import scan_files
from medview.io.library import Library
from medview.io.reader_pool import Pool
from medview.io.series_reader import SeriesReader, sop_instance_uids
from medview.io.shared_block import available_memory
from medview.store.case_images import CaseImages
from medview.store.cases import CaseRow
from medview.store.project import Project
from medview.workspace.form_book import project_label_set
from medview.workspace.jobs import Lane
from medview.workspace.load_state import LoadState
from medview.workspace.project_forms import missing_by_reading
from medview.workspace.queue import SeriesPlace
from medview.workspace.requests import ReadyVolume

AHEAD_SHARE = 0.25
"""A case is read ahead only where it takes no more than this part of the memory that is free."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The list of cases as it stands in a project.

    Attributes
    ----------
    lacking : mapping of int to int
        How many required answers readings lack, by their number.
    reviewed : mapping of int to int
        Number of a review -> that of the reading it went on from.
    """

    rows: tuple[CaseRow, ...]
    rule: ReadingRule
    instructions: str
    name: str
    lacking: Mapping[int, int] = field(default_factory=dict)
    reviewed: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListCases:
    """Request: the cases of a project."""

    project: Project
    lane: Lane = field(default=Lane.WRITE)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Listing the cases")

    def run(self, _context: JobContext) -> Listed:
        """Read."""
        worklist = self.project.worklist
        rows = tuple(self.project.cases())
        lacking, reviewed = _lacking(self.project), self.project.review.reviewed()
        return Listed(rows, worklist.reading_rule(), worklist.instructions(), self.project.name, lacking, reviewed)


def _lacking(project: Project) -> dict[int, int]:
    try:
        forms = project_label_set(project).forms
        required = any(question.required for form in forms for question in form.questions)
        return missing_by_reading(project, forms) if required else {}
    except MedViewError:
        # Whoever asks for the forms is told that they are damaged; the list of cases is none the worse.
        return {}


@dataclass(frozen=True, slots=True)
class FindCase:
    """Request: the files of a case, looked at again.

    Attributes
    ----------
    title : str
        What the person reads.
    scanned : tuple of Series
        Found before; looked through first.
    """

    project: Project
    case_id: int
    title: str
    scanned: tuple[Series, ...]
    pool: Pool
    library: Library | None = None
    lane: Lane = field(default=Lane.READ)

    def run(self, context: JobContext) -> tuple[Series, VolumeEntry]:
        """Look at the files; raises ReadError when they are gone or hold something else."""
        return find_case(self.project.worklist.images(self.case_id), self.scanned, context, self.pool, self.library)


@dataclass(frozen=True, slots=True)
class ReadCaseAhead:
    """Request: find a case and read all of it, while another one is open. None where memory has no room for it."""

    find: FindCase
    lane: Lane = field(default=Lane.AHEAD)

    @property
    def title(self) -> str:
        """What the person reads."""
        return self.find.title

    def run(self, context: JobContext) -> ReadyVolume | None:
        """Read in reader processes."""
        series, entry = self.find.run(context)
        room = entry.size_bytes // max(1, entry.time_points) <= AHEAD_SHARE * available_memory()
        if not room or entry.verdict is Verdict.REFUSED:
            return None
        reader = SeriesReader(self.find.pool)
        opened = reader.begin(series, entry)
        load = LoadState(entry.shape_kji[0])
        damaged = {report.k: report.reason for report in reader.fill(opened, load.wanted_k, context)}
        load.mark_all_ready()
        for k, reason in damaged.items():
            load.mark(k, ok=False, reason=reason)
        return ReadyVolume(series, entry, opened.volume, load, pixels_sha256(opened.volume, load.damaged))


def find_case(
    images: CaseImages, scanned: Iterable[Series], context: JobContext, pool: Pool, library: Library | None = None
) -> tuple[Series, VolumeEntry]:
    """Return the volume of a case.

    Raises
    ------
    ReadError
        When its files are gone or hold something else.
    """
    sources = images.sources
    shape = images.geometry.shape_kji
    key = images.key
    place = SeriesPlace(key.series_uid, key.study_uid, sources.modality, sources.description, shape, sources.paths)
    found = place.entry_in(scanned)
    if found is not None and set(found[1].paths) == set(place.paths):
        return found
    if not place.paths:
        raise ReadError("Nothing says where the files of this case are; add their folder to the project again.")
    if any(not Path(path.partition("::")[0]).exists() for path in place.paths):
        raise ReadError(
            "The files of this case are no longer where they were; add the folder they are in now to the project."
        )
    found = place.entry_in(scan_files(place.paths, context, pool, library).series)
    if found is None or sop_instance_uids(found[1]) != sources.sop_instance_uids:
        raise ReadError("The files of this case hold other images than when it was added.")
    return found
