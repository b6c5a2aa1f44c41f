"""Slices marked done, and what is known of the slices of a plane."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from medview.core.axes import Axes
from medview.core.box import Box
from medview.core.changes import Command, SegmentChange
from medview.core.plane import Plane, SlicePlane
from medview.core.segmentation import Segment
from medview.edit.rules import LabelWriter
from medview.store.codec_values import decode_marks, encode_marks
from medview.workspace.actions import action
from medview.workspace.events import Message
from medview.workspace.jobs import InlineRunner
from medview.workspace.open_case import OpenCase
from medview.workspace.slice_marks import ACTIVE, OTHER, go_to_open, is_done, set_done, slice_strip
from medview.workspace.wheel import step_slice
from medview.workspace.workspace import Workspace
from tests.workspace.conftest import make_case


@pytest.fixture
def case() -> OpenCase:
    made = make_case()
    for n in (1, 2):
        made.do(Command("Add", (SegmentChange(None, Segment(f"s{n}", f"N{n}", (200, n, 2), 0, n), n - 1),)))
    return made


@pytest.fixture
def workspace(case: OpenCase) -> Iterator[Workspace]:
    made = Workspace(InlineRunner(), None)  # type: ignore[arg-type]
    made.add_case(case)
    yield made
    made.close_case(case.key)


def draw(case: OpenCase, segment_id: str, box: Box) -> None:
    writer = LabelWriter(case.labels.segmentation, box)
    writer.add(case.labels.segmentation.segment(segment_id), np.ones(box.shape_kji, dtype=np.bool_))
    case.do(Command("Brush", tuple(writer.changes())))


def plane(case: OpenCase, which: Plane) -> SlicePlane:
    layout = case.slice_plane(which)
    assert isinstance(layout, SlicePlane)
    return layout


@pytest.mark.parametrize("which", Plane)
def test_a_slice_is_marked_on_its_own_plane_and_taken_back(case: OpenCase, which: Plane) -> None:
    layout = plane(case, which)
    before = case.labels.marks
    assert not is_done(case, layout)
    assert set_done(case, layout, done=True)
    assert is_done(case, layout)
    assert [is_done(case, plane(case, other)) for other in Plane if other is not which] == [False, False]
    assert not set_done(case, layout, done=True), "it is done already"
    number = case.view.crosshair_kji[layout.normal_axis] + 1
    assert case.history.names[-1] == f"Mark {which.value} slice {number} done"
    assert decode_marks(encode_marks(case.labels.marks)) == case.labels.marks
    case.undo()
    assert case.labels.marks == before
    case.redo()
    assert set_done(case, layout, done=False)
    assert case.labels.marks == before


def test_marks_written_before_other_planes_could_be_marked_are_read() -> None:
    assert decode_marks({"done_slices": [4, 2]}).done(0) == (2, 4)


def test_a_read_only_case_is_not_marked(case: OpenCase) -> None:
    case.read_only = "Another window is writing."
    assert not set_done(case, plane(case, Plane.AXIAL), done=True)


@pytest.mark.parametrize("which", Plane)
def test_the_strip_says_what_the_voxels_say(case: OpenCase, which: Plane) -> None:
    draw(case, "s1", Box((2, 3, 4), (5, 9, 20)))
    draw(case, "s2", Box((7, 1, 10), (9, 15, 27)))
    case.view.active_segment_id = "s2"
    layout = plane(case, which)
    set_done(case, layout, done=True)
    strip = slice_strip(case, layout)
    assert strip is not None
    axis, labels = layout.normal_axis, case.labels.segmentation.layers[0].voxels
    others = tuple(n for n in range(3) if n != axis)
    expected = np.where((labels == 2).any(axis=others), ACTIVE, np.where((labels == 1).any(axis=others), OTHER, 0))
    upwards = layout.normal_flip
    assert np.array_equal(strip.labelled if upwards else strip.labelled[::-1], expected)
    done = np.flatnonzero(strip.done if upwards else strip.done[::-1])
    assert done.tolist() == [case.view.crosshair_kji[axis]]
    assert strip.at == np.flatnonzero(strip.done)[0]
    assert strip.colour == (200, 2, 2)


def test_turning_the_wheel_away_moves_up_the_strip(case: OpenCase) -> None:
    draw(case, "s1", Box((2, 3, 4), (5, 9, 20)))
    for which in Plane:
        before = slice_strip(case, plane(case, which))
        step_slice(case, which, 1)
        after = slice_strip(case, plane(case, which))
        assert before is not None
        assert after is not None
        assert after.at == before.at - 1


def test_hidden_segments_count_for_nothing_and_undone_strokes_go(case: OpenCase) -> None:
    draw(case, "s1", Box((2, 3, 4), (5, 9, 20)))
    layout = plane(case, Plane.AXIAL)
    case.labels.segmentation.segments[0] = replace(case.labels.segmentation.segments[0], visible=False)
    strip = slice_strip(case, layout)
    assert strip is not None
    assert strip.empty
    case.labels.segmentation.segments[0] = replace(case.labels.segmentation.segments[0], visible=True)
    case.undo()
    strip = slice_strip(case, layout)
    assert strip is not None
    assert strip.empty


def test_there_is_no_strip_at_an_angle_to_the_slices(case: OpenCase, workspace: Workspace) -> None:
    axes = Axes.of_grid(case.volume.geometry)
    case.view.axes = axes.turned(axes.head, 0.3)
    assert slice_strip(case, case.slice_plane(Plane.CORONAL)) is None
    said: list[Message] = []
    workspace.message.connect(said.append)
    workspace.bench.pointed = Plane.CORONAL.value
    action("mark.done").run(workspace)
    assert case.labels.marks.done_across == frozenset()
    assert "at an angle" in said[0].text


def test_done_slices_are_passed_over_and_the_search_goes_round(case: OpenCase) -> None:
    layout = plane(case, Plane.AXIAL)
    count = case.volume.geometry.shape_kji[0]
    seen = [case.view.crosshair_kji[0]]
    for _ in range(count):
        set_done(case, layout, done=True)
        found = go_to_open(case, layout)
        seen.append(case.view.crosshair_kji[0])
    assert not found, "all are done"
    assert sorted(set(seen)) == list(range(count))


def test_the_keys_mark_the_slice_of_the_pane_under_the_pointer(case: OpenCase, workspace: Workspace) -> None:
    workspace.bench.pointed = Plane.SAGITTAL.value
    layout = plane(case, Plane.SAGITTAL)
    index = case.view.crosshair_kji[layout.normal_axis]
    action("mark.done_next").run(workspace)
    assert case.labels.marks.done(layout.normal_axis) == (index,)
    assert case.view.crosshair_kji[layout.normal_axis] == index + (-1 if layout.normal_flip else 1)
    case.view.set_slice(layout.normal_axis, index)
    action("mark.done").run(workspace)
    assert case.labels.marks.done(layout.normal_axis) == ()


def test_a_strip_of_a_thousand_slices_is_known_without_looking_at_voxels(case: OpenCase) -> None:
    draw(case, "s1", Box((2, 3, 4), (5, 9, 20)))

    class Forbidden:
        def __getattr__(self, name: str) -> object:
            raise AssertionError(f"voxels were asked for {name}")

    layer = case.labels.segmentation.layers[0]
    kept = layer.voxels
    layer.voxels = Forbidden()  # type: ignore[assignment]
    assert slice_strip(case, plane(case, Plane.AXIAL)) is not None
    layer.voxels = kept
