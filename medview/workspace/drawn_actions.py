"""Boxes, points and lines by key, menu and search: from one to the next, moved by a voxel, hidden."""

from __future__ import annotations

from medview.core.language import _
from medview.workspace.action import Action, Run, Test
from medview.workspace.drawn import all_drawn, jump_to, set_visible
from medview.workspace.nudging import movable, nudge
from medview.workspace.workspace import Workspace


def _go(step: int) -> Run:
    def run(workspace: Workspace) -> None:
        case = workspace.active
        things = all_drawn(case) if case is not None else []
        if case is not None and things:
            ids = [one.annotation_id for one in things]
            now = case.view.active_annotation_id
            at = ids.index(now) + step if now in ids else (0 if step > 0 else -1)
            jump_to(case, things[at % len(things)])

    return run


def _nudge(down: int, right: int) -> Run:
    def run(workspace: Workspace) -> None:
        nudge(workspace, workspace.bench.pointed, down, right)

    return run


def _show(*, visible: bool) -> Run:
    def run(workspace: Workspace) -> None:
        if workspace.active is not None:
            set_visible(workspace.active, all_drawn(workspace.active), visible=visible)

    return run


def _any(workspace: Workspace) -> bool:
    return workspace.active is not None and bool(all_drawn(workspace.active))


def _some_are(*, visible: bool) -> Test:
    def test(workspace: Workspace) -> bool:
        case = workspace.active
        return case is not None and case.editable and any(one.visible is visible for one in all_drawn(case))

    return test


def _can_move(workspace: Workspace) -> bool:
    return movable(workspace, workspace.bench.pointed) is not None


DRAWN_ACTIONS: tuple[Action, ...] = (
    Action("drawn.next", _("Next box or mark"), _go(1), "", _any),
    Action("drawn.previous", _("Previous box or mark"), _go(-1), "", _any),
    Action(
        "drawn.hide", _("Hide all boxes and marks"), _show(visible=False), "mdi6.eye-off-outline", _some_are(visible=True)
    ),
    Action("drawn.show", _("Show all boxes and marks"), _show(visible=True), "mdi6.eye-outline", _some_are(visible=False)),
    Action("nudge.up", _("Move the chosen box or mark up"), _nudge(-1, 0), "", _can_move),
    Action("nudge.down", _("Move the chosen box or mark down"), _nudge(1, 0), "", _can_move),
    Action("nudge.left", _("Move the chosen box or mark left"), _nudge(0, -1), "", _can_move),
    Action("nudge.right", _("Move the chosen box or mark right"), _nudge(0, 1), "", _can_move),
)
"""In the order menus and search show them."""
