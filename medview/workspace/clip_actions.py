"""Copying what the active segment holds on the slice under the pointer: to the next slice, or anywhere by paste."""

from __future__ import annotations

from medview.core.language import _
from medview.core.plane import SlicePlane
from medview.edit.slice_clip import SliceClip
from medview.workspace.action import Action, Run
from medview.workspace.label_writing import LabelWriting, may_write
from medview.workspace.open_case import OpenCase
from medview.workspace.stage import Stage
from medview.workspace.wheel import step_slice
from medview.workspace.workspace import Workspace


def _has_segment(workspace: Workspace) -> bool:
    case = workspace.looked_at
    return case is not None and case is workspace.active and case.active_segment is not None


def _can_paste(workspace: Workspace) -> bool:
    return workspace.bench.slice_clip is not None and workspace.looked_at is not None


def _slice(workspace: Workspace) -> tuple[OpenCase, SlicePlane, int] | None:
    """Return the case, the plane and the slice under the pointer; None, after saying why, where there is no slice."""
    case = workspace.looked_at
    if case is None:
        return None
    layout = case.slice_plane(workspace.plane_in(workspace.bench.pointed))
    if not isinstance(layout, SlicePlane):
        workspace.say(
            _("Slices are copied along the grid, and this plane lies at an angle to it: straighten the planes first.")
        )
        return None
    return case, layout, int(case.position_on(layout))


def _copied(workspace: Workspace, case: OpenCase, layout: SlicePlane, index: int) -> SliceClip | None:
    segment = case.active_segment
    clip = None if segment is None else SliceClip.of(case.labels.segmentation, segment, layout.normal_axis, index)
    if clip is None and segment is not None:
        workspace.say(_("{name} holds nothing on this slice.").format(name=segment.name))
    return clip


def _copy(workspace: Workspace) -> None:
    here = _slice(workspace)
    clip = None if here is None else _copied(workspace, *here)
    if clip is not None:
        workspace.bench.slice_clip = clip
        workspace.say(_("{name} on slice {number} is copied.").format(name=clip.name, number=clip.index + 1))


def _paste(workspace: Workspace) -> None:
    here, clip = _slice(workspace), workspace.bench.slice_clip
    if here is None or clip is None:
        return
    case, layout, index = here
    if not clip.geometry.same_grid(case.labels.segmentation.geometry):
        workspace.say(_("What was copied lies on another grid, so it has no place here."))
    elif layout.normal_axis != clip.axis:
        workspace.say(_("What was copied lies on slices of another plane; point at that plane to paste it."))
    else:
        stage = Stage(workspace.bench, case, workspace.say)
        if may_write(stage, erase=False):
            writing = LabelWriting(stage, "paste", erase=False)
            writing.write([(clip.on(index).box, clip.mask)])
            writing.commit(f"Paste {writing.name}")


def _copy_on(steps: int) -> Run:
    def run(workspace: Workspace) -> None:
        here = _slice(workspace)
        clip = None if here is None else _copied(workspace, *here)
        if here is None or clip is None:
            return
        case, layout, index = here
        to = index + (-steps if layout.normal_flip else steps)
        if not 0 <= to < layout.count(case.volume.geometry):
            workspace.say(_("This is the last slice."))
            return
        stage = Stage(workspace.bench, case, workspace.say)
        if may_write(stage, erase=False):
            writing = LabelWriting(stage, "copy_slice", erase=False)
            writing.write([(clip.on(to).box, clip.mask)])
            writing.commit(f"Copy {writing.name} to slice {to + 1}")
            step_slice(case, layout.plane, steps)

    return run


CLIP_ACTIONS: tuple[Action, ...] = (
    Action("slice.copy", _("Copy the segment's slice"), _copy, "mdi6.content-copy", _has_segment),
    Action("slice.paste", _("Paste onto this slice"), _paste, "mdi6.content-paste", _can_paste),
    Action(
        "slice.to_next", _("Copy the segment to the next slice"), _copy_on(1), "mdi6.arrow-up-bold-outline", _has_segment
    ),
    Action(
        "slice.to_previous",
        _("Copy the segment to the previous slice"),
        _copy_on(-1),
        "mdi6.arrow-down-bold-outline",
        _has_segment,
    ),
)
