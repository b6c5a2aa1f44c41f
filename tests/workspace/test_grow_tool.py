"""Fill and grow in a hand: press, drag wider or narrower, let go."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from medview.core.axes import Axes
from medview.core.changes import Command, SegmentChange
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.plane import Plane
from medview.core.screen_map import ScreenMap
from medview.edit import region_growth
from medview.edit.segments import new_segment
from medview.workspace.hands import Hands
from medview.workspace.jobs import Job, Outcome, Request
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Modifiers, Pointer
from medview.workspace.preview import RegionPreview
from medview.workspace.tool_actions import set_tool
from medview.workspace.tools import grow
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace


class Held:
    """Keeps jobs waiting."""

    def __init__(self, waiting: list[tuple[Request, Outcome]]) -> None:
        self._waiting = waiting

    def submit(self, request: Request, outcome: Outcome) -> Job:
        self._waiting.append((request, outcome))
        return Job(request.title, request.lane)


MIDDLE_KJI = (6, 10, 15)
"""Where the crosshair is."""


def steps(geometry: Geometry) -> npt.NDArray[np.int16]:
    """Values that rise by 100 with every 6 mm from the middle, with a little noise."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape_kji), indexing="ij"), axis=-1)
    away = np.linalg.norm(geometry.point_lps_mm(index) - geometry.point_lps_mm(MIDDLE_KJI), axis=-1)
    noise = np.random.default_rng(8).integers(-4, 5, away.shape)
    return (100 * np.floor(away / 6.0) + noise).astype(np.int16)


@pytest.fixture
def case(case: OpenCase) -> OpenCase:
    case.volume = replace(case.volume, voxels=steps(case.volume.geometry))
    return case


def over(
    case: OpenCase, plane: Plane = Plane.AXIAL, *, right_px: float = 0.0, modifiers: Modifiers = Modifiers.NONE
) -> Pointer:
    """A pointer on the middle voxel, or so far beside it in pixels."""
    layout = case.slice_plane(plane)
    at, row, column = layout.screen(case.volume.geometry, MIDDLE_KJI)
    return Pointer(layout, round(at, 6), row, column + right_px / 10, 200 + right_px, 200.0, 0.1, modifiers=modifiers)


def press_and_let_go(hands: Hands, *way: Pointer) -> None:
    hands.press(way[0])
    for step in way[1:]:
        hands.move(step)
    hands.release(way[-1])


def drawn(case: OpenCase) -> npt.NDArray[np.bool_]:
    segment = case.active_segment
    assert segment is not None
    return case.labels.segmentation.mask(segment)


def connected(case: OpenCase, highest: float) -> npt.NDArray[np.bool_]:
    parts, _ = ndimage.label(case.volume.values() <= highest)
    return np.asarray(parts == parts[MIDDLE_KJI])


def test_a_click_grows_the_tissue_under_it_through_all_slices(hands: Hands, case: OpenCase, workspace: Workspace) -> None:
    set_tool(workspace, Tool.GROW)
    press_and_let_go(hands, over(case))
    expected = connected(case, 50)
    assert (drawn(case) == expected).all()
    assert len(set(np.nonzero(expected)[0])) > 1
    command = case.history.next_undo()
    assert command is not None
    assert command.name == "Grow Segment 1"
    case.undo()
    assert not case.labels.segmentation.segments


@pytest.mark.parametrize("plane", list(Plane))
def test_a_click_fills_the_tissue_under_it_on_its_slice_only(
    hands: Hands, case: OpenCase, workspace: Workspace, plane: Plane
) -> None:
    set_tool(workspace, Tool.FILL)
    press_and_let_go(hands, over(case, plane))
    layout = case.slice_plane(plane)
    across = layout.screen(case.volume.geometry, MIDDLE_KJI)[0]
    on_slice = np.zeros(drawn(case).shape, dtype=bool)
    layout.extract(on_slice, round(across))[...] = True
    assert (drawn(case) == (connected(case, 50) & on_slice)).all()
    assert drawn(case).sum() >= 5
    assert case.history.names[-1] == "Fill Segment 1"


@pytest.mark.parametrize("plane", list(Plane))
def test_at_an_angle_a_click_fills_what_the_picture_cuts(
    hands: Hands, case: OpenCase, workspace: Workspace, plane: Plane
) -> None:
    case.view.axes = Axes.of_grid(case.volume.geometry).turned((0.3, -1.0, 0.4), 0.5)
    set_tool(workspace, Tool.FILL)
    here = over(case, plane)
    press_and_let_go(hands, here)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in drawn(case).shape), indexing="ij"), axis=-1)
    seen = ScreenMap.of(case.slice_plane(plane), case.volume.geometry)
    cut = np.abs(seen.screen(index)[..., 0] - here.slice_index) < seen.half_thickness
    assert (drawn(case) == (connected(case, 50) & cut)).all()
    assert drawn(case).sum() >= 5


def test_a_drag_to_the_right_widens_the_range_and_back_narrows_it_and_what_is_shown_is_what_is_written(
    hands: Hands, case: OpenCase, workspace: Workspace
) -> None:
    set_tool(workspace, Tool.GROW)
    shown = []
    hands.press(over(case))
    for right_px in (0, 420, 620, -200, 420):
        hands.move(over(case, right_px=right_px))
        assert isinstance(hands.preview, RegionPreview)
        assert hands.preview.box is not None
        shown.append(int(hands.preview.held(hands.preview.box).sum()))
    assert shown[3] < shown[0] < shown[1] < shown[2]
    assert shown[4] == shown[1]
    assert "HU" in hands.preview.text
    assert "mL" in hands.preview.text
    assert not case.labels.segmentation.segments
    hands.release(over(case, right_px=420))
    assert drawn(case).sum() == shown[1]


