"""Trainings of the open project: one after the other, in processes of their own, asked by files, found again later."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from medview.core.errors import CancelledError, WriteError
from medview.core.job import Inline, JobContext
from medview.io.reader_pool import InlinePool
from medview.ml.guards.finding import GuardFinding, GuardReport, Severity
from medview.ml.recipes.recipe import Recipe
from medview.ml.registry import Registry
from medview.ml.runs.events import EventLog
from medview.ml.runs.folder import RunFolder
from medview.ml.spec import Task
from medview.store.project import Project
from medview.workspace import requests_training
from medview.workspace.jobs import InlineRunner, Request
from medview.workspace.model_line import ModelLines, ModelVersion, Verdict
from medview.workspace.operations import trainings as operations
from medview.workspace.requests_lines import TakeRun
from medview.workspace.requests_training import FreezeRun, mark_queued, new_run_folder, runs_folder
from medview.workspace.services import Services
from medview.workspace.training import freeze
from medview.workspace.training.run_view import RunPhase
from medview.workspace.trainings import Trainings, Wish
from medview.workspace.workspace import Workspace
from tests.helpers.segmentation_training import tiny_recipe
from tests.ml.runs.test_runs import settings
from tests.ml.small_packs import small_pack
from tests.workspace.exported import labelled
from tests.workspace.queued import StepRunner

WISH = Wish(Task.SEGMENTATION, minutes=None, confirmed=True)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open(labelled(tmp_path).project) as opened:
        yield opened


def recipe(task: Task) -> Recipe:
    assert task is Task.SEGMENTATION
    return replace(tiny_recipe(augment={}), steps=4, check_every=2)


def workspace_of(project: Project | None, folder: Path) -> Workspace:
    return Workspace(InlineRunner(), Services(InlinePool(), Registry(folder / "a", folder / "b"), project))


@pytest.fixture
def workspace(tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr(operations, "choose", recipe)
    return workspace_of(project, tmp_path)


@pytest.fixture
def trainings(workspace: Workspace) -> Trainings:
    return workspace.trainings


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Start no processes; return what would be: names, and whether they only judge what there is."""
    begun: list[tuple[str, bool]] = []

    def start(path: Path, *, background: bool, enough: bool) -> subprocess.Popen[bytes]:
        assert background
        begun.append((path.name, enough))
        process = subprocess.Popen([sys.executable, "-c", ""])
        process.wait()
        return process

    monkeypatch.setattr(requests_training, "start_training", start)
    return begun


def phases(trainings: Trainings) -> dict[str, RunPhase]:
    trainings.conductor.look()
    return {run.name: run.phase for run in trainings.runs}


def test_a_training_is_made_of_the_open_project_and_its_model_and_report_are_there_in_the_end(
    workspace: Workspace, project: Project, tmp_path: Path
) -> None:
    trainings = workspace.trainings
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    trainings.conductor.start(WISH)
    assert trainings.refused is None
    assert trainings.preparing is None
    assert phases(trainings) == {"segmentation-1": RunPhase.STARTING}
    conductor = trainings.conductor
    assert isinstance(conductor, operations.TrainingConductor)
    # The project is open and written here all along; the process needs it no more.
    assert conductor.processes["segmentation-1"].wait(240) == 0
    assert phases(trainings) == {"segmentation-1": RunPhase.DONE}
    assert any(text.startswith("v1 is the first") for text in said)
    run = trainings.runs[0]
    assert [look.step for look in run.looks] == [2, 4]
    assert run.result is not None
    conductor.read_report(run.name)
    conductor.read_samples(run.name)
    report = trainings.reports[run.name]
    case = report.worst[0]
    assert case.case_id in {row.case_id for row in project.cases()}
    assert case.k in range(4)
    assert trainings.samples[run.name].step == 4
    # Another window, later: found again by its folder alone.
    other = workspace_of(project, tmp_path).trainings
    assert phases(other) == {"segmentation-1": RunPhase.DONE}
    conductor.delete(run.name)
    assert trainings.runs == ()
    assert list(runs_folder(project.path).iterdir()) == []


