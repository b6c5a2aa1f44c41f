"""Where the labels of an open case go: the project's journal, gesture by gesture."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.errors import MedViewError, StoreError
from medview.core.study import Series, VolumeEntry
from medview.core.volume import Volume
from medview.store.cases import CaseKey, CaseSources
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from medview.store.recover import LoadedCase
from medview.workspace.open_case import OpenCase, Step


@dataclass(frozen=True, slots=True, eq=False)
class StoredCase:
    """What the project knows of a series.

    Attributes
    ----------
    case_id : int or None
        None when the labels of this series cannot be kept.
    pixels_known : bool
        The labels were drawn on complete pixels whose hash the project has.
    problem : str
        Why they cannot be kept or shown, or empty.
    """

    case_id: int | None = None
    loaded: LoadedCase | None = None
    pixels_known: bool = False
    problem: str = ""


def load_stored(project: Project | None, series: Series, entry: VolumeEntry, volume: Volume) -> StoredCase:
    """Find the case of a volume in the project, or make one, and load its labels and history. Called in a worker.

    A case that cannot be loaded is reported, not replaced: an empty one would be written over it.
    """
    if project is None:
        return StoredCase(problem="No project could be opened, so labels cannot be kept or changed.")
    key = CaseKey(volume.study_uid, volume.series_uid, volume.geometry.frame_of_reference_uid)
    sources = CaseSources(volume.sop_instance_uids, entry.dicom_paths, volume.modality, series.description)
    try:
        row = project.case(key, volume.geometry, sources, create=not project.read_only)
        return StoredCase(row.case_id, project.load_case(row.case_id), bool(row.pixels_sha256))
    except MedViewError as error:
        return StoredCase(problem=error.sentence)


def keep(case: OpenCase, project: Project | None, stored: StoredCase) -> None:
    """Let every step of a case go to the journal, or say on the case why it cannot be changed."""
    if project is not None and project.read_only:
        case.read_only = project.read_only_reason
        return
    if project is None or stored.case_id is None:
        case.read_only = stored.problem
        return
    case_id = stored.case_id

    def record(step: Step) -> None:
        try:
            project.journal.append(case_id, Entry(EntryKind(step.kind), step.command, case.labels.revision))
        except StoreError as error:
            # Nothing more may be drawn that would be lost too.
            case.read_only = error.sentence
            raise

    case.record = record


def attach_pixels(project: Project | None, stored: StoredCase, pixels_sha256: str) -> str:
    """Tie a case to its pixels the first time, check them every later time; called in a worker once the volume is complete.

    Returns
    -------
    str
        Why the labels must not be shown on these pixels, or empty.
    """
    if project is None or stored.case_id is None or project.read_only:
        return ""
    try:
        project.attach_pixels(stored.case_id, pixels_sha256)
    except MedViewError as error:
        return error.sentence
    return ""
