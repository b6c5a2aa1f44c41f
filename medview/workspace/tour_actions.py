"""Jumps of the hands: slices that are labelled, lesions, proposals; and the segment under the pointer."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np

from medview.analysis.reslice import sample_voxels
from medview.analysis.segment_figures import volume_ml
from medview.core.language import _
from medview.core.oblique import ObliquePlane
from medview.core.plane import SlicePlane
from medview.core.prediction import Proposal
from medview.core.segmentation import Segment
from medview.workspace.accepting import shown_boxes
from medview.workspace.action import Action, Run
from medview.workspace.focus import moved_to, reach
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.figures import want_figures
from medview.workspace.operations.pieces import want_pieces
from medview.workspace.tools.pick import pick
from medview.workspace.tour import Stop, next_stop
from medview.workspace.workspace import Workspace

# ---------------------------------------------------------------------------------------- labelled slices


def _labelled_slice(step: int) -> Run:
    def run(workspace: Workspace) -> None:
        case, segment = workspace.active, _segment(workspace)
        if case is None or segment is None:
            return
        layout = case.slice_plane(workspace.plane_in(workspace.bench.pointed))
        found = (
            _along_grid(case, segment, layout, step)
            if isinstance(layout, SlicePlane)
            else _at_angle(case, segment, layout, step)
        )
        if not found:
            workspace.say(_("{name} is on no further slice this way.").format(name=segment.name))

    return run


def _along_grid(case: OpenCase, segment: Segment, layout: SlicePlane, step: int) -> bool:
    axis = layout.normal_axis
    held = np.flatnonzero(case.labels.segmentation.counts_along(axis, [segment]))
    now = case.view.crosshair_kji[axis]
    upwards = (step > 0) != layout.normal_flip
    further = held[held > now] if upwards else held[held < now]
    if further.size:
        case.view.set_slice(axis, int(further[0] if upwards else further[-1]))
    return bool(further.size)


def _at_angle(case: OpenCase, segment: Segment, layout: ObliquePlane, step: int) -> bool:
    """Look at picture after picture, as far as the box of the segment reaches."""
    geometry, segmentation = case.volume.geometry, case.labels.segmentation
    box = segmentation.box(segment)
    if box is None:
        return False
    # Half a voxel around their centres, where the pictures show them.
    part = geometry.cropped(box)
    voxels = np.ascontiguousarray(segmentation.layer(segment.layer_id).voxels[box.slices] == segment.value).view(np.uint8)
    low, high = reach(part, layout)
    margin = float(np.abs(np.asarray(layout.normal_lps) @ geometry.affine_lps[:3, :3]).sum()) / 2 / layout.step_mm
    now = case.position_on(layout)
    at = now + step
    if step > 0:
        at += max(0, math.ceil(low - margin - at))
    else:
        at -= max(0, math.ceil(at - (high + margin)))
    while low - margin <= at <= high + margin:
        if sample_voxels(voxels, part, layout.grid(geometry, at)).any():
            case.view.look_at(moved_to(geometry, layout, case.view.at_kji, at), geometry.shape_kji)
            return True
        at += step
    return False


# ---------------------------------------------------------------------------------------- lesions


def _lesion(step: int) -> Run:
    def run(workspace: Workspace) -> None:
        case, segment = workspace.active, _segment(workspace)
        if case is None or segment is None or case.in_gesture:
            return
        if want_figures(workspace, case, segment) is None:
            then = partial(_jump_to_lesion, workspace, case.key, segment.segment_id, step)
            workspace.waiting.wait(case.figures.changed, segment.segment_id, then)
        else:
            workspace.waiting.drop()
            _jump_to_lesion(workspace, case.key, segment.segment_id, step)

    return run


def _jump_to_lesion(workspace: Workspace, key: str, segment_id: str, step: int) -> None:
    case = workspace.active
    segment = case.labels.segmentation.find(segment_id) if case is not None and case.key == key else None
    figures = case.figures.current(case.labels.segmentation, segment) if case is not None and segment is not None else None
    if case is None or segment is None or figures is None:
        return
    stops = [Stop(piece.centre_kji, _size(case, piece.voxels)) for piece in figures.components]
    found = next_stop(stops, case.view.crosshair_kji, step)
    if found is None:
        workspace.say(_("{name} holds no voxels.").format(name=segment.name))
        return
    number, stop = found
    _look_at(case, stop)
    workspace.say(
        _("{name}: lesion {number} of {count}, {size}.").format(
            name=segment.name, number=number, count=len(stops), size=stop.text
        )
    )


# ---------------------------------------------------------------------------------------- proposals


def _proposal(step: int) -> Run:
    def run(workspace: Workspace) -> None:
        case = workspace.active
        if case is None:
            return
        masks = [mask for one in case.labels.proposals.values() if (mask := one.prediction.mask) is not None]
        want_pieces(workspace, masks, partial(_jump_to_proposed, workspace, case.key, step))

    return run


def _jump_to_proposed(workspace: Workspace, key: str, step: int) -> None:
    case = workspace.active
    if case is None or case.key != key:
        return
    stops = [stop for one in case.labels.proposals.values() for stop in _proposed(case, one)]
    found = next_stop(stops, case.view.crosshair_kji, step)
    if found is not None:
        number, stop = found
        _look_at(case, stop)
        words = _("Proposal {number} of {count}: {what}.")
        workspace.say(words.format(number=number, count=len(stops), what=stop.text))


def _proposed(case: OpenCase, proposal: Proposal) -> list[Stop]:
    """Return where the pieces of the masks and the boxes of a proposal lie, those that are shown."""
    prediction = proposal.prediction
    geometry = case.volume.geometry
    names = {} if prediction.mask is None else {s.value: s.name for s in prediction.mask.segments}
    pieces = () if prediction.mask is None else prediction.mask.pieces or ()
    stops = [Stop(one.centre_kji, f"{names[one.value]}, {_size(case, one.voxels)}") for one in pieces if one.value in names]
    shape = np.asarray(geometry.shape_kji)
    for box in shown_boxes(case, proposal):
        low, high = box.bounds_kji(geometry)
        # Bounds count voxel edges.
        middle = np.clip(np.floor((low + high) / 2), 0, shape - 1)
        stops.append(Stop((int(middle[0]), int(middle[1]), int(middle[2])), box.label))
    return stops


def _size(case: OpenCase, voxels: int) -> str:
    ml = volume_ml(voxels, case.volume.geometry)
    return _("{n} voxels").format(n=voxels) if ml is None else _("{ml:.2f} mL").format(ml=ml)


# ---------------------------------------------------------------------------------------- all


def _pick(workspace: Workspace) -> None:
    pointer = workspace.pointer
    case = workspace.case_in(pointer.pane) if pointer is not None else None
    if pointer is None or case is None or case is not workspace.active:
        workspace.say(_("Put the pointer on a segment of the active series first."))
        return
    # The slice may have been changed by a key since the pointer moved last.
    workspace.say(pick(case, replace(pointer, slice_index=case.position_on(pointer.plane))))


def _look_at(case: OpenCase, stop: Stop) -> None:
    case.view.focus_kji = None
    case.view.crosshair_kji = stop.at_kji


def _segment(workspace: Workspace) -> Segment | None:
    return None if workspace.active is None else workspace.active.active_segment


def _has_segment(workspace: Workspace) -> bool:
    return _segment(workspace) is not None


def _has_segments(workspace: Workspace) -> bool:
    return workspace.active is not None and bool(workspace.active.labels.segmentation.segments)


def _has_proposal(workspace: Workspace) -> bool:
    return workspace.active is not None and bool(workspace.active.labels.proposals)


TOUR_ACTIONS: tuple[Action, ...] = (
    Action("segment.pick", _("Draw in the segment under the pointer"), _pick, "mdi6.target", _has_segments),
    Action("labelled.next", _("Next slice with the active segment"), _labelled_slice(1), "", _has_segment),
    Action("labelled.previous", _("Previous slice with the active segment"), _labelled_slice(-1), "", _has_segment),
    Action("lesion.next", _("Next lesion of the active segment"), _lesion(1), "", _has_segment),
    Action("lesion.previous", _("Previous lesion of the active segment"), _lesion(-1), "", _has_segment),
    Action("proposal.next", _("Next proposal"), _proposal(1), "", _has_proposal),
    Action("proposal.previous", _("Previous proposal"), _proposal(-1), "", _has_proposal),
)
"""In the order menus and search show them."""