def test_one_trains_and_the_others_wait_for_it(
    trainings: Trainings, project: Project, started: list[tuple[str, bool]]
) -> None:
    conductor, folder = trainings.conductor, runs_folder(project.path)
    with ExitStack() as held:
        conductor.start(WISH)
        assert started == [("segmentation-1", False)]
        held.enter_context(RunFolder(folder / "segmentation-1").held())
        conductor.start(WISH)
        conductor.start(WISH)
        assert phases(trainings) == {
            "segmentation-3": RunPhase.QUEUED, "segmentation-2": RunPhase.QUEUED, "segmentation-1": RunPhase.TRAINING,
        }  # fmt: skip
        conductor.pause("segmentation-2")
        assert phases(trainings)["segmentation-2"] is RunPhase.PAUSED
        assert len(started) == 1
    conductor.look()
    assert started[1:] == [("segmentation-3", False)]
    assert not any(run.phase is RunPhase.QUEUED for run in trainings.runs)


def queued(project: Project, number: int) -> RunFolder:
    """Return a training that waits for its turn."""
    run = RunFolder(runs_folder(project.path) / f"segmentation-{number}")
    run.path.mkdir(parents=True)
    run.write_json(run.settings_file, settings().document())
    mark_queued(run.path)
    return run


class SideBySide(StepRunner):
    """Two jobs are done before the window hears of the first."""

    def both(self) -> None:
        found, self.waiting = self.waiting[:2], self.waiting[2:]
        values = [request.run(Inline()) for _job, request, _outcome in found]
        for (_job, _request, outcome), value in zip(found, values, strict=True):
            outcome.done(value)


def test_a_look_from_before_the_window_knew_of_a_start_begins_no_second_one(
    workspace: Workspace, project: Project, started: list[tuple[str, bool]]
) -> None:
    for number in (1, 2):
        queued(project, number)
    workspace.runner = runner = SideBySide()
    conductor = workspace.trainings.conductor
    conductor.look()
    runner.finish("ReadLines")
    runner.finish("LoadQueue")
    assert runner.step("LookAtRuns")
    conductor.look()
    assert runner.titles() == ["StartRun", "LookAtRuns"]
    runner.both()
    assert runner.titles() == ["LookAtRuns"]
    assert started == [("segmentation-1", False)]
    runner.finish()
    assert [name for name, _enough in started] == ["segmentation-1", "segmentation-2"], "once it is over"


def fails(_request: Request, _context: JobContext) -> None:
    raise WriteError("The disk is full; free some space.")


