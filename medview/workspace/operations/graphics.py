"""Graphics that come with the images of a series: read once its slices stand, shown over them."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.errors import MedViewError
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.overlay_plane import OverlayPlane
from medview.core.study import Frame, VolumeEntry
from medview.io.dicom.overlays import read_overlays
from medview.io.reader_pool import FILE_TIMEOUT_S, Pool
from medview.workspace.jobs import Lane, Outcome
from medview.workspace.open_case import Graphics, OpenCase
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class ReadGraphics:
    """Request: the overlay planes of every slice."""

    entry: VolumeEntry
    pool: Pool
    title: str = _("Reading the graphics of the images")
    lane: Lane = Lane.READ

    def run(self, context: JobContext) -> Graphics:
        """Read in reader processes; a file whose graphics cannot be read shows none."""
        return graphics_of(self.entry, context, self.pool)


def graphics_of(entry: VolumeEntry, context: JobContext, pool: Pool, only_k: int | None = None) -> Graphics:
    """Return the overlay planes by slice, counted through all time points; slices without any mark are left out.

    Parameters
    ----------
    only_k : int, optional
        The one slice of the first time point that is wanted.
    """
    wanted = [(n, frame) for n, frame in enumerate(entry.frames) if frame.overlays and only_k in (None, n)]
    found: dict[int, tuple[OverlayPlane, ...]] = {}
    tasks = [_task(frame) for _, frame in wanted]
    for index, outcome in pool.each(read_overlays, tasks, FILE_TIMEOUT_S, context.raise_if_cancelled):
        if not isinstance(outcome, MedViewError) and outcome:
            found[wanted[index][0]] = outcome
    return found


def _task(frame: Frame) -> tuple[str, int]:
    return frame.path, frame.number


def show_graphics(workspace: Workspace, case: OpenCase) -> None:
    """Read the graphics of a case whose slices have arrived and lay them over its pictures."""

    def done(value: object) -> None:
        if isinstance(value, dict) and workspace.cases.get(case.key) is case:
            case.graphics = value
            case.load_changed.emit()

    if case.entry.has_overlays:
        workspace.runner.submit(ReadGraphics(case.entry, workspace.services.pool), Outcome(done))
