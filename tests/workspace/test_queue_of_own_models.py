"""The queue of models and versions of the project's own: what was asked of one stays with it, whichever counts by then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from medview.ml.packs import ModelPack
from medview.store.project import Project
from medview.workspace.jobs import InlineRunner
from medview.workspace.model_line import ModelLines, Verdict
from medview.workspace.operations.probability import pack_of
from medview.workspace.queue import tasks_of
from medview.workspace.workspace import Workspace
from tests.ml.small_packs import small_pack
from tests.workspace.queued import TILES, StepRunner, place_of, queue_workspace, write_small_ct

LINE = "segmentation"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p.medview") as made:
        yield made


@pytest.fixture
def versions(tmp_path: Path, project: Project) -> list[ModelPack]:
    """Two models of the project's own; the first counts, the second is not in the project yet."""
    packs = [small_pack(tmp_path / name, seed=5 + n, tiling=TILES, version=f"1.0.{n}") for n, name in enumerate(("a", "b"))]
    ModelLines(project).add(LINE, packs[0], Verdict.FIRST, reason="")
    return packs


@pytest.fixture
def runner() -> StepRunner:
    return StepRunner()


@pytest.fixture
def workspace(tmp_path: Path, project: Project, versions: list[ModelPack], runner: StepRunner) -> Workspace:
    """It knows the models of its project."""
    del versions  # They are in the project.
    made = queue_workspace(tmp_path, runner, project)
    made.trainings.conductor.look()
    runner.finish()
    return made


def states(workspace: Workspace) -> list[str]:
    return [task.state.value for task in workspace.queue.queue.tasks]


def test_what_a_version_was_asked_is_done_by_it_though_another_one_counts_by_then(
    tmp_path: Path, project: Project, versions: list[ModelPack], workspace: Workspace, runner: StepRunner
) -> None:
    places = [place_of(write_small_ct(tmp_path, f"s{n}")) for n in range(3)]
    workspace.queue.add(tasks_of([versions[0].spec.key], places))
    ModelLines(project).add(LINE, versions[1], Verdict.PROMOTED, reason="")
    workspace.trainings.conductor.read_lines()
    runner.step("ReadLines")
    registry = workspace.services.registry
    assert [pack.digest for pack in registry.list()] == [versions[1].digest], "one version is offered"
    assert registry.get(versions[1].spec.id).digest == versions[1].digest
    runner.finish()
    assert states(workspace) == ["done"] * 3
    for row in project.readings():
        (found,) = project.load_reading(row.reading_id).labels.proposals.values()
        assert found.prediction.source.model_version == "1.0.0"
        assert pack_of(workspace, found.prediction).digest == versions[0].digest, "its probabilities are there"


def test_a_queue_that_is_found_again_waits_until_the_models_of_the_project_are_known(
    tmp_path: Path, project: Project, versions: list[ModelPack], workspace: Workspace, runner: StepRunner
) -> None:
    workspace.queue.add(tasks_of([versions[0].spec.key], [place_of(write_small_ct(tmp_path, f"s{n}")) for n in range(2)]))
    runner.finish("KeepQueue")
    assert [row.state for row in project.queue.rows()] == ["waiting"] * 2
    later = queue_workspace(tmp_path, InlineRunner(), project)
    heard: list[str] = []
    later.message.connect(lambda message: heard.append(message.text))
    later.trainings.conductor.look()
    assert heard[0] == "The queue of models goes on: 2 are left."
    assert states(later) == ["done"] * 2
    later.trainings.conductor.read_lines()
    assert heard.count(heard[0]) == 1, "it is taken over once"
