"""A case is opened at a slice, unless another one is opened meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from medview.core.job import Inline
from medview.io.library import Library
from medview.io.reader_pool import InlinePool
from medview.store.project import Project
from medview.workspace.case_adding import AddCases, WantedPlace
from medview.workspace.workspace import Workspace
from tests.workspace.queued import StepRunner, queue_workspace, write_small_ct

SLICE = 7


@pytest.fixture
def runner() -> StepRunner:
    return StepRunner()


@pytest.fixture
def workspace(tmp_path: Path, runner: StepRunner) -> Iterator[Workspace]:
    """A project with two cases."""
    wanted = tuple(WantedPlace(write_small_ct(tmp_path / "ct", f"s{n}")) for n in range(2))
    with Project.create(tmp_path / "p.medview") as project:
        AddCases(project, wanted, InlinePool(), Library(tmp_path / "cache")).run(Inline())
        made = queue_workspace(tmp_path, runner, project)
        made.worklist.load()
        runner.finish()
        yield made


def slice_of(workspace: Workspace, case_id: int) -> int:
    """Where a case is looked at that has to be the active one."""
    assert workspace.active is not None
    assert workspace.worklist.current is not None
    assert workspace.worklist.current.case_id == case_id
    return workspace.active.view.crosshair_kji[0]


def test_a_case_opens_at_its_slice_read_first_or_open_already(workspace: Workspace, runner: StepRunner) -> None:
    first, second = (row.case_id for row in workspace.worklist.rows)
    workspace.arrival.open_at(first, SLICE)
    runner.finish()
    assert slice_of(workspace, first) == SLICE
    workspace.arrival.open_at(first, 2)
    assert slice_of(workspace, first) == 2
    workspace.arrival.open_at(second, SLICE)
    runner.finish()
    assert slice_of(workspace, second) == SLICE


def test_whoever_opens_another_case_meanwhile_finds_the_first_where_it_opens_by_itself(
    workspace: Workspace, runner: StepRunner
) -> None:
    first, second = (row.case_id for row in workspace.worklist.rows)
    workspace.arrival.open_at(first, SLICE)
    workspace.worklist.open(second)
    runner.finish()
    assert slice_of(workspace, second) != SLICE
    workspace.worklist.open(first)
    runner.finish()
    assert slice_of(workspace, first) != SLICE
