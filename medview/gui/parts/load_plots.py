"""Loading what draws curves when the first one is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from medview.core.job import JobContext
from medview.core.language import _
from medview.workspace.jobs import Lane


@dataclass(frozen=True, slots=True)
class LoadPlots:
    """Request: import a module that draws curves."""

    module: str
    title: str = _("Getting ready to draw curves")
    lane: Lane = Lane.LOOK

    def run(self, _context: JobContext) -> object:
        """Import in a worker, so that the window is not kept waiting."""
        return import_module(self.module)
