"""The queue of models on series that are open and whose labels cannot be changed, for good or for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from medview.store.project import Project
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.holding import Hold
from medview.workspace.operations.open import open_series
from medview.workspace.queue import tasks_of
from medview.workspace.workspace import Workspace
from tests.workspace.queued import StepRunner, add_small_model, place_of, queue_workspace, scanned, write_small_ct

WHY = "These labels were drawn on other pixels."


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p.medview") as made:
        yield made


@pytest.fixture
def runner() -> StepRunner:
    return StepRunner()


@pytest.fixture
def workspace(tmp_path: Path, runner: StepRunner, project: Project) -> Workspace:
    return queue_workspace(tmp_path, runner, project)


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    return [write_small_ct(tmp_path, f"s{n}") for n in range(2)]


@pytest.fixture
def case(workspace: Workspace, runner: StepRunner, folders: list[Path]) -> OpenCase:
    """The first of two series, open."""
    open_series(workspace, *scanned(folders[0]))
    runner.finish()
    assert workspace.active is not None
    return workspace.active


@pytest.fixture
def model(tmp_path: Path) -> str:
    return add_small_model(tmp_path)


def told(workspace: Workspace) -> list[tuple[str, str]]:
    return [(task.state.value, task.sentence) for task in workspace.queue.queue.tasks]


def test_a_series_on_which_nothing_can_be_kept_is_left_out_with_the_reason(
    workspace: Workspace, runner: StepRunner, case: OpenCase, folders: list[Path], model: str
) -> None:
    case.read_only = WHY
    workspace.queue.add(tasks_of([model], [place_of(folder) for folder in folders]))
    runner.finish()
    (first, why), (second, _took) = told(workspace)
    assert (first, why, second) == ("skipped", WHY, "done")
    assert not case.labels.proposals


def test_what_is_found_once_nothing_can_be_kept_any_more_is_not_called_done(
    workspace: Workspace, runner: StepRunner, case: OpenCase, folders: list[Path], model: str
) -> None:
    workspace.queue.add(tasks_of([model], [place_of(folders[0])]))
    assert "RunQueued" in runner.titles()
    case.read_only = WHY
    runner.finish()
    assert told(workspace) == [("failed", WHY)]
    assert not case.labels.proposals


@pytest.mark.parametrize("when", ["before it is begun", "while the model runs"])
def test_what_cannot_be_kept_for_a_moment_waits_for_it(
    workspace: Workspace, runner: StepRunner, project: Project, case: OpenCase, folders: list[Path], model: str, when: str
) -> None:
    places = [place_of(folder) for folder in folders]
    hold = Hold(workspace, project, "Copies are being merged.") if when == "before it is begun" else None
    workspace.queue.add(tasks_of([model], places))
    if hold is None:
        assert "RunQueued" in runner.titles()
        hold = Hold(workspace, project, "Copies are being merged.")
    runner.finish()
    states = [state for state, _sentence in told(workspace)]
    assert states[1] == "done", "the other series does not wait"
    assert states[0] in ("waiting", "running")
    assert not case.labels.proposals
    hold.let_go()
    runner.finish()
    assert [state for state, _sentence in told(workspace)] == ["done", "done"]
    (found,) = case.labels.proposals.values()
    assert found.prediction.mask is not None
    assert case.read_only == ""
    assert project.journal.flush()
    assert case.reading_id is not None
    assert list(project.load_reading(case.reading_id).labels.proposals) == [found.proposal_id]
