"""Segments are measured in the background, once, on the voxels they have then."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from medview.analysis.segment_figures import SegmentFigures
from medview.core.box import Box
from medview.core.changes import Command, SegmentChange
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import Segment
from medview.workspace.figure_texts import values_hint
from medview.workspace.jobs import InlineRunner, Job, Outcome, Request
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.figures import want_all, want_figures
from medview.workspace.workspace import Workspace
from tests.gui.cases import SHAPE_KJI, make_case


class Later(InlineRunner):
    """A runner whose jobs wait until ``run`` is called."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.waiting: list[tuple[Request, Outcome, Job]] = []

    def submit(self, request: Request, outcome: Outcome) -> Job:
        job = Job(request.title, request.lane)
        self.waiting.append((request, outcome, job))
        return job

    def run(self) -> None:
        request, outcome, _job = self.waiting.pop(0)
        InlineRunner().submit(request, outcome)


@pytest.fixture
def case() -> OpenCase:
    made = make_case()
    segments = [Segment(f"s{n}", f"Nodule {n}", (9, 9, 9), 0, n) for n in (1, 2, 3)]
    made.do(Command("Add", tuple(SegmentChange(None, s, n) for n, s in enumerate(segments))))
    for n, segment in enumerate(segments):
        draw(made, segment, Box((n, 3, 3), (n + 2, 9, 8 + n)))
    return made


def draw(case: OpenCase, segment: Segment, box: Box) -> None:
    layer = case.labels.segmentation.layer(segment.layer_id)
    patch = LabelPatch.between(layer, box, np.full(box.shape_kji, segment.value, dtype=np.uint8))
    assert patch is not None
    case.do(Command("Brush", (patch,), "brush"))


def workspace_of(case: OpenCase, runner: object) -> Workspace:
    made = Workspace(runner, None)  # type: ignore[arg-type]
    made.add_case(case)
    return made


def count_jobs(workspace: Workspace) -> Callable[[], int]:
    runner = workspace.runner
    assert isinstance(runner, InlineRunner)
    return lambda: len(runner.jobs)


def test_a_segment_is_measured_once_for_the_voxels_it_has(case: OpenCase) -> None:
    workspace = workspace_of(case, InlineRunner())
    jobs = count_jobs(workspace)
    segmentation = case.labels.segmentation
    first = segmentation.segments[0]
    told: list[str] = []
    case.figures.changed.connect(told.append)
    figures = want_figures(workspace, case, first)
    assert isinstance(figures, SegmentFigures)
    assert figures.voxels == segmentation.count(first)
    assert want_figures(workspace, case, first) is figures
    assert (jobs(), told) == (1, ["s1"])
    draw(case, segmentation.segments[2], Box((5, 30, 2), (6, 33, 6)))
    assert want_figures(workspace, case, first) is figures, "another segment changed"
    draw(case, first, Box((5, 20, 2), (6, 23, 6)))
    assert case.figures.current(segmentation, first) is None
    assert case.figures.last(first) is figures
    again = want_figures(workspace, case, first)
    assert again is not None
    assert again.component_count == 2
    case.undo()
    assert case.figures.current(segmentation, first) is None


def test_a_segment_without_voxels_is_measured_without_a_job(case: OpenCase) -> None:
    workspace = workspace_of(case, InlineRunner())
    empty = Segment("s9", "Empty", (1, 1, 1), 0, 9)
    case.do(Command("Add", (SegmentChange(None, empty, 3),)))
    figures = want_figures(workspace, case, empty)
    assert figures is not None
    assert figures.voxels == 0
    assert count_jobs(workspace)() == 0


def test_nothing_is_begun_while_a_hand_draws_or_slices_arrive(case: OpenCase) -> None:
    workspace = workspace_of(case, InlineRunner())
    first = case.labels.segmentation.segments[0]
    gesture = case.gesture("brush")
    assert want_figures(workspace, case, first) is None
    gesture.abort()
    case.reading = True
    assert want_figures(workspace, case, first) is None
    case.reading = False
    assert count_jobs(workspace)() == 0
    assert want_figures(workspace, case, first) is not None


