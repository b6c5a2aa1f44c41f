"""An effect is looked at before it is applied, follows what moves meanwhile, and is never written on other labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medview.core.box import Box
from medview.core.changes import Command, SegmentChange
from medview.core.errors import LabelError, MedViewError
from medview.core.label_patch import LabelPatch
from medview.core.plane import Plane
from medview.core.segmentation import Segment
from medview.edit.effects.effect import Effect, segment_box
from medview.edit.effects.settings import Choice
from medview.edit.effects.table import EFFECTS
from medview.edit.rules import Area, EditRules, Overlap
from medview.workspace.actions import action
from medview.workspace.events import Message
from medview.workspace.hands import Hands
from medview.workspace.jobs import InlineRunner, Job, JobStatus, Outcome, Request
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.operations import segments as segment_ops
from medview.workspace.pour import Poured, at_once
from medview.workspace.scheme import Scheme
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace
from tests.workspace.conftest import make_case
from tests.workspace.gestures import drag, pointer

RANGE = (100.0, 400.0)


class LaterRunner(InlineRunner):
    """Keeps jobs until they are to run, as threads would."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[tuple[Job, Request, Outcome]] = []

    def submit(self, request: Request, outcome: Outcome) -> Job:
        job = Job(request.title, request.lane)
        job.cancel = lambda: setattr(job, "status", JobStatus.CANCELLED)
        self.waiting.append((job, request, outcome))
        return job

    def run_all(self) -> list[str]:
        """Run what waits; return the titles of what was run."""
        ran = []
        while self.waiting:
            job, request, outcome = self.waiting.pop(0)
            if job.status is JobStatus.CANCELLED:
                outcome.cancelled()
                continue
            ran.append(job.title)
            try:
                value = request.run(_Now(outcome))
            except MedViewError as error:
                outcome.failed(error)
            else:
                outcome.done(value)
        return ran


class _Now:
    def __init__(self, outcome: Outcome) -> None:
        self.partial = outcome.partial

    def progress(self, _fraction: float, _text: str) -> None: ...

    def raise_if_cancelled(self) -> None: ...


@pytest.fixture
def later(workspace: Workspace) -> LaterRunner:
    made = LaterRunner()
    workspace.effects._job._runner = made
    workspace.runner = made
    return made


@pytest.fixture
def said(workspace: Workspace) -> list[Message]:
    heard: list[Message] = []
    workspace.message.connect(heard.append)
    return heard


def drawn(case: OpenCase, box: Box, name: str = "") -> Segment:
    """Add a segment that holds a box."""
    segment = labels.add_segment(case, name)
    assert segment is not None
    draw(case, segment, box)
    return segment


def draw(case: OpenCase, segment: Segment, box: Box) -> None:
    layer = case.labels.segmentation.layer(segment.layer_id)
    patch = LabelPatch.between(layer, box, np.full(box.shape_kji, segment.value, dtype=np.uint8))
    assert patch is not None
    case.do(Command("Brush", (patch,)))


def in_range(case: OpenCase, low: float, high: float) -> np.ndarray:
    values = case.volume.values()
    return np.asarray((values >= low) & (values <= high))


def layers(case: OpenCase) -> dict[int, bytes]:
    return {n: layer.voxels.tobytes() for n, layer in case.labels.segmentation.layers.items()}


SMALL = Box((2, 3, 4), (4, 6, 8))


def test_preview_shows_and_writes_nothing_and_apply_is_one_entry_that_undo_takes_back_exactly(
    workspace: Workspace, case: OpenCase, said: list[Message]
) -> None:
    segment = drawn(case, SMALL, "Liver")
    before, steps = layers(case), len(case.history.names)
    workspace.effects.open("threshold")
    workspace.effects.change("range", RANGE)
    assert workspace.bench.mode is Mode.ANNOTATE
    assert workspace.bench.effect.values["way"] == "range"
    candidate = workspace.bench.effect.candidate
    assert candidate is not None
    wanted = in_range(case, *RANGE)
    assert np.array_equal(candidate.mask.on_grid(case.volume.geometry.shape_kji) == 1, wanted)
    assert candidate.amounts[0].before == 2 * 3 * 4
    assert candidate.amounts[0].after == np.count_nonzero(wanted)
    assert layers(case) == before
    assert len(case.history.names) == steps
    workspace.effects.apply()
    assert np.array_equal(case.labels.segmentation.mask(segment), wanted)
    assert case.history.names[steps:] == ("Threshold: Liver",)
    assert workspace.bench.effect.effect_id == ""
    assert said[-1].undo
    case.undo()
    assert layers(case) == before


