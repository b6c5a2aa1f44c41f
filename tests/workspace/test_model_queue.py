"""The queue of models at work on series on disk, in a project."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medview.core.errors import DeviceError, GraphicsError, MedViewError, StoreError
from medview.core.job import Inline
from medview.core.study import ScanResult, Verdict
from medview.store.project import Project
from medview.store.queue_book import QueueRow
from medview.store.reading_state import ReadingStatus
from medview.workspace.events import Message
from medview.workspace.jobs import InlineRunner
from medview.workspace.open_case import case_key
from medview.workspace.operations import labels
from medview.workspace.operations.open import open_series
from medview.workspace.operations.predict import RunModel
from medview.workspace.queue import QueueTask, TaskState, tasks_of
from medview.workspace.requests_queue import KeepQueue, RunQueued
from medview.workspace.workspace import Workspace
from tests.helpers.strokes import stroke_patch
from tests.ml.small_packs import document
from tests.workspace.queued import StepRunner, add_small_model, place_of, queue_workspace, scanned, write_small_ct

PACKS = Path(__file__).resolve().parents[2] / "resources" / "packs"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p.medview") as made:
        yield made


@pytest.fixture
def model(tmp_path: Path) -> str:
    return add_small_model(tmp_path)


@pytest.fixture
def at_once(tmp_path: Path, project: Project) -> Workspace:
    return queue_workspace(tmp_path, InlineRunner(), project)


@pytest.fixture
def runner() -> StepRunner:
    return StepRunner()


@pytest.fixture
def stepwise(tmp_path: Path, project: Project, runner: StepRunner) -> Workspace:
    return queue_workspace(tmp_path, runner, project)


def said(workspace: Workspace) -> list[Message]:
    heard: list[Message] = []

    def hear(message: Message) -> None:
        heard.append(message)

    workspace.message.connect(hear)
    return heard


def states(workspace: Workspace) -> list[str]:
    return [task.state.value for task in workspace.queue.queue.tasks]


def proposals(project: Project, series_uid: str) -> list[str]:
    row = next(case for case in project.readings() if case.key.series_uid == series_uid)
    return [proposal.model_id for proposal in project.load_reading(row.reading_id).labels.proposals.values()]


def test_one_model_on_many_series_leaves_a_proposal_with_each_and_opens_none(
    at_once: Workspace, project: Project, model: str, tmp_path: Path
) -> None:
    places = [place_of(write_small_ct(tmp_path, f"s{n}")) for n in range(3)]
    heard = said(at_once)
    at_once.queue.add(tasks_of([model], places))
    assert states(at_once) == ["done"] * 3
    assert at_once.cases == {}
    for place in places:
        assert proposals(project, place.series_uid) == ["example-organs"]
    assert {case.status for case in project.readings()} == {ReadingStatus.TO_DO}
    assert heard[-1].text == "Queue of models: 3 done."
    assert project.verify().problems == ()


def test_a_model_that_sees_slices_runs_on_a_picture_that_is_not_open(
    stepwise: Workspace, runner: StepRunner, project: Project, model: str, tmp_path: Path
) -> None:
    shutil.copytree(PACKS / "pneumonia-xray", tmp_path / "packs" / "pneumonia-xray")
    grey = np.random.default_rng(6).integers(60, 200, (40, 50)).astype(np.uint8)
    (tmp_path / "picture").mkdir()
    Image.fromarray(grey).save(tmp_path / "picture" / "chest.png")
    series, entry = scanned(tmp_path / "picture")
    assert entry.verdict is Verdict.STACK
    open_series(stepwise, series, entry)
    runner.finish()
    place = place_of(tmp_path / "picture")
    stepwise.queue.add(tasks_of(["pneumonia-xray@1.0.0", model], [place]))
    stepwise.close_case(case_key(series, entry))
    runner.finish()
    assert stepwise.cases == {}
    first, second = stepwise.queue.queue.tasks
    assert (first.state, first.sentence[:8]) == (TaskState.DONE, "It took ")
    assert proposals(project, place.series_uid) == ["pneumonia-xray"]
    # What a model of volumes lacks is said by its own fit.
    assert (second.state, "needs a volume" in second.sentence) == (TaskState.SKIPPED, True)


def test_what_was_found_is_what_running_on_the_open_series_finds(
    at_once: Workspace, project: Project, model: str, tmp_path: Path
) -> None:
    folder = write_small_ct(tmp_path, "s1")
    at_once.queue.add(tasks_of([model], [place_of(folder)]))
    series, entry = scanned(folder)
    open_series(at_once, series, entry)
    case = at_once.active
    assert case is not None
    (queued,) = case.labels.proposals.values()
    at_once.queue.add([QueueTask(model, place_of(folder))])
    (again,) = case.labels.proposals.values()
    assert again is not queued
    assert queued.prediction.mask is not None
    assert again.prediction.mask is not None
    shape = case.volume.geometry.shape_kji
    assert np.array_equal(queued.prediction.mask.on_grid(shape), again.prediction.mask.on_grid(shape))
    assert not labels.stale(case, queued)


def test_many_models_on_one_series_read_it_once(
    stepwise: Workspace, runner: StepRunner, project: Project, model: str, tmp_path: Path
) -> None:
    other = add_small_model(tmp_path, id="another-model", name="Another")
    place = place_of(write_small_ct(tmp_path, "s1"))
    stepwise.queue.add(tasks_of([model, other], [place]))
    reads = 0
    while runner.waiting:
        reads += runner.titles()[0] == "ReadAhead"
        runner.step()
    assert states(stepwise) == ["done", "done"]
    assert reads == 1
    assert len(proposals(project, place.series_uid)) == 2


def test_a_second_run_of_a_model_takes_the_place_of_the_first(
    at_once: Workspace, project: Project, model: str, tmp_path: Path
) -> None:
    place = place_of(write_small_ct(tmp_path, "s1"))
    for _ in range(2):
        at_once.queue.add([QueueTask(model, place)])
    assert len(proposals(project, place.series_uid)) == 1
    assert states(at_once) == ["done"]


def test_the_next_series_is_read_while_a_model_runs_and_no_more_than_that(
    stepwise: Workspace, runner: StepRunner, model: str, tmp_path: Path
) -> None:
    places = [place_of(write_small_ct(tmp_path, f"s{n}")) for n in range(4)]
    stepwise.queue.add(tasks_of([model], places))
    runner.finish("KeepQueue")
    runner.step("ReadAhead")
    runner.finish("KeepQueue")
    assert sorted(runner.titles()) == ["ReadAhead", "RunQueued"]
    runner.step("ReadAhead")
    assert runner.titles() == ["RunQueued"]
    runner.finish()
    assert states(stepwise) == ["done"] * 4


def test_what_does_not_fit_is_skipped_with_the_reason_and_not_read(
    stepwise: Workspace, runner: StepRunner, tmp_path: Path
) -> None:
    folder = write_small_ct(tmp_path, "s1")
    stepwise.add_scan(str(folder), ScanResult((scanned(folder)[0],)))
    for_mr = add_small_model(tmp_path, input={**document()["input"], "modality": ["MR"]})
    stepwise.queue.add([QueueTask(for_mr, place_of(folder))])
    assert "ReadAhead" not in runner.titles()
    (task,) = stepwise.queue.queue.tasks
    assert task.state is TaskState.SKIPPED
    assert "is for MR; this series is CT" in task.sentence


def test_files_that_are_gone_fail_their_task_and_the_next_goes_on(at_once: Workspace, model: str, tmp_path: Path) -> None:
    places = [place_of(write_small_ct(tmp_path, f"s{n}")) for n in range(2)]
    for file in (tmp_path / "s0").iterdir():
        file.unlink()
    at_once.queue.add(tasks_of([model], places))
    assert states(at_once) == ["failed", "done"]
    assert "no longer where they were" in at_once.queue.queue.tasks[0].sentence


def test_a_model_that_was_removed_fails_and_retrying_it_after_it_is_back_succeeds(
    at_once: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "packs").mkdir()
    place = place_of(write_small_ct(tmp_path, "s1"))
    at_once.queue.add([QueueTask("random-model", place)])
    assert "There is no model random-model here" in at_once.queue.queue.tasks[0].sentence
    add_small_model(tmp_path, id="random-model")
    at_once.queue.retry()
    assert states(at_once) == ["done"]


def test_pausing_lets_the_running_model_end_and_begins_nothing(
    stepwise: Workspace, runner: StepRunner, model: str, tmp_path: Path
) -> None:
    places = [place_of(write_small_ct(tmp_path, f"s{n}")) for n in range(3)]
    stepwise.queue.add(tasks_of([model], places))
    runner.step("ReadAhead")
    stepwise.queue.pause()
    runner.finish()
    assert states(stepwise) == ["done", "waiting", "waiting"]
    stepwise.queue.go_on()
    runner.finish()
    assert states(stepwise) == ["done"] * 3


def test_cancelling_the_running_task_begins_the_next(
    stepwise: Workspace, runner: StepRunner, model: str, tmp_path: Path
) -> None:
    places = [place_of(write_small_ct(tmp_path, f"s{n}")) for n in range(3)]
    stepwise.queue.add(tasks_of([model], places))
    runner.step("ReadAhead")
    stepwise.queue.cancel([stepwise.queue.queue.tasks[0].task_uid, stepwise.queue.queue.tasks[1].task_uid])
    runner.finish()
    assert states(stepwise) == ["cancelled", "cancelled", "done"]


def test_cancelling_all_leaves_nothing_to_do(
    stepwise: Workspace, runner: StepRunner, project: Project, model: str, tmp_path: Path
) -> None:
    places = [place_of(write_small_ct(tmp_path, f"s{n}")) for n in range(3)]
    stepwise.queue.add(tasks_of([model], places))
    runner.step("ReadAhead")
    stepwise.queue.cancel()
    runner.finish()
    assert states(stepwise) == ["cancelled"] * 3
    assert [row.state for row in project.queue.rows()] == ["cancelled"] * 3


def test_a_series_opened_while_its_model_runs_gets_the_proposal_once_it_is_read(
    stepwise: Workspace, runner: StepRunner, project: Project, model: str, tmp_path: Path
) -> None:
    folder = write_small_ct(tmp_path, "s1")
    stepwise.queue.add([QueueTask(model, place_of(folder))])
    runner.step("ReadAhead")
    open_series(stepwise, *scanned(folder))
    runner.step("RunQueued")
    assert states(stepwise) == ["running"]
    runner.finish()
    assert states(stepwise) == ["done"]
    assert stepwise.active is not None
    assert len(stepwise.active.labels.proposals) == 1
    assert len(proposals(project, stepwise.active.series.series_uid)) == 1


def test_a_series_drawn_in_and_closed_while_its_model_ran_gets_a_stale_proposal(
    stepwise: Workspace, runner: StepRunner, project: Project, model: str, tmp_path: Path
) -> None:
    folder = write_small_ct(tmp_path, "s1")
    stepwise.queue.add([QueueTask(model, place_of(folder))])
    runner.step("ReadAhead")
    series, entry = scanned(folder)
    open_series(stepwise, series, entry)
    runner.step("OpenSeries")
    case = stepwise.active
    assert case is not None
    segment = labels.add_segment(case, "Liver")
    assert segment is not None
    gesture = case.gesture("brush")
    patch = stroke_patch(case.labels.segmentation, segment, (4, 8, 8), (4, 8, 8), radius_mm=4.0)
    assert patch is not None
    gesture.apply(patch)
    gesture.commit("Brush Liver")
    stepwise.close_case(case.key)
    runner.finish()
    assert states(stepwise) == ["done"]
    open_series(stepwise, series, entry)
    runner.finish()
    case = stepwise.active
    assert case is not None
    (proposal,) = case.labels.proposals.values()
    assert labels.stale(case, proposal)
    assert [s.name for s in case.labels.segmentation.segments] == ["Liver"]
    assert case.undo() is not None


def test_a_killed_program_goes_on_where_it_was(
    tmp_path: Path, project: Project, stepwise: Workspace, runner: StepRunner, model: str
) -> None:
    places = [place_of(write_small_ct(tmp_path, f"s{n}")) for n in range(3)]
    stepwise.queue.add(tasks_of([model], places))
    runner.step("ReadAhead")
    runner.finish("KeepQueue")
    # One runs, two wait; nothing of this workspace is asked any more.
    assert [row.state for row in project.queue.rows()] == ["running", "waiting", "waiting"]
    later = queue_workspace(tmp_path, InlineRunner(), project)
    heard = said(later)
    later.queue.load()
    assert states(later) == ["done"] * 3
    assert heard[0].text == "The queue of models goes on: 3 are left."
    assert heard[0].way_out is not None
    assert [row.state for row in project.queue.rows()] == ["done"] * 3


def test_a_task_is_called_done_only_once_what_it_found_is_on_disk(
    at_once: Workspace, project: Project, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush, keep, asked = project.journal.flush, project.queue.keep, []

    def noted(timeout_s: float = 30.0) -> bool:
        asked.append("flush")
        return flush(timeout_s)

    def kept(rows: Sequence[QueueRow], gone: Sequence[str]) -> None:
        asked.extend(row.state for row in rows)
        keep(rows, gone)

    monkeypatch.setattr(project.journal, "flush", noted)
    monkeypatch.setattr(project.queue, "keep", kept)
    at_once.queue.add([QueueTask(model, place_of(write_small_ct(tmp_path, "s1")))])
    assert asked[-2:] == ["flush", "done"]
    after = at_once.queue.queue
    before = after.with_task(replace(after.tasks[0], state=TaskState.RUNNING))
    asked.clear()
    with monkeypatch.context() as full_disk:
        full_disk.setattr(project.journal, "flush", lambda: False)
        with pytest.raises(StoreError, match="is run again"):
            KeepQueue(project, before, after).run(Inline())
    assert asked == []


def test_a_task_that_ended_the_program_twice_is_left_alone(tmp_path: Path, project: Project, model: str) -> None:
    place = place_of(write_small_ct(tmp_path, "s1"))
    for _ in range(2):
        runner = StepRunner()
        workspace = queue_workspace(tmp_path, runner, project)
        workspace.queue.load()
        runner.step("LoadQueue")
        if not workspace.queue.queue.tasks:
            workspace.queue.add([QueueTask(model, place)])
        runner.step("ReadAhead")
        runner.finish("KeepQueue")
    later = queue_workspace(tmp_path, InlineRunner(), project)
    later.queue.load()
    (task,) = later.queue.queue.tasks
    assert task.state is TaskState.FAILED
    assert "ended 2 times while this ran" in task.sentence


def test_a_program_that_is_closed_is_not_counted_against_what_ran(
    tmp_path: Path, project: Project, stepwise: Workspace, runner: StepRunner, model: str
) -> None:
    stepwise.queue.add([QueueTask(model, place_of(write_small_ct(tmp_path, "s1")))])
    runner.step("ReadAhead")
    runner.finish("KeepQueue")
    stepwise.queue.let_go()
    (row,) = project.queue.rows()
    assert (row.state, row.attempts) == ("waiting", 0)


@pytest.mark.parametrize(
    ("error", "offer"),
    [
        (GraphicsError("Graphics memory ran out while Organs ran; run it on the processor."), "Retry on the CPU"),
        (DeviceError("The part of MedView that runs models (torch) cannot be loaded."), "Retry"),
    ],
)
def test_a_computer_that_fails_three_times_in_a_row_pauses_the_queue_and_offers_the_way_out(
    at_once: Workspace, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: MedViewError, offer: str
) -> None:
    real = RunModel.run

    def broken(self: RunModel, context: object) -> object:
        if self.request.device == "auto":
            raise error
        return real(self, context)  # type: ignore[arg-type]

    monkeypatch.setattr(RunModel, "run", broken)
    heard = said(at_once)
    at_once.queue.add(tasks_of([model], [place_of(write_small_ct(tmp_path, f"s{n}")) for n in range(4)]))
    assert states(at_once) == ["failed"] * 3 + ["waiting"]
    assert at_once.queue.queue.paused
    assert error.sentence in heard[-1].text
    assert heard[-1].way_out is not None
    assert heard[-1].way_out.title == offer
    if offer == "Retry on the CPU":
        heard[-1].way_out.take()
        assert sorted(states(at_once)) == ["done"] * 3 + ["failed"]


def test_without_a_project_to_write_the_queue_waits_and_says_why(tmp_path: Path, model: str) -> None:
    workspace = queue_workspace(tmp_path, InlineRunner(), None)
    heard = said(workspace)
    workspace.queue.add([QueueTask(model, place_of(write_small_ct(tmp_path, "s1")))])
    assert states(workspace) == ["waiting"]
    assert workspace.queue.queue.paused
    assert "No project could be opened" in heard[-1].text


def test_a_hundred_tasks_done_in_place_are_no_recursion(at_once: Workspace, tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    place = place_of(write_small_ct(tmp_path, "s1"))
    at_once.queue.add([QueueTask(f"missing-{n}", place) for n in range(120)])
    assert set(states(at_once)) == {"failed"}


def test_the_remaining_time_follows_from_what_tasks_took(
    stepwise: Workspace, runner: StepRunner, model: str, tmp_path: Path
) -> None:
    places = [place_of(write_small_ct(tmp_path, f"s{n}")) for n in range(3)]
    stepwise.queue.add(tasks_of([model], places))
    assert stepwise.queue.remaining_seconds() is None
    stepwise.queue.seconds = {model: [10.0, 20.0]}
    assert stepwise.queue.remaining_seconds() == pytest.approx(45.0)
    stepwise.queue.pause()
    runner.finish()


def test_titles_say_which_of_how_many(stepwise: Workspace, runner: StepRunner, model: str, tmp_path: Path) -> None:
    stepwise.queue.add(tasks_of([model], [place_of(write_small_ct(tmp_path, f"s{n}")) for n in range(2)]))
    runner.step("ReadAhead")
    (title,) = [request.title for _, request, _ in runner.waiting if isinstance(request, RunQueued)]
    assert title.endswith(", 1 of 2")
    runner.finish()


def test_a_model_of_several_channels_takes_the_other_series_of_the_study_or_says_what_is_missing(
    at_once: Workspace, project: Project, tmp_path: Path
) -> None:
    one, other = (write_small_ct(tmp_path, f"s{n}", study="study") for n in range(2))
    channels = [{"name": "first", "words": ["s0"]}, {"name": "second", "words": ["s1"]}]
    network = {"name": "unet3d", "kwargs": {"in_channels": 2, "classes": 3, "channels": [4, 6]}}
    given = {
        key: value for key, value in document()["input"].items() if key not in ("channels", "modality", "unit", "intensity")
    }
    steps = document()["input"]["intensity"]
    several = [{**channel, "modality": ["CT"], "unit": "HU", "intensity": steps} for channel in channels]
    both = add_small_model(tmp_path, schema_version=2, network=network, input={**given, "channels": several})
    at_once.queue.add([QueueTask(both, place_of(one))])
    (task,) = at_once.queue.queue.tasks
    assert (task.state, task.sentence) == (TaskState.SKIPPED, "No series is chosen for second.")
    for folder in (one, other):
        at_once.add_scan(str(folder), ScanResult((scanned(folder)[0],)))
    at_once.queue.clear_finished()
    at_once.queue.add(tasks_of([both], [place_of(one), place_of(other)]))
    assert states(at_once) == ["done", "skipped"], [t.sentence for t in at_once.queue.queue.tasks]
    assert "which is another one" in at_once.queue.queue.tasks[1].sentence
    assert proposals(project, place_of(one).series_uid) == ["example-organs"]
