from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medview.core.box import Box
from medview.core.changes import Command, SegmentChange
from medview.core.errors import LabelError, StalePatchError
from medview.core.label_patch import LabelPatch
from medview.workspace.editing import Step
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.operations import segments as segment_ops
from tests.helpers.strokes import stroke_patch
from tests.workspace.conftest import make_case


def _paint(case: OpenCase, at_kji: tuple[int, int, int], *, erase: bool = False, radius_mm: float = 4.0) -> None:
    segment = case.active_segment
    assert segment is not None
    gesture = case.gesture("brush")
    patch = stroke_patch(case.labels.segmentation, segment, at_kji, at_kji, radius_mm=radius_mm, erase=erase)
    if patch is not None:
        gesture.apply(patch)
    gesture.commit("Brush")


def _bytes(case: OpenCase) -> dict[int, bytes]:
    return {n: layer.voxels.tobytes() for n, layer in case.labels.segmentation.layers.items() if layer.voxels.any()}


def test_undo_restores_the_labels_under_a_stroke(case: OpenCase) -> None:
    labels.add_segment(case, "Liver")
    _paint(case, (5, 8, 12))
    before = _bytes(case)
    labels.add_segment(case, "Lesion")
    _paint(case, (5, 9, 14))
    assert _bytes(case) != before
    case.undo()
    assert _bytes(case) == before


def test_redo_brings_back_exactly_what_undo_took(case: OpenCase) -> None:
    labels.add_segment(case, "Liver")
    _paint(case, (5, 8, 12))
    painted = _bytes(case)
    case.undo()
    case.redo()
    assert _bytes(case) == painted


def test_a_new_gesture_forgets_what_was_undone(case: OpenCase) -> None:
    labels.add_segment(case, "Liver")
    _paint(case, (5, 8, 12))
    case.undo()
    _paint(case, (3, 3, 3))
    assert case.redo() is None


def test_tools_have_a_segment_to_work_on_after_undoing_one_that_was_added(case: OpenCase) -> None:
    first = labels.add_segment(case, "Liver")
    last = labels.add_segment(case, "Spleen")
    assert first is not None
    assert last is not None
    case.undo()
    assert case.active_segment == first
    case.undo()
    assert case.active_segment is None
    case.redo()
    assert case.active_segment == first
    case.redo()
    labels.add_segment(case, "Kidney")
    case.view.active_segment_id = last.segment_id
    segment_ops.delete(case, [last.segment_id])
    assert case.active_segment is not None
    assert case.active_segment.name == "Kidney"


def test_undo_of_a_deleted_segment_brings_back_voxels_place_and_name(case: OpenCase) -> None:
    for name in ("A", "B", "C"):
        labels.add_segment(case, name)
        _paint(case, (5, 4 + 5 * len(case.labels.segmentation.segments), 12))
    before, names = _bytes(case), [s.name for s in case.labels.segmentation.segments]
    segment_ops.delete(case, [case.labels.segmentation.segments[1].segment_id])
    assert [s.name for s in case.labels.segmentation.segments] == ["A", "C"]
    case.undo()
    assert [s.name for s in case.labels.segmentation.segments] == names
    assert _bytes(case) == before


def test_a_locked_segment_keeps_its_voxels_under_another_ones_brush(case: OpenCase) -> None:
    liver = labels.add_segment(case, "Liver")
    _paint(case, (5, 8, 12))
    mask = case.labels.segmentation.mask(liver)
    segment_ops.set_locked(case, [liver.segment_id], locked=True)
    labels.add_segment(case, "Lesion")
    _paint(case, (5, 8, 12), radius_mm=8.0)
    assert np.array_equal(case.labels.segmentation.mask(liver), mask)
    assert case.labels.segmentation.mask(case.labels.segmentation.segments[1]).any()


def test_an_aborted_gesture_leaves_no_trace(case: OpenCase) -> None:
    segment = labels.add_segment(case, "Liver")
    before, entries = _bytes(case), case.history.names
    gesture = case.gesture("brush")
    patch = stroke_patch(case.labels.segmentation, segment, (5, 8, 12), (5, 12, 20), radius_mm=5.0)
    assert patch is not None
    gesture.apply(patch)
    gesture.abort()
    assert _bytes(case) == before
    assert case.history.names == entries


def test_every_gesture_is_journalled_once_in_order(case: OpenCase) -> None:
    steps: list[Step] = []
    case.record = steps.append
    labels.add_segment(case, "Liver")
    _paint(case, (5, 8, 12))
    case.undo()
    case.redo()
    assert [step.kind for step in steps] == ["do", "do", "undo", "redo"]
    assert steps[1].command is steps[2].command is steps[3].command


