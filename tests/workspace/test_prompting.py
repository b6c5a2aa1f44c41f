"""Pointing at an object in a hand: prompts become one command each, can be taken back, taken out and worked out again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from medview.core.axes import Axes
from medview.core.box import Box
from medview.core.changes import Command, PromptChange, SegmentChange
from medview.core.errors import GraphicsError, ModelError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.label_patch import LabelPatch
from medview.core.plane import Plane
from medview.core.prompt import PromptKind
from medview.core.prompt_log import PromptLog
from medview.edit.prompted_growth import grow_from_prompts
from medview.edit.rules import EditRules, Overlap
from medview.edit.segments import new_segment
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.store.project import Project
from medview.workspace.events import Message
from medview.workspace.hands import Hands
from medview.workspace.jobs import InlineRunner, Job, Lane, Outcome, Request
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import segments
from medview.workspace.operations.open import open_path
from medview.workspace.operations.predict import run_model
from medview.workspace.pointer import Modifiers, Pointer
from medview.workspace.preview import ShapePreview
from medview.workspace.prompting import held_by
from medview.workspace.requests_prompt import FindObject, Others
from medview.workspace.scheme import Scheme
from medview.workspace.services import Services
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace
from tests.helpers.contrast import write_contrast
from tests.ml.small_packs import small_pack
from tests.workspace.conftest import make_case

MIDDLE_KJI = (6.0, 10.0, 12.0)
OTHER_KJI = (6.0, 10.0, 25.0)
BETWEEN_KJI = (6.0, 10.0, 19.0)
RADIUS_MM = 3.6


def ball(geometry: Geometry, middle_kji: tuple[float, float, float]) -> npt.NDArray[np.bool_]:
    index = np.stack(np.indices(geometry.shape_kji), axis=-1)
    away = geometry.point_lps_mm(index) - geometry.point_lps_mm(middle_kji)
    return np.asarray(np.linalg.norm(away, axis=-1) <= RADIUS_MM)


def two_balls(geometry: Geometry) -> npt.NDArray[np.int16]:
    """Two balls beside each other that touch, on dark ground with a little noise."""
    values = np.where(ball(geometry, MIDDLE_KJI) | ball(geometry, OTHER_KJI), 60.0, -800.0)
    bridge = ball(geometry, BETWEEN_KJI)
    values[bridge] = 60.0
    return (values + np.random.default_rng(3).normal(0, 8, values.shape)).astype(np.int16)


@pytest.fixture
def case(case: OpenCase) -> OpenCase:
    return painted(case)


def painted(case: OpenCase) -> OpenCase:
    case.volume = replace(case.volume, voxels=two_balls(case.volume.geometry))
    case.times[0] = replace(case.times[0], volume=case.volume)
    return case


@pytest.fixture
def tool(workspace: Workspace) -> Workspace:
    set_tool(workspace, Tool.PROMPT)
    return workspace


def at(
    case: OpenCase,
    index_kji: tuple[float, float, float],
    plane: Plane = Plane.AXIAL,
    *,
    modifiers: Modifiers = Modifiers.NONE,
    beside: tuple[float, float] = (0.0, 0.0),
) -> Pointer:
    layout = case.slice_plane(plane)
    across, row, column = layout.screen(case.volume.geometry, index_kji)
    row, column = row + beside[0], column + beside[1]
    return Pointer(layout, round(across, 6), row, column, column * 10, row * 10, 0.1, modifiers=modifiers)


def point(hands: Hands, pointer: Pointer) -> None:
    hands.press(pointer)
    hands.release(pointer)


def pull(hands: Hands, way: list[Pointer]) -> None:
    hands.press(way[0])
    for step in way[1:]:
        hands.move(step)
    hands.release(way[-1])


def drawn(case: OpenCase) -> npt.NDArray[np.bool_]:
    segment = case.active_segment
    assert segment is not None
    return case.labels.segmentation.mask(segment)


def dice(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> float:
    return float(2 * np.count_nonzero(a & b) / max(1, np.count_nonzero(a) + np.count_nonzero(b)))


@pytest.mark.parametrize("plane", list(Plane))
def test_a_click_on_any_plane_finds_the_object_and_makes_its_segment(
    tool: Workspace, hands: Hands, case: OpenCase, plane: Plane
) -> None:
    point(hands, at(case, MIDDLE_KJI, plane))
    inside = ball(case.volume.geometry, MIDDLE_KJI)
    assert np.count_nonzero(drawn(case) & inside) > 0.8 * np.count_nonzero(inside)
    assert [c.name for c in case.history.next_undos(9)] == ["Prompt Segment 1"]
    log = case.labels.prompts[case.view.active_segment_id]
    (prompt,) = log.prompts
    assert prompt.positive
    assert np.allclose(case.volume.geometry.index_kji(prompt.points_lps_mm[0]), MIDDLE_KJI, atol=1e-6)
    normal = np.asarray(prompt.normal_lps)
    assert abs(normal @ case.slice_plane(plane).grid(case.volume.geometry, 0).normal_lps) == pytest.approx(1.0)


def test_a_click_on_an_oblique_picture_lies_where_it_was_made(tool: Workspace, hands: Hands, case: OpenCase) -> None:
    normal = np.array([0.4, -0.3, 0.87])
    normal /= np.linalg.norm(normal)
    back = np.cross(normal, [1.0, 0.1, 0.0])
    back /= np.linalg.norm(back)
    case.view.axes = Axes(tuple(np.cross(back, normal)), tuple(back), tuple(normal))
    case.view.look_at(MIDDLE_KJI, case.volume.geometry.shape_kji)
    point(hands, at(case, MIDDLE_KJI))
    (prompt,) = case.labels.prompts[case.view.active_segment_id].prompts
    assert np.allclose(case.volume.geometry.index_kji(prompt.points_lps_mm[0]), MIDDLE_KJI, atol=1e-5)
    assert abs(np.asarray(prompt.normal_lps) @ normal) == pytest.approx(1.0, abs=1e-6)
    assert drawn(case)[6, 10, 12]


@pytest.mark.parametrize("kind", [PromptKind.SCRIBBLE, PromptKind.BOX, PromptKind.LASSO])
def test_a_drag_is_what_the_option_says(tool: Workspace, hands: Hands, case: OpenCase, kind: PromptKind) -> None:
    tool.bench.prompt_drag = kind
    ways = {
        PromptKind.SCRIBBLE: [(-1.5, -2.0), (0.0, 0.0), (1.5, 2.0)],
        PromptKind.BOX: [(-4.6, -6.6), (0.0, 0.0), (4.6, 6.6)],
        PromptKind.LASSO: [(-4.5, 0.0), (-3.0, 4.5), (0.0, 6.5), (4.5, 0.0), (0.0, -6.5), (-3.0, -4.5)],
    }
    pull(hands, [at(case, MIDDLE_KJI, beside=place) for place in ways[kind]])
    (prompt,) = case.labels.prompts[case.view.active_segment_id].prompts
    assert prompt.kind is kind
    assert drawn(case)[6, 10, 12]
    if kind.flat:
        assert dice(drawn(case), ball(case.volume.geometry, MIDDLE_KJI)) > 0.6
        assert not drawn(case)[6, 10, 25]


def test_what_is_drawn_is_shown_while_the_hand_moves(tool: Workspace, hands: Hands, case: OpenCase) -> None:
    tool.bench.prompt_drag = PromptKind.LASSO
    way = [at(case, MIDDLE_KJI, beside=place, modifiers=Modifiers.CTRL) for place in ((0, 0), (0, 3), (3, 3))]
    hands.press(way[0])
    for step in way[1:]:
        hands.move(step)
    assert isinstance(hands.preview, ShapePreview)
    assert (hands.preview.closed, hands.preview.erasing, len(hands.preview.line)) == (True, True, 3)
    hands.cancel()
    assert case.labels.prompts == {}


def test_a_negative_click_takes_the_other_object_away_and_undo_brings_it_back(
    tool: Workspace, hands: Hands, case: OpenCase
) -> None:
    point(hands, at(case, MIDDLE_KJI))
    both = drawn(case).copy()
    other = ball(case.volume.geometry, OTHER_KJI) & ~ball(case.volume.geometry, BETWEEN_KJI)
    assert np.count_nonzero(both & other) > 0.5 * np.count_nonzero(other)
    point(hands, at(case, OTHER_KJI, modifiers=Modifiers.CTRL))
    assert np.count_nonzero(drawn(case) & other) < 0.3 * np.count_nonzero(other)
    case.undo()
    assert np.array_equal(drawn(case), both)
    assert len(case.labels.prompts[case.view.active_segment_id].prompts) == 1
    case.redo()
    assert len(case.labels.prompts[case.view.active_segment_id].prompts) == 2


def test_undoing_the_first_prompt_takes_segment_and_log_away(tool: Workspace, hands: Hands, case: OpenCase) -> None:
    point(hands, at(case, MIDDLE_KJI))
    case.undo()
    assert case.labels.segmentation.segments == []
    assert case.labels.prompts == {}
    case.redo()
    assert drawn(case).any()


def test_any_prompt_can_be_taken_out(tool: Workspace, hands: Hands, case: OpenCase) -> None:
    point(hands, at(case, MIDDLE_KJI))
    alone = drawn(case).copy()
    point(hands, at(case, OTHER_KJI, modifiers=Modifiers.CTRL))
    segment_id = case.view.active_segment_id
    first, second = case.labels.prompts[segment_id].prompts
    assert tool.prompting.remove(case, segment_id, second.prompt_id)
    assert np.array_equal(drawn(case), alone)
    assert tool.prompting.remove(case, segment_id, first.prompt_id)
    assert not drawn(case).any()
    assert case.labels.prompts[segment_id].prompts == ()
    assert not tool.prompting.remove(case, segment_id, "no such prompt")


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_done_the_log_says_what_the_segment_holds(
    tool: Workspace, hands: Hands, case: OpenCase, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    point(hands, at(case, MIDDLE_KJI))
    segment_id = case.view.active_segment_id
    for _unused in range(9):
        what = rng.integers(5)
        log = case.labels.prompts.get(segment_id)
        if what == 0:
            case.undo()
        elif what == 1:
            case.redo()
        elif what == 2 and log is not None and log.prompts:
            tool.prompting.remove(case, segment_id, log.prompts[int(rng.integers(len(log.prompts)))].prompt_id)
        elif case.labels.segmentation.find(segment_id) is not None:
            tool.bench.prompt_drag = [PromptKind.SCRIBBLE, PromptKind.BOX, PromptKind.LASSO][int(rng.integers(3))]
            keys = Modifiers.CTRL if rng.random() < 0.4 else Modifiers.NONE
            plane = list(Plane)[int(rng.integers(3))]
            middle = tuple(float(n) for n in rng.uniform((5, 7, 8), (7, 13, 27)))
            places = [tuple(rng.uniform(-3, 3, 2)) for _n in range(int(rng.integers(1, 4)))]
            pull(hands, [at(case, middle, plane, modifiers=keys, beside=place) for place in places])
        segment, log = case.labels.segmentation.find(segment_id), case.labels.prompts.get(segment_id)
        assert (segment is None) == (log is None)
        if segment is None or log is None:
            continue
        again = log.base
        if log.prompts:
            again = grow_from_prompts(case.volume, log.prompts, log.base, lambda _box: None, Inline())
        assert again.digest == held_by(case.labels.segmentation, segment).digest == log.found


def test_what_a_person_painted_meanwhile_is_never_lost(
    tool: Workspace, hands: Hands, case: OpenCase, said: list[str]
) -> None:
    point(hands, at(case, MIDDLE_KJI))
    set_tool(tool, Tool.BRUSH)
    tool.bench.brush_radius_mm = 1.5
    point(hands, at(case, (6.0, 3.0, 4.0)))
    assert drawn(case)[6, 3, 4]
    set_tool(tool, Tool.PROMPT)
    segment_id = case.view.active_segment_id
    assert not tool.prompting.remove(case, segment_id, case.labels.prompts[segment_id].prompts[0].prompt_id)
    assert "was changed since" in said[-1]
    point(hands, at(case, OTHER_KJI, modifiers=Modifiers.CTRL))
    assert drawn(case)[6, 3, 4]
    log = case.labels.prompts[segment_id]
    assert (len(log.settled), len(log.prompts)) == (1, 1)
    assert tool.prompting.remove(case, segment_id, log.prompts[0].prompt_id)
    assert drawn(case)[6, 3, 4]


def test_another_object_never_takes_from_the_first(tool: Workspace, hands: Hands, case: OpenCase) -> None:
    point(hands, at(case, MIDDLE_KJI))
    point(hands, at(case, OTHER_KJI, modifiers=Modifiers.CTRL))
    first = case.active_segment
    assert first is not None
    before = drawn(case).copy()
    made = new_segment(case.labels.segmentation)
    case.do(Command("Add", (SegmentChange(None, made, 1),)))
    case.view.active_segment_id = made.segment_id
    point(hands, at(case, OTHER_KJI))
    assert drawn(case).any()
    assert not (drawn(case) & before).any()
    assert np.array_equal(case.labels.segmentation.mask(case.labels.segmentation.segment(first.segment_id)), before)


def test_where_segments_may_overlap_both_hold_the_voxels(tool: Workspace, hands: Hands, case: OpenCase) -> None:
    point(hands, at(case, MIDDLE_KJI))
    first_id, before = case.view.active_segment_id, drawn(case).copy()
    made = new_segment(case.labels.segmentation)
    case.do(Command("Add", (SegmentChange(None, made, 1),)))
    case.view.active_segment_id = made.segment_id
    tool.bench.rules = EditRules(overlap=Overlap.ALLOW)
    point(hands, at(case, MIDDLE_KJI))
    assert np.array_equal(drawn(case), before)
    assert np.array_equal(case.labels.segmentation.mask(case.labels.segmentation.segment(first_id)), before)


@pytest.mark.parametrize("why", ["read only", "locked", "outside", "too small"])
def test_a_prompt_that_cannot_be_says_why(tool: Workspace, hands: Hands, case: OpenCase, said: list[str], why: str) -> None:
    where = MIDDLE_KJI
    if why == "read only":
        case.read_only = "Somebody else writes here."
    elif why == "locked":
        made = replace(new_segment(case.labels.segmentation, "Liver"), locked=True)
        case.do(Command("Add", (SegmentChange(None, made, 0),)))
        case.view.active_segment_id = made.segment_id
    elif why == "outside":
        where = (6.0, 10.0, 99.0)
    revision = case.labels.revision
    if why == "too small":
        tool.bench.prompt_drag = PromptKind.LASSO
        pull(hands, [at(case, where), at(case, where, beside=(0.0, 0.5)), at(case, where, beside=(0.5, 0.5))])
    else:
        point(hands, at(case, where))
    assert case.labels.revision == revision
    assert case.labels.prompts == {}
    assert any(word in said[-1] for word in ("Somebody else", "locked", "outside", "too small"))


class Held:
    """Keeps jobs waiting."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Request, Outcome]] = []
        self.cancelled = 0

    def submit(self, request: Request, outcome: Outcome) -> Job:
        self.waiting.append((request, outcome))

        def cancel() -> None:
            self.cancelled += 1

        return Job(request.title, request.lane, cancel=cancel)

    def pump(self, poured: object) -> None:
        while not poured.step():  # type: ignore[attr-defined]
            pass

    def work(self) -> None:
        request, outcome = self.waiting.pop(0)
        outcome.done(request.run(Inline()))


