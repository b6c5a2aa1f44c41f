"""The part of the column that says what to label next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from medview.core.job import Inline
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from medview.gui.parts.next_rows import DETAIL_ROLE, MINUTES_ROLE, TITLE_ROLE
from medview.io.library import Library
from medview.io.reader_pool import InlinePool
from medview.ml.next_cases.strategy import Strategy
from medview.store.project import Project
from medview.workspace.case_adding import AddCases, WantedPlace
from medview.workspace.jobs import Lane, Outcome
from medview.workspace.view_state import Mode
from medview.workspace.workspace import Workspace
from tests.gui.windows import make_window
from tests.workspace.queued import StepRunner, add_small_model, queue_workspace, write_small_ct

CASES = 3


@pytest.fixture
def runner() -> StepRunner:
    return StepRunner()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    add_small_model(tmp_path)
    folders = [write_small_ct(tmp_path / "ct", f"s{n}") for n in range(CASES)]
    with Project.create(tmp_path / "p.medview") as made:
        wanted = tuple(WantedPlace(folder) for folder in folders)
        AddCases(made, wanted, InlinePool(), Library(tmp_path / "cache")).run(Inline())
        yield made


@pytest.fixture
def workspace(tmp_path: Path, runner: StepRunner, project: Project) -> Workspace:
    """A project with three cases of three patients, and a model for them."""
    return queue_workspace(tmp_path, runner, project)


def rows(window: MainWindow) -> list[tuple[str, str, str]]:
    model = window.side.next_cases.model
    every = range(model.rowCount())
    return [tuple(model.index(n).data(role) for role in (TITLE_ROLE, DETAIL_ROLE, MINUTES_ROLE)) for n in every]  # type: ignore[misc]


def test_it_stands_in_annotation_of_a_project_and_reads_nothing_before_it_is_unfolded(
    window: MainWindow, workspace: Workspace, runner: StepRunner
) -> None:
    section = window.side.sections["next"]
    assert section.isHidden()
    workspace.worklist.load()
    runner.finish()
    assert section.isHidden()
    workspace.bench.mode = Mode.ANNOTATE
    assert not section.isHidden()
    assert "ReadKnown" not in runner.titles()
    window.side.show_part("next")
    assert "ReadKnown" in runner.titles()
    runner.finish()
    panel = window.side.next_cases
    assert panel.models.currentText() == "Organs (example) 1.0.0"
    assert panel.summary.text() == "0 of 3 cases looked at"
    assert panel.rows.isHidden()
    workspace.bench.mode = Mode.READ
    assert section.isHidden()


def test_a_look_up_that_was_cancelled_can_be_tried_again_and_says_nothing_of_models(
    window: MainWindow, workspace: Workspace, runner: StepRunner, qtbot: QtBot
) -> None:
    workspace.bench.mode = Mode.ANNOTATE
    workspace.worklist.load()
    runner.finish()
    window.side.show_part("next")
    panel = window.side.next_cases
    assert panel.summary.text() == "What is known of the cases is being looked up."
    (looking,) = [job for job, request, _outcome in runner.waiting if type(request).__name__ == "ReadKnown"]
    looking.cancel()
    assert panel.summary.text() == "That was cancelled."
    assert panel.look.text() == "Try again"
    qtbot.mouseClick(panel.look, Qt.MouseButton.LeftButton)
    runner.finish()
    assert panel.summary.text() == "0 of 3 cases looked at"
    assert panel.look.text() == "Look at 3 cases"


def test_cases_are_listed_with_reason_and_minutes_chance_beside_them_and_a_click_opens_one_at_its_slice(
    window: MainWindow, workspace: Workspace, runner: StepRunner, qtbot: QtBot
) -> None:
    workspace.bench.mode = Mode.ANNOTATE
    workspace.worklist.load()
    runner.finish()
    window.side.show_part("next")
    runner.finish()
    panel = window.side.next_cases
    assert panel.look.text() == "Look at 3 cases"
    assert panel.switches[Strategy.UNCERTAINTY].isHidden()
    qtbot.mouseClick(panel.look, Qt.MouseButton.LeftButton)
    assert panel.look.text() == "Pause"
    runner.finish()
    assert panel.summary.text() == "3 of 3 cases looked at"
    assert panel.look.isHidden()
    listed = rows(window)
    assert len(listed) == CASES
    assert all("uncertain on slices" in reason for _title, reason, _minutes in listed)
    assert all("min" in minutes for _title, _reason, minutes in listed)
    assert "guess" in panel.note.text()
    qtbot.mouseClick(panel.switches[Strategy.FOREGROUND_RANDOM], Qt.MouseButton.LeftButton)
    assert all(reason.startswith("Drawn by chance") for _title, reason, _minutes in rows(window))
    place = panel.rows.visualRect(panel.model.index(0)).center()
    wanted = workspace.next_cases.shown[0]
    qtbot.mouseClick(panel.rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    runner.finish()
    assert workspace.worklist.current is not None
    assert workspace.worklist.current.case_id == wanted.case_id
    assert workspace.active is not None
    assert workspace.active.view.crosshair_kji[0] == wanted.ranges[0].best
    first = [case.case_id for case in workspace.next_cases.shown]
    qtbot.mouseClick(panel.first, Qt.MouseButton.LeftButton)
    runner.finish()
    assert [row.case_id for row in workspace.worklist.rows][: len(first)] == first


def test_the_menu_leads_to_it_from_wherever_one_is(window: MainWindow, workspace: Workspace, runner: StepRunner) -> None:
    assert not window.actions_table["case.what_next"].isEnabled()
    workspace.worklist.load()
    runner.finish()
    workspace.bench.panels_visible = False
    window.actions_table.run("case.what_next")
    assert workspace.bench.mode is Mode.ANNOTATE
    assert window.side.next_cases.isVisible()
    assert not window.side.next_cases.visibleRegion().isEmpty()


def test_no_row_tells_the_patient_while_the_identity_is_hidden(
    window: MainWindow, workspace: Workspace, runner: StepRunner
) -> None:
    workspace.bench.mode = Mode.ANNOTATE
    workspace.worklist.load()
    runner.finish()
    window.side.show_part("next")
    runner.finish()
    workspace.next_cases.begin()
    runner.finish()
    workspace.bench.identity_hidden = True
    model = window.side.next_cases.model
    told = str([model.index(n).data() for n in range(model.rowCount())])
    assert "Phantom" not in told
    assert "P000" in told


def test_in_threads_it_gives_way_to_a_model_somebody_asks_for_and_goes_on(
    qtbot: QtBot, tmp_path: Path, threads: JobThreads, project: Project
) -> None:
    workspace = queue_workspace(tmp_path, threads, project)
    window = make_window(qtbot, workspace, threads)
    workspace.bench.mode = Mode.ANNOTATE
    workspace.worklist.load()
    state = workspace.next_cases
    qtbot.waitUntil(lambda: state.wanted)
    window.side.show_part("next")
    qtbot.waitUntil(lambda: state.total == CASES, timeout=30_000)
    state.begin()
    order: list[str] = []
    state.changed.connect(lambda: order.append("case") if state.looked and "case" not in order else None)
    asked = _Asked()
    threads.submit(asked, Outcome(lambda _value: order.append("asked")))
    qtbot.waitUntil(lambda: state.looked == CASES and not state.looking, timeout=60_000)
    qtbot.waitUntil(lambda: not threads.jobs, timeout=10_000)
    assert order == ["asked", "case"]
    threads.close()


class _Asked:
    """A model somebody asked for."""

    title = "Running"
    lane = Lane.MODEL

    def run(self, _context: object) -> None:
        """Nothing takes long here."""
