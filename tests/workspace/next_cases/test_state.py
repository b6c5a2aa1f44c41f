"""What to label next in the project that is open: looked for in the background, one case at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from medview.core.errors import StoreError
from medview.core.job import Inline
from medview.core.reading_status import ReadingStatus
from medview.io.library import Library
from medview.io.reader_pool import InlinePool
from medview.ml.next_cases.strategy import Strategy
from medview.store.project import Project
from medview.workspace.case_adding import AddCases, WantedPlace
from medview.workspace.model_line import ModelLines, Verdict
from medview.workspace.next_cases.models import model_for
from medview.workspace.next_cases.state import SHOWN, NextCases
from medview.workspace.queue import tasks_of
from medview.workspace.workspace import Workspace
from tests.ml.small_packs import document, small_pack
from tests.workspace.queued import TILES, StepRunner, add_small_model, place_of, queue_workspace, write_small_ct

CASES = 4
KEY = "example-organs@1.0.0"


@pytest.fixture
def runner() -> StepRunner:
    return StepRunner()


@pytest.fixture
def workspace(tmp_path: Path, runner: StepRunner) -> Iterator[Workspace]:
    """A project with four cases of four patients and one that is for testing; a model for them and one that is for MR."""
    add_small_model(tmp_path, id="for-mr", name="A head", input={**document()["input"], "modality": ["MR"]})
    add_small_model(tmp_path)
    folders = [write_small_ct(tmp_path / "ct", f"s{n}") for n in range(CASES + 1)]
    with Project.create(tmp_path / "p.medview") as project:
        wanted = tuple(WantedPlace(folder) for folder in folders)
        AddCases(project, wanted, InlinePool(), Library(tmp_path / "cache")).run(Inline())
        project.worklist.set_split([project.cases()[-1].case_id], "test")
        made = queue_workspace(tmp_path, runner, project)
        made.worklist.load()
        runner.finish()
        yield made


@pytest.fixture
def state(workspace: Workspace) -> NextCases:
    return workspace.next_cases


def loaded(state: NextCases, runner: StepRunner) -> NextCases:
    state.load()
    runner.finish()
    return state


def looked_through(state: NextCases, runner: StepRunner) -> NextCases:
    loaded(state, runner).begin()
    runner.finish()
    return state


def test_nothing_is_looked_at_before_somebody_asks_and_the_model_for_these_images_is_taken(
    state: NextCases, runner: StepRunner
) -> None:
    assert state.wanted
    loaded(state, runner)
    assert state.pack is not None
    assert state.pack.spec.key == KEY
    assert {pack.spec.id for pack in state.packs} == {"example-organs", "for-mr"}
    assert (state.looked, state.total, state.held_out) == (0, CASES, 1)
    assert not state.looking
    assert state.shown == ()


def test_cases_are_looked_at_one_by_one_and_proposed_as_they_come(
    workspace: Workspace, state: NextCases, runner: StepRunner
) -> None:
    loaded(state, runner).begin()
    seen = []
    while state.looking:
        assert runner.titles().count("ScoreCase") == 1
        runner.step("ScoreCase")
        runner.finish("ProposeNext")
        seen.append((state.looked, len(state.shown)))
    assert seen == [(n, n) for n in range(1, CASES + 1)]
    chosen = {case.case_id for case in state.shown}
    assert all({case.case_id for case in state.batches[one]} == chosen for one in SHOWN)
    assert workspace.worklist.rows[-1].case_id not in chosen


def test_what_was_looked_at_is_known_in_the_next_session(
    workspace: Workspace, state: NextCases, runner: StepRunner
) -> None:
    before = looked_through(state, runner).shown
    again = NextCases(workspace)
    loaded(again, runner)
    assert (again.looked, again.shown) == (CASES, before)


def test_a_pause_stops_after_this_case_and_it_goes_on_from_there(state: NextCases, runner: StepRunner) -> None:
    loaded(state, runner).begin()
    runner.step("ScoreCase")
    state.pause()
    runner.finish()
    assert (state.looking, state.looked) == (False, 1)
    state.begin()
    runner.finish()
    assert state.looked == CASES


def test_who_cancels_the_job_ends_the_looking(state: NextCases, runner: StepRunner) -> None:
    loaded(state, runner).begin()
    job = next(job for job, request, _ in runner.waiting if type(request).__name__ == "ScoreCase")
    job.cancel()
    assert not state.looking
    assert "ScoreCase" not in runner.titles()


def test_whoever_asks_for_a_model_comes_first(
    workspace: Workspace, state: NextCases, runner: StepRunner, tmp_path: Path
) -> None:
    loaded(state, runner).begin()
    request = next(request for _, request, _ in runner.waiting if type(request).__name__ == "ScoreCase")
    request.give_way()  # type: ignore[attr-defined]  # as the job threads do
    assert state.looking
    assert runner.titles().count("ScoreCase") == 1
    # And the queue of models: nothing is begun before it is through.
    workspace.queue.add(tasks_of([KEY], [place_of(tmp_path / "ct" / "s0")]))
    runner.step("ScoreCase")
    assert "ScoreCase" not in runner.titles()
    assert workspace.queue.queue.open
    while workspace.queue.queue.open:
        runner.step()
    assert runner.titles().count("ScoreCase") == 1
    runner.finish()
    assert state.looked == CASES


def test_a_case_the_model_is_not_for_is_left_out_with_the_reason(state: NextCases, runner: StepRunner) -> None:
    loaded(state, runner)
    other = next(pack for pack in state.packs if pack.spec.id == "for-mr")
    state.ask(other.digest)
    runner.finish()
    state.begin()
    runner.finish()
    assert state.looked == CASES
    assert set(state.failed.values()) == {"A head is for MR; this series is CT."}
    assert state.shown == ()


def test_the_model_the_project_trained_and_uses_is_asked_and_each_new_version_of_it(
    workspace: Workspace, state: NextCases, runner: StepRunner, tmp_path: Path
) -> None:
    project = workspace.services.project
    assert project is not None
    lines = ModelLines(project)
    first, second = (small_pack(tmp_path / f"v{n}", seed=n, id="own", version=f"{n}.0", tiling=TILES) for n in (1, 2))
    lines.add("segmentation", first, Verdict.FIRST, reason="It is the first.")
    assert model_for(project.path, "").digest == first.digest
    loaded(state, runner).begin()
    assert state.pack is not None
    assert state.pack.digest == first.digest
    runner.step("ScoreCase")
    lines.add("segmentation", second, Verdict.PROMOTED, reason="It is better.", compared=1)
    workspace.models_changed.emit()
    runner.finish()
    assert state.pack.digest == second.digest
    # It went on by itself, and what the first one made of a case is not taken for it.
    assert (state.looking, state.looked) == (False, CASES)
    lines.roll_back("segmentation")
    workspace.models_changed.emit()
    runner.finish()
    assert state.pack.digest == first.digest
    assert 1 <= state.looked < CASES
    # Who asks a certain model is not taken off it.
    installed = next(pack for pack in state.packs if pack.spec.key == KEY)
    state.ask(installed.digest)
    runner.finish()
    workspace.models_changed.emit()
    runner.finish()
    assert state.pack.digest == installed.digest


def test_a_case_that_is_begun_meanwhile_is_not_proposed_any_more(
    workspace: Workspace, state: NextCases, runner: StepRunner
) -> None:
    looked_through(state, runner)
    gone = state.shown[0].case_id
    row = workspace.worklist.row(gone)
    assert row is not None
    workspace.worklist.changes.set_status(row, ReadingStatus.DONE)
    runner.finish()
    assert gone not in {case.case_id for batch in state.batches.values() for case in batch}
    assert state.total == CASES - 1


def test_cases_that_come_to_the_project_later_are_looked_at_too(
    workspace: Workspace, state: NextCases, runner: StepRunner, tmp_path: Path
) -> None:
    looked_through(state, runner)
    project = workspace.services.project
    assert project is not None
    more = WantedPlace(write_small_ct(tmp_path / "ct", "later"))
    AddCases(project, (more,), InlinePool(), Library(tmp_path / "cache")).run(Inline())
    workspace.worklist.load()
    runner.finish()
    assert (state.looked, state.total, state.looking) == (CASES, CASES + 1, False)
    state.begin()
    runner.finish()
    assert (state.looked, state.failed) == (CASES + 1, {})
    assert project.cases()[-1].case_id in {case.case_id for case in state.batches[Strategy.FOREGROUND_RANDOM]}


def test_a_press_opens_the_case_at_the_slice(workspace: Workspace, state: NextCases, runner: StepRunner) -> None:
    for case in looked_through(state, runner).shown:
        state.open(case)
        runner.finish()
        assert workspace.active is not None
        assert workspace.worklist.current is not None
        assert workspace.worklist.current.case_id == case.case_id
        assert workspace.active.view.crosshair_kji[0] == case.ranges[0].best
        # Only then: who goes on scrolling is left alone.
        workspace.active.view.set_slice(0, 0)
        workspace.active_changed.emit()
        assert workspace.active.view.crosshair_kji[0] == 0


def test_what_is_shown_is_put_first_in_the_list(workspace: Workspace, state: NextCases, runner: StepRunner) -> None:
    looked_through(state, runner).show(Strategy.FOREGROUND_RANDOM)
    wanted = [case.case_id for case in state.shown]
    state.put_first()
    runner.finish()
    assert [row.case_id for row in workspace.worklist.rows][: len(wanted)] == wanted
    assert len(workspace.worklist.rows) == CASES + 1


def test_another_draw_proposes_in_another_order(state: NextCases, runner: StepRunner) -> None:
    looked_through(state, runner)
    orders = set()
    for _ in range(6):
        orders.add(tuple(case.case_id for case in state.batches[Strategy.FOREGROUND_RANDOM]))
        state.draw_again()
        runner.finish()
    assert len(orders) > 1


def test_when_the_project_is_closed_everything_is_forgotten(state: NextCases, runner: StepRunner) -> None:
    loaded(state, runner).begin()
    state.let_go()
    runner.finish()
    assert not state.looking
    assert state.pack is None
    assert state.shown == ()


def test_a_project_that_is_being_closed_is_not_read_again_unless_it_stays_open(
    state: NextCases, runner: StepRunner, workspace: Workspace, tmp_path: Path
) -> None:
    loaded(state, runner)
    # As the part of the column does, which is told that everything changed.
    state.changed.connect(state.load)
    state.let_go()
    workspace.worklist.changed.emit()
    assert runner.titles() == []
    state.stay()
    assert runner.titles() == ["ReadKnown"]
    runner.finish()
    state.let_go()
    closed = workspace.services.project
    with Project.create(tmp_path / "other.medview") as other:
        workspace.services.project = other
        workspace.worklist.changed.emit()
        (waiting,) = [request for _job, request, _outcome in runner.waiting]
        assert waiting.project is other  # type: ignore[attr-defined]
        runner.finish()
    workspace.services.project = closed


@pytest.mark.parametrize("how", ["cancelled", "failed"])
def test_a_look_up_that_was_cancelled_or_failed_is_said_and_done_again_when_asked(
    state: NextCases, runner: StepRunner, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    state.load()
    assert (state.loaded, state.known) == (True, False)
    (job, _request, _outcome) = runner.waiting[0]
    if how == "cancelled":
        job.cancel()
    else:

        def broken(_lines: ModelLines) -> None:
            raise StoreError("The project cannot be read just now.")

        with monkeypatch.context() as patched:
            patched.setattr(ModelLines, "packs", broken)
            runner.finish()
    assert state.problem == ("That was cancelled." if how == "cancelled" else "The project cannot be read just now.")
    assert not state.known
    state.load()
    assert runner.titles() == [], "it is not tried again by itself"
    state.try_again()
    assert state.problem == ""
    runner.finish()
    assert state.known
    assert state.pack is not None