@pytest.fixture
def held(workspace: Workspace) -> Held:
    set_tool(workspace, Tool.PROMPT)
    workspace.runner = Held()
    return workspace.runner


def test_prompts_given_while_one_is_worked_out_wait_and_follow(
    workspace: Workspace, held: Held, hands: Hands, case: OpenCase
) -> None:
    point(hands, at(case, MIDDLE_KJI))
    point(hands, at(case, OTHER_KJI, modifiers=Modifiers.CTRL))
    assert len(held.waiting) == 1
    assert held.waiting[0][0].lane is Lane.EDIT
    assert [p.positive for p in workspace.bench.prompts.waiting] == [True, False]
    assert case.labels.segmentation.segments == []
    held.work()
    held.work()
    assert len(case.labels.segmentation.segments) == 1
    assert len(case.labels.prompts[case.view.active_segment_id].prompts) == 2
    assert not workspace.bench.prompts.working


def test_escape_forgets_what_is_not_worked_out(workspace: Workspace, held: Held, hands: Hands, case: OpenCase) -> None:
    point(hands, at(case, MIDDLE_KJI))
    request, outcome = held.waiting[0]
    assert hands.cancel()
    assert held.cancelled == 1
    outcome.done(request.run(Inline()))
    assert case.labels.segmentation.segments == []
    assert workspace.bench.prompts.waiting == ()


