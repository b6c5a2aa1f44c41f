"""The queue of models in the window: its part of the column, the dialog that fills it, the studies browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtWidgets import QApplication, QListView
from pytestqt.qtbot import QtBot

from medview.core.study import ScanResult, Verdict
from medview.gui.dialogs.run_models import RunModelsDialog
from medview.gui.dialogs.run_rules import RunRulesDialog
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from medview.gui.parts.queue_rows import DETAIL_ROLE, TASK_ROLE, TITLE_ROLE
from medview.store.project import Project
from medview.workspace.jobs import InlineRunner, Job, JobStatus, Lane
from medview.workspace.queue import QueueTask, TaskState, tasks_of
from medview.workspace.run_rules import RunRule, run_on_open, run_rules, runs_on_open, use_run_rules
from medview.workspace.workspace import Workspace
from tests.gui.windows import make_window
from tests.ml.small_packs import document
from tests.workspace.queued import StepRunner, add_small_model, place_of, queue_workspace, scanned, write_small_ct

PACKS = Path(__file__).resolve().parents[2] / "resources" / "packs"


@pytest.fixture
def runner() -> StepRunner:
    return StepRunner()


@pytest.fixture
def workspace(tmp_path: Path, runner: StepRunner) -> Iterator[Workspace]:
    """Three series that are listed, a model for them and one that is for MR."""
    add_small_model(tmp_path)
    add_small_model(tmp_path, id="for-mr", name="Of the head", input={**document()["input"], "modality": ["MR"]})
    with Project.create(tmp_path / "p.medview") as project:
        made = queue_workspace(tmp_path, runner, project)
        series = [scanned(write_small_ct(tmp_path, f"s{n}"))[0] for n in range(3)]
        made.add_scan(str(tmp_path), ScanResult(tuple(series)))
        yield made


def opened(window: MainWindow) -> RunModelsDialog:
    QApplication.processEvents()
    (dialog,) = window.findChildren(RunModelsDialog)
    return dialog


def test_stacks_and_pictures_are_offered_to_models_that_see_slices(
    workspace: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    shutil.copytree(PACKS / "pneumonia-xray", tmp_path / "packs" / "pneumonia-xray")
    (tmp_path / "picture").mkdir()
    Image.new("L", (50, 40), 90).save(tmp_path / "picture" / "chest.png")
    series, entry = scanned(tmp_path / "picture")
    assert entry.verdict is Verdict.STACK
    dialog = RunModelsDialog(workspace, [(series, entry), (series, replace(entry, verdict=Verdict.REFUSED))])
    qtbot.addWidget(dialog)
    assert dialog.volumes == [(series, entry)]
    enabled = {key: box.isEnabled() for key, box in dialog.boxes.items()}
    assert enabled == {"pneumonia-xray@1.0.0": True, "example-organs@1.0.0": False, "for-mr@1.0.0": False}


def rows(window: MainWindow) -> list[tuple[str, str]]:
    model = window.side.queue.model
    return [(model.index(n).data(TITLE_ROLE), model.index(n).data(DETAIL_ROLE)) for n in range(model.rowCount())]


def test_the_part_is_there_while_there_are_tasks_and_says_how_far_they_are(
    window: MainWindow, workspace: Workspace, runner: StepRunner, qtbot: QtBot
) -> None:
    section = window.side.sections["queue"]
    assert section.isHidden()
    places = [place_of(Path(series.volumes[0].paths[0]).parent) for series in workspace.series]
    workspace.queue.add(tasks_of(["example-organs@1.0.0"], places))
    assert not section.isHidden()
    assert rows(window)[0] == ("CT series s0", "Organs (example) · Waiting")
    runner.step("ReadAhead")
    assert rows(window)[0][1] == "Organs (example) · Running"
    assert window.side.queue.summary.text() == "0 of 3"
    workspace.queue.job = Job("x", Lane.MODEL, JobStatus.RUNNING, fraction=0.5)
    window.side.queue.refresh()
    assert window.side.queue.bar.value() == round(1000 * 0.5 / 3)
    runner.finish()
    assert window.side.queue.summary.text() == "3 done"
    assert "It took" in rows(window)[0][1]
    qtbot.mouseClick(window.side.queue.clear, Qt.MouseButton.LeftButton)
    assert section.isHidden()


def test_its_buttons_pause_go_on_cancel_and_retry(
    window: MainWindow, workspace: Workspace, runner: StepRunner, qtbot: QtBot
) -> None:
    panel = window.side.queue
    places = [place_of(Path(series.volumes[0].paths[0]).parent) for series in workspace.series]
    workspace.queue.add(tasks_of(["example-organs@1.0.0"], places))
    qtbot.mouseClick(panel.pause, Qt.MouseButton.LeftButton)
    assert workspace.queue.queue.paused
    assert panel.summary.text().endswith("paused")
    assert panel.pause.toolTip() == "Go on with what waits"
    qtbot.mouseClick(panel.pause, Qt.MouseButton.LeftButton)
    assert not workspace.queue.queue.paused
    first = workspace.queue.queue.tasks[0]
    assert panel.retry.isHidden()
    workspace.queue.put(workspace.queue.queue.with_task(replace(first, state=TaskState.FAILED, sentence="It failed.")))
    assert not panel.retry.isHidden()
    assert rows(window)[0][1] == "Failed: It failed. · Organs (example)"
    qtbot.mouseClick(panel.retry, Qt.MouseButton.LeftButton)
    assert [task.state for task in workspace.queue.queue.tasks] == [TaskState.WAITING] * 3
    qtbot.mouseClick(panel.cancel, Qt.MouseButton.LeftButton)
    assert {task.state for task in workspace.queue.queue.tasks} == {TaskState.CANCELLED}
    runner.finish()


def test_the_menu_of_a_task_has_what_can_be_done_with_it(
    window: MainWindow, workspace: Workspace, runner: StepRunner
) -> None:
    places = [place_of(Path(series.volumes[0].paths[0]).parent) for series in workspace.series]
    workspace.queue.add(tasks_of(["example-organs@1.0.0"], places))
    panel, last = window.side.queue, workspace.queue.queue.tasks[-1]
    menu = panel.menu_of(last)
    entries = {action.text(): action for action in menu.actions()}
    assert list(entries) == ["Open the series", "Cancel", "Do next", "Do sooner", "Do later", "Do last"]
    entries["Do next"].trigger()
    assert workspace.queue.queue.tasks[0].task_uid == last.task_uid
    entries["Cancel"].trigger()
    again = panel.menu_of(workspace.queue.queue.find(last.task_uid) or last)
    assert [action.text() for action in again.actions()] == ["Open the series", "Retry", "Retry on the CPU"]
    entries["Open the series"].trigger()
    runner.step("OpenSeries")
    assert workspace.active is not None
    assert workspace.active.series.series_uid == last.place.series_uid
    workspace.queue.cancel()
    runner.finish()


def test_no_row_tells_the_patient_while_the_identity_is_hidden(
    window: MainWindow, workspace: Workspace, runner: StepRunner
) -> None:
    place = replace(place_of(Path(workspace.series[0].volumes[0].paths[0]).parent), modality="", description="Meier.nii.gz")
    failed = QueueTask("example-organs@1.0.0", place, TaskState.FAILED, "Meier.nii.gz is damaged.")
    workspace.queue.put(workspace.queue.queue.added([failed]))
    assert "Meier" in str(rows(window))
    workspace.bench.identity_hidden = True
    assert "Meier" not in str(rows(window))
    assert rows(window) == [("Image file", "Failed · Organs (example)")]
    runner.finish()


def test_several_series_chosen_in_the_browser_go_to_the_queue_with_the_models_they_are_for(
    window: MainWindow, workspace: Workspace, runner: StepRunner, qtbot: QtBot
) -> None:
    tree = window.studies.tree
    model = tree.model()
    leaves = [
        model.index(0, 0, study)
        for patient in range(model.rowCount())
        for study in [model.index(0, 0, model.index(patient, 0))]
    ]
    for index in leaves[:2]:
        tree.selectionModel().select(index, QItemSelectionModel.SelectionFlag.Select)
    assert len(window.studies.chosen()) == 2
    menu = window.studies.menu_for(leaves[0])
    assert menu is not None
    run = menu.actions()[0]
    assert run.text() == "Run models on 2 series..."
    run.trigger()
    dialog = opened(window)
    assert dialog.scope.currentText() == "The 2 chosen series"
    assert not dialog.add.isEnabled()
    assert not dialog.boxes["for-mr@1.0.0"].isEnabled()
    dialog.boxes["example-organs@1.0.0"].setChecked(True)
    assert dialog.add.text() == "Add 2 tasks to the queue"
    qtbot.mouseClick(dialog.add, Qt.MouseButton.LeftButton)
    assert len(workspace.queue.queue.tasks) == 2
    runner.finish()
    assert {task.state for task in workspace.queue.queue.tasks} == {TaskState.DONE}


def test_the_models_part_leads_to_all_series_that_are_listed(
    window: MainWindow, workspace: Workspace, runner: StepRunner, qtbot: QtBot
) -> None:
    window.side.models.several.click()
    dialog = opened(window)
    assert [dialog.scope.itemText(n) for n in range(dialog.scope.count())] == ["All 3 series that are listed"]
    dialog.boxes["example-organs@1.0.0"].setChecked(True)
    dialog.add.click()
    assert len(workspace.queue.queue.tasks) == 3
    workspace.queue.cancel()
    runner.finish()


def test_in_threads_the_whole_queue_is_done_beside_the_window(qtbot: QtBot, tmp_path: Path, threads: JobThreads) -> None:
    key = add_small_model(tmp_path)
    with Project.create(tmp_path / "p.medview") as project:
        workspace = queue_workspace(tmp_path, threads, project)
        window = make_window(qtbot, workspace, threads)
        places = [place_of(write_small_ct(tmp_path, f"s{n}")) for n in range(3)]
        workspace.queue.add(tasks_of([key], places))
        qtbot.waitUntil(lambda: not workspace.queue.queue.open, timeout=60_000)
        assert [task.state for task in workspace.queue.queue.tasks] == [TaskState.DONE] * 3
        assert window.message.label.text() == "Queue of models: 3 done."
        qtbot.waitUntil(lambda: not threads.jobs, timeout=10_000)
        threads.close()
        assert len(project.readings()) == 3
        assert all(project.load_reading(row.reading_id).labels.proposals for row in project.readings())


def test_a_hundred_tasks_are_shown_in_a_list_of_a_few_rows(qtbot: QtBot, tmp_path: Path) -> None:
    from medview.gui.panels.queue import QueuePanel

    with Project.create(tmp_path / "p.medview") as project:
        workspace = queue_workspace(tmp_path, InlineRunner(), project)
        panel = QueuePanel(workspace)
        qtbot.addWidget(panel)
        workspace.queue.pause()
        place = place_of(write_small_ct(tmp_path, "s0"))
        workspace.queue.add([QueueTask(f"model-{n}", place) for n in range(100)])
        assert panel.model.rowCount() == 100
        assert panel.rows.height() < 260


def test_turning_it_on_without_a_rule_asks_which_and_is_seen_until_it_is_turned_off(
    window: MainWindow, workspace: Workspace, qtbot: QtBot
) -> None:
    assert not runs_on_open(workspace)
    assert window.status.by_itself.isHidden()
    window.side.models.by_itself.click()
    QApplication.processEvents()
    (dialog,) = window.findChildren(RunRulesDialog)
    assert dialog.switch.isChecked()
    assert not runs_on_open(workspace)
    dialog.boxes["example-organs"].click()
    wanted, _unwanted = dialog.fields["example-organs"]
    qtbot.keyClicks(wanted, "chest , thorax,")
    qtbot.keyClick(wanted, Qt.Key.Key_Return)
    assert run_rules(workspace) == (RunRule("example-organs", ("chest", "thorax")),)
    assert not window.status.by_itself.isHidden()
    # Esc ends no editing of a field, and what was typed holds all the same.
    _wanted, unwanted = dialog.fields["example-organs"]
    unwanted.setFocus()
    qtbot.keyClicks(unwanted, "scout")
    qtbot.keyClick(unwanted, Qt.Key.Key_Escape)
    assert dialog.isHidden()
    assert run_rules(workspace) == (RunRule("example-organs", ("chest", "thorax"), ("scout",)),)
    window.side.models.by_itself.click()
    assert window.status.by_itself.isHidden()
    assert run_rules(workspace) == (RunRule("example-organs", ("chest", "thorax"), ("scout",)),)


def test_who_looks_at_a_task_far_down_goes_on_doing_so_while_others_come_and_move(
    window: MainWindow, workspace: Workspace, runner: StepRunner, qtbot: QtBot
) -> None:
    place = place_of(Path(workspace.series[0].volumes[0].paths[0]).parent)
    workspace.queue.pause()
    tasks = [QueueTask(f"model-{n}@1.0.0", place) for n in range(40)]
    workspace.queue.add(tasks)
    panel = window.side.queue
    qtbot.waitUntil(lambda: panel.rows.verticalScrollBar().maximum() > 0)
    panel.rows.scrollTo(panel.model.index(25), QListView.ScrollHint.PositionAtTop)
    panel.rows.setCurrentIndex(panel.model.index(27))

    def shown() -> tuple[str, str]:
        top, chosen = panel.rows.indexAt(QPoint(1, 1)), panel.rows.currentIndex()
        return top.data(TASK_ROLE).model, chosen.data(TASK_ROLE).model

    assert shown() == ("model-25@1.0.0", "model-27@1.0.0")
    workspace.queue.add([QueueTask("first@1.0.0", place)], first=True)
    assert shown() == ("model-25@1.0.0", "model-27@1.0.0")
    workspace.queue.move(tasks[39].task_uid, -39)
    assert shown() == ("model-25@1.0.0", "model-27@1.0.0")
    panel.rows.scrollToTop()
    workspace.queue.add([QueueTask("last@1.0.0", place)])
    assert shown() == ("first@1.0.0", "model-27@1.0.0")


def test_rules_of_models_that_are_not_installed_now_stay(window: MainWindow, workspace: Workspace) -> None:
    gone = RunRule("gone", ("head",))
    use_run_rules(workspace, [gone])
    run_on_open(workspace, on=True)
    window.actions_table.run("queue.rules")
    QApplication.processEvents()
    (dialog,) = window.findChildren(RunRulesDialog)
    assert set(dialog.boxes) == {"example-organs", "for-mr"}
    dialog.boxes["for-mr"].click()
    assert run_rules(workspace) == (RunRule("for-mr"), gone)
    dialog.accept()
