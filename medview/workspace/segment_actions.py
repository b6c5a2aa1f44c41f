"""What can be asked of the segments that are chosen in the list, and of the slice that is looked at."""

from __future__ import annotations

from collections.abc import Callable

from medview.core.language import _, plural
from medview.core.segmentation import Segment, SegmentRole, SegmentStatus
from medview.workspace.action import Action, Run, can_change
from medview.workspace.events import Severity
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import segments as ops
from medview.workspace.shown_segments import toggle_solo
from medview.workspace.workspace import Workspace

Ask = Callable[[OpenCase, list[str], list[Segment]], object]


def _has_chosen(workspace: Workspace) -> bool:
    return workspace.active is not None and bool(ops.chosen(workspace.active))


def _can_change_chosen(workspace: Workspace) -> bool:
    return can_change(workspace) and _has_chosen(workspace)


def _on_chosen(ask: Ask) -> Run:
    def run(workspace: Workspace) -> None:
        case = workspace.active
        if case is not None and (segments := ops.chosen(case)):
            ask(case, [s.segment_id for s in segments], segments)

    return run


def _solo(case: OpenCase, ids: list[str], _segments: list[Segment]) -> None:
    toggle_solo(case, tuple(ids))


def _instance(case: OpenCase, _ids: list[str], segments: list[Segment]) -> None:
    ops.new_instance(case, (case.active_segment or segments[0]).segment_id)


def _status(status: SegmentStatus) -> Ask:
    def ask(case: OpenCase, ids: list[str], segments: list[Segment]) -> None:
        already = all(s.status is status for s in segments)
        ops.set_status(case, ids, SegmentStatus.IN_WORK if already else status)

    return ask


def _absent(workspace: Workspace) -> None:
    case = workspace.active
    if case is None or not (segments := ops.chosen(case)):
        return
    wanted = not all(s.absent for s in segments)
    if reason := ops.set_absent(case, [s.segment_id for s in segments], absent=wanted):
        workspace.say(reason, Severity.WARNING)


def _delete(workspace: Workspace) -> None:
    case = workspace.active
    if case is None or not (segments := ops.chosen(case)):
        return
    gone = ops.delete(case, [s.segment_id for s in segments])
    kept = [s for s in segments if s.locked]
    if gone:
        what = gone[0].name if len(gone) == 1 else plural("{n} segment", "{n} segments", len(gone)).format(n=len(gone))
        workspace.say(_("Deleted {name}.").format(name=what), undo=True)
    elif kept:
        workspace.say(_("{name} is locked; unlock it first.").format(name=kept[0].name), Severity.WARNING)


def add_group(case: OpenCase) -> str:
    """Put the chosen segments under a heading of their own and return it; empty when nothing changed."""
    ids = [s.segment_id for s in ops.chosen(case)]
    taken = {s.group for s in case.labels.segmentation.segments}
    name = next(name for n in range(1, len(taken) + 2) if (name := _("Group {n}").format(n=n)) not in taken)
    return name if ids and ops.set_group(case, ids, name) else ""


SEGMENT_ACTIONS: tuple[Action, ...] = (
    Action(
        "segment.instance", _("Another one of the same"), _on_chosen(_instance), "mdi6.plus-box-multiple-outline",
        _can_change_chosen,
    ),
    Action("segment.solo", _("Show only this, or all again"), _on_chosen(_solo), "mdi6.eye-circle-outline", _has_chosen),
    Action(
        "segment.show", _("Show or hide the segment"),
        _on_chosen(lambda c, ids, s: ops.set_visible(c, ids, visible=not any(one.visible for one in s))),
        "mdi6.eye-outline", _can_change_chosen,
    ),
    Action(
        "segment.lock", _("Lock or unlock the segment"),
        _on_chosen(lambda c, ids, s: ops.set_locked(c, ids, locked=not all(one.locked for one in s))),
        "mdi6.lock-outline", _can_change_chosen,
    ),
    Action(
        "segment.outline", _("Outline only, or filled"),
        _on_chosen(lambda c, ids, s: ops.set_outline(c, ids, outline_only=not all(one.outline_only for one in s))),
        "mdi6.shape-outline", _can_change_chosen,
    ),
    Action(
        "segment.done", _("The segment is done, or in work"), _on_chosen(_status(SegmentStatus.DONE)), "mdi6.check-circle",
        _can_change_chosen,
    ),
    Action(
        "segment.flag", _("Flag the segment"), _on_chosen(_status(SegmentStatus.FLAGGED)), "mdi6.flag", _can_change_chosen
    ),
    Action(
        "segment.unsure", _("Unsure: leave it out of training"),
        _on_chosen(
            lambda c, ids, s: ops.set_unsure(c, ids, unsure=not all(one.role is SegmentRole.IGNORE for one in s))
        ),
        "mdi6.help-circle-outline", _can_change_chosen,
    ),
    Action("segment.absent", _("Looked for and not found"), _absent, "mdi6.magnify-close", _can_change_chosen),
    Action("segment.delete", _("Delete the segment"), _delete, "mdi6.trash-can-outline", _can_change_chosen),
)  # fmt: skip
"""In the order menus and search show them."""