def test_what_was_found_on_labels_that_moved_on_is_looked_at_again(
    workspace: Workspace, held: Held, hands: Hands, case: OpenCase
) -> None:
    point(hands, at(case, MIDDLE_KJI))
    made = new_segment(case.labels.segmentation, "Mine")
    layer = case.labels.segmentation.layer(made.layer_id)
    box = Box((6, 10, 12), (7, 11, 14))
    patch = LabelPatch.between(layer, box, np.full(box.shape_kji, made.value, dtype=np.uint8))
    assert patch is not None
    case.do(Command("Paint", (SegmentChange(None, made, 0), patch)))
    held.work()
    assert len(held.waiting) == 1
    held.work()
    mine = case.labels.segmentation.mask(case.labels.segmentation.segment(made.segment_id))
    assert np.count_nonzero(mine) == 2


def test_another_series_can_be_taken_meanwhile(workspace: Workspace, held: Held, hands: Hands, case: OpenCase) -> None:
    point(hands, at(case, MIDDLE_KJI))
    other = painted(make_case())
    other.series = replace(other.series, series_uid="1.2.3.99")
    workspace.add_case(other)
    assert workspace.active is other
    held.work()
    assert len(case.labels.segmentation.segments) == 1
    assert other.labels.segmentation.segments == []


