"""The form beside the pictures: keys answer, Enter goes on, what is missing is counted and gone to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medview.core.annotations import BoxAnnotation
from medview.core.answer import SERIES
from medview.core.changes import AnnotationChange, Command
from medview.core.form import AnswerKind, Form, Level, Option, Question
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from medview.gui.parts.form_question import ChoiceRow, QuestionRow, TypedRow
from medview.store.project import Project
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Mode
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case
from tests.gui.windows import bare_workspace
from tests.helpers.forms import COMMENT, FORM, GOOD, MARGIN, MOTION, PRIOR, QUALITY, SIDES, SURE

ENTER, SHIFT = Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project.create(tmp_path / "p.medview", reader="Ada")
    yield made
    made.close(discard=True)


@pytest.fixture
def workspace(tmp_path: Path, threads: JobThreads, project: Project) -> Workspace:
    made = bare_workspace(tmp_path, threads)
    made.services.project = project
    made.forms.use((FORM.changed(questions=(PRIOR, QUALITY, SIDES, SURE, COMMENT, MOTION)),))
    made.add_case(make_case())
    return made


@pytest.fixture
def case(workspace: Workspace) -> OpenCase:
    assert workspace.active is not None
    return workspace.active


def settle(window: MainWindow) -> None:
    """Do what the panel puts off for a few milliseconds."""
    window.side.form.refresh()
    QApplication.processEvents()


def row(window: MainWindow, text: str) -> QuestionRow:
    return next(one for one in window.side.form.view.rows if one.asked.question.text == text)


def press(qtbot: QtBot, *keys: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    for key in keys:
        widget = QApplication.focusWidget()
        assert widget is not None
        qtbot.keyClick(widget, key, modifier)


def type_text(qtbot: QtBot, text: str) -> None:
    widget = QApplication.focusWidget()
    assert widget is not None
    qtbot.keyClicks(widget, text)


def answers(case: OpenCase) -> dict[str, str]:
    return {answer.question: answer.words for answer in case.labels.answers.values()}


def hands_at(window: MainWindow) -> str:
    current = window.side.form.view.current
    return "" if current is None else current.asked.question.text


def test_a_whole_form_is_answered_without_the_mouse(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    qtbot.keyClick(window, Qt.Key.Key_F4)
    assert hands_at(window) == "Compared with before"
    type_text(qtbot, "Larger")
    press(qtbot, ENTER)
    press(qtbot, Qt.Key.Key_2, ENTER)
    press(qtbot, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_1, ENTER)
    type_text(qtbot, "82,5")
    press(qtbot, ENTER)
    type_text(qtbot, "Rotated & cut off")
    press(qtbot, ENTER)
    press(qtbot, Qt.Key.Key_2)
    assert answers(case) == {
        "Compared with before": "Larger",
        "Quality": "Limited",
        "Sides": "Right",
        "Confidence": "82.5 %",
        "Comment": "Rotated & cut off",
        "Motion": "Bad",
    }
    assert window.side.form.count.text() == "Nothing required is missing"
    assert {answer.reader for answer in case.labels.answers.values()} == {"Ada"}


@pytest.mark.parametrize("mode", list(Mode))
def test_digits_answer_where_they_are_keys_of_tools_and_windows_elsewhere(
    qtbot: QtBot, window: MainWindow, case: OpenCase, mode: Mode
) -> None:
    window.workspace.bench.mode = mode
    tool, shown = window.workspace.bench.tool, case.view.window
    row(window, "Quality").take_focus()
    press(qtbot, Qt.Key.Key_3)
    assert answers(case) == {"Quality": "Bad"}
    assert (window.workspace.bench.tool, case.view.window) == (tool, shown)
    press(qtbot, Qt.Key.Key_9)
    assert answers(case) == {"Quality": "Bad"}, "there is no ninth option"


def test_slices_turn_while_hands_are_at_a_choice(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    row(window, "Quality").take_focus()
    before = case.view.crosshair_kji
    window.workspace.bench.pointed = "axial"
    press(qtbot, Qt.Key.Key_Up)
    assert case.view.crosshair_kji != before
    assert hands_at(window) == "Quality"


def test_shift_enter_goes_back_and_tab_goes_on(qtbot: QtBot, window: MainWindow) -> None:
    row(window, "Sides").take_focus()
    press(qtbot, ENTER, modifier=SHIFT)
    assert hands_at(window) == "Quality"
    press(qtbot, Qt.Key.Key_Tab)
    assert hands_at(window) == "Sides"
    press(qtbot, Qt.Key.Key_Tab)
    assert hands_at(window) == "Confidence"
    press(qtbot, ENTER, modifier=SHIFT)
    assert hands_at(window) == "Sides"


@pytest.mark.parametrize("text", ["101", "-1", "many"])
def test_what_is_no_answer_is_said_and_keeps_the_hands(qtbot: QtBot, window: MainWindow, case: OpenCase, text: str) -> None:
    confidence = row(window, "Confidence")
    confidence.take_focus()
    type_text(qtbot, text)
    press(qtbot, ENTER)
    assert isinstance(confidence, TypedRow)
    assert confidence.wrong.text() == "It takes 0 to 100 %"
    assert hands_at(window) == "Confidence"
    assert answers(case) == {}
    press(qtbot, Qt.Key.Key_Escape)
    assert (confidence.field.text(), confidence.wrong.isVisible()) == ("", False)


def test_delete_takes_an_answer_back_and_undo_brings_it_again(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    row(window, "Quality").take_focus()
    press(qtbot, Qt.Key.Key_1, Qt.Key.Key_Delete)
    assert answers(case) == {}
    QApplication.processEvents()
    press(qtbot, Qt.Key.Key_Z, modifier=Qt.KeyboardModifier.ControlModifier)
    assert answers(case) == {"Quality": "Good"}
    settle(window)
    quality = row(window, "Quality")
    assert isinstance(quality, ChoiceRow)
    assert [button.isChecked() for button in quality.buttons] == [True, False, False]


def test_a_click_answers_and_brings_the_keys_there(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    quality = row(window, "Quality")
    assert isinstance(quality, ChoiceRow)
    qtbot.mouseClick(quality.buttons[2], Qt.MouseButton.LeftButton)
    assert answers(case) == {"Quality": "Bad"}
    assert hands_at(window) == "Quality"
    qtbot.mouseClick(quality.buttons[2], Qt.MouseButton.LeftButton)
    assert answers(case) == {"Quality": "Bad"}
    assert quality.buttons[2].isChecked()


def test_what_is_required_is_counted_and_gone_to_one_after_the_other(
    qtbot: QtBot, window: MainWindow, case: OpenCase
) -> None:
    assert window.side.form.count.text() == "3 answers are missing"
    gone: list[str] = []
    for _turn in range(4):
        qtbot.keyClick(window, Qt.Key.Key_F4, SHIFT)
        gone.append(hands_at(window))
    assert gone == ["Compared with before", "Quality", "Confidence", "Compared with before"]
    row(window, "Quality").take_focus()
    press(qtbot, Qt.Key.Key_1)
    assert window.side.form.count.text() == "2 answers are missing"


def test_enter_at_the_last_question_goes_to_what_is_missing(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    row(window, "Motion").take_focus()
    press(qtbot, Qt.Key.Key_1, ENTER)
    assert hands_at(window) == "Compared with before"


def test_the_slice_that_is_shown_is_the_one_asked_about(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    case.view.set_slice(0, 2)
    settle(window)
    row(window, "Motion").take_focus()
    press(qtbot, Qt.Key.Key_2)
    case.view.set_slice(0, 4)
    settle(window)
    motion = row(window, "Motion")
    assert isinstance(motion, ChoiceRow)
    assert [button.isChecked() for button in motion.buttons] == [False, False]
    press(qtbot, Qt.Key.Key_1)
    said = {answer.target.k: answer.words for answer in case.labels.answers.values()}
    assert said == {2: "Bad", 4: "Good"}
    assert hands_at(window) == "Motion", "hands stay while slices turn"


def test_what_is_being_typed_goes_to_the_slice_it_was_typed_about(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    note = Question("q.note", "Note", AnswerKind.TEXT, Level.SLICE)
    workspace.forms.use((Form("f", "Notes", (note,)),))
    case.view.set_slice(0, 2)
    settle(window)
    row(window, "Note").take_focus()
    type_text(qtbot, "Metal")
    case.view.set_slice(0, 4)
    settle(window)
    field = row(window, "Note")
    assert isinstance(field, TypedRow)
    assert field.field.text() == ""
    assert {answer.target.k: answer.words for answer in case.labels.answers.values()} == {2: "Metal"}


def test_a_lesion_that_comes_into_the_hand_leaves_what_is_being_typed_alone(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    workspace.forms.use((FORM.changed(questions=(COMMENT, MARGIN)),))
    settle(window)
    comment = row(window, "Comment")
    comment.take_focus()
    type_text(qtbot, "Half ")
    box = BoxAnnotation.on_grid("b", "Nodule", case.volume.geometry, (1, 9, 10), (2, 12, 20))
    case.do(Command("Box", (AnnotationChange(None, box),)))
    case.view.active_annotation_id = "b"
    settle(window)
    assert row(window, "Margin").asked.target.annotation_id == "b"
    type_text(qtbot, "a sentence")
    press(qtbot, ENTER)
    assert row(window, "Comment") is comment
    assert answers(case) == {"Comment": "Half a sentence"}
    assert hands_at(window) == "Margin"


def test_every_one_of_many_options_has_a_key(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    options = tuple(Option(f"o{n}", f"Option {n}") for n in range(1, 13))
    workspace.forms.use((Form("f", "Many", (Question("q", "Which", AnswerKind.SEVERAL, Level.SERIES, options),)),))
    window.workspace.bench.mode = Mode.ANNOTATE
    settle(window)
    tool = window.workspace.bench.tool
    row(window, "Which").take_focus()
    press(qtbot, Qt.Key.Key_9, Qt.Key.Key_A, Qt.Key.Key_C)
    assert answers(case) == {"Which": "Option 9; Option 10; Option 12"}
    press(qtbot, Qt.Key.Key_E)
    assert answers(case) == {"Which": "Option 9; Option 10; Option 12"}
    assert tool is not window.workspace.bench.tool, "a letter without an option is a key of the window"


def test_what_is_being_typed_is_taken_when_the_window_closes(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    row(window, "Comment").take_focus()
    type_text(qtbot, "Half a sen")
    window.close()
    assert answers(case) == {"Comment": "Half a sen"}


def test_what_is_being_typed_goes_to_the_case_it_was_typed_about(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    row(window, "Comment").take_focus()
    type_text(qtbot, "Axial")
    other = make_case(series=replace(case.series, series_uid="1.2.3.99"))
    workspace.add_case(other)
    assert answers(case) == {"Comment": "Axial"}
    assert answers(other) == {}


def test_a_case_that_cannot_be_changed_shows_its_answers_and_says_why(
    qtbot: QtBot, window: MainWindow, case: OpenCase
) -> None:
    row(window, "Quality").take_focus()
    press(qtbot, Qt.Key.Key_1)
    case.read_only = "It is only read."
    settle(window)
    row(window, "Quality").take_focus()
    press(qtbot, Qt.Key.Key_2, Qt.Key.Key_Delete)
    row(window, "Comment").take_focus()
    type_text(qtbot, "No")
    press(qtbot, ENTER)
    assert answers(case) == {"Quality": "Good"}
    assert window.side.form.why.text() == "It is only read."
    assert not row(window, "Quality").clear.isVisible()


def test_nothing_is_shown_where_nothing_is_asked(window: MainWindow, workspace: Workspace) -> None:
    section = window.side.sections["form"]
    assert section.isVisible()
    workspace.forms.use((replace(FORM, modalities=("DX",)),))
    settle(window)
    assert not section.isVisible()
    window.actions_table.refresh()
    assert not window.actions_table["form.answer"].isEnabled()


def test_answers_that_do_not_stand_any_more_are_shown_for_what_they_are(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    row(window, "Quality").take_focus()
    press(qtbot, Qt.Key.Key_3)
    row(window, "Comment").take_focus()
    type_text(qtbot, "Rotated")
    press(qtbot, ENTER)
    workspace.forms.use((FORM.changed(questions=(replace(QUALITY, options=(GOOD,)), SURE)),))
    settle(window)
    quality = row(window, "Quality")
    assert quality.note.text() == "Was: Bad, which is no longer to choose"
    assert "required" in quality.state.text()
    assert window.side.form.kept.text() == "Kept, asked no longer:\nThis series: Comment: Rotated"


def test_long_options_and_ampersands_are_shown_whole_or_shortened(window: MainWindow, workspace: Workspace) -> None:
    options = (Option("a", "Lung & pleura"), Option("b", "An option whose words are longer than the column is wide by far"))
    workspace.forms.use((Form("f", "Long", (Question("q", "Where", AnswerKind.ONE, Level.SERIES, options),)),))
    settle(window)
    where = row(window, "Where")
    assert isinstance(where, ChoiceRow)
    first, second = where.buttons
    assert first.text() == "1  Lung && pleura"
    assert second.text().endswith("\u2026")
    assert second.toolTip().startswith(options[1].text)
    assert where.width() <= window.side.viewport().width()


def test_the_answers_of_a_closed_case_are_not_listened_to_any_more(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    row(window, "Quality").take_focus()
    press(qtbot, Qt.Key.Key_1)
    workspace.close_case(case.key)
    settle(window)
    assert window.side.form.view.rows == []
    assert case.labels.answers[SERIES.key, QUALITY.uid].words == "Good"
