"""Key images out of the active case as a DICOM Key Object Selection document."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from medview.core.errors import MedViewError
from medview.core.job import JobContext
from medview.core.language import _, in_language, plural
from medview.io.dicom.ko_write import KeySlices, write_ko
from medview.workspace.events import Severity
from medview.workspace.exports import refuse_sources
from medview.workspace.jobs import Job, Lane, Outcome
from medview.workspace.key_images import acquired_slice, key_images
from medview.workspace.operations.writing import Written, noted, reader_of
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ExportKeyObject:
    """Request: a document that points at the acquired images a person marked."""

    path: Path
    keys: KeySlices

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Writing the key images")

    @property
    def lane(self) -> Lane:
        """Writing."""
        return Lane.WRITE

    def run(self, context: JobContext) -> Written:
        """Write the file. Raises WriteError or GeometryError when it cannot be written."""
        return Written(self.path, write_ko(self.path, self.keys))


def export_ko(workspace: Workspace, path: Path) -> Job | None:
    """Write the key images of the active case as a Key Object Selection document."""
    case = workspace.active
    marked = key_images(case) if case is not None else []
    if case is None or not marked:
        workspace.say(_("There are no key images to export yet; mark a slice first."), Severity.WARNING)
        return None
    if not case.entry.dicom_paths:
        text = _("A key object document needs a DICOM series; save the key images as PNG instead.")
        workspace.say(text, Severity.WARNING)
        return None
    try:
        refuse_sources(path, (frame.path for frame in case.entry.frames))
    except MedViewError as error:
        workspace.report(error)
        return None
    acquired = {k: one.label for one in marked if (k := acquired_slice(case, one)) is not None}
    across = len(marked) - len(acquired)
    if not acquired:
        text = _("All key images lie across the acquired ones, at which DICOM cannot point; save them as PNG instead.")
        workspace.say(text, Severity.WARNING)
        return None
    left = plural(
        "{n} key image lies across the acquired ones and cannot be in it.",
        "{n} key images lie across the acquired ones and cannot be in it.",
        across,
    )
    unpointed = (left.format(n=across),) if across else ()

    def done(value: object) -> None:
        if isinstance(value, Written):
            notes = (*map(in_language, value.notes), *unpointed)
            severity = Severity.WARNING if notes else Severity.INFO
            workspace.say(" ".join((_("Wrote {path}.").format(path=value.path), *notes)), severity)

    said, reader = tuple(acquired.values()), reader_of(workspace, case)
    keys = KeySlices(case.volume.geometry, case.entry.frames, tuple(acquired), said, reader)
    request = noted(workspace, case, ExportKeyObject(path, keys), "key-images")
    return workspace.runner.submit(request, Outcome(done, failed=workspace.report))
