"""The list of cases in the window: by choice, the next one by key, statuses, filters, reasons, instructions, projects."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from medview.core.job import Inline
from medview.core.label_set import LabelEntry, LabelSet
from medview.core.reading_rule import ReadingRule
from medview.core.reading_status import ReadingStatus
from medview.gui.app import Program
from medview.gui.browser.case_rows import CASE_ROLE, DETAIL_ROLE, TITLE_ROLE
from medview.gui.dialogs.instructions import InstructionsDialog
from medview.gui.dialogs.leave_out import LeaveOutDialog
from medview.gui.dialogs.new_project import NewProjectDialog
from medview.gui.dialogs.reading_rule import ReadingRuleDialog
from medview.gui.main_window import MainWindow
from medview.io.reader_pool import InlinePool
from medview.store.project import Project
from medview.workspace.case_adding import AddCases, WantedPlace
from medview.workspace.case_filter import Order, Which
from medview.workspace.jobs import InlineRunner
from medview.workspace.new_project import NewProject
from medview.workspace.workspace import Workspace
from tests.helpers.timing import allowed_s
from tests.store.many_cases import add_many_cases
from tests.workspace.queued import queue_workspace, write_small_ct


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "Nodules.medview", "Nodules", reader="Ada") as made:
        for n in range(4):
            write_small_ct(tmp_path / "images", f"s{n}")
        places = tuple(WantedPlace(tmp_path / "images" / f"s{n}") for n in range(4))
        AddCases(made, places, InlinePool()).run(Inline())
        yield made


@pytest.fixture
def workspace(tmp_path: Path, project: Project) -> Workspace:
    made = queue_workspace(tmp_path, InlineRunner(), project)
    made.worklist.load()
    return made


def rows(window: MainWindow) -> list[tuple[str, str]]:
    model = window.left.cases.model
    return [(model.index(n).data(TITLE_ROLE), model.index(n).data(DETAIL_ROLE)) for n in range(model.rowCount())]


def choose(window: MainWindow, number: int) -> None:
    listed = window.left.cases.list
    listed.setFocus()
    QApplication.processEvents()
    listed.setCurrentIndex(listed.model().index(number, 0))


def test_the_list_says_how_far_each_case_is_and_how_far_all_are(window: MainWindow, workspace: Workspace) -> None:
    window.actions_table.run("case.list")
    panel = window.left.cases
    assert panel.isVisible()
    assert not window.studies.isVisible()
    assert panel.name.text() == "Nodules"
    assert panel.progress.text() == "0 of 4 done by Ada"
    assert rows(window)[0] == ("P0001 · CT series s0", "To do")
    workspace.worklist.changes.set_status(workspace.worklist.rows[0], ReadingStatus.DONE)
    assert panel.progress.text() == "1 of 4 done by Ada"
    assert rows(window)[0][1] == "Done"


def test_any_case_is_opened_by_enter_and_the_next_one_by_its_key(
    window: MainWindow, workspace: Workspace, qtbot: QtBot
) -> None:
    window.actions_table.run("case.list")
    choose(window, 2)
    qtbot.keyClick(window.left.cases.list, Qt.Key.Key_Return)
    assert workspace.worklist.current == workspace.worklist.row(3)
    assert window.windowTitle() == "P0003 · CT series s2 – MedView"
    QApplication.processEvents()
    QTest.keyClick(window, Qt.Key.Key_F6)
    assert workspace.worklist.current == workspace.worklist.row(4)
    assert len(workspace.cases) == 1, "the one before is closed"
    # Case 3 was looked at and nothing was done: it comes round again.
    QApplication.processEvents()
    QTest.keyClick(window, Qt.Key.Key_F7)
    assert workspace.worklist.current == workspace.worklist.row(1)
    assert rows(window)[3][1].startswith("Done")
    assert window.left.cases.rows.current == 1


def test_done_and_flagged_are_said_by_key_and_taken_back_by_the_same(window: MainWindow, workspace: Workspace) -> None:
    workspace.worklist.open(1)
    for key, said in ((Qt.Key.Key_F8, "Done"), (Qt.Key.Key_F8, "In work"), (Qt.Key.Key_F9, "Flagged")):
        QApplication.processEvents()
        QTest.keyClick(window, key)
        assert rows(window)[0][1].partition(" · ")[0] == said


def test_a_case_is_left_out_for_a_reason_and_taken_in_again(window: MainWindow, workspace: Workspace, qtbot: QtBot) -> None:
    workspace.worklist.open(2)
    window.actions_table.run("case.exclude")
    (dialog,) = window.findChildren(LeaveOutDialog)
    assert not dialog.leave.isEnabled(), "a reason has to be given"
    qtbot.keyClicks(dialog.reason, "motion")
    qtbot.mouseClick(dialog.leave, Qt.MouseButton.LeftButton)
    assert rows(window)[1][1] == "Left out: motion"
    assert window.left.cases.progress.text() == "0 of 3 done by Ada"
    panel = window.left.cases
    choose(window, 1)
    titles = {entry.text(): entry for entry in panel.menu_of(panel.chosen()).actions()}
    assert "Leave out..." not in titles
    titles["Take in again"].trigger()
    assert rows(window)[1][1] == "To do"


def test_search_and_filter_narrow_the_list_and_say_when_nothing_is_left(
    window: MainWindow, workspace: Workspace, qtbot: QtBot
) -> None:
    window.actions_table.run("case.list")
    bar = window.left.cases.bar
    qtbot.keyClicks(bar.search, "s3")
    assert [title for title, _detail in rows(window)] == ["P0004 · CT series s3"]
    bar.search.clear()
    bar.which.setCurrentIndex(bar.which.findData(Which.DONE))
    assert rows(window) == []
    assert "No case is like that" in window.left.cases._none.text()
    bar.which.setCurrentIndex(bar.which.findData(Which.MINE))
    assert bar.which.currentText() == "Mine to do (4)"
    assert len(rows(window)) == 4


def test_several_cases_are_flagged_and_split_at_once(window: MainWindow, workspace: Workspace) -> None:
    panel = window.left.cases
    panel.list.selectAll()
    menu = panel.menu_of(panel.chosen())
    entries = {entry.text(): entry for entry in menu.actions()}
    assert "Open" not in entries
    split = next(entry.menu() for entry in menu.actions() if entry.text() == "Split")
    next(entry for entry in split.actions() if entry.text() == "test").trigger()
    assert {detail for _title, detail in rows(window)} == {"To do · test"}
    assert len(panel.chosen()) == 4, "what was chosen stays chosen"
    next(entry for entry in panel.menu_of(panel.chosen()).actions() if entry.text() == "Flagged").trigger()
    assert {detail for _title, detail in rows(window)} == {"Flagged · test"}
    assert len(panel.chosen()) == 4


def test_what_is_chosen_stays_chosen_in_another_order(window: MainWindow, workspace: Workspace) -> None:
    cases, panel = workspace.worklist, window.left.cases
    cases.changes.set_status(cases.rows[0], ReadingStatus.DONE)
    cases.look_for(replace(cases.wanted, order=Order.STATUS))
    selected = panel.list.selectionModel()
    for case_id in (1, 2, 4):
        selected.select(panel.model.place_of(case_id), selected.SelectionFlag.Select)
    cases.changes.set_statuses([row for row in cases.rows if row.case_id in (2, 3)], ReadingStatus.DONE)
    assert sorted(row.case_id for row in panel.chosen()) == [1, 2, 4]


def test_instructions_are_written_kept_and_load_nothing(window: MainWindow, workspace: Workspace, qtbot: QtBot) -> None:
    window.actions_table.run("project.instructions")
    (dialog,) = window.findChildren(InstructionsDialog)
    qtbot.mouseClick(dialog.edit, Qt.MouseButton.LeftButton)
    dialog.text.setPlainText("# Nodules\n\n![x](/etc/passwd) over **4 mm**")
    qtbot.mouseClick(dialog.keep, Qt.MouseButton.LeftButton)
    assert workspace.services.project is not None
    assert workspace.services.project.worklist.instructions().startswith("# Nodules")
    assert "over 4 mm" in dialog.page.toPlainText()
    assert dialog.page.loadResource(2, "/etc/passwd") is None
    dialog.close()


def written(window: MainWindow, text: str) -> InstructionsDialog:
    """Write instructions and keep them not."""
    window.actions_table.run("project.instructions")
    (dialog,) = window.findChildren(InstructionsDialog)
    dialog.edit.click()
    dialog.text.setPlainText(text)
    return dialog


def test_instructions_are_never_told_to_another_project(window: MainWindow, workspace: Workspace, tmp_path: Path) -> None:
    dialog = written(window, "Rules of Nodules")
    with Project.create(tmp_path / "Other.medview", "Other", reader="Ada") as other:
        workspace.services.project = other
        dialog.keep.click()
        assert other.worklist.instructions() == ""
        workspace.worklist.load()
        assert not dialog.isVisible()
        assert other.worklist.instructions() == ""


@pytest.mark.parametrize(
    ("answer", "closed", "kept"),
    [("Keep", True, "Rules"), ("Throw it away", True, ""), ("Go on writing", False, "")],
)
def test_instructions_that_are_not_kept_are_asked_about_before_their_window_closes(
    window: MainWindow, workspace: Workspace, qtbot: QtBot, answer: str, closed: bool, kept: str
) -> None:
    dialog = written(window, "Rules")
    qtbot.keyClick(dialog.text, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    (box,) = dialog.findChildren(QMessageBox)
    gone: list[int] = []
    dialog.finished.connect(gone.append)
    next(button for button in box.buttons() if button.text() == answer).click()
    assert bool(gone) is closed
    assert workspace.worklist.instructions == kept
    if not closed:
        assert dialog.text.toPlainText() == "Rules"
        assert dialog.keep.isVisible()


def test_instructions_that_were_not_changed_close_unasked(window: MainWindow, qtbot: QtBot) -> None:
    dialog = written(window, "")
    qtbot.keyClick(dialog.text, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_who_reads_what_is_chosen(window: MainWindow, workspace: Workspace) -> None:
    window.actions_table.run("project.rule")
    (dialog,) = window.findChildren(ReadingRuleDialog)
    assert dialog.choice.rule == ReadingRule()
    dialog.choice.kind.setCurrentIndex(3)
    dialog.choice.every.setValue(7)
    assert dialog.choice.blinded.isChecked()
    dialog.choice.blinded.setChecked(False)
    dialog.accept()
    assert workspace.worklist.rule == ReadingRule(everybody=False, double_every=7, blinded=False)
    window.actions_table.run("project.rule")
    dialog = window.findChildren(ReadingRuleDialog)[-1]
    assert not dialog.choice.blinded.isChecked()


def test_a_project_that_is_only_read_offers_no_change(tmp_path: Path, project: Project, qtbot: QtBot) -> None:
    from medview.gui.jobs.job_thread import JobThreads
    from tests.gui.windows import make_window

    threads = JobThreads()
    with Project.open(project.path, read_only=True) as copy:
        workspace = queue_workspace(tmp_path, InlineRunner(), copy)
        workspace.worklist.load()
        window = make_window(qtbot, workspace, threads)
        workspace.worklist.open(1)
        for action in ("case.done", "case.flag", "case.exclude", "project.add"):
            assert not window.actions_table[action].isEnabled(), action
        assert window.actions_table["case.next"].isEnabled()
        window.actions_table.run("project.instructions")
        (dialog,) = window.findChildren(InstructionsDialog)
        assert not dialog.edit.isEnabled()
        dialog.close()
    threads.close()


def test_two_thousand_cases_are_listed_filtered_and_scrolled_at_once(
    window: MainWindow, workspace: Workspace, qtbot: QtBot
) -> None:
    assert workspace.services.project is not None
    add_many_cases(workspace.services.project, 2000)
    window.actions_table.run("case.list")
    began = time.perf_counter()
    workspace.worklist.load()
    QApplication.processEvents()
    assert time.perf_counter() - began < allowed_s(1.0)
    panel = window.left.cases
    assert panel.model.rowCount() == 2004
    began = time.perf_counter()
    qtbot.keyClicks(panel.bar.search, "mr 1998")
    QApplication.processEvents()
    assert time.perf_counter() - began < allowed_s(0.5)
    assert panel.model.rowCount() == 1
    panel.bar.search.clear()
    began = time.perf_counter()
    panel.list.scrollToBottom()
    QApplication.processEvents()
    assert time.perf_counter() - began < allowed_s(0.2)


def test_a_new_project_is_made_with_its_cases_and_the_one_before_comes_back(
    program: Program, tmp_path: Path, qtbot: QtBot
) -> None:
    program.begin([], demo=False)
    window, workspace = program.window, program.workspace
    folder = write_small_ct(tmp_path / "images", "s1")
    window.cases.ask_new()
    (dialog,) = window.findChildren(NewProjectDialog)
    assert not dialog.make.isEnabled()
    qtbot.keyClicks(dialog.name, "Lung / nodules")
    dialog._place = tmp_path / "projects"
    dialog.add([folder])
    qtbot.mouseClick(dialog.make, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(workspace.worklist.rows) == 1, timeout=20_000)
    made = tmp_path / "projects" / "Lung-nodules.medview"
    assert workspace.services.project is not None
    assert workspace.services.project.path == made
    assert workspace.bench.cases_listed
    assert workspace.settings.recent[0] == str(made)
    assert window.left.cases.name.text() == "Lung / nodules"
    workspace.worklist.open_next()
    qtbot.waitUntil(lambda: workspace.active is not None and workspace.active.editable, timeout=20_000)
    window.actions_table.run("case.done")
    window.actions_table.run("project.close")
    qtbot.waitUntil(lambda: workspace.worklist.personal, timeout=20_000)
    assert workspace.cases == {}
    assert not workspace.bench.cases_listed
    with Project.open(made, read_only=True) as kept:
        assert [case.status for case in kept.cases()] == [ReadingStatus.DONE]
    window.files.open(made)
    qtbot.waitUntil(lambda: len(workspace.worklist.rows) == 1, timeout=20_000)
    assert not workspace.worklist.personal


def test_what_was_said_of_a_new_project_is_in_it(tmp_path: Path) -> None:
    labels = LabelSet("Nodules", (LabelEntry("Nodule"),))
    wanted = NewProject(tmp_path / "p.medview", "P", labels, ReadingRule(everybody=False, double_every=2))
    with Project.create(wanted.path, wanted.name) as project:
        wanted.furnish(project)
        assert '"Nodule"' in project.label_set.text()
        assert project.worklist.reading_rule() == wanted.rule


def test_the_row_of_a_case_is_its_case(window: MainWindow, workspace: Workspace) -> None:
    assert window.left.cases.model.index(1).data(CASE_ROLE) == workspace.worklist.rows[1]
    assert not window.left.cases.model.place_of(99).isValid()
