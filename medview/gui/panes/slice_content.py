"""What a case shows on one slice, as values for the layers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.geometry import Calibration, Geometry
from medview.core.language import _
from medview.core.oblique import ObliquePlane, PlaneLayout
from medview.core.plane import SlicePlane
from medview.core.prediction import PredictedMask
from medview.core.slab import Slab, project
from medview.gui.drawing.label_raster import Cut, Paint
from medview.gui.layers.measurements import FigureOnSlice
from medview.gui.layers.proposal import Chip, ProposedMask
from medview.gui.panes.drawn_content import drawn_on_slice, proposed_on_slice
from medview.gui.panes.oblique_content import oblique_labels, oblique_levels, oblique_mask
from medview.gui.panes.prompt_content import prompts_on_slice
from medview.workspace.grey_table import GreyTable, Levels
from medview.workspace.key_images import on_slice
from medview.workspace.load_state import LoadState, SliceState
from medview.workspace.measuring import handles, lies_on, lines, measured, measurements, short_text
from medview.workspace.open_case import OpenCase
from medview.workspace.review import seen_as_probability
from medview.workspace.shown_segments import shown_on_slices
from medview.workspace.slice_marks import is_done
from medview.workspace.toolbox import ToolGroup, entry_of
from medview.workspace.view_state import Bench, Mode

MISSING_LEVEL = 26
"""Grey of rows whose slices have not arrived or are damaged: not black, which would pass for air."""

_PROPOSAL_FILL = 0.4
"""A proposal's fill between its hatches, relative to that of a label."""


def screen_ranges(plane: SlicePlane, geometry: Geometry, box: Box) -> tuple[int, int, int, int]:
    """Return half-open screen ranges (row0, row1, column0, column1) of a box of voxels."""
    rows, columns = plane.screen_shape(geometry)
    row0, row1 = box.min_kji[plane.row_axis], box.max_kji[plane.row_axis]
    column0, column1 = box.min_kji[plane.column_axis], box.max_kji[plane.column_axis]
    if plane.row_flip:
        row0, row1 = rows - row1, rows - row0
    if plane.column_flip:
        column0, column1 = columns - column1, columns - column0
    return row0, row1, column0, column1


def slice_levels(
    table: GreyTable, load: LoadState, plane: PlaneLayout, at: float, slab: Slab = Slab(), pixel_px: float = 1.0
) -> Levels | None:
    """Return the levels of a slice or of a slab around it; None when nothing of it can be shown.

    Parameters
    ----------
    pixel_px : float
        Device pixels of the pane per pixel of the slice; pictures at an angle to the grid are worked out no finer.
    """
    if isinstance(plane, ObliquePlane):
        return oblique_levels(table, load, plane, at, slab, MISSING_LEVEL, pixel_px)
    index = int(at)
    if not plane.acquired and table.volume.geometry.calibration is not Calibration.VOLUME:
        # Planes across slices whose distances are not known would show distances all the same.
        return None
    if plane.normal_axis == 0 and load.state(index) is not SliceState.READY:
        return None
    slices = list(slab.slices(plane, table.volume.geometry, index))
    if plane.normal_axis == 0:
        # A slice that is not there would be the darkest of all.
        slices = [k for k in slices if load.state(k) is SliceState.READY]
    levels = table.levels(project(table.volume, plane, slices, slab.mode))
    if plane.normal_axis != 0 and not (load.complete and not load.damaged):
        missing = np.fromiter((load.state(k) is not SliceState.READY for k in range(load.total)), bool, load.total)
        along_rows = plane.row_axis == 0
        flipped = plane.row_flip if along_rows else plane.column_flip
        gone = missing[::-1] if flipped else missing
        # Levels of a colour volume may be its voxels themselves, which nobody writes.
        levels = levels.copy()
        if along_rows:
            levels[gone] = MISSING_LEVEL
        else:
            levels[:, gone] = MISSING_LEVEL
    return levels


def graphics_mask(case: OpenCase, bench: Bench, plane: PlaneLayout, index: float) -> npt.NDArray[np.bool_] | None:
    """Return where the files draw over a slice as it was acquired, in screen orientation; None where nothing is shown."""
    at = case.view.time_index * case.volume.geometry.shape_kji[0] + int(index)
    planes = case.graphics.get(at, ()) if plane.acquired else ()
    if not planes or isinstance(plane, ObliquePlane) or not bench.graphics_visible or bench.identity_hidden:
        return None
    drawn = np.logical_or.reduce([one.mask for one in planes])
    return np.asarray(plane.extract(drawn[np.newaxis], 0), dtype=np.bool_)