def test_what_was_lost_is_shown_apart(workspace: Workspace, case: OpenCase) -> None:
    drawn(case, SMALL)
    workspace.effects.open("threshold")
    workspace.effects.change("range", (0.0, 10.0))
    workspace.effects.preview()
    candidate = workspace.bench.effect.candidate
    assert candidate is not None
    lost = candidate.mask.on_grid(case.volume.geometry.shape_kji) == 255
    assert np.count_nonzero(lost) == 24
    assert Box.around(lost) == SMALL


def test_settings_and_rules_changed_while_it_is_shown_are_followed(workspace: Workspace, case: OpenCase) -> None:
    drawn(case, SMALL)
    workspace.effects.open("threshold")
    workspace.effects.change("range", (0.0, 50.0))
    candidate = workspace.bench.effect.candidate
    assert candidate is not None
    assert candidate.amounts[0].after == 51
    workspace.bench.rules = EditRules(value_range=(0.0, 9.0))
    assert workspace.bench.effect.candidate is not None
    # What lies outside the range of values is neither added nor taken away.
    assert workspace.bench.effect.candidate.amounts[0].after == 24 + 10


def test_the_newest_settings_win_and_the_older_job_is_cancelled(
    workspace: Workspace, case: OpenCase, later: LaterRunner
) -> None:
    drawn(case, SMALL)
    workspace.effects.open("threshold")
    later.run_all()
    before = workspace.bench.effect.candidate
    workspace.effects.change("range", (0.0, 20.0))
    first = later.waiting[0]
    workspace.effects.change("range", (0.0, 30.0))
    assert first[0].status is JobStatus.CANCELLED
    assert workspace.bench.effect.working
    # Even one that was too quick to be stopped is not looked at.
    first[2].done(first[1].run(_Now(Outcome(lambda _value: None, later.waiting[1][2].partial))))
    assert workspace.bench.effect.candidate is before
    later.run_all()
    assert workspace.bench.effect.candidate is not None
    assert workspace.bench.effect.candidate.amounts[0].after == 31
    assert not workspace.bench.effect.working


def test_labels_that_move_on_make_it_stale_and_it_is_worked_out_again_after_the_gesture(
    workspace: Workspace, case: OpenCase, later: LaterRunner
) -> None:
    segment = drawn(case, SMALL)
    workspace.effects.open("threshold")
    workspace.effects.change("range", (0.0, 20.0))
    workspace.effects.change("replace", False)
    workspace.effects.preview()
    later.run_all()
    gesture = case.gesture("brush")
    layer = case.labels.segmentation.layer(segment.layer_id)
    for j in range(3):
        at = Box((6, j, 0), (7, j + 1, 1))
        patch = LabelPatch.between(layer, at, np.full((1, 1, 1), segment.value, dtype=np.uint8))
        assert patch is not None
        gesture.apply(patch)
    assert workspace.bench.effect.stale
    assert later.waiting == []
    workspace.effects.apply()
    assert later.waiting == []
    gesture.commit("Brush")
    assert later.run_all() == ["Threshold"]
    # Applied as asked, on the labels as they are now.
    assert case.labels.segmentation.count(segment) == 24 + 3 + 21
    assert case.history.names[-2:] == ("Brush", "Threshold: Segment 1")


def test_a_patch_over_labels_that_changed_unseen_is_not_written(
    workspace: Workspace, case: OpenCase, said: list[Message]
) -> None:
    segment = drawn(case, SMALL)
    workspace.effects.open("threshold")
    workspace.effects.change("range", (0.0, 20.0))
    workspace.effects.preview()
    # Nothing but a bug could do this.
    case.labels.segmentation.layer(segment.layer_id).voxels[0, 0, 5] = 9
    steps = len(case.history.names)
    workspace.effects.apply()
    assert len(case.history.names) == steps
    assert "moved on" in said[-1].text
    assert workspace.bench.effect.candidate is not None


def test_cancel_another_case_another_mode_and_escape_drop_it(workspace: Workspace, case: OpenCase) -> None:
    drawn(case, SMALL)
    other = make_case()
    other.series = replace(other.series, series_uid="9.9")
    hands = Hands(workspace, Scheme.load())

    def other_mode() -> None:
        workspace.bench.mode = Mode.READ

    for drop in (workspace.effects.close, hands.cancel, other_mode, lambda: workspace.add_case(other)):
        workspace.effects.open("threshold")
        workspace.effects.preview()
        assert workspace.bench.effect.candidate is not None
        drop()
        assert workspace.bench.effect.effect_id == ""
        assert workspace.bench.effect.candidate is None
    assert not hands.cancel()