def test_closing_the_series_ends_what_was_asked_on_it(
    workspace: Workspace, held: Held, hands: Hands, case: OpenCase
) -> None:
    point(hands, at(case, MIDDLE_KJI))
    request, outcome = held.waiting[0]
    workspace.close_case(case.key)
    assert held.cancelled == 1
    outcome.done(request.run(Inline()))
    assert case.labels.prompts == {}


def test_a_failure_is_said_and_the_next_prompt_goes_on(
    workspace: Workspace, held: Held, hands: Hands, case: OpenCase, said: list[str]
) -> None:
    point(hands, at(case, MIDDLE_KJI))
    point(hands, at(case, OTHER_KJI))
    held.waiting.pop(0)[1].failed(ModelError("It ran out of memory."))
    assert said[-1] == "It ran out of memory."
    held.work()
    (prompt,) = case.labels.prompts[case.view.active_segment_id].prompts
    assert np.allclose(case.volume.geometry.index_kji(prompt.points_lps_mm[0]), OTHER_KJI, atol=1e-6)


def test_where_the_graphics_card_was_to_blame_the_processor_is_offered(
    workspace: Workspace, held: Held, hands: Hands, case: OpenCase
) -> None:
    heard: list[Message] = []
    workspace.message.connect(heard.append)
    point(hands, at(case, MIDDLE_KJI))
    held.waiting.pop(0)[1].failed(GraphicsError("Graphics memory ran out while Known ran; run it on the processor."))
    assert not workspace.prompting.going_on
    assert heard[-1].way_out is not None
    heard[-1].way_out.take()
    request = held.waiting[0][0]
    assert isinstance(request, FindObject)
    assert request.device == "cpu"
    held.work()
    (first,) = case.labels.prompts[case.view.active_segment_id].prompts
    # So it is for a prompt that is taken out.
    point(hands, at(case, OTHER_KJI))
    held.work()
    assert workspace.prompting.remove(case, case.view.active_segment_id, first.prompt_id)
    held.waiting.pop(0)[1].failed(GraphicsError("The graphics card failed while Known ran; run it on the processor."))
    assert heard[-1].way_out is not None
    heard[-1].way_out.take()
    assert isinstance(held.waiting[0][0], FindObject)
    assert held.waiting[0][0].device == "cpu"
    held.work()
    (left,) = case.labels.prompts[case.view.active_segment_id].prompts
    assert left.prompt_id != first.prompt_id


