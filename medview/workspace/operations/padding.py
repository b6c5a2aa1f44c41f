"""Padding of an open series, looked for in the background when its planes are turned out of the grid."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.analysis.padding_blocks import Blocks, find_blocks, known_blocks
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.volume import Volume
from medview.workspace.jobs import Lane, Outcome
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class FindPadding:
    """Request: where a volume holds padding."""

    volume: Volume
    title: str = _("Looking for padding")
    lane: Lane = Lane.LOOK

    def run(self, context: JobContext) -> Blocks | None:
        """Look in a worker."""
        return find_blocks(self.volume, context.raise_if_cancelled)


def follow_padding(workspace: Workspace, case: OpenCase) -> None:
    """Have padding looked for when the planes of a case that is read are turned; until it is found pictures take longer."""
    asked: list[weakref.ref[npt.NDArray[np.generic]]] = []
    # Signals of a view are kept by the class of the view as long as the view lives: one that held its case would keep both
    # for ever.
    held = weakref.ref(case)

    def turned(*_values: object) -> None:
        case = held()
        if case is None:
            return
        volume = case.volume
        if case.view.axes is None or not case.ready or volume.padding is None or known_blocks(volume) is not None:
            return
        if workspace.cases.get(case.key) is case and not any(one() is volume.voxels for one in asked):
            # Asked once: of a volume that declares padding and holds none there is nothing to know.
            asked.append(weakref.ref(volume.voxels))
            workspace.runner.submit(FindPadding(volume), Outcome(lambda _blocks: None))

    for signal in (case.view.events.axes, case.view.events.time_index):
        signal.connect(turned)
    turned()
