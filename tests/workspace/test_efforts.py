"""What correcting models takes is kept: once, across restarts, and not of what was undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medview.core.changes import Command, SegmentChange
from medview.core.effort import Agreement, Effort, model_efforts
from medview.core.heat import Heat
from medview.core.label_set import LabelEntry, LabelSet
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.reading_status import ReadingStatus
from medview.core.segmentation import SegmentStatus
from medview.core.source import Source, SourceKind
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.store.project import Project
from medview.store.recovery import recover_project
from medview.workspace import efforts
from medview.workspace.hands import Hands
from medview.workspace.jobs import InlineRunner
from medview.workspace.label_sets import apply_label_set
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels, segments
from medview.workspace.operations.files import export_nifti
from medview.workspace.operations.open import open_path
from medview.workspace.scheme import Scheme
from medview.workspace.services import Services
from medview.workspace.tool_actions import set_tool
from medview.workspace.unfinished import Unfinished
from medview.workspace.view_state import Tool
from medview.workspace.work_clock import PAUSE_S, WorkClock
from medview.workspace.workspace import Workspace
from tests.helpers.dicom_series import write_ct
from tests.store.conftest import StillClock
from tests.workspace.gestures import drag, pointer
from tests.workspace.queued import StepRunner

MODEL = Source(SourceKind.MODEL, "organs", "1.0.0", "ab" * 32, "job-1")


class Desk:
    """A workspace over a project that can be left and come back to, with a clock that stands still."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.clock = StillClock()
        write_ct(place / "study", np.zeros((7, 24, 20), dtype=np.int16))
        self.project = Project.create(place / "p.medview", "Test")
        self._begin()

    def _begin(self) -> None:
        services = Services(InlinePool(), Registry(self.place / "a", self.place / "b"), self.project)
        self.workspace = Workspace(InlineRunner(), services)
        self.workspace.efforts.clock = WorkClock(self.clock)
        self.hands = Hands(self.workspace, Scheme.load())
        open_path(self.workspace, self.place / "study")
        assert self.workspace.active is not None
        self.case: OpenCase = self.workspace.active

    def leave(self) -> None:
        for case in self.workspace.cases.values():
            self.workspace.efforts.end(case)
        self.say_done()
        self.project.close()

    def say_done(self) -> None:
        """Say that the case is done."""
        for row in self.project.cases():
            for reading in row.readings:
                self.project.set_status(reading.reading_id, ReadingStatus.DONE)

    def come_back(self) -> None:
        self.leave()
        self.project = Project.open(self.place / "p.medview")
        self._begin()

    def work(self, seconds: float) -> None:
        """Move the hand over the picture every few seconds."""
        for _ in range(round(seconds / 5)):
            self.clock.forward(seconds=5)
            self.workspace.efforts.sign()

    def effort(self, label: str = "Liver") -> Effort:
        return next(one for one in self.case.labels.efforts.values() if one.label == label)

    def stored(self) -> list[dict[str, object]]:
        info = self.project.info()["correction_effort"]
        assert isinstance(info, list)
        return info


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.project.close()


def _propose(desk: Desk, source: Source = MODEL, *, version: str = "1.0.0") -> None:
    case = desk.case
    voxels = np.zeros(case.volume.geometry.shape_kji, dtype=np.uint8)
    voxels[1:6, 4:14, 4:14] = 1
    voxels[1:6, 16:20, 4:14] = 2
    mask = PredictedMask.trimmed(
        voxels, (PredictedSegment(1, "Liver", (1, 2, 3)), PredictedSegment(2, "Spleen", (200, 5, 6)))
    )
    made_by = Source(SourceKind.MODEL, source.model_id, version, source.model_sha256, source.job_id)
    prediction = Prediction("segmentation", "Organs", made_by, case.volume.geometry, case.series.series_uid, mask=mask)
    labels.propose(case, Proposal(f"p-{source.job_id}", prediction, case.labels.revision))


def _accept(desk: Desk) -> None:
    _propose(desk)
    labels.accept(desk.case, "p-job-1")


