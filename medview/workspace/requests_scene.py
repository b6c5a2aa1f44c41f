"""A volume made ready for three dimensions, away from the window."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.geometry import Calibration
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.study import Verdict
from medview.core.volume import Volume
from medview.scene.grid import Grid
from medview.scene.prepare import small_volume
from medview.workspace.check import why_no_volume
from medview.workspace.jobs import Lane
from medview.workspace.open_case import OpenCase


@dataclass(frozen=True, slots=True)
class PrepareScene:
    """Request: the voxels of a volume, fewer where they are many."""

    volume: Volume

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Preparing the 3-D view")

    @property
    def lane(self) -> Lane:
        """Beside reading, which the planes wait for."""
        return Lane.LOOK

    def run(self, context: JobContext) -> Grid:
        """Make them. Raises GeometryError when the volume has no three dimensions."""
        return small_volume(self.volume, context)


def no_scene(case: OpenCase) -> str:
    """Return why a case has no three dimensions, as a sentence, or nothing when it has."""
    geometry = case.volume.geometry
    if case.entry.verdict is not Verdict.VOLUME or geometry.calibration is not Calibration.VOLUME:
        return why_no_volume(case.entry)
    if min(geometry.shape_kji) < 2:
        return _("A single slice has no third dimension.")
    return ""