@pytest.fixture
def dies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes of trainings end at once."""

    def start(path: Path, *, background: bool, enough: bool) -> subprocess.Popen[bytes]:
        RunFolder(path).log.write_text("ImportError: libgomp.so.1 is missing\n")
        process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])
        process.wait()
        return process

    monkeypatch.setattr(requests_training, "start_training", start)


@pytest.mark.usefixtures("dies")
def test_a_training_whose_process_cannot_begin_has_failed_and_that_is_said(workspace: Workspace, project: Project) -> None:
    run = queued(project, 1)
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    assert phases(workspace.trainings) == {run.path.name: RunPhase.FAILED}
    assert any("libgomp.so.1 is missing" in text for text in said)


def test_what_was_begun_in_a_project_is_no_business_of_the_next_one(
    workspace: Workspace, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings, conductor = workspace.trainings, workspace.trainings.conductor
    other = labelled(tmp_path / "other").project
    conductor.look()
    over(project, 1, 0.5)
    conductor.look()
    workspace.runner = runner = StepRunner()
    conductor.start(WISH)
    conductor.look_at_project()
    conductor.read_report("segmentation-1")
    assert trainings.preparing is not None
    assert trainings.looking is not None
    with Project.open(other) as opened:
        workspace.services.project = opened
        conductor.look()
        assert runner.titles() == ["ReadRunReport", "ReadLines", "LookAtRuns"], "nobody waits for its labels any more"
        conductor.start(WISH)
        runner.step("ReadRunReport")
        assert trainings.reports == {}
        # What fails where it was begun takes nothing from the one that is open.
        mine = trainings.preparing
        assert mine is not None
        workspace.services.project = project
        monkeypatch.setattr(FreezeRun, "run", fails)
        runner.step("FreezeRun")
        assert (trainings.preparing, trainings.refused) == (mine, None)


def test_a_model_that_could_not_be_taken_in_is_taken_when_somebody_asks_again(
    trainings: Trainings, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    over(project, 1, 0.5)
    tried: list[int] = []
    conductor = trainings.conductor

    def cancelled(_request: Request, _context: JobContext) -> None:
        tried.append(1)
        raise CancelledError

    def full(request: Request, context: JobContext) -> None:
        tried.append(2)
        fails(request, context)

    for take, why in ((full, "The disk is full; free some space."), (cancelled, "That was cancelled.")):
        monkeypatch.setattr(TakeRun, "run", take)
        conductor.take_in("segmentation-1")
        conductor.look()
        assert trainings.not_taken == {"segmentation-1": why}
    conductor.look()
    assert tried == [2, 1], "not by itself: it may take minutes"
    over(project, 2, 0.5).line.unlink()
    conductor.look()
    assert tried == [2, 1], "an experiment is to be no version"
    pack = small_pack(project.path.parent / "pack", name="Organs")

    def take(_request: Request, _context: JobContext) -> ModelVersion:
        return ModelLines(project).add("segmentation", pack, Verdict.FIRST, reason="", run="segmentation-1")

    monkeypatch.setattr(TakeRun, "run", take)
    conductor.take_in("segmentation-1")
    assert trainings.not_taken == {}
    assert trainings.line_of("segmentation-1") is not None


def test_pause_go_on_and_stop_are_asked_of_whoever_trains(
    trainings: Trainings, project: Project, started: list[tuple[str, bool]]
) -> None:
    conductor = trainings.conductor
    conductor.start(WISH)
    run = RunFolder(runs_folder(project.path) / "segmentation-1")
    log = EventLog(run.events)
    log.add("stage", name="train")
    log.add("check", step=2, best=True, score=0.5)
    with run.held():
        conductor.look()
        conductor.pause("segmentation-1")
        assert json.loads(run.control.read_text()) == {"ask": "pause"}
        assert phases(trainings) == {"segmentation-1": RunPhase.STOPPING}
        run.control.unlink()
        conductor.look()
        conductor.stop("segmentation-1")
        assert json.loads(run.control.read_text()) == {"ask": "stop"}
        conductor.delete("segmentation-1")
        assert run.path.exists()
        run.control.unlink()
        log.add("stopped", reason="asked")
        log.close()
    assert phases(trainings) == {"segmentation-1": RunPhase.PAUSED}
    conductor.go_on("segmentation-1")
    conductor.look()
    conductor.stop("segmentation-1")
    assert started == [("segmentation-1", False), ("segmentation-1", False), ("segmentation-1", True)]


def test_what_the_guards_want_confirmed_is_asked_and_then_done(
    trainings: Trainings, started: list[tuple[str, bool]], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = GuardFinding("one-patient", Severity.CONFIRM, "Lung is of one patient.", ("case_0001",))
    monkeypatch.setattr(freeze, "guard", lambda *_given: GuardReport((finding,), (), (), "voxels"))
    folder = runs_folder(project.path)
    (folder / "notes").mkdir(parents=True)
    (folder / "notes" / "dataset").touch()
    # What a window that was killed left.
    for name in ("segmentation-4", ".deleted-segmentation-2"):
        (folder / name / "dataset").mkdir(parents=True)
    (folder / "segmentation-4" / freeze.MARKER).write_bytes(freeze.MARKED)
    trainings.conductor.start(replace(WISH, confirmed=False))
    assert trainings.refused is not None
    assert trainings.refused.findings == (finding,)
    assert started == []
    assert [one.name for one in folder.iterdir()] == ["notes"]
    trainings.conductor.start(WISH)
    assert trainings.refused is None
    assert started == [("segmentation-1", False)]


def test_numbers_of_trainings_go_on_from_the_last_one(tmp_path: Path) -> None:
    assert new_run_folder(tmp_path / "none", "detection").name == "detection-1"
    for name in ("segmentation-2", "segmentation-10", "segmentation-x", "detection-4"):
        (tmp_path / name).mkdir()
    assert new_run_folder(tmp_path, "segmentation").name == "segmentation-11"
    assert new_run_folder(tmp_path, "segmentation", ["segmentation-12", "/elsewhere/run"]).name == "segmentation-13"


def over(project: Project, number: int, score: float) -> RunFolder:
    """Return a training that is over, and whose model was not better."""
    run = RunFolder(runs_folder(project.path) / f"segmentation-{number}")
    run.path.mkdir(parents=True)
    run.write_json(run.report, {"cases": 1, "patients": 1, "headlines": [], "worst": []})
    run.write_json(run.result, {"score": score})
    run.write_json(run.gate, {"verdict": "kept", "sentence": "It is not better."})
    run.write_json(run.line, {"line": "segmentation", "project_uid": project.models.project_uid})
    run.write_json(run.settings_file, settings().document())
    return run


def test_a_training_in_the_place_of_a_deleted_one_is_another_one(
    trainings: Trainings,
    project: Project,
    started: list[tuple[str, bool]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[float] = []

    def take(request: TakeRun, _context: JobContext) -> ModelVersion:
        taken.append(json.loads((request.path / "result.json").read_text())["score"])
        return ModelLines(project).versions("segmentation")[0]

    monkeypatch.setattr(TakeRun, "run", take)
    pack = small_pack(tmp_path / "pack", name="Organs")
    ModelLines(project).add("segmentation", pack, Verdict.FIRST, reason="", run="segmentation-2")
    conductor = trainings.conductor
    for score in (0.5, 0.75):
        over(project, 1, score)
        conductor.look()
        conductor.read_report("segmentation-1")
        assert "segmentation-1" in trainings.reports
        conductor.delete("segmentation-1")
        assert trainings.reports == {}
    assert taken == [0.5, 0.75]
    # Its number is not that of the training a version comes from, though that was deleted, too.
    conductor.start(WISH)
    assert started == [("segmentation-3", False)]


def test_what_cannot_be_written_trains_nothing(tmp_path: Path, project: Project) -> None:
    assert workspace_of(None, tmp_path).trainings.problem
    workspace = workspace_of(project, tmp_path)
    assert workspace.trainings.problem == ""
    with Project.open(project.path, read_only=True) as copy:
        workspace.services.project = copy
        assert workspace.trainings.problem
        workspace.trainings.conductor.start(WISH)
        assert workspace.trainings.runs == ()


def test_what_can_be_learnt_is_found_out_on_a_copy(trainings: Trainings) -> None:
    trainings.conductor.look_at_project()
    assert trainings.outlook is not None
    assert trainings.outlook.lessons[0].task is Task.SEGMENTATION
    assert trainings.looking is None


def test_the_version_that_counts_is_among_the_models_that_can_be_run_while_the_project_is_open(
    workspace: Workspace, project: Project, tmp_path: Path
) -> None:
    registry = workspace.services.registry
    told: list[bool] = []
    workspace.models_changed.connect(lambda: told.append(True))
    ModelLines(project).add("segmentation", small_pack(tmp_path / "pack", name="Organs"), Verdict.FIRST, reason="")
    workspace.trainings.conductor.look()
    assert [pack.spec.name for pack in registry.list()] == ["Organs v1"]
    assert told
    (pack,) = registry.list()
    # Its name tells the version; that of the pack is the moment it was made.
    assert workspace.trainings.title_of(pack) == "Organs v1"
    workspace.services.project = None
    workspace.trainings.conductor.look()
    assert registry.list() == []
    assert workspace.trainings.title_of(pack) == f"Organs v1 {pack.spec.version}"
