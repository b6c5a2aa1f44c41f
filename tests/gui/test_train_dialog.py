"""Training from the window: two steps with good defaults, followed, asked, compared, its worst cases opened by a click."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from medview.gui.dialogs.train import TrainDialog
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from medview.ml.guards.finding import GuardFinding, Severity
from medview.ml.runs.events import EventLog
from medview.ml.runs.folder import RunFolder
from medview.ml.runs.samples import SampleSlice, write_found, write_slices
from medview.ml.spec import Task
from medview.store.project import Project
from medview.workspace.model_line import ModelLines, Verdict
from medview.workspace.requests_training import runs_folder
from medview.workspace.trainings import Refusal, Trainings, Wish
from medview.workspace.workspace import Workspace
from tests.ml.runs.test_runs import settings
from tests.ml.small_packs import small_pack
from tests.workspace.exported import labelled
from tests.workspace.queued import queue_workspace

_PATIENCE_MS = 20_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return labelled(tmp_path_factory.mktemp("labelled")).project


@pytest.fixture
def project(made: Path) -> Iterator[Project]:
    with Project.open(made) as opened:
        yield opened


@pytest.fixture
def workspace(tmp_path: Path, threads: JobThreads, project: Project) -> Workspace:
    made = queue_workspace(tmp_path, threads, project)
    made.worklist.load()
    return made


@pytest.fixture
def trainings(workspace: Workspace) -> Trainings:
    return workspace.trainings


@pytest.fixture
def dialog(window: MainWindow, workspace: Workspace, qtbot: QtBot) -> TrainDialog:
    qtbot.waitUntil(lambda: len(workspace.worklist.rows) == 3)
    window.actions_table.run("train.open")
    found = window.trainings.dialog
    assert found is not None
    return found


def run_of(project: Project, number: int, score: float) -> RunFolder:
    """Return a training that is over."""
    run = RunFolder(runs_folder(project.path) / f"segmentation-{number}")
    run.path.mkdir(parents=True, exist_ok=True)
    log = EventLog(run.events)
    log.add("stage", name="train")
    for step in range(1, 9):
        log.add("step", step=step, steps=8, rate=0.1, loss=1.0 / step)
    for step in (4, 8):
        log.add("check", step=step, best=step == 8, score=score, dice_Lung=score + 0.1)
    log.add("done", score=score)
    log.close()
    plane = np.zeros((6, 8), dtype=np.uint8)
    write_slices(run, [SampleSlice("case_0002", 1, 1.0, plane + 90, np.eye(6, 8, dtype=np.uint8))])
    write_found(run, 8, [np.eye(6, 8, k=1, dtype=np.uint8)])
    worst = [{"case": "case_0002", "score": 0.2, "why": "Dice 0.200 of Lung", "at_kji": [3, 4, 5]}]
    headline = {"name": "dice", "title": "Dice, mean over classes", "value": score, "low": score - 0.1, "high": score + 0.1}
    run.write_json(run.report, {"cases": 1, "patients": 1, "headlines": [headline], "worst": worst})
    run.write_json(run.result, {"score": score})
    run.write_json(run.settings_file, settings().document())
    return run


@pytest.fixture
def over(project: Project) -> Iterator[list[RunFolder]]:
    runs = [run_of(project, 1, 0.5), run_of(project, 2, 0.7)]
    yield runs
    for run in runs:
        for file in sorted(run.path.rglob("*"), reverse=True):
            file.unlink() if file.is_file() else file.rmdir()
        if run.path.exists():
            run.path.rmdir()


def test_one_key_and_start_are_enough_for_a_training_with_good_defaults(
    dialog: TrainDialog, trainings: Trainings, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = dialog.setup
    assert not setup.start.isEnabled()
    qtbot.waitUntil(lambda: trainings.outlook is not None, timeout=_PATIENCE_MS)
    assert setup.chosen is not None
    assert setup.chosen.task is Task.SEGMENTATION
    assert setup.cases.text().startswith("3 reviewed cases of 3 patients.")
    assert setup.left_out.text() == "No case is left out."
    wishes: list[Wish] = []
    monkeypatch.setattr(trainings.conductor, "start", wishes.append)
    qtbot.mouseClick(setup.start, Qt.MouseButton.LeftButton)
    assert [(one.task, one.minutes, one.confirmed, one.without_leaks) for one in wishes] == [
        (Task.SEGMENTATION, 5.0, frozenset(), False)
    ]


def test_what_the_guards_ask_has_to_be_ticked_before_it_begins(
    dialog: TrainDialog, trainings: Trainings, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    qtbot.waitUntil(lambda: trainings.outlook is not None, timeout=_PATIENCE_MS)
    wish, setup = Wish(Task.SEGMENTATION), dialog.setup
    leak = GuardFinding("same-patient", Severity.BLOCK, "P0001 is in two splits.")
    ask = GuardFinding("small", Severity.CONFIRM, "Lung is small in case_0001.")
    trainings.refuse(Refusal(wish, leak.sentence, (leak, ask)))
    assert [box.accessibleName() for box in setup.asked.boxes] == [
        "Leave those cases out that also stand in another split", "Lung is small in case_0001.",
    ]  # fmt: skip
    assert not setup.start.isEnabled()
    for box in setup.asked.boxes:
        box.setChecked(True)
    assert setup.start.isEnabled()
    wishes: list[Wish] = []
    monkeypatch.setattr(trainings.conductor, "start", wishes.append)
    qtbot.mouseClick(setup.start, Qt.MouseButton.LeftButton)
    assert (wishes[0].confirmed, wishes[0].without_leaks) == ({"Lung is small in case_0001."}, True)
    block = GuardFinding("no-validation", Severity.BLOCK, "There are no validation cases.")
    trainings.refuse(Refusal(wish, block.sentence, (block, ask)))
    assert setup.asked.boxes == []
    assert not setup.start.isEnabled()


def test_a_training_shows_its_course_and_its_worst_case_opens_at_the_slice(
    dialog: TrainDialog, workspace: Workspace, over: list[RunFolder], qtbot: QtBot
) -> None:
    workspace.trainings.conductor.look()
    qtbot.waitUntil(lambda: dialog.list.count() == 2, timeout=_PATIENCE_MS)
    dialog.show_run("segmentation-2")
    page = dialog.page
    assert page.isVisible()
    assert "best score 0.700 at step 8" in page.detail.text()
    qtbot.waitUntil(lambda: page.curves is not None, timeout=_PATIENCE_MS)
    assert set(page.curves._lines) == {"score", "dice_Lung"}
    qtbot.waitUntil(lambda: "segmentation-2" in workspace.trainings.samples, timeout=_PATIENCE_MS)
    qtbot.waitUntil(lambda: page.report.worst.rowCount() == 1, timeout=_PATIENCE_MS)
    assert page.report.worst.item(0, 0).text() == "Case 2, slice 4"
    page.report.worst.cellClicked.emit(0, 0)
    qtbot.waitUntil(lambda: workspace.active is not None, timeout=_PATIENCE_MS)
    assert workspace.active is not None
    assert workspace.active.view.crosshair_kji[0] == 3
    row = workspace.worklist.row_of(workspace.active)
    assert row is not None
    assert row.case_id == 2


def test_what_was_told_of_the_labels_stands_with_the_training(
    dialog: TrainDialog, workspace: Workspace, over: list[RunFolder], qtbot: QtBot
) -> None:
    left_out = "1 case is left out: its picture or patient is in another split."
    told = [left_out, *(f"Lung is small in case_{n:04}." for n in range(4))]
    over[0].write_json(over[0].guards, {"findings": [{"sentence": "Lung is small in case_0001."}]})
    over[1].write_json(over[1].guards, {"findings": [], "told": told})
    workspace.trainings.conductor.look()
    qtbot.waitUntil(lambda: dialog.list.count() == 2, timeout=_PATIENCE_MS)
    dialog.show_run("segmentation-2")
    said = dialog.page.told
    assert said.text().split("\n") == [*told[:3], "and 2 more"]
    assert said.toolTip().split("\n")[1:] == told
    dialog.show_run("segmentation-1")
    assert said.text() == "Lung is small in case_0001.", "one of before, which lacks the rest"
    over[0].guards.unlink()
    workspace.trainings.conductor.look()
    qtbot.waitUntil(lambda: not said.isVisible(), timeout=_PATIENCE_MS)


def test_two_trainings_stand_beside_each_other_and_one_is_deleted_after_a_question(
    dialog: TrainDialog, workspace: Workspace, over: list[RunFolder], qtbot: QtBot
) -> None:
    workspace.trainings.conductor.look()
    qtbot.waitUntil(lambda: dialog.list.count() == 2, timeout=_PATIENCE_MS)
    assert dialog.stack.currentWidget() is dialog.setup, "what is over is shown to who asks for it"
    dialog.list.selectAll()
    table = dialog.compare.table
    qtbot.waitUntil(lambda: table.rowCount() == 1, timeout=_PATIENCE_MS)
    assert dialog.stack.currentWidget() is dialog.compare
    assert table.item(0, 3).text() == "+0.200"
    dialog.show_run("segmentation-1")
    qtbot.mouseClick(dialog.page.delete, Qt.MouseButton.LeftButton)
    (box,) = dialog.findChildren(QMessageBox)
    assert over[0].path.exists()
    (delete,) = [button for button in box.buttons() if button.text() == "Delete"]
    qtbot.mouseClick(delete, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog.list.count() == 1, timeout=_PATIENCE_MS)
    assert not over[0].path.exists()
    assert dialog.stack.currentWidget() is dialog.setup


def test_buttons_ask_the_training_that_goes_on_and_the_column_tells_of_it(
    dialog: TrainDialog, window: MainWindow, workspace: Workspace, over: list[RunFolder], qtbot: QtBot
) -> None:
    run = over[1]
    run.result.unlink()
    with run.held():
        workspace.trainings.conductor.look()
        qtbot.waitUntil(lambda: workspace.trainings.going is not None, timeout=_PATIENCE_MS)
        assert window.side.training.wanted
        assert not window.side.sections["training"].isHidden()
        dialog.show_run(run.path.name)
        assert not dialog.page.go_on.isVisible()
        assert not dialog.page.delete.isVisible()
        qtbot.mouseClick(dialog.page.pause, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(run.control.exists, timeout=_PATIENCE_MS)
        assert json.loads(run.control.read_text()) == {"ask": "pause"}
        run.control.unlink()
    # The window looks by itself while one goes on.
    qtbot.waitUntil(lambda: workspace.trainings.going is None, timeout=_PATIENCE_MS)
    qtbot.waitUntil(dialog.page.go_on.isVisible, timeout=_PATIENCE_MS)
    assert not window.side.training.wanted


def test_a_model_that_was_not_taken_in_says_why_and_is_taken_in_by_a_button(
    dialog: TrainDialog, workspace: Workspace, over: list[RunFolder], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    over[1].write_json(over[1].gate, {"verdict": "kept", "sentence": "v2 is not better than v1: kept v1."})
    over[1].write_json(over[1].line, {"line": "segmentation", "project_uid": "another"})
    trainings, asked = workspace.trainings, []
    trainings.conductor.look()
    qtbot.waitUntil(lambda: "segmentation-2" in trainings.not_taken, timeout=_PATIENCE_MS)
    dialog.show_run("segmentation-2")
    card = dialog.page.gate
    qtbot.waitUntil(card.isVisible, timeout=_PATIENCE_MS)
    assert card.counts.text().startswith("The project did not take the model in: segmentation-2 ")
    monkeypatch.setattr(trainings.conductor, "take_in", asked.append)
    qtbot.mouseClick(card.use, Qt.MouseButton.LeftButton)
    assert asked == ["segmentation-2"]


def test_the_gates_answer_is_shown_and_a_person_has_the_last_word(
    dialog: TrainDialog, workspace: Workspace, project: Project, over: list[RunFolder], tmp_path: Path, qtbot: QtBot
) -> None:
    lines = ModelLines(project)
    first, second = (small_pack(tmp_path / name, version=name) for name in ("1", "2"))
    sentence = "v2 is not better than v1: kept v1."
    row = {"name": "Lung", "new": 0.7, "current": 0.8, "difference": -0.1, "ci95": [-0.15, -0.05], "verdict": "worse"}
    gate = {
        "verdict": "kept", "sentence": sentence, "new": {"title": "v2"}, "current": {"title": "v1"}, "per_class": [row],
        "headline": {"name": "dice", **row},
        "by_case": [{"case": "case_0003", "new": 0.6, "current": 0.8, "difference": -0.2}],
    }  # fmt: skip
    lines.add("segmentation", first, Verdict.FIRST, reason="The first.", run="segmentation-1")
    lines.add("segmentation", second, Verdict.KEPT, reason=sentence, run="segmentation-2", gate=gate, compared=1)
    over[1].write_json(over[1].gate, gate)
    over[1].write_json(over[1].taken, {"version": 2})
    workspace.trainings.conductor.look()
    workspace.trainings.conductor.read_lines()
    qtbot.waitUntil(lambda: dialog.list.count() == 2 and bool(workspace.trainings.lines), timeout=_PATIENCE_MS)
    dialog.show_run("segmentation-2")
    card = dialog.page.gate
    qtbot.waitUntil(card.isVisible, timeout=_PATIENCE_MS)
    assert card.sentence.text() == sentence
    assert card.counts.text() == "v1 counts now."
    assert [card.classes.item(1, n).text() for n in range(6)] == [
        "Lung", "0.800", "0.700", "-0.100", "-0.150 … -0.050", "worse",
    ]  # fmt: skip
    assert card.cases.item(0, 0).text() == "Case 3"
    assert card.use.text() == "Use v2 all the same"
    qtbot.mouseClick(card.use, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card.counts.text() == "v2 counts now.", timeout=_PATIENCE_MS)
    assert not card.use.isVisible()
    assert card.back.text() == "Roll back to v1"
    qtbot.mouseClick(card.back, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card.counts.text() == "v1 counts now.", timeout=_PATIENCE_MS)
    qtbot.mouseClick(dialog.versions_of, Qt.MouseButton.LeftButton)
    table = dialog.versions.table
    assert [table.item(n, 0).text() for n in range(2)] == ["v2", "v1, counts"]
    assert "chosen by" in table.item(0, 3).text()
    table.selectRow(0)
    qtbot.mouseClick(dialog.versions.use, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: table.item(0, 0).text() == "v2, counts", timeout=_PATIENCE_MS)
