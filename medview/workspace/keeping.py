"""Where the labels of an open case go: the project's journal, gesture by gesture."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from medview.core.errors import MedViewError, StoreError
from medview.core.geometry import Geometry
from medview.core.language import _
from medview.core.pixel_hash import left_out, pixels_sha256, same_pixels
from medview.core.study import Series, VolumeEntry
from medview.core.volume import Volume
from medview.io.series_reader import sop_instance_uids
from medview.store.activity import ActivityKind
from medview.store.case_images import CaseKey, CaseSources, other_pixels
from medview.store.entry import Entry, EntryKind
from medview.store.patients import PatientIdentity
from medview.store.project import Project
from medview.store.recover import LoadedCase
from medview.workspace.editing import Step
from medview.workspace.open_case import OpenCase

_UNSURE = _(
    "Some slices cannot be read, so it is not certain that these are the images the "
    "labels were drawn on; they are shown and cannot be changed."
)


@dataclass(frozen=True, slots=True, eq=False)
class StoredCase:
    """What the project knows of a series.

    Attributes
    ----------
    reading_id : int or None
        None when the labels of this series cannot be kept.
    pixels : str
        Hash of the pixels the labels were drawn on (``core.pixel_hash``), or empty while there is none.
    problem : str
        Why they cannot be kept or shown, or empty.
    """

    reading_id: int | None = None
    loaded: LoadedCase | None = None
    pixels: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Tie:
    """How labels and the pixels at hand belong together; all is well when both are empty.

    Attributes
    ----------
    other_pixels : str
        Why the labels must not be shown on these pixels.
    unsure : str
        Why they may be shown but not changed.
    """

    other_pixels: str = ""
    unsure: str = ""


def load_stored(
    project: Project | None, series: Series, entry: VolumeEntry, volume: Volume, *, beside: bool = False
) -> StoredCase:
    """Find the case of a volume in the project, or make one, and load its labels and history. Called in a worker.

    A case that cannot be loaded is reported, not replaced: an empty one would be written over it.

    Parameters
    ----------
    beside : bool
        Only looked at, while somebody may open it and draw on it.
    """
    if project is None:
        return StoredCase(problem=_("No project could be opened, so labels cannot be kept or changed."))
    key, geometry, sources = images_of(series, entry, volume.geometry)
    try:
        row = project.reading(key, geometry, sources, create=not project.read_only, patient=patient_of_headers(series))
        if not (beside or project.read_only):
            project.activity.add(ActivityKind.OPENED, reading_id=row.reading_id)
        return StoredCase(row.reading_id, project.load_reading(row.reading_id, beside=beside), row.pixels_sha256)
    except MedViewError as error:
        return StoredCase(problem=error.sentence)


def images_of(series: Series, entry: VolumeEntry, geometry: Geometry) -> tuple[CaseKey, Geometry, CaseSources]:
    """Return what tells the images of a volume from all others, and where they are."""
    key = CaseKey(series.study_uid, series.series_uid, geometry.frame_of_reference_uid)
    # Absolute, so that they can be found from anywhere; without following links, which may be how they are meant.
    paths = tuple(str(Path(path).absolute()) for path in entry.paths)
    return key, geometry, CaseSources(sop_instance_uids(entry), paths, series.modality, series.description)


def patient_of_headers(series: Series) -> PatientIdentity:
    """Return what the headers say about whose images these are."""
    return PatientIdentity(series.patient_id, series.patient_issuer, series.patient_name, series.patient_birth_date)


def keep(case: OpenCase, project: Project | None, stored: StoredCase) -> None:
    """Let every step of a case go to the journal, or say on the case why it cannot be changed."""
    if project is not None and project.read_only:
        case.read_only = project.read_only_reason
        return
    if project is None or stored.reading_id is None:
        case.read_only = stored.problem
        return
    reading_id = case.reading_id = stored.reading_id

    def record(step: Step) -> None:
        try:
            project.journal.append(reading_id, Entry(EntryKind(step.kind), step.command, case.labels.revision))
        except StoreError as error:
            # Nothing more may be drawn that would be lost too.
            case.read_only = error.sentence
            raise

    case.record = record
    case.recall = lambda job_ids: project.proposed_masks(reading_id, job_ids)


def tie_pixels(
    project: Project | None, stored: StoredCase, volume: Volume, damaged: Collection[int], counted: str = ""
) -> Tie:
    """Tie a case to its pixels the first time, check them every later time; called in a worker once the volume is complete.

    Parameters
    ----------
    damaged : collection of int
        Slices k that could not be read.
    counted : str
        Hash of just these pixels, where it is known already.
    """
    if project is None or stored.reading_id is None:
        return Tie()
    known = stored.pixels
    if known and not left_out(known).issuperset(damaged):
        return Tie(unsure=_UNSURE)
    if known and known != counted and not same_pixels(volume, known):
        return Tie(other_pixels().sentence)
    if known and left_out(known) == frozenset(damaged):
        # The project knows as much already; a whole volume is not read twice for it.
        return Tie()
    try:
        project.attach_pixels(stored.reading_id, counted or pixels_sha256(volume, damaged), in_place_of=known)
    except MedViewError as error:
        return Tie(error.sentence)
    return Tie()
