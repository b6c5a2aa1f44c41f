"""Long work: laying one volume over another."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from medview.core.job import JobContext
from medview.core.language import _
from medview.core.registration import Registration
from medview.core.volume import Volume
from medview.workspace.jobs import Lane


@dataclass(frozen=True, slots=True, eq=False)
class RegisterVolumes:
    """Request: the rigid registration of ``moving`` to ``fixed``."""

    fixed: Volume
    moving: Volume
    title: str = _("Registering two series")
    lane: Lane = Lane.COMPUTE

    def run(self, context: JobContext) -> Registration:
        """Compute on the processor. Raises GeometryError where the two do not match."""
        # SimpleITK costs every start of the program a tenth of a second that only registrations need.
        analysis = importlib.import_module("medview.analysis.registration")
        found: Registration = analysis.register_rigidly(self.fixed, self.moving, context)
        return found
