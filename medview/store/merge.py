"""Two copies of a project become one; nothing of either is lost.

People work on copies. The project that is written gets from the other copy, which is only read: cases, united by their
images; patients, by the hash of who they are; readers, by their uid; readings, by case, reader and role; the activity, by
uid. Rows of a reading that went on there are appended; where it went different ways in both, that of the other copy is kept
beside. Models that only the other copy has are told.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import Connection, select

from medview.core.errors import StoreError
from medview.store import schema
from medview.store.activity import ActivityBook, ActivityKind
from medview.store.blobs import BlobStore
from medview.store.chains import Chains
from medview.store.database import newer_version
from medview.store.merge_frame import MergeFrame
from medview.store.merge_models import tell_models
from medview.store.merge_readings import MergeReadings, damaged
from medview.store.merge_report import MergeReport
from medview.store.project_folder import OpenFolder, open_copy
from medview.store.reading_state import ReadingStatus


def merge_copy(
    changing: Callable[[], AbstractContextManager[Connection]],
    blobs: BlobStore,
    activity: ActivityBook,
    other: Path,
    progress: Callable[[float], None] = lambda _fraction: None,
) -> MergeReport:
    """Take everything that is new in another copy of a project into it, all or nothing.

    Parameters
    ----------
    changing : callable
        Gives a connection in a transaction of the project.
    blobs : BlobStore
        Of the project.
    other : Path
        Folder of the other copy; only read.
    progress : callable
        Called with the part that is done, 0 to 1; what it raises ends the merge and leaves the project as it was.

    Raises
    ------
    StoreError
        When it is no copy of this project, when either is damaged, or a newer MedView wrote it.
    """
    folder = open_copy(other)
    try:
        if folder.salvaged:
            raise damaged(other.name)
        with folder.database.reading() as theirs, changing() as mine:
            return _merge(mine, theirs, (blobs, folder.blobs), activity, folder, progress)
    finally:
        folder.close()


def _merge(
    mine: Connection,
    theirs: Connection,
    blobs: tuple[BlobStore, BlobStore],
    activity: ActivityBook,
    folder: OpenFolder,
    progress: Callable[[float], None],
) -> MergeReport:
    report = MergeReport(folder.path.name)
    _check_same_project(mine, theirs, folder)
    chains = Chains(mine), Chains(theirs)
    if not chains[0].sound:
        raise StoreError(
            "Changes of the project itself are missing or damaged, so nothing was merged into it; "
            "recover it into a new project and merge into that one."
        )
    if not chains[1].sound:
        raise damaged(report.other)
    frame = MergeFrame(mine, theirs, report)
    frame.unite_cases()
    readings = MergeReadings(frame, chains, report)
    readings.match()
    readings.take_rows(blobs, progress)
    frame.unite_facts()
    tell_models(mine, theirs, report)
    nothing_else = not report.changed
    if frame.unite_activity(readings.numbers) or not nothing_else:
        # What tells of another merge only is no reason to tell of this one: copies merged to and fro come to rest.
        activity.note(mine, ActivityKind.MERGED, other=report.other, **report.counts)
    for reading_id, status in readings.lapsed.items():
        activity.note(mine, ActivityKind.STATUS, reading_id=reading_id, status=status, lapsed=ReadingStatus.APPROVED.value)
    progress(1.0)
    return report


def _check_same_project(mine: Connection, theirs: Connection, folder: OpenFolder) -> None:
    if folder.why_copy:
        raise StoreError(newer_version(folder.path.name))
    uid = select(schema.facts.c.value).where(schema.facts.c.key == "project_uid")
    if mine.execute(uid).scalar() != theirs.execute(uid).scalar():
        raise StoreError(
            f"{folder.path.name} is another project and no copy of this one, so nothing was merged; "
            "export its labels and import them instead."
        )