def label_cuts(case: OpenCase, bench: Bench, plane: PlaneLayout, index: float) -> dict[int, tuple[Cut, list[Paint]]]:
    """Return the slice of every label layer that has visible segments, with their paints."""
    if not bench.overlay_visible:
        return {}
    segmentation, geometry, shown = case.labels.segmentation, case.volume.geometry, shown_on_slices(case)
    result: dict[int, tuple[Cut, list[Paint]]] = {}
    for layer_id, layer in segmentation.layers.items():
        paints = [
            Paint(segment.value, segment.colour, 0.0 if segment.outline_only else bench.overlay_opacity * segment.opacity)
            for segment in shown
            if segment.layer_id == layer_id
        ]
        if isinstance(plane, ObliquePlane):
            cut = oblique_labels(layer.voxels, geometry, plane.grid(geometry, index))
        else:
            cut = _labels(plane.extract(layer.voxels, int(index)))
        result[layer_id] = (cut, paints)
    return result


def label_part(
    case: OpenCase, plane: PlaneLayout, index: float, layer_id: int, ranges: tuple[int, int, int, int]
) -> Cut | None:
    """Return a rectangle (row0, row1, column0, column1) of a label layer; None along the grid, where cuts are views."""
    if not isinstance(plane, ObliquePlane):
        return None
    geometry = case.volume.geometry
    grid = plane.grid(geometry, index).part(*ranges)
    return oblique_labels(case.labels.segmentation.layer(layer_id).voxels, geometry, grid)


def proposed_masks(case: OpenCase, bench: Bench, plane: PlaneLayout, index: float) -> list[ProposedMask]:
    """Return the slices of all proposed masks that hold anything here."""
    if not bench.overlay_visible:
        return []
    fill = bench.overlay_opacity * _PROPOSAL_FILL
    masks: list[ProposedMask] = []
    state = bench.review.difference
    for proposal in case.labels.proposals.values():
        mask = proposal.prediction.mask
        cut = None if mask is None else mask_cut(mask, case.volume.geometry, plane, index)
        if mask is not None and cut is not None:
            # What is compared stands as its difference instead, and under its probability: both at once cannot be read.
            hidden = {state.value} if state.found is not None and state.proposal_id == proposal.proposal_id else set()
            hidden |= seen_as_probability(case.view, proposal.prediction)
            paints = tuple(Paint(s.value, s.colour, fill) for s in mask.segments if s.value not in hidden)
            masks.append(ProposedMask(cut, paints))
    going_on = case.view.unfinished
    cut = None if going_on is None else mask_cut(going_on.mask, case.volume.geometry, plane, index)
    if going_on is not None and cut is not None:
        masks.append(ProposedMask(cut, tuple(Paint(s.value, s.colour, fill) for s in going_on.mask.segments)))
    return masks


def candidate_cut(case: OpenCase, bench: Bench, plane: PlaneLayout, index: float) -> tuple[Cut | None, tuple[Paint, ...]]:
    """Return the slice of what the open effect would write, with its paints; None where it would write nothing."""
    candidate = bench.effect.candidate
    if candidate is None or candidate.case_key != case.key or not bench.overlay_visible:
        return None, ()
    fill = bench.overlay_opacity * _PROPOSAL_FILL
    cut = mask_cut(candidate.mask, case.volume.geometry, plane, index)
    return cut, tuple(Paint(s.value, s.colour, fill) for s in candidate.mask.segments)


def candidate_chips(case: OpenCase, bench: Bench) -> list[Chip]:
    """Return the badge of what the open effect would write."""
    state = bench.effect
    candidate = state.candidate
    if candidate is None or candidate.case_key != case.key:
        return []
    text = _("{effect}: out of date") if state.stale else _("{effect}: not applied")
    return [Chip(text.format(effect=candidate.title), badge=True)]


def mask_cut(mask: PredictedMask, geometry: Geometry, plane: PlaneLayout, at: float) -> Cut | None:
    """Return one slice of a predicted mask on the whole screen slice, or None when it holds nothing there."""
    if isinstance(plane, ObliquePlane):
        return oblique_mask(mask, geometry, plane.grid(geometry, at))
    index = int(at)
    if mask.box.empty or not mask.box.touches_slice(plane.normal_axis, index):
        return None
    part = plane.extract(mask.voxels, index - mask.box.min_kji[plane.normal_axis])
    if not part.any():
        return None
    row0, row1, column0, column1 = screen_ranges(plane, geometry, mask.box)
    cut = np.zeros(plane.screen_shape(geometry), dtype=np.uint8)
    cut[row0:row1, column0:column1] = part
    return cut