def _erase_some(desk: Desk) -> int:
    """Erase a part of the liver; return how many voxels went."""
    case = desk.case
    liver = next(s for s in case.labels.segmentation.segments if s.name == "Liver")
    case.view.active_segment_id = liver.segment_id
    before = case.labels.segmentation.count(liver)
    case.view.crosshair_kji = (3, 9, 9)
    set_tool(desk.workspace, Tool.ERASER)
    desk.workspace.bench.set_radius(3.0)
    _, row, column = case.slice_plane(case.acquired_plane).screen(case.volume.geometry, (3.0, 9.0, 9.0))
    drag(desk.hands, pointer(case, row, column, plane=case.acquired_plane))
    gone = before - case.labels.segmentation.count(case.labels.segmentation.segment(liver.segment_id))
    assert gone > 0
    return gone


def _mark_done(desk: Desk, name: str) -> None:
    ids = [s.segment_id for s in desk.case.labels.segmentation.segments if s.name == name]
    segments.set_status(desk.case, ids, SegmentStatus.DONE)


def test_accepting_keeps_which_model_proposed_which_segment_and_undo_takes_that_back(desk: Desk) -> None:
    _accept(desk)
    liver = desk.case.labels.segmentation.segments[0]
    effort = desk.case.labels.efforts[liver.segment_id]
    assert (effort.source, effort.label, effort.value) == (MODEL, "Liver", 1)
    assert (effort.source.model_id, effort.source.model_version, effort.source.model_sha256) == (
        "organs",
        "1.0.0",
        "ab" * 32,
    )
    desk.case.undo()
    assert desk.case.labels.efforts == {}
    desk.come_back()
    assert desk.case.labels.efforts == {}
    assert desk.stored() == []
    desk.case.redo()
    assert {one.label for one in desk.case.labels.efforts.values()} == {"Liver", "Spleen"}


def test_a_segment_marked_done_is_measured_against_what_was_proposed(desk: Desk) -> None:
    _accept(desk)
    gone = _erase_some(desk)
    assert desk.effort().agreement is None
    _mark_done(desk, "Liver")
    found = desk.effort().agreement
    assert found is not None
    assert (found.proposed, found.final, found.added, found.removed) == (500, 500 - gone, 0, gone)
    assert found.dice == pytest.approx(2 * (500 - gone) / (1000 - gone))
    assert found.voxel_ml == pytest.approx(desk.case.volume.geometry.voxel_volume_mm3 / 1000)
    assert desk.case.history.names[-1].startswith("Mark Liver as done")


def test_it_survives_a_restart_and_is_not_counted_twice(desk: Desk) -> None:
    _accept(desk)
    gone = _erase_some(desk)
    desk.work(120)
    desk.come_back()
    (first,) = desk.stored()
    assert (first["model_id"], first["model_version"], first["cases"], first["segments"]) == ("organs", "1.0.0", 1, 2)
    assert first["measured_segments"] == 2
    assert first["minutes_per_case"] == 2.0
    assert first["mean_dice"] == pytest.approx((1 + 2 * (500 - gone) / (1000 - gone)) / 2, abs=1e-4)
    rows = desk.project.info()["gestures"]
    desk.come_back()
    desk.come_back()
    assert desk.stored() == [first]
    assert desk.project.info()["gestures"] == rows
    assert desk.project.verify().problems == ()


def test_copies_and_recovered_projects_hold_it_too(desk: Desk) -> None:
    _accept(desk)
    _erase_some(desk)
    desk.work(60)
    desk.come_back()
    wanted = desk.stored()
    desk.project.save_copy(desk.place / "copy.medview")
    recover_project(desk.place / "copy.medview", desk.place / "again.medview")
    for name in ("copy.medview", "again.medview"):
        with Project.open(desk.place / name, read_only=True) as other:
            assert other.info()["correction_effort"] == wanted
            assert other.verify().problems == ()


def test_what_is_corrected_after_a_restart_is_measured_against_the_mask_from_the_journal(desk: Desk) -> None:
    _accept(desk)
    desk.come_back()
    found = desk.effort().agreement
    assert found is not None
    assert found.dice == 1.0
    gone = _erase_some(desk)
    desk.come_back()
    found = desk.effort().agreement
    assert found is not None
    assert (found.proposed, found.removed) == (500, gone)


def test_what_was_too_much_to_measure_while_closing_is_measured_when_the_case_is_open_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _accept(desk)
    gone = _erase_some(desk)
    desk.work(60)
    monkeypatch.setattr(efforts, "_AT_CLOSE_VOXELS", 0)
    desk.leave()
    with Project.open(desk.place / "p.medview", read_only=True) as left:
        (found,) = left.info()["correction_effort"]
    assert (found["measured_segments"], found["minutes_per_case"]) == (0, 1.0)
    desk.project = Project.open(desk.place / "p.medview")
    desk._begin()
    agreement = desk.effort().agreement
    assert agreement is not None
    assert agreement.removed == gone
    assert desk.stored()[0]["measured_segments"] == 2


