"""The list of cases: what is shown, which comes next and is read ahead, what is said of each, and time of work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from medview.core.job import Inline
from medview.core.label_set import LabelEntry, LabelSet
from medview.core.reading_rule import ReadingRule
from medview.core.reading_status import ReadingStatus
from medview.io.label_sets import as_document
from medview.io.reader_pool import InlinePool
from medview.store.activity import ActivityKind
from medview.store.project import Project
from medview.workspace.actions import action
from medview.workspace.case_adding import AddCases, WantedPlace
from medview.workspace.case_filter import CaseFilter, Order, Which
from medview.workspace.case_words import case_detail, case_title, spent
from medview.workspace.operations.cases import CaseOpener
from medview.workspace.operations.open import open_series
from medview.workspace.work_clock import WorkClock
from medview.workspace.workspace import Workspace
from tests.store.conftest import StillClock
from tests.workspace.queued import StepRunner, queue_workspace, scanned, write_small_ct


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for n in range(5):
        write_small_ct(tmp_path / "images", f"s{n}")
    return tmp_path / "images"


@pytest.fixture
def project(tmp_path: Path, images: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p.medview", reader="Ada") as made:
        places = tuple(WantedPlace(images / f"s{n}") for n in range(5))
        AddCases(made, places, InlinePool()).run(Inline())
        yield made


@pytest.fixture
def runner() -> StepRunner:
    return StepRunner()


@pytest.fixture
def workspace(tmp_path: Path, project: Project, runner: StepRunner) -> Workspace:
    """A workspace over a project of five cases whose list was read; nothing is open."""
    made = queue_workspace(tmp_path, runner, project)
    made.worklist.load()
    runner.finish()
    return made


def _open(workspace: Workspace) -> list[str]:
    return [case.series.description for case in workspace.cases.values()]


def _statuses(project: Project) -> list[str]:
    return [case.status.value for case in project.cases()]


def test_next_opens_the_first_case_and_reads_the_one_after_it_meanwhile(workspace: Workspace, runner: StepRunner) -> None:
    workspace.worklist.open_next()
    runner.finish("FindCase")
    runner.finish("OpenSeries")
    assert _open(workspace) == ["series s0"]
    runner.finish("ListCases")
    assert "ReadCaseAhead" in runner.titles()
    runner.finish()
    workspace.worklist.open_next()
    # Nothing is looked for or read any more but the labels.
    assert [name for name in runner.titles() if name in ("FindCase", "OpenSeries")] == ["OpenSeries"]
    ((_job, request, _outcome),) = [item for item in runner.waiting if type(item[1]).__name__ == "OpenSeries"]
    assert request.ready is not None  # type: ignore[attr-defined]
    runner.finish()
    assert _open(workspace) == ["series s1"]
    case = workspace.active
    assert case is not None
    assert case.ready
    assert case.editable
    assert int(np.ptp(case.volume.voxels)) > 0


def test_a_case_read_ahead_shows_the_labels_that_were_made_on_it(workspace: Workspace, runner: StepRunner) -> None:
    workspace.worklist.open(2)
    runner.finish()
    action("segment.add").run(workspace)
    runner.finish()
    workspace.worklist.open(1)
    runner.finish()
    # Case 2 is in work: it is not the next, but it can be opened again by choice.
    workspace.worklist.open_next()
    runner.finish()
    assert workspace.worklist.current == workspace.worklist.row(3)
    workspace.worklist.open(2)
    runner.finish()
    assert workspace.active is not None
    assert len(workspace.active.labels.segmentation.segments) == 1
    assert _open(workspace) == ["series s1"]


def test_a_case_is_begun_by_the_first_change_and_done_by_its_reader(
    workspace: Workspace, project: Project, runner: StepRunner
) -> None:
    workspace.worklist.open_next()
    runner.finish()
    cases = workspace.worklist
    assert cases.current is not None
    assert cases.who.status(cases.current) is ReadingStatus.TO_DO
    action("segment.add").run(workspace)
    assert cases.who.status(cases.current) is ReadingStatus.IN_WORK
    cases.changes.set_status(cases.current, ReadingStatus.DONE)
    assert cases.who.status(cases.current) is ReadingStatus.DONE, "it is shown before it is written"
    runner.finish()
    assert cases.counted == (1, 5)
    project.journal.flush()
    assert _statuses(project) == ["done", "to do", "to do", "to do", "to do"]


def test_a_status_can_be_said_of_a_case_that_was_never_opened(
    workspace: Workspace, project: Project, runner: StepRunner
) -> None:
    row = workspace.worklist.rows[3]
    assert workspace.worklist.changes.set_status(row, ReadingStatus.FLAGGED)
    runner.finish()
    assert _statuses(project)[3] == "flagged"
    assert [one.reader for one in project.cases()[3].readings] == ["Ada"]


def test_statuses_of_many_cases_are_shown_written_and_said_at_once(
    workspace: Workspace, project: Project, runner: StepRunner
) -> None:
    cases = workspace.worklist
    cases.changes.set_status(cases.rows[0], ReadingStatus.IN_WORK)
    cases.changes.set_status(cases.rows[1], ReadingStatus.IN_WORK)
    runner.finish()
    shown: list[int] = []
    said: list[str] = []
    cases.changed.connect(lambda: shown.append(len(cases.rows)))
    workspace.message.connect(lambda message: said.append(message.text))
    cases.changes.set_statuses(cases.rows, ReadingStatus.FLAGGED)
    assert [cases.who.status(row) for row in cases.rows[:2]] == [ReadingStatus.FLAGGED] * 2
    assert len(shown) == 1, "the list is shown once"
    assert runner.titles() == ["WriteCases"], "it is written by one job"
    assert said == ["5 cases: Flagged."]
    runner.finish()
    assert _statuses(project) == ["flagged"] * 5
    assert len(shown) == 2, "and read again once"
    cases.changes.set_statuses(cases.rows[:1], ReadingStatus.DONE)
    assert said[-1] == "P0001 · CT series s0: Done."


def test_next_leaves_out_what_is_done_flagged_or_left_out_and_says_when_nothing_is_left(
    workspace: Workspace, runner: StepRunner, project: Project
) -> None:
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    cases = workspace.worklist
    cases.changes.set_status(cases.rows[0], ReadingStatus.DONE)
    cases.changes.set_status(cases.rows[1], ReadingStatus.FLAGGED)
    cases.changes.exclude([3], "motion")
    runner.finish()
    cases.open_next()
    runner.finish()
    assert cases.current == cases.row(4)
    cases.open_next()
    runner.finish()
    assert cases.current == cases.row(5)
    for number in (4, 5):
        row = cases.row(number)
        assert row is not None
        cases.changes.set_status(row, ReadingStatus.DONE)
    runner.finish()
    cases.open_next()
    assert said[-1] == "No other case is left to do."
    cases.changes.include([3])
    runner.finish()
    cases.open_next()
    runner.finish()
    assert cases.current == cases.row(3)


def test_the_list_is_filtered_searched_and_sorted(workspace: Workspace, runner: StepRunner, project: Project) -> None:
    cases = workspace.worklist
    cases.changes.set_status(cases.rows[0], ReadingStatus.DONE)
    cases.changes.set_status(cases.rows[1], ReadingStatus.FLAGGED)
    cases.changes.exclude([3], "motion")
    runner.finish()

    def shown(which: Which = Which.ALL, *, text: str = "", order: Order = Order.LIST) -> list[int]:
        cases.look_for(CaseFilter(which, text, order))
        return [row.case_id for row in cases.shown]

    assert shown(Which.MINE) == [4, 5]
    assert shown(Which.DONE) == [1]
    assert shown(Which.FLAGGED) == [2]
    assert shown(Which.EXCLUDED) == [3]
    assert shown(text="s3 ct") == [4]
    assert shown(text="MOTION") == [3]
    assert shown(text="p0002") == [2]
    assert shown(order=Order.STATUS) == [4, 5, 2, 1, 3]
    # Names are in the project and not in what is searched.
    assert shown(text="Phantom") == []
    cases.look_for(CaseFilter(text="s4"))
    cases.open_next()
    runner.finish()
    assert cases.current == cases.row(5)


def test_work_is_timed_without_pauses_and_noted_when_the_case_is_left(
    workspace: Workspace, project: Project, runner: StepRunner
) -> None:
    clock = StillClock()
    workspace.efforts.clock = WorkClock(clock)
    workspace.worklist.open_next()
    runner.finish()
    workspace.efforts.sign()
    for _n in range(3):
        clock.forward(seconds=20)
        workspace.efforts.sign()
    assert "WriteCases" in runner.titles(), "after a minute"
    clock.forward(seconds=600)
    workspace.efforts.sign()
    clock.forward(seconds=15.5)
    workspace.worklist.open_next()
    runner.finish()
    assert [case.seconds for case in project.cases()] == [75, 0, 0, 0, 0]
    closed = [entry for entry in project.activity.entries(case_id=1) if entry.kind == ActivityKind.CLOSED.value]
    assert [entry.details["seconds"] for entry in closed] == [75]
    row = workspace.worklist.row(1)
    assert row is not None
    assert case_detail(row, workspace.worklist.who) == "To do · 1 min"


def test_what_waits_is_written_when_the_project_is_closed(
    workspace: Workspace, project: Project, runner: StepRunner
) -> None:
    workspace.worklist.open_next()
    runner.finish()
    assert workspace.worklist.current is not None
    workspace.worklist.changes.set_status(workspace.worklist.current, ReadingStatus.DONE)
    workspace.worklist.let_go()
    assert _statuses(project)[0] == "done"
    # The job that comes too late finds nothing left to write.
    runner.finish()
    assert sum(entry.kind == ActivityKind.STATUS.value for entry in project.activity.entries()) == 1


def test_going_on_quickly_stops_what_is_still_being_read(workspace: Workspace, runner: StepRunner) -> None:
    workspace.worklist.open(1)
    workspace.worklist.open(2)
    assert runner.titles() == ["FindCase"]
    runner.step("FindCase")
    workspace.worklist.open(4)
    runner.finish()
    assert workspace.worklist.current == workspace.worklist.row(4)


def test_files_that_are_gone_are_said_and_found_again_once_their_folder_is_added(
    workspace: Workspace, project: Project, runner: StepRunner, images: Path
) -> None:
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    (images / "s0").rename(images.parent / "s0")
    workspace.worklist.open(1)
    runner.finish()
    assert said[-1].startswith("The files of this case are no longer where they were")
    AddCases(project, (WantedPlace(images.parent / "s0"),), InlinePool()).run(Inline())
    workspace.worklist.open(1)
    runner.finish()
    assert _open(workspace) == ["series s0"]


def test_a_project_that_is_only_read_is_listed_and_changes_nothing(
    tmp_path: Path, project: Project, runner: StepRunner
) -> None:
    row = project.cases()[0]
    images = project.worklist.images(row.case_id)
    reading = project.reading(images.key, images.geometry, images.sources)
    project.set_status(reading.reading_id, ReadingStatus.DONE)
    said: list[str] = []
    with Project.open(project.path, read_only=True, reader="Grace") as copy:
        workspace = queue_workspace(tmp_path, runner, copy)
        workspace.message.connect(lambda message: said.append(message.text))
        cases = workspace.worklist
        cases.load()
        runner.finish()
        # There is one reader, whose work it is that is looked at.
        assert [cases.who.status(row) for row in cases.rows][:2] == [ReadingStatus.DONE, ReadingStatus.TO_DO]
        assert not cases.changes.set_status(cases.rows[1], ReadingStatus.DONE)
        cases.changes.exclude([2], "motion")
        cases.changes.tell("# Other")
        assert said == [copy.read_only_reason] * 3
        cases.open(2)
        runner.finish()
        assert workspace.active is not None
        assert workspace.active.read_only
        assert "WriteCases" not in runner.titles()


def test_by_the_rule_a_case_that_another_reader_has_begun_is_theirs(
    tmp_path: Path, project: Project, runner: StepRunner
) -> None:
    images = project.worklist.images(1)
    project.reading(images.key, images.geometry, images.sources)
    project.worklist.keep_reading_rule(ReadingRule(everybody=False, double_every=0))
    project.close()
    with Project.open(project.path, reader="Grace") as grace:
        workspace = queue_workspace(tmp_path, runner, grace)
        workspace.worklist.load()
        runner.finish()
        assert workspace.worklist.counted == (0, 4)
        assert workspace.worklist.following(None) == workspace.worklist.row(2)
        row = workspace.worklist.row(1)
        assert row is not None
        assert case_title(row) == "P0001 · CT series s0"
        assert case_detail(row, workspace.worklist.who) == "To do · also Ada"
        workspace.worklist.changes.use_rule(ReadingRule(everybody=False, double_every=1))
        runner.finish()
        assert workspace.worklist.counted == (0, 5)


def test_times_of_work_in_words() -> None:
    assert [spent(n) for n in (5, 90, 3540, 3605, 7500)] == ["5 s", "2 min", "59 min", "1 h 00", "2 h 05"]


def test_what_the_project_labels_is_there_to_be_drawn_and_is_no_work_yet(
    workspace: Workspace, project: Project, runner: StepRunner
) -> None:
    labels = LabelSet("Chest", (LabelEntry("Nodule"), LabelEntry("Vessel")))
    project.label_set.keep(json.dumps(as_document(labels)))
    workspace.worklist.open(1)
    runner.finish()
    assert workspace.active is not None
    assert [one.name for one in workspace.active.labels.segmentation.segments] == ["Nodule", "Vessel"]
    assert workspace.active.history.next_undo() is None
    project.journal.flush()
    assert _statuses(project)[0] == "to do"
    workspace.worklist.open(2)
    runner.finish()
    workspace.worklist.open(1)
    runner.finish()
    assert [one.name for one in workspace.active.labels.segmentation.segments] == ["Nodule", "Vessel"]


def test_nothing_is_read_ahead_of_a_series_that_was_not_opened_from_the_list(
    workspace: Workspace, runner: StepRunner, images: Path
) -> None:
    open_series(workspace, *scanned(images / "s1"))
    runner.finish("OpenSeries")
    runner.finish("ListCases")
    assert workspace.worklist.current == workspace.worklist.row(2)
    assert "ReadCaseAhead" not in runner.titles()


def test_no_name_of_a_file_stands_in_the_list_while_identity_is_hidden(workspace: Workspace) -> None:
    row = replace(workspace.worklist.rows[0], modality="", description="Doe_Jane.nii.gz", patient="")
    assert case_title(row) == "Case 1 · Doe_Jane.nii.gz"
    assert case_title(row, hidden=True) == "Case 1 · Image file"


def test_what_was_read_ahead_is_let_go_of_when_the_case_is_closed(workspace: Workspace, runner: StepRunner) -> None:
    workspace.worklist.open(1)
    runner.finish()
    opener = cast(CaseOpener, workspace.worklist.opener)
    assert opener.at_hand == 2
    assert workspace.active is not None
    workspace.close_case(workspace.active.key)
    assert opener.at_hand is None


def test_reading_ahead_that_somebody_cancels_is_not_begun_again_and_the_case_can_be_opened(
    workspace: Workspace, runner: StepRunner
) -> None:
    workspace.worklist.open(1)
    while runner.titles() and runner.titles()[0] != "ReadCaseAhead":
        runner.step()
    job = next(job for job, request, _outcome in runner.waiting if type(request).__name__ == "ReadCaseAhead")
    job.cancel()
    runner.finish()
    workspace.worklist.load()
    runner.finish()
    assert cast(CaseOpener, workspace.worklist.opener).at_hand is None
    workspace.worklist.open_next()
    runner.finish()
    assert workspace.worklist.current == workspace.worklist.row(2)