def measurements_on_slice(case: OpenCase, bench: Bench, plane: PlaneLayout, index: float) -> list[FigureOnSlice]:
    """Return the boxes, points, lines and measurements that lie on a slice, and proposed boxes, with what they say."""
    if not bench.overlay_visible:
        return []
    geometry, colours = case.volume.geometry, _colours_by_name(case)
    marking = case.editable and entry_of(bench.tool).group is ToolGroup.MARK
    found = proposed_on_slice(case, plane, index, colours, pulled=marking) + drawn_on_slice(case, plane, index, colours)
    found += prompts_on_slice(case, bench, plane, index)
    for one in measurements(case):
        if not lies_on(one, plane, geometry, index):
            continue
        points = np.asarray([plane.screen(geometry, point)[1:] for point in one.points_kji(geometry)])
        drawn = lines(one, points)
        pulled = handles(one)
        told = measured(case, one)
        said = short_text(told) if case.load.complete else []
        time_index = case.images.time(one)
        if said and time_index != case.view.time_index:
            said = [*said, _("at time {time_index}").format(time_index=time_index + 1)]
        right = max((point for line in drawn for point in line), key=lambda p: p[1], default=tuple(points[0]))
        found.append(
            FigureOnSlice(
                tuple(tuple(line) for line in drawn),
                tuple((float(points[n][0]), float(points[n][1])) for n in pulled),
                (*([one.label] if one.label else []), *said),
                (float(right[0]), float(right[1])),
                one.annotation_id == case.view.active_annotation_id,
                one.annotation_id,
            )
        )
    return found


def _colours_by_name(case: OpenCase) -> dict[str, tuple[int, int, int]]:
    """Colours of the segments drawn or proposed, so that a box looks like the mask of the same thing."""
    masks = [proposal.prediction.mask for proposal in case.labels.proposals.values()]
    colours = {s.name.casefold(): s.colour for mask in masks if mask is not None for s in mask.segments}
    return colours | {s.name.casefold(): s.colour for s in case.labels.segmentation.segments}


def proposal_chips(case: OpenCase, *, scores: bool) -> list[Chip]:
    """Return one badge for what is proposed, followed by the ``scores`` when asked for.

    A single proposal is named; several are counted, since their names would cover the picture and stand in the panel.
    """
    predictions = [proposal.prediction for proposal in case.labels.proposals.values()]
    going_on = case.view.unfinished
    running = [] if going_on is None else [Chip(_("{title}: still running").format(title=going_on.title), badge=True)]
    if not predictions:
        return running
    only = predictions[0]
    title = f"{only.model_name} {only.source.model_version}".strip() if len(predictions) == 1 else ""
    chips = [
        Chip(
            _("{title}: not accepted").format(title=title or _("{count} proposals").format(count=len(predictions))),
            badge=True,
        )
    ]
    if scores:
        chips += [Chip(f"{name} {score:.2f}") for one in predictions for name, score in one.scores.items()]
    return [*running, *chips]


def key_chips(case: OpenCase, plane: PlaneLayout, index: float) -> list[Chip]:
    """Return the mark of a key image where the slice is one, with its note."""
    marked = on_slice(case, plane, index)
    return (
        []
        if marked is None
        else [Chip(_("Key image: {label}").format(label=marked.label).rstrip(": "), icon="mdi6.key-variant")]
    )


def mark_chips(case: OpenCase, bench: Bench, plane: PlaneLayout) -> list[Chip]:
    """Return the mark of a slice that is done, while somebody labels."""
    done = bench.mode is Mode.ANNOTATE and is_done(case, plane)
    return [Chip(_("Slice done"), icon="mdi6.check-circle-outline")] if done else []


def columns_have_mm(plane: PlaneLayout, geometry: Geometry) -> bool:
    """Whether distances to the right on the screen are millimetres."""
    if isinstance(plane, ObliquePlane):
        return True
    if geometry.calibration is Calibration.IN_PLANE:
        return plane.column_axis != 0
    return geometry.calibration is Calibration.VOLUME


def _labels(cut: npt.NDArray[np.generic]) -> Cut:
    return cut.view(np.uint8)
