"""Changes of large parts, carried out step by step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.changes import Change, Command, SegmentChange
from medview.core.errors import LabelError
from medview.core.geometry import Geometry
from medview.core.label_patch import PIECE_KJI, LabelPatch
from medview.core.study import Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.core.window import Window
from medview.edit.segments import new_segment
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.workspace.actions import action
from medview.workspace.editing import Step
from medview.workspace.jobs import InlineRunner
from medview.workspace.load_state import LoadState
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.pour import Poured
from medview.workspace.services import Services
from medview.workspace.view_state import CaseView
from medview.workspace.workspace import Workspace

SHAPE_KJI = (70, 150, 260)


class ByHand:
    """A pump that steps when it is told to."""

    def __init__(self) -> None:
        self.poured: list[Poured] = []

    def __call__(self, poured: Poured) -> None:
        self.poured.append(poured)
        poured.step()

    def finish(self) -> int:
        """Step the newest to its end; return in how many steps."""
        steps = 1
        while not self.poured[-1].step():
            steps += 1
        return steps


@pytest.fixture
def case() -> OpenCase:
    geometry = Geometry.from_spacing(SHAPE_KJI, (2.5, 0.9, 0.6))
    load = LoadState(SHAPE_KJI[0])
    load.mark_all_ready()
    voxels = np.broadcast_to(np.zeros(1, dtype=np.int16), SHAPE_KJI)
    return OpenCase(
        Series("1.2.3", "1.2"),
        VolumeEntry(Verdict.VOLUME, (), geometry, SHAPE_KJI, ()),
        Volume(voxels, geometry, series_uid="1.2.3"),
        load,
        CaseLabels.empty(geometry),
        CaseView((5, 5, 5), Window(40, 400)),
    )


@pytest.fixture
def pump(case: OpenCase) -> ByHand:
    case.pump = ByHand()
    return case.pump


def _noise(case: OpenCase) -> Iterator[Change | None]:
    """Fill the grid with two segments, piece by piece."""
    segmentation = case.labels.segmentation
    for name in ("One", "Two"):
        yield SegmentChange(None, new_segment(segmentation, name), len(segmentation.segments))
    rng = np.random.default_rng(1)
    for box in Box.whole(SHAPE_KJI).pieces(PIECE_KJI):
        yield LabelPatch.between(segmentation.layer(0), box, rng.integers(0, 3, box.shape_kji, dtype=np.uint8))


def _voxels(case: OpenCase) -> bytes:
    return case.labels.segmentation.layer(0).voxels.tobytes()


def test_all_of_it_is_one_entry_of_the_history_and_one_row_of_the_journal(case: OpenCase, pump: ByHand) -> None:
    steps: list[Step] = []
    case.record = steps.append
    assert case.pour("Fill all", "test", _noise(case))
    assert steps == []
    pump.finish()
    assert [(step.kind, step.command.name) for step in steps] == [("do", "Fill all")]
    assert case.history.names == ("Fill all",)
    expected = _voxels(case)
    other = CaseLabels.empty(case.labels.segmentation.geometry)
    other.apply(steps[0].command.changes)
    assert other.segmentation.layer(0).voxels.tobytes() == expected


def test_meanwhile_nothing_else_changes_the_labels_and_results_of_jobs_wait(case: OpenCase, pump: ByHand) -> None:
    case.pour("Fill all", "test", _noise(case))
    assert case.pouring is not None
    assert not case.editable
    assert labels.add_segment(case, "Refused") is None
    assert case.undo() is None
    case.after_gesture(lambda: labels.add_segment(case, "Arrived"))
    pump.finish()
    assert [s.name for s in case.labels.segmentation.segments] == ["One", "Two", "Arrived"]
    assert case.editable


def test_a_hand_that_begins_to_draw_finishes_it_first(case: OpenCase, pump: ByHand) -> None:
    case.pour("Fill all", "test", _noise(case))
    gesture = case.gesture("brush")
    assert case.history.names == ("Fill all",)
    gesture.abort()
    assert np.count_nonzero(case.labels.segmentation.layer(0).voxels) > np.prod(SHAPE_KJI) // 2


def test_what_is_large_is_undone_and_done_again_in_steps_and_exactly(case: OpenCase, pump: ByHand) -> None:
    case.pour("Fill all", "test", _noise(case))
    pump.finish()
    full = _voxels(case)
    case.undo()
    assert case.history.names == ("Fill all",), "not before the last voxel is taken back"
    assert pump.finish() > 2
    assert case.history.names == ()
    assert not case.labels.segmentation.layer(0).voxels.any()
    assert case.labels.segmentation.segments == []
    case.redo()
    pump.finish()
    assert _voxels(case) == full
    assert case.history.names == ("Fill all",)


def test_cancelled_it_leaves_no_trace(case: OpenCase, pump: ByHand) -> None:
    labels.add_segment(case, "Mine")
    steps: list[Step] = []
    case.record = steps.append
    case.pour("Fill all", "test", _noise(case))
    for _ in range(3):
        pump.poured[-1].step()
    assert case.labels.segmentation.layer(0).voxels.any()
    pump.poured[-1].abort()
    assert pump.poured[-1].step()
    assert not case.labels.segmentation.layer(0).voxels.any()
    assert [s.name for s in case.labels.segmentation.segments] == ["Mine"]
    assert case.history.names == ("Add Mine",)
    assert steps == []
    assert case.editable


def _stale(case: OpenCase) -> Iterator[Change | None]:
    yield from _noise(case)
    box = Box((0, 0, 0), (1, 1, 2))
    wrong = CaseLabels.empty(case.labels.segmentation.geometry).segmentation.layer(0)
    for values in (np.full((1, 1, 2), 7, dtype=np.uint8), np.full((1, 1, 2), 9, dtype=np.uint8)):
        patch = LabelPatch.between(wrong, box, values)
        assert patch is not None
        yield patch


def test_what_does_not_fit_takes_all_of_it_back_and_is_said(case: OpenCase, pump: ByHand) -> None:
    said: list[LabelError] = []
    case.failed.connect(said.append)
    case.pour("Fill all", "test", _stale(case))
    pump.finish()
    assert len(said) == 1
    assert not case.labels.segmentation.layer(0).voxels.any()
    assert case.history.names == ()


def test_without_a_window_what_does_not_fit_is_raised(case: OpenCase) -> None:
    with pytest.raises(LabelError):
        case.pour("Fill all", "test", _stale(case))
    assert not case.labels.segmentation.layer(0).voxels.any()
    assert case.editable


def test_going_back_over_several_entries_tells_the_views_once(case: OpenCase) -> None:
    for name in ("A", "B", "C"):
        labels.add_segment(case, name)
    told: list[object] = []
    case.labels_changed.connect(told.append)
    steps: list[Step] = []
    case.record = steps.append
    command = case.travel(-3)
    assert command is not None
    assert command.name == "Add A"
    assert len(told) == 1
    assert [(step.kind, step.command.name) for step in steps] == [("undo", "Add C"), ("undo", "Add B"), ("undo", "Add A")]
    case.travel(2)
    assert case.history.names == ("Add A", "Add B")
    assert case.travel(0) is None


def test_a_small_change_is_not_poured(case: OpenCase, pump: ByHand) -> None:
    labels.add_segment(case, "A")
    patch = LabelPatch.between(case.labels.segmentation.layer(0), Box((0, 0, 0), (1, 1, 1)), np.ones((1, 1, 1), np.uint8))
    assert patch is not None
    assert case.do(Command("One voxel", (patch,)))
    assert pump.poured == []


def test_undo_asked_for_meanwhile_is_done_right_after_it(case: OpenCase, pump: ByHand, tmp_path: Path) -> None:
    workspace = Workspace(InlineRunner(), Services(InlinePool(), Registry(tmp_path / "a", tmp_path / "b")))
    workspace.add_case(case)
    case.pump = pump
    undo = action("undo")
    case.pour("Fill all", "test", _noise(case))
    assert case.history.names == ()
    assert undo.enabled(workspace)
    undo.run(workspace)
    pump.finish()
    # It was finished, and taking it back goes on in steps of its own.
    assert case.history.names == ("Fill all",)
    pump.finish()
    assert case.history.names == ()
    assert not case.labels.segmentation.layer(0).voxels.any()
    action("redo").run(workspace)
    pump.finish()
    assert case.history.names == ("Fill all",)
