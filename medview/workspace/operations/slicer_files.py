"""Labels out of the active case as 3D Slicer keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from medview.core.job import JobContext
from medview.core.language import _
from medview.core.pixel_hash import pixels_sha256
from medview.core.volume import Volume
from medview.io.seg_nrrd_write import write_seg_nrrd
from medview.workspace.jobs import Job, Lane
from medview.workspace.operations.files import exportable, may_write
from medview.workspace.operations.writing import Written, noted, written
from medview.workspace.requests import LabelsCopy
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ExportSlicer:
    """Request: labels as a segmentation of 3D Slicer, overlaps and codes included."""

    path: Path
    labels: LabelsCopy
    volume: Volume
    damaged: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Writing the segmentation for 3D Slicer")

    @property
    def lane(self) -> Lane:
        """Writing."""
        return Lane.WRITE

    def run(self, context: JobContext) -> Written:
        """Write the file. Raises WriteError where the grid is one that NRRD cannot hold."""
        write_seg_nrrd(self.path, self.labels.segmentation, pixels_sha256(self.volume, self.damaged))
        return Written(self.path)


def export_slicer(workspace: Workspace, path: Path) -> Job | None:
    """Write the labels of the active case as a ``.seg.nrrd``, by which ending Slicer knows it."""
    case = exportable(workspace)
    if case is None:
        return None
    if not may_write(workspace, case, path):
        return None
    workspace.efforts.note(case)
    request = ExportSlicer(path, LabelsCopy.of(case.labels.segmentation), case.anchor.volume, case.anchor.load.damaged)
    return workspace.runner.submit(noted(workspace, case, request, "nrrd"), written(workspace))