def test_a_patch_over_changed_voxels_is_refused_and_changes_nothing(case: OpenCase) -> None:
    labels.add_segment(case, "Liver")
    layer = case.labels.segmentation.layer(0)
    late = LabelPatch.between(layer, Box((0, 0, 0), (1, 1, 2)), np.ones((1, 1, 2), dtype=np.uint8))
    assert late is not None
    _paint(case, (0, 0, 0))
    before = _bytes(case)
    with pytest.raises(StalePatchError):
        case.do(Command("late", (late,)))
    assert _bytes(case) == before


def test_wishes_during_a_stroke_are_refused_and_results_of_jobs_wait_for_its_end(case: OpenCase) -> None:
    segment = labels.add_segment(case, "Liver")
    assert segment is not None
    steps: list[Step] = []
    case.record = steps.append
    gesture = case.gesture("brush")
    patch = stroke_patch(case.labels.segmentation, segment, (5, 8, 12), (5, 12, 20), radius_mm=5.0)
    assert patch is not None
    gesture.apply(patch)
    assert labels.add_segment(case, "Refused") is None
    segment_ops.delete(case, [segment.segment_id])
    assert case.undo() is None
    case.after_gesture(lambda: labels.add_segment(case, "Arrived"))
    assert [s.name for s in case.labels.segmentation.segments] == ["Liver"]
    gesture.commit("Brush Liver")
    assert [step.command.name for step in steps] == ["Brush Liver", "Add Arrived"]
    assert [s.name for s in case.labels.segmentation.segments] == ["Liver", "Arrived"]
    case.undo()
    case.undo()
    assert not case.labels.segmentation.layer(0).voxels.any()


def test_two_segments_never_share_a_layer_and_value(case: OpenCase) -> None:
    first = labels.add_segment(case, "Liver")
    assert first is not None
    twin = replace(first, segment_id="other", name="Twin")
    with pytest.raises(LabelError):
        case.do(Command("Add Twin", (SegmentChange(None, twin, 1),)))
    assert case.labels.segmentation.segments == [first]


def test_a_read_only_case_refuses_every_wish_and_keeps_its_history(case: OpenCase) -> None:
    segment = labels.add_segment(case, "Liver")
    assert segment is not None
    case.read_only = "Another window keeps the labels."
    assert labels.add_segment(case, "Lesion") is None
    segment_ops.rename(case, segment.segment_id, "Milz")
    segment_ops.delete(case, [segment.segment_id])
    assert case.undo() is None
    assert case.labels.segmentation.segments == [segment]
    assert case.history.names == ("Add Liver",)


def test_a_view_that_fails_costs_no_change(case: OpenCase) -> None:
    steps: list[Step] = []
    case.record = steps.append

    def broken(_event: object) -> None:
        raise RuntimeError("a view failed")

    case.labels_changed.connect(broken)
    with pytest.raises(Exception, match="a view failed"):
        labels.add_segment(case, "Liver")
    assert [step.command.name for step in steps] == ["Add Liver"]
    assert case.history.names == ("Add Liver",)


_GESTURES = st.lists(
    st.tuples(
        st.sampled_from(["paint", "erase", "undo", "redo", "add", "delete", "lock"]),
        st.tuples(st.integers(0, 11), st.integers(0, 19), st.integers(0, 29)),
    ),
    max_size=40,
)


@settings(max_examples=40)
@given(_GESTURES)
def test_undoing_everything_empties_the_case_and_redoing_everything_restores_it(
    gestures: list[tuple[str, tuple[int, int, int]]],
) -> None:
    case = make_case()
    labels.add_segment(case, "First")
    for what, at in gestures:
        segments = case.labels.segmentation.segments
        if what in ("paint", "erase") and case.active_segment:
            _paint(case, at, erase=what == "erase")
        elif what == "undo":
            case.undo()
        elif what == "redo":
            case.redo()
        elif what == "add":
            labels.add_segment(case)
        elif what == "delete" and segments:
            segment_ops.delete(case, [segments[at[0] % len(segments)].segment_id])
        elif what == "lock" and segments:
            chosen = segments[at[0] % len(segments)]
            segment_ops.set_locked(case, [chosen.segment_id], locked=not chosen.locked)
    end, names = _bytes(case), list(case.labels.segmentation.segments)
    undone = 0
    while case.undo():
        undone += 1
    assert _bytes(case) == {}
    assert case.labels.segmentation.segments == []
    for _ in range(undone):
        case.redo()
    assert _bytes(case) == end
    assert case.labels.segmentation.segments == names