def test_escape_drops_it_and_ctrl_takes_it_away(hands: Hands, case: OpenCase, workspace: Workspace) -> None:
    set_tool(workspace, Tool.GROW)
    hands.press(over(case))
    hands.cancel()
    hands.release(over(case))
    assert not case.labels.segmentation.segments
    press_and_let_go(hands, over(case), over(case, right_px=420))
    whole = drawn(case).sum()
    press_and_let_go(hands, over(case, modifiers=Modifiers.CTRL))
    assert drawn(case).sum() == whole - connected(case, 50).sum()
    command = case.history.next_undo()
    assert command is not None
    assert command.name == "Erase Segment 1"


def test_a_region_ends_at_the_distance_that_is_set(hands: Hands, case: OpenCase, workspace: Workspace) -> None:
    set_tool(workspace, Tool.GROW)
    workspace.bench.grow_limit_mm = 7.0
    press_and_let_go(hands, over(case), over(case, right_px=900))
    index = np.argwhere(drawn(case))
    geometry = case.volume.geometry
    away = np.linalg.norm(geometry.point_lps_mm(index) - geometry.point_lps_mm(MIDDLE_KJI), axis=1)
    assert 6.0 < away.max() <= 7.0


def test_a_region_that_takes_longer_than_a_moment_is_found_to_its_end_and_written_the_same(
    hands: Hands, case: OpenCase, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grow, "AT_ONCE_VOXELS", 3)
    set_tool(workspace, Tool.GROW)
    press_and_let_go(hands, over(case))
    assert (drawn(case) == connected(case, 50)).all()
    command = case.history.next_undo()
    assert command is not None
    assert command.name == "Grow Segment 1"
    assert not hands.later.going_on
    press_and_let_go(hands, over(case, modifiers=Modifiers.CTRL))
    assert not drawn(case).any()
    case.undo()
    case.undo()
    assert not case.labels.segmentation.segments


def test_what_takes_longer_than_a_moment_is_found_while_the_hand_rests(
    hands: Hands, case: OpenCase, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region_growth, "BRICK_KJI", (3, 4, 5))
    monkeypatch.setattr(grow, "_MOMENT_S", 0.0)
    set_tool(workspace, Tool.GROW)
    hands.press(over(case))
    hands.move(over(case, right_px=640))
    assert isinstance(hands.preview, RegionPreview)
    assert not hands.preview.complete
    assert "still growing" in hands.preview.text
    seen = []
    while hands.frame():
        assert hands.preview.box is not None
        seen.append(int(hands.preview.held(hands.preview.box).sum()))
    assert len(seen) > 5
    assert seen == sorted(seen)
    assert hands.preview.complete
    assert hands.preview.box is not None
    whole = hands.preview.held(hands.preview.box).sum()
    assert whole > 5 * seen[0]
    hands.release(over(case, right_px=640))
    assert drawn(case).sum() == whole


def test_a_large_region_goes_into_the_segment_it_was_grown_for_whichever_is_chosen_meanwhile(
    hands: Hands, case: OpenCase, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grow, "AT_ONCE_VOXELS", 3)
    first, second = (new_segment(case.labels.segmentation, name) for name in ("Liver", "Spleen"))
    second = replace(second, value=2)
    assert case.do(Command("Add", (SegmentChange(None, first, 0), SegmentChange(None, second, 1))))
    case.view.active_segment_id = first.segment_id
    set_tool(workspace, Tool.GROW)
    waiting: list[tuple[Request, Outcome]] = []
    runner = workspace.runner
    monkeypatch.setattr(workspace, "runner", Held(waiting))
    press_and_let_go(hands, over(case))
    assert hands.later.going_on
    case.view.active_segment_id = second.segment_id
    monkeypatch.setattr(workspace, "runner", runner)
    (request, outcome) = waiting.pop()
    outcome.done(request.run(Inline()))
    assert case.labels.segmentation.count(second) == 0
    assert case.labels.segmentation.count(first) == connected(case, 50).sum()
    command = case.history.next_undo()
    assert command is not None
    assert command.name == "Grow Liver"


def test_escape_gives_up_a_region_that_is_still_being_found(
    hands: Hands, case: OpenCase, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grow, "AT_ONCE_VOXELS", 3)
    set_tool(workspace, Tool.GROW)
    waiting: list[tuple[Request, Outcome]] = []
    monkeypatch.setattr(workspace, "runner", Held(waiting))
    press_and_let_go(hands, over(case))
    assert hands.cancel()
    assert not hands.later.going_on
    (request, outcome) = waiting.pop()
    outcome.done(request.run(Inline()))
    assert not case.labels.segmentation.segments
    assert not hands.cancel()


def test_colour_and_locked_segments_are_left_alone_and_it_is_said(
    hands: Hands, case: OpenCase, workspace: Workspace, said: list[str]
) -> None:
    set_tool(workspace, Tool.FILL)
    segment = replace(new_segment(case.labels.segmentation, "Liver"), locked=True)
    assert case.do(Command("Add", (SegmentChange(None, segment, 0),)))
    case.view.active_segment_id = segment.segment_id
    press_and_let_go(hands, over(case))
    assert "Liver is locked" in said[-1]
    case.view.active_segment_id = ""
    grey = case.volume
    case.volume = replace(grey, voxels=np.zeros((*grey.voxels.shape, 3), dtype=np.uint8))
    press_and_let_go(hands, over(case))
    assert "colour" in said[-1]
    assert not case.labels.segmentation.layer(0).voxels.any()