def test_the_request_is_a_frozen_value_that_says_what_it_does(case: OpenCase) -> None:
    request = FindObject(case.volume, PromptLog("s"), Others())
    assert (request.title, request.lane) == ("Growing from prompts", Lane.EDIT)
    assert request.run(Inline()).empty


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Project, Workspace, Hands]]:
    project = Project.create(tmp_path / "p.medview", "Test")
    services = Services(InlinePool(), Registry(tmp_path / "a", tmp_path / "b"), project)
    workspace = Workspace(InlineRunner(), services)
    yield project, workspace, Hands(workspace, Scheme.load())
    project.close()


def test_prompts_survive_a_restart_and_can_still_be_taken_out(
    desk: tuple[Project, Workspace, Hands], tmp_path: Path
) -> None:
    project, workspace, hands = desk
    write_contrast(tmp_path / "study", (7, 24, 20))
    open_path(workspace, tmp_path / "study")
    case = workspace.active
    assert case is not None
    set_tool(workspace, Tool.PROMPT)
    point(hands, at(case, (3.0, 12.0, 10.0)))
    point(hands, at(case, (3.0, 4.0, 4.0), modifiers=Modifiers.CTRL))
    logs = dict(case.labels.prompts)
    mask = drawn(case).copy()
    assert len(logs) == 1
    project.close()
    again = Project.open(tmp_path / "p.medview")
    try:
        services = Services(InlinePool(), Registry(tmp_path / "a", tmp_path / "b"), again)
        workspace = Workspace(InlineRunner(), services)
        open_path(workspace, tmp_path / "study")
        back = workspace.active
        assert back is not None
        assert back.labels.prompts == logs
        segment_id = next(iter(logs))
        back.view.active_segment_id = segment_id
        assert np.array_equal(drawn(back), mask)
        assert workspace.prompting.remove(back, segment_id, logs[segment_id].prompts[1].prompt_id)
        back.undo()
        assert np.array_equal(drawn(back), mask)
        assert back.labels.prompts == logs
    finally:
        again.close()


