"""Where the pictures in other panes cut the one in this."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.reference_line import reference_line
from medview.workspace.links import same_place
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ReferenceLine:
    """One picture seen from its edge.

    Attributes
    ----------
    start, end : tuple of float
        (row, column) on the picture it is drawn on; integers are centres of pixels.
    pointed : bool
        The pane it stands for is under the pointer.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    pointed: bool


def lines_on(workspace: Workspace, pane_id: str) -> tuple[ReferenceLine, ...]:
    """Return the lines of the pictures of other cases that share a frame of reference with the one in a pane."""
    case, bench = workspace.case_in(pane_id), workspace.bench
    if case is None or not bench.reference_lines or bench.layout.follows:
        return ()
    layout = case.slice_plane(workspace.plane_in(pane_id))
    here = layout.grid(case.volume.geometry, case.position_on(layout))
    found = []
    for cell in bench.layout.slices:
        other = workspace.case_in(cell.pane_id)
        if other is None or other is case or not same_place(case, other):
            continue
        its = other.slice_plane(workspace.plane_in(cell.pane_id))
        line = reference_line(here, its.grid(other.volume.geometry, other.position_on(its)))
        if line is not None:
            found.append(ReferenceLine(*line, cell.pane_id == bench.pointed))
    return tuple(found)