def test_what_was_worked_before_an_acceptance_was_undone_and_done_again_still_counts(desk: Desk) -> None:
    _accept(desk)
    desk.work(120)
    desk.workspace.efforts.note(desk.case)
    before = desk.effort().active_s
    assert before == pytest.approx(120, abs=6)
    desk.case.undo()
    assert desk.case.labels.efforts == {}
    desk.case.redo()
    assert desk.effort().active_s == before
    desk.come_back()
    assert desk.effort().active_s == before
    assert desk.project.verify().problems == ()


@pytest.mark.parametrize("asked", [False, True], ids=["not asked before", "asked before"])
def test_a_large_case_that_closes_is_measured_by_a_job_and_noted_though_it_is_closed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    _accept(desk)
    gone = _erase_some(desk)
    desk.work(60)
    monkeypatch.setattr(efforts, "_AT_ONCE_VOXELS", 0)
    desk.workspace.runner = runner = StepRunner()
    if asked:
        # As when another case is shown: the one that is left is measured, and closed right after.
        desk.workspace.efforts.note(desk.case)
    desk.workspace.close_case(desk.case.key)
    assert runner.titles().count("MeasureEfforts") == 1, "once, though it was asked for twice"
    assert desk.project.journal.flush()
    desk.say_done()
    (before,) = desk.stored()
    assert before["minutes_per_case"] == 1.0
    assert before["measured_segments"] == 0
    runner.finish()
    assert desk.project.journal.flush()
    (found,) = desk.stored()
    assert found["measured_segments"] == 2
    assert found["mean_dice"] == pytest.approx((1 + 2 * (500 - gone) / (1000 - gone)) / 2, abs=1e-4)
    assert desk.project.verify().problems == ()


def test_what_was_measured_of_a_closed_case_is_dropped_once_the_case_is_open_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _accept(desk)
    _erase_some(desk)
    monkeypatch.setattr(efforts, "_AT_ONCE_VOXELS", 0)
    held, desk.workspace.runner = desk.workspace.runner, StepRunner()
    late = desk.workspace.runner
    desk.workspace.close_case(desk.case.key)
    desk.workspace.runner = held
    open_path(desk.workspace, desk.place / "study")
    assert desk.workspace.active is not None
    desk.case = desk.workspace.active
    assert desk.effort().agreement is not None, "it is measured when it is open again"
    assert desk.project.journal.flush()
    rows = desk.project.info()["gestures"]
    late.finish()
    assert desk.project.journal.flush()
    assert desk.project.info()["gestures"] == rows


def test_undone_corrections_are_undone_in_the_figures(desk: Desk) -> None:
    _accept(desk)
    _erase_some(desk)
    _mark_done(desk, "Liver")
    first = desk.effort().agreement
    assert first is not None
    assert first.dice < 1
    desk.case.undo()
    desk.case.undo()
    desk.come_back()
    again = desk.effort().agreement
    assert again is not None
    assert again.dice == 1.0
    desk.case.undo()
    assert desk.case.labels.efforts == {}
    desk.come_back()
    assert desk.stored() == []


def test_an_accepted_segment_that_was_deleted_counts_as_all_removed(desk: Desk) -> None:
    _accept(desk)
    spleen = desk.case.labels.segmentation.segments[1]
    segments.delete(desk.case, [spleen.segment_id])
    desk.come_back()
    found = desk.effort("Spleen").agreement
    assert found is not None
    assert (found.dice, found.final, found.removed) == (0.0, 0, found.proposed)


def test_time_counts_while_somebody_works_and_the_segment_is_not_done(desk: Desk) -> None:
    _accept(desk)
    desk.work(60)
    desk.clock.forward(seconds=PAUSE_S + 1)
    desk.workspace.efforts.sign()
    desk.work(30)
    _mark_done(desk, "Liver")
    assert desk.effort().active_s == pytest.approx(90)
    desk.work(300)
    desk.workspace.efforts.note(desk.case)
    assert desk.effort("Liver").active_s == pytest.approx(90)
    assert desk.effort("Spleen").active_s == pytest.approx(390)
    assert desk.stored() == [], "the case is still in work"
    desk.say_done()
    assert desk.stored()[0]["minutes_per_case"] == 6.5