def test_every_prompt_is_one_command_with_its_log(tool: Workspace, hands: Hands, case: OpenCase) -> None:
    point(hands, at(case, MIDDLE_KJI))
    point(hands, at(case, OTHER_KJI, modifiers=Modifiers.CTRL))
    commands = case.history.next_undos(9)
    assert len(commands) == 2
    for command in commands:
        assert command.tool == "prompt"
        assert sum(isinstance(change, PromptChange) for change in command.changes) == 1


def test_running_a_model_that_takes_prompts_takes_the_tool_with_it(
    workspace: Workspace, tmp_path: Path, case: OpenCase, said: list[str]
) -> None:
    pack = small_pack(tmp_path / "b" / "interactive", "interactive")
    workspace.services = Services(InlinePool(), Registry(tmp_path / "a", tmp_path / "b"))
    assert run_model(workspace, pack) is None
    assert (workspace.bench.tool, workspace.bench.prompt_engine) == (Tool.PROMPT, pack.spec.key)
    assert pack.spec.name in said[-1]


def test_a_model_is_asked_on_its_lane_and_kept_in_the_log(
    workspace: Workspace, hands: Hands, case: OpenCase, tmp_path: Path
) -> None:
    pack = small_pack(tmp_path / "b" / "interactive", "interactive")
    workspace.services = Services(InlinePool(), Registry(tmp_path / "a", tmp_path / "b"))
    assert run_model(workspace, pack) is None
    point(hands, at(case, MIDDLE_KJI))
    log = case.labels.prompts[case.view.active_segment_id]
    assert (log.engine, log.model_sha256) == (pack.spec.key, pack.sha256)
    assert workspace.runner.jobs[-1].lane is Lane.MODEL
    workspace.bench.prompt_engine = ""
    point(hands, at(case, OTHER_KJI))
    after = case.labels.prompts[case.view.active_segment_id]
    assert (after.engine, len(after.settled), len(after.prompts)) == ("", 1, 1)


