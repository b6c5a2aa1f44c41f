"""The segment's slice copied on, and pasted elsewhere, along every plane of the grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from medview.core.axes import Axes
from medview.core.box import Box
from medview.core.changes import Command, SegmentChange
from medview.core.label_patch import LabelPatch
from medview.core.plane import Plane, SlicePlane
from medview.edit.segments import new_segment
from medview.workspace.actions import action
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace
from tests.workspace.conftest import make_case


@pytest.fixture
def case(case: OpenCase) -> OpenCase:
    """With a segment of random voxels: no slice is like another."""
    segment = new_segment(case.labels.segmentation, "Tumour")
    assert case.do(Command("Add", (SegmentChange(None, segment, 0),)))
    case.view.active_segment_id = segment.segment_id
    layer = case.labels.segmentation.layer(0)
    some = np.random.default_rng(6).random(layer.voxels.shape) < 0.05
    some[:, :3] = False
    patch = LabelPatch.between(layer, Box.whole(some.shape), some.astype(np.uint8) * segment.value)
    assert patch is not None
    assert case.do(Command("Brush", (patch,)))
    return case


def held(case: OpenCase, layout: SlicePlane, index: int) -> npt.NDArray[np.generic]:
    segment = case.active_segment
    assert segment is not None
    return layout.extract(case.labels.segmentation.mask(segment), index).copy()


def point_at(workspace: Workspace, case: OpenCase, plane: Plane) -> tuple[SlicePlane, int]:
    workspace.bench.pointed = plane.value
    layout = case.slice_plane(plane)
    assert isinstance(layout, SlicePlane)
    return layout, int(case.position_on(layout))


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize("plane", list(Plane))
def test_the_slice_is_copied_to_the_next_one_which_is_shown_then(
    workspace: Workspace, case: OpenCase, plane: Plane, step: int
) -> None:
    layout, index = point_at(workspace, case, plane)
    before = case.labels.segmentation.layer(0).voxels.copy()
    here, there = held(case, layout, index), [held(case, layout, index + n) for n in (-1, 1)]
    action("slice.to_next" if step > 0 else "slice.to_previous").run(workspace)
    to = int(case.position_on(layout))
    assert abs(to - index) == 1
    assert (held(case, layout, to) == (here | there[(to - index + 1) // 2])).all()
    assert (held(case, layout, 2 * index - to) == there[(index - to + 1) // 2]).all()
    command = case.history.next_undo()
    assert command is not None
    assert command.name == f"Copy Tumour to slice {to + 1}"
    case.undo()
    assert (case.labels.segmentation.layer(0).voxels == before).all()


def test_the_key_for_next_goes_the_way_of_the_key_for_the_next_slice(workspace: Workspace, case: OpenCase) -> None:
    for plane in Plane:
        layout, index = point_at(workspace, case, plane)
        action("slice.next").run(workspace)
        expected = case.position_on(layout)
        action("slice.previous").run(workspace)
        assert case.position_on(layout) == index
        action("slice.to_next").run(workspace)
        assert case.position_on(layout) == expected


@pytest.mark.parametrize("plane", list(Plane))
def test_what_was_copied_is_pasted_onto_another_slice_in_the_segment_chosen_then(
    workspace: Workspace, case: OpenCase, plane: Plane
) -> None:
    layout, index = point_at(workspace, case, plane)
    here = held(case, layout, index)
    action("slice.copy").run(workspace)
    other = new_segment(case.labels.segmentation, "Margin")
    assert case.do(Command("Add", (SegmentChange(None, other, 1),)))
    case.view.active_segment_id = other.segment_id
    case.view.set_slice(layout.normal_axis, index - 3)
    action("slice.paste").run(workspace)
    assert (held(case, layout, index - 3) == here).all()
    assert case.labels.segmentation.count(other) == here.sum() > 0


def test_what_cannot_be_copied_or_pasted_is_said(workspace: Workspace, case: OpenCase, said: list[str]) -> None:
    assert not action("slice.paste").enabled(workspace)
    # Nothing was drawn on the first rows of the grid.
    layout, _ = point_at(workspace, case, Plane.CORONAL)
    case.view.set_slice(layout.normal_axis, 0)
    action("slice.copy").run(workspace)
    assert "Tumour holds nothing" in said[-1]
    point_at(workspace, case, Plane.AXIAL)
    action("slice.copy").run(workspace)
    assert "is copied" in said[-1]
    point_at(workspace, case, Plane.SAGITTAL)
    action("slice.paste").run(workspace)
    assert "another plane" in said[-1]
    case.view.axes = Axes.of_grid(case.volume.geometry).turned((0.3, -1.0, 0.4), 0.5)
    action("slice.to_next").run(workspace)
    assert "straighten" in said[-1]
    other = make_case()
    other.series = replace(other.series, series_uid="1.2.3.9")
    other.labels.segmentation.geometry = other.volume.geometry.cropped(Box((0, 0, 0), (9, 9, 9)))
    workspace.add_case(other)
    point_at(workspace, other, Plane.AXIAL)
    action("slice.paste").run(workspace)
    assert "another grid" in said[-1]


def test_at_the_end_of_the_volume_nothing_is_copied_on(workspace: Workspace, case: OpenCase, said: list[str]) -> None:
    point_at(workspace, case, Plane.AXIAL)
    action("slice.last").run(workspace)
    newest = case.history.next_undo()
    for name in ("slice.to_next", "slice.to_next"):
        action(name).run(workspace)
    assert case.history.next_undo() is newest
    assert "last slice" in said[-1]