def test_why_an_effect_cannot_be_used_is_said(workspace: Workspace, case: OpenCase) -> None:
    segment = drawn(case, SMALL, "Liver")
    workspace.effects.open("threshold")
    assert workspace.bench.effect.problem == ""
    segment_ops.set_locked(case, [segment.segment_id], locked=True)
    assert "Liver is locked" in workspace.bench.effect.problem
    steps = case.history.names
    workspace.effects.apply()
    assert case.history.names == steps
    segment_ops.set_locked(case, [segment.segment_id], locked=False)
    assert workspace.bench.effect.problem == ""
    case.read_only = "Another window is writing these labels."
    workspace.effects.preview()
    assert workspace.bench.effect.problem == case.read_only


@pytest.fixture
def poured(case: OpenCase, monkeypatch: pytest.MonkeyPatch) -> list[Poured]:
    """Large changes wait here to be stepped; everything counts as large."""
    monkeypatch.setattr("medview.core.label_patch.PIECE_VOXELS", 10)
    monkeypatch.setattr("medview.core.label_patch.PIECE_KJI", (4, 16, 16))
    monkeypatch.setattr("medview.workspace.editing.PIECE_VOXELS", 10)
    monkeypatch.setattr("medview.workspace.pour._STEP_S", 0.0)
    found: list[Poured] = []
    case.pump = found.append
    return found


def test_a_large_effect_is_written_step_by_step_as_one_entry(
    workspace: Workspace, case: OpenCase, poured: list[Poured]
) -> None:
    segment = drawn(case, SMALL)
    at_once(poured.pop())
    before, steps = layers(case), len(case.history.names)
    workspace.effects.open("threshold")
    workspace.effects.change("range", (100.0, 5000.0))
    workspace.effects.apply()
    assert workspace.bench.effect.writing
    assert workspace.bench.effect.candidate is not None
    assert not poured[0].step()
    # A setting that is changed now comes too late, and nothing is worked out on half of it.
    workspace.effects.change("replace", False)
    assert not workspace.bench.effect.working
    at_once(poured.pop())
    assert workspace.bench.effect.effect_id == ""
    command = case.history.next_undo()
    assert command is not None
    assert len(case.history.names) == steps + 1
    assert len(command.changes) > 3
    assert np.array_equal(case.labels.segmentation.mask(segment), in_range(case, 100, 5000))
    case.undo()
    at_once(poured.pop())
    assert layers(case) == before


def test_what_is_half_written_is_taken_back_by_escape_by_cancel_and_when_another_case_comes(
    workspace: Workspace, case: OpenCase, poured: list[Poured]
) -> None:
    drawn(case, SMALL)
    at_once(poured.pop())
    before, names = layers(case), case.history.names
    other = make_case()
    other.series = replace(other.series, series_uid="9.9")
    for interrupt in (workspace.effects.close, lambda: poured[0].abort(), lambda: workspace.add_case(other)):
        workspace.effects.open("threshold")
        workspace.effects.change("range", (100.0, 5000.0))
        workspace.effects.apply()
        poured[0].step()
        assert layers(case) != before
        interrupt()
        assert poured.pop().step()
        assert layers(case) == before
        assert case.history.names == names
        assert not workspace.bench.effect.writing
        # A job that was cancelled leaves the effect open, to be tried again.
        assert (workspace.bench.effect.candidate is not None) == bool(workspace.bench.effect.effect_id)
    assert workspace.bench.effect.effect_id == ""


def test_a_new_segment_of_an_effect_becomes_the_active_one(workspace: Workspace, case: OpenCase) -> None:
    workspace.effects.open("threshold")
    workspace.effects.apply()
    assert case.active_segment is not None
    assert case.active_segment.name == "Threshold"
    command = case.history.next_undo()
    assert command is not None
    assert isinstance(command.changes[0], SegmentChange)
    case.undo()
    assert case.labels.segmentation.segments == []


def test_the_writer_of_labels_still_refuses_what_the_rules_forbid(workspace: Workspace, case: OpenCase) -> None:
    drawn(case, Box((0, 0, 0), (6, 20, 30)), "Body")
    mine = drawn(case, Box((6, 0, 0), (7, 2, 2)), "Mine")
    workspace.bench.rules = EditRules(Area.OUTSIDE, "Body")
    workspace.effects.open("threshold")
    workspace.effects.change("range", (0.0, 5000.0))
    workspace.effects.apply()
    held = case.labels.segmentation.mask(mine)
    assert not held[:6].any()
    assert np.array_equal(held[6:], in_range(case, 0, 5000)[6:])


def test_an_effect_that_needs_voxels_says_so_where_there_are_none(case: OpenCase) -> None:
    with pytest.raises(LabelError, match="no voxels"):
        segment_box(case.labels.segmentation, labels.add_segment(case), {})


