"""A model that finds nothing: what it proposed before is not what it finds now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from medview.core.job import JobContext
from medview.core.prediction import Prediction
from medview.store.project import Project
from medview.workspace.events import Message
from medview.workspace.jobs import InlineRunner
from medview.workspace.operations.open import open_series
from medview.workspace.operations.predict import RunModel, run_model
from medview.workspace.queue import TaskState, tasks_of
from medview.workspace.workspace import Workspace
from tests.workspace.queued import add_small_model, place_of, queue_workspace, scanned, write_small_ct


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p.medview") as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_small_ct(tmp_path, "s1")


@pytest.fixture
def models(tmp_path: Path) -> list[str]:
    return [add_small_model(tmp_path), add_small_model(tmp_path, id="another-model", name="Another")]


@pytest.fixture
def workspace(tmp_path: Path, project: Project, models: list[str]) -> Workspace:
    return queue_workspace(tmp_path, InlineRunner(), project)


def find_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on models run as they do, and what they find is empty."""
    runs = RunModel.run

    def run(self: RunModel, context: JobContext) -> Prediction:
        found = runs(self, context)
        assert found.mask is not None
        return replace(found, mask=found.mask.reduced_to(()), further=())

    monkeypatch.setattr(RunModel, "run", run)


def kept(project: Project) -> list[str]:
    assert project.journal.flush()
    (row,) = project.readings()
    return [one.model_id for one in project.load_reading(row.reading_id, beside=True).labels.proposals.values()]


def test_the_earlier_proposal_of_a_model_that_finds_nothing_now_goes_and_those_of_others_stay(
    workspace: Workspace, project: Project, folder: Path, models: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Message] = []
    workspace.message.connect(heard.append)
    open_series(workspace, *scanned(folder))
    case = workspace.active
    assert case is not None
    packs = [workspace.services.registry.get(key) for key in models]
    for pack in packs:
        assert run_model(workspace, pack, "cpu") is not None
    find_nothing(monkeypatch)
    assert run_model(workspace, packs[0], "cpu") is not None
    assert heard[-1].text == "Organs (example) found nothing."
    assert [one.model_id for one in case.labels.proposals.values()] == ["another-model"]
    assert kept(project) == ["another-model"]
    # Once more there is nothing to take away.
    assert run_model(workspace, packs[0], "cpu") is not None
    assert kept(project) == ["another-model"]


@pytest.mark.parametrize("shown", [True, False], ids=["an open case", "a case that is not open"])
def test_so_it_does_in_the_queue(
    workspace: Workspace,
    project: Project,
    folder: Path,
    models: list[str],
    monkeypatch: pytest.MonkeyPatch,
    shown: bool,
) -> None:
    if shown:
        open_series(workspace, *scanned(folder))
    place = place_of(folder)
    workspace.queue.add(tasks_of(models, [place]))
    assert sorted(kept(project)) == ["another-model", "example-organs"]
    find_nothing(monkeypatch)
    workspace.queue.clear_finished()
    workspace.queue.add(tasks_of(models[:1], [place]))
    (task,) = workspace.queue.queue.tasks
    assert (task.state, task.sentence) == (TaskState.DONE, "It found nothing.")
    assert kept(project) == ["another-model"]
    assert project.verify().problems == ()
