"""Press on a segment to draw in it."""

from __future__ import annotations

from medview.core.language import _
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer
from medview.workspace.stage import Drag, Stage


def drag(stage: Stage, press: Pointer) -> Drag:
    """Make the segment under the press the active one."""
    stage.say(pick(stage.case, press))
    yield None


def pick(case: OpenCase, pointer: Pointer) -> str:
    """Make the visible segment under a pointer the active one; of several, the one after the active. Return what to say."""
    voxel = pointer.voxel_kji(case.volume.geometry)
    found = [] if voxel is None else [s for s in case.labels.segmentation.at(voxel) if s.visible]
    if not found:
        return _("There is no segment under the pointer.")
    ids = [segment.segment_id for segment in found]
    now = case.view.active_segment_id
    # What lies in a later layer is drawn over the others.
    chosen = found[(ids.index(now) + 1) % len(ids)] if now in ids else found[-1]
    case.view.active_segment_id = chosen.segment_id
    return _("{name} is the active segment.").format(name=chosen.name)
