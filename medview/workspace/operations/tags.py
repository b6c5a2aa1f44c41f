"""The attributes of the file behind the current slice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from medview.core.errors import MedViewError, ReadError
from medview.core.job import JobContext
from medview.core.language import _
from medview.io.dicom.tag_list import TagList, list_tags
from medview.io.reader_pool import Pool
from medview.workspace.events import Severity
from medview.workspace.jobs import Lane, Outcome
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ReadTags:
    """Request: all attributes of one DICOM file."""

    path: str
    frame: int
    pool: Pool
    title: str = _("Reading the tags")
    lane: Lane = Lane.LOOK

    def run(self, _context: JobContext) -> TagList:
        """Read in a reader process. Raises ReadError when the file is gone or damaged."""
        value = self.pool.call(list_tags, self.path, self.frame)
        if not isinstance(value, TagList):
            raise ReadError("The tags of this image could not be read; try again.")
        return value


def read_tags(workspace: Workspace, show: Callable[[TagList], object], failed: Callable[[MedViewError], None]) -> None:
    """Read the attributes of the file behind the slice that the crosshair is on, and have them shown.

    Refuses in a sentence while the identity of the patient is hidden, also when it was hidden meanwhile.
    """
    case = workspace.active
    if case is None:
        return
    if workspace.bench.identity_hidden:
        _refuse(workspace)
        return
    frame = case.images.frame(case.view.time_index, case.view.crosshair_kji[0])
    if frame is None or not frame.sop_instance_uid:
        workspace.say(_("This image does not come from a DICOM file, so it has no tags."), Severity.WARNING)
        return

    def done(value: object) -> None:
        if workspace.bench.identity_hidden:
            _refuse(workspace)
        elif isinstance(value, TagList):
            show(value)

    request = ReadTags(frame.path, frame.number, workspace.services.pool)
    workspace.runner.submit(request, Outcome(done, failed=failed))


def _refuse(workspace: Workspace) -> None:
    workspace.say(_("Tags name the patient; show the identity again to read them."))
