"""The brushes under the rules: what they paint, what they leave, and what they say when nothing was changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medview.core.axes import Axes
from medview.core.oblique import ObliquePlane
from medview.core.plane import Plane
from medview.core.suv import SuvKind, SuvScale
from medview.core.volume import Volume
from medview.edit.rules import Area, EditRules, Overlap
from medview.workspace.brush_range import brush_range, set_brush_range
from medview.workspace.events import Message
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.pointer import Modifiers, Pointer
from medview.workspace.rule_words import range_text, rules_in_force
from medview.workspace.time_points import TimePoint
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace
from tests.workspace.gestures import drag, pointer


@pytest.fixture
def two_values(case: OpenCase) -> OpenCase:
    """A case that is 100 HU on one side of a slanting border and -50 HU on the other, with some noise."""
    k, j, i = np.indices(case.volume.geometry.shape_kji)
    noise = np.random.default_rng(5).integers(-8, 9, case.volume.geometry.shape_kji)
    voxels = (np.where(j + i + 2 * k < 37, 100, -50) + noise).astype(np.int16)
    case.volume = replace(case.volume, voxels=voxels)
    case.times = [TimePoint(case.volume, case.load)]
    return case


@pytest.fixture
def said(workspace: Workspace) -> list[str]:
    heard: list[str] = []

    def hear(message: Message) -> None:
        heard.append(message.text)

    workspace.message.connect(hear)
    return heard


def painted(case: OpenCase) -> np.ndarray:
    return np.asarray(case.labels.segmentation.layer(0).voxels != 0)


def values(case: OpenCase) -> np.ndarray:
    return case.volume.values()


@pytest.mark.parametrize("plane", list(Plane))
@pytest.mark.parametrize("turned", [False, True])
def test_the_threshold_brush_paints_what_the_brush_would_but_only_in_its_range(
    hands: Hands, workspace: Workspace, two_values: OpenCase, plane: Plane, turned: bool
) -> None:
    case, bench = two_values, workspace.bench
    if turned:
        case.view.axes = Axes().turned((0.3, -1.0, 0.4), 0.5)
    layout = case.slice_plane(plane)
    assert isinstance(layout, ObliquePlane) is turned
    index, middle = case.position_on(layout), case.volume.geometry.shape_kji
    _, row, column = layout.screen(case.volume.geometry, (np.asarray(middle) - 1) / 2)
    way = [Pointer(layout, index, row + n, column + n, 40.0 * n, 0.0) for n in (-1, 0, 2)]
    bench.set_radius(5.0)
    set_tool(workspace, Tool.BRUSH)
    drag(hands, *way)
    everything = painted(case)
    case.undo()
    set_tool(workspace, Tool.THRESHOLD_BRUSH)
    set_brush_range(bench, case, (80.0, 120.0))
    drag(hands, *way)
    inside = (values(case) >= 80) & (values(case) <= 120)
    assert np.array_equal(painted(case), everything & inside)
    assert 0 < painted(case).sum() < everything.sum()
    # Ctrl erases whatever the value is.
    set_brush_range(bench, case, (500.0, 600.0))
    drag(hands, *(replace(at, modifiers=Modifiers.CTRL) for at in way))
    assert not painted(case).any()


def test_the_range_of_the_tool_and_that_of_the_rules_hold_together(
    hands: Hands, workspace: Workspace, two_values: OpenCase, said: list[str]
) -> None:
    case, bench = two_values, workspace.bench
    set_tool(workspace, Tool.THRESHOLD_BRUSH)
    set_brush_range(bench, case, (-60.0, 98.0))
    bench.rules = EditRules(value_range=(95.0, 1000.0))
    drag(hands, pointer(case, 8, 8), pointer(case, 10, 16))
    assert set(np.unique(case.volume.voxels[painted(case)])) == {95, 96, 97, 98}
    bench.rules = EditRules(value_range=(200.0, 1000.0))
    before = painted(case)
    drag(hands, pointer(case, 8, 8), pointer(case, 10, 16))
    assert np.array_equal(painted(case), before)
    assert said[-1] == "Nothing was changed: the range of the tool and that of the rules have no value in common."


def test_a_circle_over_a_region_becomes_the_range_and_the_brush_comes_back(
    hands: Hands, workspace: Workspace, two_values: OpenCase, said: list[str]
) -> None:
    case, bench = two_values, workspace.bench
    set_tool(workspace, Tool.THRESHOLD_BRUSH)
    set_tool(workspace, Tool.VALUE_RANGE)
    drag(hands, pointer(case, 6, 8), pointer(case, 6, 9), pointer(case, 6, 12))
    low, high = brush_range(bench, case)
    # Noise of -8 to 8 around 100 has a deviation of 4.9.
    assert (low, high) == pytest.approx((100 - 9.8, 100 + 9.8), abs=3.0)
    assert bench.tool is Tool.THRESHOLD_BRUSH
    assert said[-1].startswith("The threshold brush paints ")
    assert case.history.names == ()
    bench.brush_spread = 4.0
    set_tool(workspace, Tool.VALUE_RANGE)
    drag(hands, pointer(case, 6, 8), pointer(case, 6, 12))
    assert brush_range(bench, case)[1] - brush_range(bench, case)[0] == pytest.approx(2 * (high - low), rel=0.01)


def test_an_adapting_brush_paints_what_is_like_the_place_where_each_stroke_begins(
    hands: Hands, workspace: Workspace, two_values: OpenCase
) -> None:
    case, bench = two_values, workspace.bench
    bench.brush_adapts, bench.brush_spread = True, 3.0
    bench.set_radius(6.0)
    set_tool(workspace, Tool.THRESHOLD_BRUSH)
    set_brush_range(bench, case, (5000.0, 6000.0))
    for start, side in (((8, 8), 100), ((14, 22), -50)):
        drag(hands, pointer(case, *start), pointer(case, 10, 15))
        found = case.volume.voxels[painted(case)]
        assert found.size > 30
        assert np.abs(found - side).max() <= 8
        assert abs(sum(brush_range(bench, case)) / 2 - side) < 6
        case.undo()


@pytest.mark.parametrize("sphere", [False, True])
def test_an_adapting_brush_does_not_jump_over_a_wall(
    hands: Hands, workspace: Workspace, case: OpenCase, sphere: bool
) -> None:
    voxels = np.full(case.volume.geometry.shape_kji, 100, dtype=np.int16)
    # A wall of one voxel, and beyond it the same tissue again.
    voxels[:, :, 18] = -300
    case.volume = replace(case.volume, voxels=voxels)
    case.times = [TimePoint(case.volume, case.load)]
    bench = workspace.bench
    bench.brush_adapts, bench.brush_sphere = True, sphere
    bench.set_radius(6.0)
    set_tool(workspace, Tool.THRESHOLD_BRUSH)
    drag(hands, pointer(case, 10, 11), pointer(case, 11, 13))
    found = painted(case)
    assert found.any(axis=0)[10, 17]
    assert not found[:, :, 18:].any()
    bench.brush_adapts = False
    set_brush_range(bench, case, (90.0, 110.0))
    drag(hands, pointer(case, 10, 11), pointer(case, 11, 13))
    assert painted(case)[:, :, 19].any()
    assert not painted(case)[:, :, 18].any()


def test_each_kind_of_series_has_a_range_of_its_own_that_begins_as_the_window(workspace: Workspace, case: OpenCase) -> None:
    bench = workspace.bench
    assert brush_range(bench, case) == (-160.0, 240.0)
    set_brush_range(bench, case, (300.0, 20.0))
    assert brush_range(bench, case) == (20.0, 300.0)
    case.times = [TimePoint(replace(case.volume, modality="PT", unit="Bq/mL"), case.load)]
    assert brush_range(bench, case) == (-160.0, 240.0)


RULES = {
    "area": (EditRules(Area.INSIDE, "Spleen"), "only inside Spleen"),
    "values": (EditRules(value_range=(900.0, 1000.0)), "only values 900 to 1000 HU"),
    "kept": (EditRules(overlap=Overlap.KEEP), "other segments stay"),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_stroke_that_a_rule_kept_from_changing_anything_says_which(
    hands: Hands, workspace: Workspace, two_values: OpenCase, said: list[str], rule: str
) -> None:
    case, bench = two_values, workspace.bench
    labels.add_segment(case, "Liver")
    set_tool(workspace, Tool.BRUSH)
    if rule == "kept":
        drag(hands, pointer(case, 5, 5), pointer(case, 5, 20))
    labels.add_segment(case, "Spleen" if rule != "area" else "Kidney")
    bench.rules, words = RULES[rule]
    entries = case.history.names
    drag(hands, pointer(case, 5, 5), pointer(case, 5, 9))
    assert said[-1] == f"Nothing was changed: {words}."
    assert case.history.names == entries
    bench.rules = EditRules()
    said.clear()
    drag(hands, pointer(case, 5, 5), pointer(case, 5, 9))
    drag(hands, pointer(case, 5, 5), pointer(case, 5, 9))
    assert said == []


@pytest.mark.parametrize("tool", [Tool.BRUSH, Tool.ERASER, Tool.THRESHOLD_BRUSH])
def test_a_case_that_cannot_be_changed_says_why_and_stays_as_it_is(
    hands: Hands, workspace: Workspace, two_values: OpenCase, said: list[str], tool: Tool
) -> None:
    case = two_values
    set_tool(workspace, Tool.BRUSH)
    drag(hands, pointer(case, 5, 5), pointer(case, 5, 9))
    before = painted(case)
    case.read_only = "Somebody else is drawing here."
    set_tool(workspace, tool)
    drag(hands, pointer(case, 5, 5), pointer(case, 9, 20))
    assert said[-1] == "Somebody else is drawing here."
    assert np.array_equal(painted(case), before)


@pytest.mark.parametrize("tool", [Tool.BRUSH, Tool.ERASER, Tool.THRESHOLD_BRUSH])
def test_nothing_is_painted_while_slices_arrive_since_what_the_project_knows_takes_its_place(
    hands: Hands, workspace: Workspace, two_values: OpenCase, said: list[str], tool: Tool
) -> None:
    case = two_values
    case.reading = True
    set_tool(workspace, tool)
    drag(hands, pointer(case, 5, 5), pointer(case, 9, 20))
    assert said[-1] == "Wait until the slices have arrived; then it can be labelled."
    assert case.labels.segmentation.segments == []
    assert case.history.names == ()
    case.reading = False
    set_tool(workspace, Tool.BRUSH)
    drag(hands, pointer(case, 5, 5), pointer(case, 9, 20))
    assert painted(case).any()


def test_rules_are_told_in_words_and_uptake_as_uptake(case: OpenCase) -> None:
    rules = EditRules(Area.OUTSIDE, "", (-30.0, 240.0), Overlap.ALLOW)
    assert rules_in_force(rules, case.volume) == [
        "only outside other segments",
        "\u221230 to 240 HU",
        "others may overlap",
    ]
    assert rules_in_force(EditRules(), case.volume) == []
    pet: Volume = replace(case.volume, modality="PT", unit="Bq/mL", suv=SuvScale(((SuvKind.BODY_WEIGHT, 2e-4),)))
    assert range_text(pet, (12500.0, 50000.0)) == "2.50 to 10.00 SUVbw"


def test_the_last_two_tools_change_places(workspace: Workspace) -> None:
    from medview.workspace.actions import action

    toggle = action("tool.toggle").run
    set_tool(workspace, Tool.THRESHOLD_BRUSH)
    set_tool(workspace, Tool.ERASER)
    toggle(workspace)
    assert workspace.bench.tool is Tool.THRESHOLD_BRUSH
    toggle(workspace)
    assert workspace.bench.tool is Tool.ERASER
    assert workspace.bench.mode is Mode.ANNOTATE
