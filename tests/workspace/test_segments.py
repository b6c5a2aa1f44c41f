"""What is asked of segments in the list."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medview.core.box import Box
from medview.core.changes import Command, SegmentChange
from medview.core.segmentation import Code, Segment, SegmentRole, SegmentStatus
from medview.edit.rules import LabelWriter
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import segments as ops
from medview.workspace.shown_segments import shown_in_3d, shown_on_slices, toggle_solo
from tests.workspace.conftest import make_case

CODE = Code("27925004", "SCT", "Nodule")


@pytest.fixture
def case() -> OpenCase:
    made = make_case()
    for n, name in enumerate(("Lung", "Nodule", "Heart", "Liver"), start=1):
        segment = Segment(f"s{n}", name, (n, 2, 3), 0, n, code=CODE if name == "Nodule" else None)
        made.do(Command("Add", (SegmentChange(None, segment, n - 1),)))
        draw(made, f"s{n}", Box((1, n, 2), (9, n + 5, 20)))
    return made


def draw(case: OpenCase, segment_id: str, box: Box) -> None:
    writer = LabelWriter(case.labels.segmentation, box)
    writer.add(case.labels.segmentation.segment(segment_id), np.ones(box.shape_kji, dtype=np.bool_))
    case.do(Command("Brush", tuple(writer.changes())))


def names(case: OpenCase) -> list[str]:
    return [s.name for s in case.labels.segmentation.segments]


def state(case: OpenCase) -> tuple[object, ...]:
    layers = {n: layer.voxels.tobytes() for n, layer in case.labels.segmentation.layers.items() if layer.voxels.any()}
    return tuple(case.labels.segmentation.segments), layers


def test_several_segments_change_in_one_step_of_the_history(case: OpenCase) -> None:
    before, steps = state(case), len(case.history.names)
    assert ops.set_locked(case, ["s1", "s3"], locked=True)
    assert [s.locked for s in case.labels.segmentation.segments] == [True, False, True, False]
    assert case.history.names[steps:] == ("Lock Lung, Heart",)
    assert not ops.set_locked(case, ["s1"], locked=True), "nothing changed"
    case.undo()
    assert state(case) == before


@pytest.mark.parametrize(
    ("change", "field", "value", "name"),
    [
        (lambda c: ops.set_visible(c, ["s2"], visible=False), "visible", False, "Hide Nodule"),
        (lambda c: ops.set_visible_3d(c, ["s2"], visible=False), "visible_3d", False, "Hide Nodule in 3-D"),
        (lambda c: ops.set_status(c, ["s2"], SegmentStatus.DONE), "status", SegmentStatus.DONE, "Mark Nodule as done"),
        (lambda c: ops.set_unsure(c, ["s2"], unsure=True), "role", SegmentRole.IGNORE, "Unsure of Nodule"),
        (lambda c: ops.set_colour(c, ["s2"], (9, 8, 7)), "colour", (9, 8, 7), "Colour Nodule"),
        (lambda c: ops.set_opacity(c, ["s2"], 7.0), "opacity", 1.0, ""),
        (lambda c: ops.set_opacity(c, ["s2"], 0.25), "opacity", 0.25, "Opacity of Nodule"),
        (lambda c: ops.set_outline(c, ["s2"], outline_only=True), "outline_only", True, "Outline of Nodule"),
        (lambda c: ops.set_group(c, ["s2"], " Lesions "), "group", "Lesions", "Group Nodule under Lesions"),
        (lambda c: ops.set_code(c, "s2", None), "code", None, "Code of Nodule"),
    ],
)
def test_everything_about_a_segment_can_be_changed_and_taken_back(
    case: OpenCase, change: object, field: str, value: object, name: str
) -> None:
    before, steps = state(case), len(case.history.names)
    assert change(case) == bool(name)  # type: ignore[operator]
    assert getattr(case.labels.segmentation.segment("s2"), field) == value
    assert case.history.names[steps:] == ((name,) if name else ())
    if name:
        case.undo()
    assert state(case) == before


def test_a_read_only_case_stays_as_it_is(case: OpenCase) -> None:
    before = state(case)
    case.read_only = "Another window is writing."
    assert not ops.set_visible(case, ["s1"], visible=False)
    assert ops.delete(case, ["s1"]) == []
    assert ops.new_instance(case, "s1") is None
    assert not ops.move(case, ["s1"], "", "")
    assert state(case) == before


def test_segments_whose_boxes_overlap_are_deleted_together_and_come_back(case: OpenCase) -> None:
    before = state(case)
    case.view.active_segment_id = "s2"
    case.view.chosen_segment_ids = ("s2", "s3")
    ops.set_locked(case, ["s4"], locked=True)
    gone = ops.delete(case, ["s1", "s2", "s4"])
    assert [s.name for s in gone] == ["Lung", "Nodule"]
    assert names(case) == ["Heart", "Liver"]
    assert set(np.unique(case.labels.segmentation.layer(0).voxels)) == {0, 3, 4}
    assert case.view.chosen_segment_ids == ("s3",)
    assert case.view.active_segment_id == "s3"
    assert case.history.names[-1] == "Delete Lung, Nodule"
    case.undo()
    case.undo()
    assert state(case) == before
    case.redo()
    case.redo()
    assert names(case) == ["Heart", "Liver"]


def test_deleting_the_last_segment_leaves_none_active(case: OpenCase) -> None:
    case.view.active_segment_id = "s1"
    ops.delete(case, ["s1", "s2", "s3", "s4"])
    assert case.view.active_segment_id == ""
    assert not case.labels.segmentation.layer(0).voxels.any()


def test_an_instance_is_of_the_same_thing_and_stands_beside_it(case: OpenCase) -> None:
    before = state(case)
    second = ops.new_instance(case, "s2")
    third = ops.new_instance(case, second.segment_id)  # type: ignore[union-attr]
    assert names(case) == ["Lung", "Nodule", "Nodule 2", "Nodule 3", "Heart", "Liver"]
    assert second is not None
    assert third is not None
    assert {s.group for s in case.labels.segmentation.segments if "Nodule" in s.name} == {"Nodule"}
    assert second.code == CODE
    assert len({second.colour, third.colour, case.labels.segmentation.segment("s2").colour}) == 3
    assert case.view.active_segment_id == third.segment_id
    case.undo()
    case.undo()
    assert state(case) == before


def test_a_segment_that_holds_voxels_is_not_absent(case: OpenCase) -> None:
    held = case.labels.segmentation.count(case.labels.segmentation.segment("s2"))
    reason = ops.set_absent(case, ["s2"], absent=True)
    assert reason == f"Nodule holds {held} voxels, so it is not absent; erase them first."
    assert not case.labels.segmentation.segment("s2").absent
    ops.delete(case, ["s2"])
    case.do(Command("Add", (SegmentChange(None, Segment("s9", "Nodule", (1, 1, 1), 0, 9), 0),)))
    assert ops.set_absent(case, ["s9"], absent=True) == ""
    assert case.labels.segmentation.segment("s9").absent
    draw(case, "s9", Box((1, 10, 2), (3, 12, 5)))
    assert case.labels.segmentation.count(case.labels.segmentation.segment("s9")) == 0, "nothing is drawn in it"
    ops.set_absent(case, ["s9"], absent=False)
    draw(case, "s9", Box((1, 10, 2), (3, 12, 5)))
    assert case.labels.segmentation.count(case.labels.segmentation.segment("s9")) == 12


def test_a_name_that_is_taken_gets_a_number(case: OpenCase) -> None:
    ops.rename(case, "s1", " Heart ", CODE)
    assert names(case)[0] == "Heart 2"
    assert case.labels.segmentation.segment("s1").code == CODE
    assert not ops.rename(case, "s1", "   ")
    assert not ops.rename(case, "s1", "Heart 2")


@settings(max_examples=60)
@given(st.sets(st.integers(1, 4), min_size=1), st.integers(0, 4), st.sampled_from(["", "Chest"]))
def test_segments_move_to_where_they_are_dropped_and_back(moved: set[int], before: int, group: str) -> None:
    case = make_case()
    for n in range(1, 5):
        case.do(Command("Add", (SegmentChange(None, Segment(f"s{n}", f"N{n}", (n, 2, 3), 0, n), n - 1),)))
    was = state(case)
    ids = [f"s{n}" for n in sorted(moved)]
    target = f"s{before}" if before else ""
    changed = ops.move(case, ids, target, group)
    order = [s.segment_id for s in case.labels.segmentation.segments]
    really = [one for one in ids if one != target]
    assert sorted(order) == ["s1", "s2", "s3", "s4"]
    rest = [one for one in ("s1", "s2", "s3", "s4") if one not in really]
    at = rest.index(target) if target else len(rest)
    assert order == [*rest[:at], *really, *rest[at:]]
    if really:
        assert {case.labels.segmentation.segment(one).group for one in really} == {group}
    if changed:
        case.undo()
    assert state(case) == was


def test_the_chosen_segments_are_in_the_order_of_the_list_and_else_the_active_one(case: OpenCase) -> None:
    case.view.chosen_segment_ids = ("s3", "gone", "s1")
    assert [s.name for s in ops.chosen(case)] == ["Lung", "Heart"]
    case.view.chosen_segment_ids = ()
    assert ops.chosen(case) == []
    case.view.active_segment_id = "s4"
    assert [s.name for s in ops.chosen(case)] == ["Liver"]


def test_only_some_are_shown_and_then_all_as_before(case: OpenCase) -> None:
    ops.set_visible(case, ["s1"], visible=False)
    ops.set_visible_3d(case, ["s2"], visible=False)
    steps = len(case.history.names)
    toggle_solo(case, ("s1", "s2"))
    assert [s.name for s in shown_on_slices(case)] == ["Lung", "Nodule"] == [s.name for s in shown_in_3d(case)]
    toggle_solo(case, ("s3",))
    assert [s.name for s in shown_on_slices(case)] == ["Heart"]
    toggle_solo(case, ("s3",))
    assert [s.name for s in shown_on_slices(case)] == ["Nodule", "Heart", "Liver"]
    assert [s.name for s in shown_in_3d(case)] == ["Lung", "Heart", "Liver"]
    assert len(case.history.names) == steps, "looking changes nothing"