def test_what_a_case_took_counts_as_soon_as_somebody_says_that_it_is_done(desk: Desk) -> None:
    _accept(desk)
    desk.work(60)
    desk.workspace.efforts.note(desk.case)
    assert desk.workspace.efforts.models == ()
    worklist = desk.workspace.worklist
    worklist.load()
    (row,) = worklist.rows
    worklist.changes.set_status(row, ReadingStatus.DONE)
    assert [one.cases for one in desk.workspace.efforts.models] == [1]
    worklist.changes.set_status(worklist.rows[0], ReadingStatus.IN_WORK)
    assert desk.workspace.efforts.models == ()


def test_moving_the_hand_and_looking_elsewhere_are_signs_of_work(desk: Desk) -> None:
    _accept(desk)
    case = desk.case
    for step in range(4):
        desk.clock.forward(seconds=30)
        case.view.crosshair_kji = (step, 5, 5)
        desk.clock.forward(seconds=30)
        desk.hands.hover(pointer(case, 5.0 + step, 5.0, plane=case.acquired_plane))
    desk.workspace.efforts.note(case)
    assert desk.effort().active_s == pytest.approx(240, abs=1)


def _nobody_there(desk: Desk, what_happens: Callable[[int], object]) -> float:
    """Let something happen every 20 seconds for three minutes; return the seconds of work that this came to."""
    _accept(desk)
    desk.workspace.efforts.sign()
    for step in range(9):
        desk.clock.forward(seconds=20)
        what_happens(step)
    desk.clock.forward(seconds=20)
    desk.workspace.efforts.note(desk.case)
    return desk.effort().active_s


def test_what_a_running_model_shows_is_no_sign_of_work(desk: Desk) -> None:
    view, geometry = desk.case.view, desk.case.volume.geometry
    mask = PredictedMask.trimmed(np.ones(geometry.shape_kji, dtype=np.uint8), ())
    heat = Heat(np.zeros(geometry.shape_kji, dtype=np.uint8), geometry, "Probability of Liver")

    def shows(step: int) -> None:
        view.unfinished = Unfinished(f"job-{step}", "Organs", mask)
        view.heat = replace(heat, name=f"Probability {step}")
        view.heat_visible = step % 2 == 0

    assert _nobody_there(desk, shows) == 0


def test_pictures_that_are_played_are_no_sign_of_work_nor_is_the_hand_that_rests_on_them(desk: Desk) -> None:
    case = desk.case

    def plays(step: int) -> None:
        desk.workspace.bench.cine_on = True
        case.view.crosshair_kji = (step % 7, 5, 5)
        desk.hands.hover(pointer(case, 5.0, 5.0, plane=case.acquired_plane))

    assert _nobody_there(desk, plays) == 0


def test_what_a_model_found_is_no_sign_of_work_but_undoing_is(desk: Desk) -> None:
    def arrives(step: int) -> None:
        _propose(desk, Source(SourceKind.MODEL, "organs", "", "cd" * 32, f"other-{step}"), version="2.0.0")

    assert _nobody_there(desk, arrives) == 0
    _erase_some(desk)
    desk.clock.forward(seconds=20)
    desk.case.undo()
    desk.workspace.efforts.note(desk.case)
    assert desk.effort().active_s == pytest.approx(20)


def test_a_clock_leaves_pauses_out_and_never_runs_backwards() -> None:
    still = StillClock()
    clock = WorkClock(still)
    assert clock.sign() == 0.0
    still.forward(seconds=PAUSE_S)
    assert clock.sign() == PAUSE_S
    still.forward(seconds=PAUSE_S + 0.5)
    assert clock.sign() == 0.0
    still.forward(seconds=2)
    assert clock.sign() == 2.0


def test_efforts_of_another_project_are_not_shown(desk: Desk, tmp_path: Path) -> None:
    _accept(desk)
    _mark_done(desk, "Liver")
    desk.say_done()
    read, services = desk.workspace.efforts, desk.workspace.services
    read.read()
    assert len(read.models) == 1
    told: list[int] = []
    read.changed.connect(lambda: told.append(len(read.models)))
    desk.workspace.runner = runner = StepRunner()
    read.read()
    with Project.create(tmp_path / "other.medview") as other:
        services.project = other
        read.read_anew()
        assert (read.models, told) == ((), [0])
        # What was asked of the one before comes too late.
        runner.finish()
        assert told == [0, 0]
    services.project = desk.project


