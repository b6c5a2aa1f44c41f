"""Headings of the images of a series, read once its slices stand."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.errors import MedViewError
from medview.core.headings import Headings
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.study import Frame, VolumeEntry
from medview.io.dicom.headings import agreed, read_headings
from medview.io.reader_pool import FILE_TIMEOUT_S, Pool
from medview.workspace.jobs import Lane, Outcome
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace

_LOOKED_AT = 9
"""Images that are asked, spread over the series. A tube current that changes along the patient shows between any two."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadHeadings:
    """Request: what the headers of some images, first and last among them, agree on."""

    entry: VolumeEntry
    pool: Pool
    title: str = _("Reading the headings of the images")
    lane: Lane = Lane.LOOK

    def run(self, context: JobContext) -> Headings:
        """Read in reader processes; files that cannot be read say nothing."""
        tasks = [(frame.path, frame.number) for frame in spread(self.entry.frames, _LOOKED_AT)]
        outcomes = self.pool.each(read_headings, tasks, FILE_TIMEOUT_S, context.raise_if_cancelled)
        found = {index: one for index, one in outcomes if not isinstance(one, MedViewError)}
        return agreed([found[index] for index in sorted(found)])


def spread(frames: tuple[Frame, ...], most: int) -> list[Frame]:
    """Return at most so many DICOM frames, evenly spread, the first and the last among them."""
    dicom = [frame for frame in frames if frame.sop_instance_uid]
    if len(dicom) <= most:
        return dicom
    return [dicom[round(n * (len(dicom) - 1) / (most - 1))] for n in range(most)]


def show_headings(workspace: Workspace, case: OpenCase) -> None:
    """Read the headings of a case whose slices have arrived."""

    def done(value: object) -> None:
        if isinstance(value, Headings) and workspace.cases.get(case.key) is case:
            case.headings = value
            case.load_changed.emit()

    if case.entry.dicom_paths:
        workspace.runner.submit(ReadHeadings(case.entry, workspace.services.pool), Outcome(done))
