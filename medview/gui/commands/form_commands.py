"""What is asked of forms through dialogs: their design, and answers as files."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from types import ModuleType

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from medview.core.errors import MedViewError
from medview.core.form import Forms
from medview.core.label_set import LabelSet
from medview.core.language import _, in_language, plural
from medview.core.resources import resource_path
from medview.gui.commands.shown_case import is_still_active
from medview.gui.dialogs.file_choices import ask_label_set, ask_new_file
from medview.gui.dialogs.form_design import FormDesignDialog
from medview.io.label_sets import read_label_set, write_label_set
from medview.workspace.action import Action
from medview.workspace.form_draft import FormDraft
from medview.workspace.jobs import Outcome
from medview.workspace.operations.label_sets import ReadLabelSet
from medview.workspace.requests_forms import CountMissing, ReadAnswers
from medview.workspace.workspace import Workspace

ANSWER_EXPORTS = (
    ("file.export_answers", _("Export answers as a table..."), "answers.csv", _("Table (*.csv)")),
    ("file.export_answers_json", _("Export answers (JSON)..."), "answers.json", _("Answers (*.json)")),
)
"""Action, its title, a name for the file, and its kind."""

_EXAMPLE = "chest-radiograph.json"


class FormCommands:
    """Parameters are the window and the workspace."""

    def __init__(self, window: QWidget, workspace: Workspace) -> None:
        self._window, self._workspace = window, workspace

    def actions(self) -> tuple[Action, ...]:
        """Return the actions for menus and keys."""
        exports = (
            Action(action_id, title, partial(self._export, name, kind), "mdi6.export", _has_answers)
            for action_id, title, name, kind in ANSWER_EXPORTS
        )
        return (Action("form.design", _("Forms..."), self._design, "mdi6.form-dropdown"), *exports)

    def _design(self, _workspace: Workspace) -> None:
        self.design()

    def design(self) -> FormDesignDialog:
        """Show the forms of the project, to be changed."""
        workspace = self._workspace
        project = workspace.services.project
        forms = workspace.forms.forms
        why_not = in_language(project.read_only_reason) if project is not None else ""
        draft = FormDraft(forms)
        dialog = FormDesignDialog(draft, why_not=why_not, parent=self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.use_wanted.connect(lambda chosen: self._use(chosen, dialog))
        dialog.import_wanted.connect(lambda: self._import(dialog))
        dialog.export_wanted.connect(lambda chosen: self._write(chosen, dialog))
        dialog.example_wanted.connect(lambda: self._bring(_example(), dialog))
        if forms:
            self._look_up_answers(dialog)
        dialog.open()
        return dialog

    def _look_up_answers(self, dialog: FormDesignDialog) -> None:
        def done(value: object) -> None:
            # The dialog may have been closed meanwhile.
            if isinstance(value, tuple) and isValid(dialog):
                dialog.draft.know_answers(value)

        project = self._workspace.services.project
        if project is None:
            return
        request = ReadAnswers(project)
        self._workspace.runner.submit(request, Outcome(done, failed=self._workspace.report))

    def _use(self, forms: Forms, dialog: FormDesignDialog) -> None:
        try:
            self._workspace.forms.use(forms)
        except MedViewError as error:
            dialog.say(in_language(error.sentence))
            return
        dialog.accept()
        self._say_missing(forms)

    def _say_missing(self, forms: Forms) -> None:
        changed = _("The forms of the project were changed.")
        project = self._workspace.services.project
        if project is None:
            self._workspace.say(changed)
            return

        def done(value: object) -> None:
            lacking = len(value) if isinstance(value, dict) else 0
            readings = plural("{n} reading lacks answers now.", "{n} readings lack answers now.", lacking)
            self._workspace.say(f"{changed} {readings.format(n=lacking)}" if lacking else changed)

        self._workspace.runner.submit(CountMissing(project, forms), Outcome(done, failed=self._workspace.report))

    def _import(self, dialog: FormDesignDialog) -> None:
        path = ask_label_set(dialog)
        if path is None:
            return

        def done(value: object) -> None:
            if isinstance(value, LabelSet) and isValid(dialog):
                self._bring(value, dialog)

        def failed(error: MedViewError) -> None:
            if isValid(dialog):
                dialog.say(in_language(error.sentence))
            else:
                self._workspace.report(error)

        request = ReadLabelSet(path, self._workspace.services.pool)
        self._workspace.runner.submit(request, Outcome(done, failed=failed))

    def _bring(self, label_set: LabelSet, dialog: FormDesignDialog) -> None:
        dialog.say("" if label_set.forms else _("{name} holds no forms.").format(name=label_set.name))
        dialog.draft.bring(label_set.forms)

    def _write(self, forms: Forms, dialog: FormDesignDialog) -> None:
        kind = _("Label set (*.json)")
        path = ask_new_file(dialog, _("Export forms"), "forms.json", kind)
        if path is None:
            return
        try:
            write_label_set(LabelSet(_("Forms"), (), forms=forms), path)
        except MedViewError as error:
            dialog.say(in_language(error.sentence))
            return
        dialog.say(_("Wrote {path}.").format(path=path))

    def _export(self, name: str, kind: str, _workspace: Workspace) -> None:
        case = self._workspace.active
        path = ask_new_file(self._window, _("Export answers"), name, kind)
        if path is not None and is_still_active(case, self._workspace):
            _operations().export_answers(self._workspace, path)


def _example() -> LabelSet:
    return read_label_set(resource_path("schemas") / "label_sets" / _EXAMPLE)


def _operations() -> ModuleType:
    # Writers take a while to import; the window is on screen before anybody needs them.
    return import_module("medview.workspace.operations.answers")


def _has_answers(workspace: Workspace) -> bool:
    return workspace.active is not None and bool(workspace.active.labels.answers)