def test_when_another_version_counts_it_is_asked_and_prompts_of_the_one_before_can_still_be_taken_out(
    workspace: Workspace, hands: Hands, case: OpenCase, tmp_path: Path, said: list[str]
) -> None:
    first, second = (small_pack(tmp_path / f"v{n}", "interactive", seed=n, version=f"1.0.{n}") for n in (5, 6))
    registry = Registry(tmp_path / "a", tmp_path / "b")
    workspace.services = Services(InlinePool(), registry)
    registry.hold([first])
    assert run_model(workspace, first) is None
    for at_kji in (MIDDLE_KJI, OTHER_KJI):
        point(hands, at(case, at_kji))
    segment_id = case.view.active_segment_id
    assert case.labels.prompts[segment_id].engine == first.spec.key
    registry.hold([second], [first])
    workspace.models_changed.emit()
    assert workspace.bench.prompt_engine == second.spec.key
    assert workspace.prompting.remove(case, segment_id, case.labels.prompts[segment_id].prompts[1].prompt_id)
    assert case.labels.prompts[segment_id].engine == first.spec.key
    assert len(case.labels.prompts[segment_id].prompts) == 1
    point(hands, at(case, OTHER_KJI))
    assert case.labels.prompts[segment_id].engine == second.spec.key
    # Nothing is grown without a model in silence.
    registry.hold(())
    workspace.models_changed.emit()
    assert workspace.bench.prompt_engine == ""
    assert said[-1].startswith("The model that was asked for objects is not here any more")


def test_why_a_prompt_came_to_nothing_is_over_with_the_next_one(tool: Workspace, hands: Hands, case: OpenCase) -> None:
    told: list[Message] = []
    over: list[Message] = []

    def hear(message: Message) -> None:
        told.append(message)

    def hear_end(message: Message) -> None:
        over.append(message)

    tool.message.connect(hear)
    tool.message_over.connect(hear_end)
    point(hands, at(case, MIDDLE_KJI))
    assert not told
    segment = case.active_segment
    assert segment is not None
    assert not tool.prompting.remove(case, segment.segment_id, "gone")
    segments.set_locked(case, [segment.segment_id], locked=True)
    tool.prompting.add(case, case.labels.prompts[segment.segment_id].prompts[0])
    locked = told[-1]
    assert "is locked" in locked.text
    segments.set_locked(case, [segment.segment_id], locked=False)
    point(hands, at(case, MIDDLE_KJI))
    assert any(one is locked for one in over)
