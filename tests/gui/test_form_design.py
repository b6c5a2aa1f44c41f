"""Forms are designed with keys, seen as they will be asked, and what that does to answers is said before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from medview.core.form import AnswerKind, Level
from medview.gui.commands import form_commands
from medview.gui.dialogs.form_design import FormDesignDialog
from medview.gui.dialogs.label_sets import LabelSetsDialog
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from medview.gui.parts.form_question import ChoiceRow
from medview.store.project import Project
from medview.workspace.answering import give
from medview.workspace.asked import asked_now
from medview.workspace.form_draft import FormDraft
from medview.workspace.keeping import keep, load_stored
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case
from tests.gui.windows import bare_workspace
from tests.helpers.forms import BAD, FORM, QUALITY

CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def dialog(qtbot: QtBot) -> FormDesignDialog:
    made = FormDesignDialog(FormDraft((FORM,)))
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    return made


def focused() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


def press(qtbot: QtBot, key: Qt.Key, modifier: Qt.KeyboardModifier = NONE) -> None:
    qtbot.keyClick(focused(), key, modifier)


def lines(dialog: FormDesignDialog) -> list[str]:
    view = dialog.questions.list
    return [view.item(n).text() for n in range(view.count())]


def previewed(dialog: FormDesignDialog) -> list[str]:
    dialog.preview.refresh()
    return [row.asked.question.text for row in dialog.preview.view.rows]


def test_a_form_is_made_with_keys_alone(qtbot: QtBot) -> None:
    dialog = FormDesignDialog(FormDraft(()))
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    dialog.activateWindow()
    press(qtbot, Qt.Key.Key_Insert)
    qtbot.keyClicks(focused(), "Side of the finding")
    press(qtbot, Qt.Key.Key_Tab)
    press(qtbot, Qt.Key.Key_Tab)
    press(qtbot, Qt.Key.Key_Tab)
    press(qtbot, Qt.Key.Key_A, CTRL)
    for text in ("Left", "Right", "Both"):
        qtbot.keyClicks(focused(), text)
        press(qtbot, Qt.Key.Key_Return)
    press(qtbot, Qt.Key.Key_Tab)
    press(qtbot, Qt.Key.Key_Space)
    with qtbot.waitSignal(dialog.use_wanted) as used:
        press(qtbot, Qt.Key.Key_Return, CTRL)
    ((form,),) = used.args
    (question,) = form.questions
    assert (question.text, question.kind, question.level) == ("Side of the finding", AnswerKind.ONE, Level.SERIES)
    assert [option.text for option in question.options] == ["Left", "Right", "Both"]
    assert question.required


def test_questions_are_ordered_copied_and_taken_out_with_keys(qtbot: QtBot, dialog: FormDesignDialog) -> None:
    before = lines(dialog)
    press(qtbot, Qt.Key.Key_Down)
    press(qtbot, Qt.Key.Key_Down, ALT)
    assert [line[3:] for line in lines(dialog)[:3]] == [before[0][3:], before[2][3:], before[1][3:]]
    press(qtbot, Qt.Key.Key_Up, ALT)
    assert lines(dialog) == before
    press(qtbot, Qt.Key.Key_Delete)
    assert len(lines(dialog)) == len(before) - 1
    press(qtbot, Qt.Key.Key_D, CTRL)
    assert len(lines(dialog)) == len(before)
    assert focused() is dialog.editor.text, "the copy is edited at once"
    press(qtbot, Qt.Key.Key_Delete)
    assert len(lines(dialog)) == len(before), "in a field Delete is for letters"


def test_enter_on_a_question_edits_it_and_the_preview_follows(qtbot: QtBot, dialog: FormDesignDialog) -> None:
    press(qtbot, Qt.Key.Key_Down)
    press(qtbot, Qt.Key.Key_Return)
    assert focused() is dialog.editor.text
    qtbot.keyClicks(dialog.editor.text, "Image quality")
    assert previewed(dialog)[1] == "Image quality"
    assert lines(dialog)[1] == "2. Image quality  *"


def test_only_fields_that_the_kind_of_answer_has_are_shown(qtbot: QtBot, dialog: FormDesignDialog) -> None:
    editor = dialog.editor
    fields = (editor.options, editor.unit, editor.least, editor.lesions)
    dialog.draft.choose_question(1)
    assert [field.isVisible() for field in fields] == [True, False, False, False]
    dialog.draft.choose_question(3)
    assert [field.isVisible() for field in fields] == [False, True, True, False]
    dialog.draft.choose_question(6)
    assert [field.isVisible() for field in fields] == [True, False, False, True]
    dialog.draft.choose_question(4)
    assert [field.isVisible() for field in fields] == [False, False, False, False]


def test_the_preview_can_be_tried_and_nothing_of_it_is_kept(qtbot: QtBot, dialog: FormDesignDialog) -> None:
    quality = next(row for row in dialog.preview.view.rows if row.asked.question.text == "Quality")
    assert isinstance(quality, ChoiceRow)
    quality.take_focus()
    press(qtbot, Qt.Key.Key_2)
    assert [button.isChecked() for button in quality.buttons] == [False, True, False]
    assert dialog.draft.result == (FORM,)
    assert not dialog.use.isEnabled()


def test_what_cannot_be_asked_is_said_and_cannot_be_put_to_use(qtbot: QtBot, dialog: FormDesignDialog) -> None:
    dialog.draft.choose_question(3)
    dialog.editor.least.setFocus()
    dialog.editor.least.selectAll()
    qtbot.keyClicks(dialog.editor.least, "200")
    assert "have no range" in dialog.editor.wrong.text()
    assert not dialog.use.isEnabled()
    dialog.editor.least.selectAll()
    qtbot.keyClicks(dialog.editor.least, "20")
    assert not dialog.editor.wrong.isVisible()
    assert dialog.use.isEnabled()


def test_what_is_typed_into_options_counts_without_leaving_the_field(qtbot: QtBot, dialog: FormDesignDialog) -> None:
    dialog.draft.choose_question(1)
    dialog.editor.options.setFocus()
    press(qtbot, Qt.Key.Key_End, CTRL)
    press(qtbot, Qt.Key.Key_Return)
    qtbot.keyClicks(dialog.editor.options, "Unusable")
    dialog.editor.required.click()
    dialog.editor.options.setFocus()
    with qtbot.waitSignal(dialog.use_wanted) as used:
        press(qtbot, Qt.Key.Key_Return, CTRL)
    ((form,),) = used.args
    assert [option.text for option in form.questions[1].options] == ["Good", "Limited", "Bad", "Unusable"]
    assert form.version == 2


# ---------------------------------------------------------------------------------------- in the window


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project.create(tmp_path / "p.medview", reader="Ada")
    yield made
    made.close(discard=True)


@pytest.fixture
def workspace(tmp_path: Path, threads: JobThreads, project: Project) -> Workspace:
    """A case of the project with one answer."""
    made = bare_workspace(tmp_path, threads)
    made.services.project = project
    made.forms.use((FORM,))
    case = make_case()
    keep(case, project, load_stored(project, case.series, case.entry, case.volume))
    made.add_case(case)
    row = next(row for group in asked_now(made, case) for row in group.asked if row.question is QUALITY)
    assert give(made, row, (BAD,))
    return made


def test_a_change_says_what_it_does_to_the_answers_of_the_project(
    qtbot: QtBot, window: MainWindow, workspace: Workspace
) -> None:
    case = workspace.active
    assert case is not None
    workspace.close_case(case.key)
    dialog = window.forms.design()
    qtbot.waitUntil(lambda: bool(dialog.draft.answers))
    dialog.draft.choose_question(1)
    assert dialog.draft.alter(options=QUALITY.options[:2]) == ""
    qtbot.waitUntil(lambda: dialog.outcome.isVisible())
    assert dialog.outcome.text() == "\u201cQuality\u201d loses an option: 1 answer chose it; kept, and asked again."
    dialog.use.click()
    assert [len(form.questions[1].options) for form in workspace.forms.forms] == [2]
    assert workspace.forms.forms[0].version == 2
    said = "The forms of the project were changed. 1 reading lacks answers now."
    qtbot.waitUntil(lambda: window.message.label.text() == said)


def test_the_example_is_added_and_forms_go_to_a_file_and_back(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = window.forms.design()
    dialog.example.click()
    assert [form.name for form in dialog.draft.forms] == ["Chest", "Chest radiograph"]
    assert dialog.which.isVisible()
    path = tmp_path / "forms.json"
    monkeypatch.setattr(form_commands, "ask_new_file", lambda *_args: path)
    monkeypatch.setattr(form_commands, "ask_label_set", lambda *_args: path)
    dialog.write.click()
    assert [form["name"] for form in json.loads(path.read_text(encoding="utf-8"))["forms"]] == ["Chest", "Chest radiograph"]
    dialog.draft.remove_form()
    dialog.draft.remove_form()
    assert dialog.draft.forms == ()
    dialog.bring.click()
    qtbot.waitUntil(lambda: len(dialog.draft.forms) == 2)
    assert dialog.draft.forms[0] == FORM
    dialog.reject()
    assert workspace.forms.forms == (FORM,), "nothing is asked otherwise before it is put to use"


def test_a_label_set_that_is_put_to_use_brings_its_forms(qtbot: QtBot, window: MainWindow, workspace: Workspace) -> None:
    window.actions_table.run("labelset.apply")
    dialog = window.findChild(LabelSetsDialog)
    assert dialog is not None
    (item,) = dialog.sets.findItems("Chest radiograph", Qt.MatchFlag.MatchExactly)
    dialog.sets.setCurrentItem(item)
    assert dialog.description.text().endswith("6 labels, 1 form")
    dialog.use.click()
    assert [form.name for form in workspace.forms.forms] == ["Chest", "Chest radiograph"]
    assert "1 form is asked now." in window.message.label.text()
    assert "Nodule" in [entry.name for entry in workspace.forms.label_set.entries]


def test_forms_of_a_project_that_is_only_read_cannot_be_changed(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, project: Project
) -> None:
    project.close()
    with Project.open(project.path, read_only=True) as copy:
        workspace.services.project = copy
        dialog = window.forms.design()
        dialog.draft.add_question()
        assert not dialog.use.isEnabled()
        assert "reading only" in dialog.message.text()
        dialog.reject()
        qtbot.waitUntil(lambda: not window.status.findChildren(FormDesignDialog))
        workspace.services.project = None


def test_answers_of_the_case_are_exported_from_the_menu(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, action_id in (("answers.csv", "file.export_answers"), ("answers.json", "file.export_answers_json")):
        path = tmp_path / name
        monkeypatch.setattr(form_commands, "ask_new_file", lambda *_args, path=path: path)
        window.actions_table.run(action_id)
        qtbot.waitUntil(path.exists)
    (record,) = json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"))["answers"]
    assert (record["question"], record["answer"], record["reader"]) == ("Quality", [{"uid": "bad", "text": "Bad"}], "Ada")
    assert (tmp_path / "answers.csv").read_text(encoding="utf-8-sig").splitlines()[1].count("Bad") == 1
