"""Going through the time points of the series under the pointer."""

from __future__ import annotations

from medview.core.language import _
from medview.workspace.action import Action, Run
from medview.workspace.time_axis import go_to
from medview.workspace.workspace import Workspace


def in_time(workspace: Workspace) -> bool:
    """Whether a series that is shown holds several time points."""
    return any(case.entry.time_points > 1 for case in workspace.shown_cases)


def _step(steps: int) -> Run:
    def run(workspace: Workspace) -> None:
        case = workspace.looked_at
        if case is None or case.entry.time_points == 1:
            return
        wanted = min(max(case.view.time_index + steps, 0), case.entry.time_points - 1)
        if not go_to(case, wanted):
            workspace.say(
                _("Time point {count} of {time_points} is not read.").format(
                    count=len(case.times) + 1, time_points=case.entry.time_points
                )
            )

    return run


def _swap(workspace: Workspace) -> None:
    workspace.bench.cine_in_time = not workspace.bench.cine_in_time


TIME_ACTIONS: tuple[Action, ...] = (
    Action("time.next", _("Next time point"), _step(1), "mdi6.clock-plus-outline", in_time),
    Action("time.previous", _("Previous time point"), _step(-1), "mdi6.clock-minus-outline", in_time),
    Action("time.first", _("First time point"), _step(-1_000_000), "", in_time),
    Action("time.last", _("Last time point"), _step(1_000_000), "", in_time),
    Action("cine.time", _("Play time, not slices"), _swap, "mdi6.clock-outline", in_time),
)
"""In the order menus and search show them."""