def test_an_effect_that_the_rules_hold_back_says_which(workspace: Workspace, case: OpenCase, said: list[Message]) -> None:
    drawn(case, Box((2, 0, 0), (4, 6, 30)), "Body")
    drawn(case, SMALL.shifted((4, 0, 0)), "Mine")
    workspace.bench.rules = EditRules(Area.INSIDE, "Body")
    names = case.history.names
    workspace.effects.open("margin")
    workspace.effects.apply()
    assert case.history.names == names
    assert "inside Body" in said[-1].text
    assert workspace.bench.effect.effect_id == ""
    # There is nothing to change: no rule is to blame.
    workspace.bench.rules = EditRules()
    workspace.effects.open("holes")
    workspace.effects.apply()
    assert said[-1].text == "Fill holes: nothing changes."


def test_a_click_on_a_picture_says_which_island_is_meant(workspace: Workspace, case: OpenCase, hands: Hands) -> None:
    segment = drawn(case, SMALL)
    draw(case, segment, Box((6, 10, 20), (7, 13, 25)))
    workspace.bench.tool = Tool.BRUSH
    workspace.effects.open("islands")
    workspace.effects.change("way", "keep")
    case.view.set_slice(0, 6)
    layout = case.slice_plane(Plane.AXIAL)
    _, row, column = layout.screen(case.volume.geometry, (6, 11, 22))
    drag(hands, pointer(case, row, column))
    candidate = workspace.bench.effect.candidate
    assert candidate is not None
    assert (candidate.amounts[0].before, candidate.amounts[0].after) == (24 + 15, 15)
    # The brush has not painted.
    assert case.labels.segmentation.count(segment) == 39
    workspace.effects.change("way", "largest")
    drag(hands, pointer(case, row + 4, column))
    assert case.history.names[-1].startswith("Brush ")
    assert case.labels.segmentation.count(segment) > 39


def test_nothing_grows_in_a_segment_that_is_confirmed_absent(workspace: Workspace, case: OpenCase) -> None:
    segment = labels.add_segment(case, "Nodule")
    assert segment is not None
    case.labels.segmentation.segments[0] = replace(segment, absent=True)
    workspace.effects.open("threshold")
    assert "confirmed absent" in workspace.bench.effect.problem


@pytest.mark.parametrize("overlap", Overlap)
def test_every_effect_is_undone_and_done_again_to_the_very_bytes(
    workspace: Workspace, case: OpenCase, overlap: Overlap
) -> None:
    other = drawn(case, Box((1, 2, 2), (9, 12, 14)), "Other")
    drawn(case, Box((3, 8, 6), (10, 18, 24)), "Mine")
    random = np.random.default_rng(7)
    workspace.bench.rules = EditRules(overlap=overlap)
    steps = [(one, choice) for one in EFFECTS for choice in _ways(one)]
    for number in random.permutation(len(steps)):
        effect, way = steps[number]
        before, segments = layers(case), list(case.labels.segmentation.segments)
        names = case.history.names
        workspace.effects.open(effect.effect_id)
        for key, value in way.items():
            workspace.effects.change(key, value)
        workspace.effects.change("other", other.segment_id)
        workspace.effects.apply()
        workspace.effects.close()
        if case.history.names == names:
            assert layers(case) == before
            continue
        after, made = layers(case), list(case.labels.segmentation.segments)
        case.undo()
        assert drawn_in(layers(case)) == drawn_in(before)
        assert case.labels.segmentation.segments == segments
        case.redo()
        assert layers(case) == after
        assert case.labels.segmentation.segments == made
        if random.random() < 0.6:
            case.undo()
    assert len(case.history.names) > 3


def _ways(effect: Effect) -> list[dict[str, object]]:
    choices = [one for one in effect.settings if isinstance(one, Choice) and one.key != "touching"]
    return [{one.key: option.value} for one in choices for option in one.options] or [{}]


def drawn_in(found: dict[int, bytes]) -> dict[int, bytes]:
    """Leave out layers that were made and are empty again."""
    return {n: voxels for n, voxels in found.items() if any(voxels)}


def test_an_effect_asked_for_while_reading_brings_annotating_and_its_tool_along(
    workspace: Workspace, case: OpenCase
) -> None:
    drawn(case, SMALL)
    workspace.bench.tool = Tool.WINDOW
    action("effect.holes").run(workspace)
    assert (workspace.bench.mode, workspace.bench.tool) == (Mode.ANNOTATE, Tool.BRUSH)
    assert workspace.bench.effect.effect_id == "holes"
    workspace.bench.tool = Tool.CROSSHAIR
    action("effect.islands").run(workspace)
    assert workspace.bench.tool is Tool.CROSSHAIR
    assert workspace.bench.effect.effect_id == "islands"