def test_an_export_notes_it_too(desk: Desk) -> None:
    _accept(desk)
    _erase_some(desk)
    export_nifti(desk.workspace, desk.place / "out.nii.gz")
    assert desk.effort().agreement is not None


def test_versions_of_a_model_are_told_apart(desk: Desk) -> None:
    _accept(desk)
    _propose(desk, Source(SourceKind.MODEL, "organs", "", "cd" * 32, "job-2"), version="2.0.0")
    labels.accept(desk.case, "p-job-2", {1})
    desk.come_back()
    assert [(one["model_version"], one["segments"]) for one in desk.stored()] == [("1.0.0", 2), ("2.0.0", 1)]


def test_a_case_takes_as_long_as_its_slowest_segment_and_means_go_over_cases() -> None:
    def effort(name: str, active_s: float, dice: tuple[int, int, int]) -> Effort:
        return Effort(name, MODEL, 1, name, active_s, Agreement.of(*dice, 0.5))

    one = {"a": effort("a", 60, (10, 10, 10)), "b": effort("b", 120, (10, 10, 5))}
    two = {"c": effort("c", 240, (0, 0, 0)), "d": Effort("d", MODEL, 2, "d")}
    (found,) = model_efforts([[one], [two], [{}]])
    assert (found.cases, found.segments, found.measured) == (2, 4, 3)
    assert found.minutes_per_case == 3.0
    assert found.dice == pytest.approx((1 + 0.5 + 1) / 3)
    assert (found.added_ml, found.removed_ml) == (2.5, 2.5)


def test_a_case_of_two_readers_is_one_case_that_took_each_of_them_their_time() -> None:
    efforts = [{name: Effort(name, MODEL, 1, name, active_s, Agreement.of(10, 10, 10, 0.5))} for name, active_s in
               (("a", 60), ("b", 180))]  # fmt: skip
    (found,) = model_efforts([efforts])
    assert (found.cases, found.segments, found.minutes_per_case) == (1, 2, 2.0)


def test_what_is_accepted_fills_the_segment_that_the_label_set_has_for_it_and_undo_leaves_it_empty(desk: Desk) -> None:
    case = desk.case
    entries = (LabelEntry("Vein", (0, 0, 250)), LabelEntry("Liver", (250, 0, 0)))
    apply_label_set(case, LabelSet("Abdomen", entries), by_itself=True)
    waiting = case.labels.segmentation.segments[1]
    _accept(desk)
    _vein, liver, spleen = case.labels.segmentation.segments
    assert (liver.segment_id, liver.name, liver.colour) == (waiting.segment_id, "Liver", (250, 0, 0))
    assert spleen.name == "Spleen"
    assert (liver.source, liver.status) == (MODEL, SegmentStatus.IN_WORK)
    assert case.labels.segmentation.count(liver) == 5 * 10 * 10
    assert case.labels.efforts[liver.segment_id].label == "Liver"
    case.undo()
    assert case.labels.segmentation.segments[1] == waiting
    assert not case.labels.efforts
    case.redo()
    assert case.labels.segmentation.count(case.labels.segmentation.segments[1]) == 5 * 10 * 10
    # Once something is drawn in it, another proposal stands beside it.
    _propose(desk, replace(MODEL, job_id="job-2"))
    labels.accept(case, "p-job-2")
    assert [s.name for s in case.labels.segmentation.segments] == ["Vein", "Liver", "Spleen", "Liver 2", "Spleen 2"]


@pytest.mark.parametrize("how", ["locked", "absent"])
def test_a_segment_that_is_locked_or_confirmed_absent_is_not_filled(desk: Desk, how: str) -> None:
    case = desk.case
    apply_label_set(case, LabelSet("Abdomen", (LabelEntry("Liver", (250, 0, 0)),)), by_itself=True)
    before = case.labels.segmentation.segments[0]
    after = replace(before, locked=how == "locked", absent=how == "absent")
    case.do(Command("Say so", (SegmentChange(before, after, 0),), "segments"))
    _accept(desk)
    assert case.labels.segmentation.segments[0] == after
    assert case.labels.segmentation.segments[1].name == "Liver 2"
