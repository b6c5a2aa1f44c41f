"""What models of the queue found, on its way to a series that is opened meanwhile, or to one that is not open."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import ReadError
from medview.store.project import Project
from medview.workspace.jobs import InlineRunner
from medview.workspace.operations import labels, segments
from medview.workspace.operations.open import open_series
from medview.workspace.queue import QueueTask, TaskState, tasks_of
from tests.workspace.queued import StepRunner, add_small_model, place_of, queue_workspace, scanned, write_small_ct


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p.medview") as made:
        yield made


@pytest.mark.parametrize("how", ["cancelled", "failed"])
def test_what_waits_for_a_series_that_does_not_come_goes_into_the_project(
    project: Project, tmp_path: Path, how: str
) -> None:
    runner = StepRunner()
    workspace = queue_workspace(tmp_path, runner, project)
    folder = write_small_ct(tmp_path, "s1")
    place = place_of(folder)
    workspace.queue.add([QueueTask(add_small_model(tmp_path), place)])
    runner.step("ReadAhead")
    opening = open_series(workspace, *scanned(folder))
    assert opening is not None
    runner.step("RunQueued")
    assert workspace.queue.queue.tasks[0].state is TaskState.RUNNING
    if how == "cancelled":
        opening.cancel()
    else:
        item = next(one for one in runner.waiting if type(one[1]).__name__ == "OpenSeries")
        runner.waiting.remove(item)
        item[2].failed(ReadError("The first slice cannot be read; copy the files again."))
    runner.finish()
    assert workspace.cases == {}
    assert workspace.queue.queue.tasks[0].state is TaskState.DONE
    (row,) = project.readings()
    assert len(project.load_reading(row.reading_id).labels.proposals) == 1


def test_proposals_are_told_apart_from_segments_and_from_each_other_in_a_case_that_is_not_open(
    project: Project, tmp_path: Path
) -> None:
    workspace = queue_workspace(tmp_path, InlineRunner(), project)
    folder = write_small_ct(tmp_path, "s1")
    models = [add_small_model(tmp_path), add_small_model(tmp_path, id="another-model", name="Another")]
    declared = workspace.services.registry.get(models[0]).spec.output.labels  # type: ignore[union-attr]
    open_series(workspace, *scanned(folder))
    case = workspace.active
    assert case is not None
    mine = labels.add_segment(case, "Mine")
    assert mine is not None
    segments.set_colour(case, [mine.segment_id], declared[0].colour)
    workspace.close_case(case.key)
    workspace.queue.add(tasks_of(models, [place_of(folder)]))
    (row,) = project.readings()
    kept = project.load_reading(row.reading_id).labels
    masks = [one.prediction.mask for one in kept.proposals.values()]
    colours = [s.colour for s in kept.segmentation.segments]
    colours += [s.colour for mask in masks if mask is not None for s in mask.segments]
    assert len(masks) == 2
    assert len(colours) >= 3
    assert min(np.linalg.norm(np.subtract(a, b)) for a, b in combinations(colours, 2)) > 40