def test_the_segment_asked_for_last_is_measured_next_and_the_others_after_it(case: OpenCase) -> None:
    runner = Later()
    workspace = workspace_of(case, runner)
    a, b, c = case.labels.segmentation.segments
    told: list[str] = []
    case.figures.changed.connect(told.append)
    for segment in (a, b, c):
        assert want_figures(workspace, case, segment) is None
    assert len(runner.waiting) == 1
    for _ in range(3):
        runner.run()
    assert told == ["s1", "s3", "s2"]
    assert runner.waiting == []


def test_what_was_measured_on_voxels_that_changed_meanwhile_is_not_shown_as_theirs(case: OpenCase) -> None:
    runner = Later()
    workspace = workspace_of(case, runner)
    first = case.labels.segmentation.segments[0]
    want_figures(workspace, case, first)
    cancelled: list[bool] = []
    runner.waiting[0][2].cancel = lambda: cancelled.append(True)
    draw(case, first, Box((5, 20, 2), (6, 23, 6)))
    want_figures(workspace, case, first)
    assert cancelled == [True]
    runner.run()
    assert case.figures.last(first) is None, "the older job came too late"
    runner.run()
    figures = case.figures.current(case.labels.segmentation, first)
    assert figures is not None
    assert figures.voxels == case.labels.segmentation.count(first)


def test_all_are_measured_one_after_the_other(case: OpenCase) -> None:
    workspace = workspace_of(case, InlineRunner())
    assert want_all(workspace, case) == 0
    assert count_jobs(workspace)() == 3
    assert want_all(workspace, case) == 0
    assert count_jobs(workspace)() == 3, "nothing changed"


def test_what_is_measured_of_a_case_that_is_closed_is_cancelled(case: OpenCase) -> None:
    runner = Later()
    workspace = workspace_of(case, runner)
    first = case.labels.segmentation.segments[0]
    want_figures(workspace, case, first)
    cancelled: list[bool] = []
    runner.waiting[0][2].cancel = lambda: cancelled.append(True)
    workspace.close_case(case.key)
    assert cancelled == [True]
    runner.run()
    assert case.figures.last(first) is None


def test_measuring_goes_on_after_a_failure(case: OpenCase) -> None:
    runner = Later()
    workspace = workspace_of(case, runner)
    a, b, _ = case.labels.segmentation.segments
    want_figures(workspace, case, a)
    want_figures(workspace, case, b)
    _, outcome, _ = runner.waiting.pop(0)
    outcome.failed(Exception())  # type: ignore[arg-type]
    runner.run()
    assert case.figures.current(case.labels.segmentation, b) is not None


def test_values_of_slices_that_could_not_be_read_are_no_figures_of_a_segment() -> None:
    voxels = np.full(SHAPE_KJI, 40, dtype=np.int16)
    voxels[2] = -1024
    case = make_case(voxels=voxels)
    segment = Segment("s1", "Nodule", (9, 9, 9), 0, 1)
    case.do(Command("Add", (SegmentChange(None, segment, 0),)))
    draw(case, segment, Box((1, 3, 3), (4, 9, 9)))
    case.anchor.load.mark(0, ok=False)
    assert values_hint(case, segment) == "Values of its voxels, padding left out", "the segment is elsewhere"
    case.anchor.load.mark(2, ok=False)
    figures = want_figures(workspace_of(case, InlineRunner()), case, segment)
    assert figures is not None
    assert figures.statistics is not None
    assert (figures.statistics.mean, figures.statistics.low) == (40.0, 40.0)
    assert figures.voxels == case.labels.segmentation.count(segment) == 108
    assert figures.components[0].mean == 40.0
    assert values_hint(case, segment) == "Values of its voxels, padding and slices that could not be read left out"
