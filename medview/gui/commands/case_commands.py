"""The list of cases by key and menu, and what only a window can ask for of a project."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from medview.core.errors import MedViewError
from medview.core.language import _
from medview.core.reading_status import ReadingStatus
from medview.core.study import Series
from medview.gui.dialogs.file_choices import ask_folder, ask_table
from medview.workspace.action import Action
from medview.workspace.events import Severity
from medview.workspace.models import data_folder
from medview.workspace.workspace import Workspace

if TYPE_CHECKING:
    from medview.store.cases import CaseRow
    from medview.workspace.new_project import NewProject


def _cannot(_path: Path | None) -> None:
    """Without a keeper of projects none is opened."""


def _cannot_make(_wanted: NewProject) -> None:
    """Without a keeper of projects none is made."""


class CaseCommands:
    """Parameters are the window and the workspace.

    Attributes
    ----------
    open_project : callable
        Opens the project in a folder in place of the one that is open; without a path the personal one.
    make_project : callable
        Makes and opens one.
    """

    def __init__(self, window: QWidget, workspace: Workspace) -> None:
        self._window, self._workspace = window, workspace
        self.open_project: Callable[[Path | None], object] = _cannot
        self.make_project: Callable[[NewProject], object] = _cannot_make

    def actions(self) -> tuple[Action, ...]:
        """Return the actions for menus and keys."""
        return (
            Action("project.new", _("New project..."), lambda _w: self.ask_new(), "mdi6.folder-plus-outline"),
            Action("project.open", _("Open a project..."), lambda _w: self.ask_open(), "mdi6.folder-table-outline"),
            Action(
                "project.close",
                _("Close the project"),
                lambda _w: self.close_project(),
                "mdi6.folder-remove-outline",
                _in_project,
            ),
            Action("project.add", _("Add cases from a folder..."), lambda _w: self.ask_folder(), "mdi6.plus", _writable),
            Action(
                "project.add_table",
                _("Add cases from a table (CSV)..."),
                lambda _w: self.ask_table(),
                "mdi6.table",
                _writable,
            ),
            Action(
                "project.instructions",
                _("Instructions for annotators..."),
                lambda _w: self.show_instructions(),
                "mdi6.text-box-outline",
                _has_project,
            ),
            Action("project.rule", _("Who reads what..."), lambda _w: self.show_rule(), "mdi6.account-group", _has_project),
            Action(
                "project.import",
                _("Import a labelled dataset..."),
                lambda _w: self.show_import(),
                "mdi6.import",
                _writable,
            ),
            Action(
                "project.agree",
                _("Agreement of the readers..."),
                lambda _w: self.show_agreement(),
                "mdi6.account-multiple-check-outline",
                _has_cases,
            ),
            Action(
                "project.merge",
                _("Merge copies of the project..."),
                lambda _w: self.show_merge(),
                "mdi6.source-merge",
                _writable,
            ),
            Action(
                "project.export",
                _("Export the project..."),
                lambda _w: self.show_export(),
                "mdi6.export-variant",
                _has_cases,
            ),
            Action("case.list", _("List the cases"), lambda _w: self.list_cases(), "mdi6.format-list-checks", _has_project),
            Action("case.next", _("Next case to do"), lambda w: w.worklist.open_next(), "mdi6.skip-next", _has_cases),
            Action(
                "case.what_next",
                _("What to label next"),
                lambda w: w.next_cases.reveal(),
                "mdi6.target",
                lambda w: w.next_cases.wanted,
            ),
            Action(
                "case.done_next", _("Done, next case"), lambda w: self.done_and_next(w), "mdi6.check-underline", _can_say
            ),
            Action("case.done", _("The case is done"), lambda w: toggle(w, ReadingStatus.DONE), "mdi6.check", _can_say),
            Action(
                "case.flag", _("Flag the case"), lambda w: toggle(w, ReadingStatus.FLAGGED), "mdi6.flag-outline", _can_say
            ),
            Action("case.exclude", _("Leave the case out..."), lambda _w: self.ask_why(), "mdi6.cancel", _can_say),
        )

    def ask_new(self, places: tuple[Path, ...] = ()) -> None:
        """Ask what a new project is to be, and have it made."""
        from medview.gui.dialogs.new_project import NewProjectDialog
        from medview.workspace.label_sets import label_sets

        folder = data_folder() / "projects"
        dialog = NewProjectDialog(label_sets(), folder, places, self._window)
        dialog.wanted.connect(lambda wanted: self.make_project(wanted))
        dialog.open()

    def ask_open(self) -> None:
        """Ask for the folder of a project and open it."""
        from medview.workspace.project_place import is_project

        path = ask_folder(self._window, _("Open a project"))
        if path is not None and is_project(path):
            self.open_project(path)
        elif path is not None:
            text = _("{name} is no project; choose a folder that holds project.db.").format(name=path.name)
            self._workspace.say(text, Severity.WARNING)

    def close_project(self) -> None:
        """Go on with what is labelled without a project."""
        self.open_project(None)

    def ask_folder(self) -> None:
        """Ask for a folder and add its series as cases."""
        if (path := ask_folder(self._window, _("Add cases from a folder"))) is not None:
            self.add([path])

    def ask_table(self) -> None:
        """Ask for a table and add what it names."""
        if (path := ask_table(self._window)) is not None:
            self.add([path])

    def add(self, paths: Sequence[Path], scanned: Sequence[Series] = ()) -> None:
        """Add what is in folders, files and tables as cases, and series that were found before."""
        if not _writable(self._workspace):
            self._workspace.say(self._workspace.worklist.changes.refusal, Severity.WARNING)
            return
        try:
            _operations().add_cases(self._workspace, paths, scanned)
        except MedViewError as error:
            self._workspace.report(error)

    def show_instructions(self) -> None:
        """Show what annotators are told."""
        from medview.gui.dialogs.instructions import InstructionsDialog

        InstructionsDialog(self._workspace, self._window).show()

    def show_rule(self) -> None:
        """Show who reads what."""
        from medview.gui.dialogs.reading_rule import ReadingRuleDialog

        ReadingRuleDialog(self._workspace, self._window).open()

    def show_import(self) -> None:
        """Ask for a labelled dataset of another program."""
        from medview.gui.dialogs.import_dataset import ImportDatasetDialog

        ImportDatasetDialog(self._workspace, self._window).show()

    def show_agreement(self) -> None:
        """Show how far readers go together."""
        from medview.gui.dialogs.agreement import AgreementDialog

        AgreementDialog(self._workspace, self._window).show()

    def show_merge(self) -> None:
        """Ask for the copies that others worked on."""
        from medview.gui.dialogs.merge_copies import MergeDialog

        MergeDialog(self._workspace, self._window).show()

    def show_export(self) -> None:
        """Ask what the project is to be written as."""
        from medview.gui.dialogs.project_export import ProjectExportDialog

        ProjectExportDialog(self._workspace, self._window).open()

    def list_cases(self) -> None:
        """Show the list of cases, wherever the panels are."""
        self._workspace.bench.panels_visible = True
        self._workspace.bench.cases_listed = True

    def ask_why(self) -> None:
        """Ask why the open case is to be left out."""
        from medview.gui.dialogs.leave_out import LeaveOutDialog

        if (row := self._workspace.worklist.current) is not None:
            LeaveOutDialog(self._workspace, [row.case_id], self._window).open()

    def done_and_next(self, workspace: Workspace) -> None:
        """Mark what is worked on of the open case done, and open the next one."""
        if workspace.worklist.finishing.finish():
            workspace.worklist.open_next()


def toggle(workspace: Workspace, status: ReadingStatus) -> None:
    """Say that what is worked on of the open case is done or flagged, or take that back."""
    cases = workspace.worklist
    row: CaseRow | None = cases.current
    if row is None:
        return
    reading = cases.in_hand
    already = reading is not None and reading.status is status
    if status is ReadingStatus.DONE and not already:
        cases.finishing.finish()
    else:
        cases.changes.set_status(row, ReadingStatus.IN_WORK if already else status, reading)


def _operations() -> ModuleType:
    # They import the database library, which waits until the window stands.
    return import_module("medview.workspace.operations.cases")


def _has_project(workspace: Workspace) -> bool:
    return workspace.services.project is not None


def _writable(workspace: Workspace) -> bool:
    project = workspace.services.project
    return project is not None and not project.read_only


def _in_project(workspace: Workspace) -> bool:
    project = workspace.services.project
    return project is not None and not project.one_person


def _has_cases(workspace: Workspace) -> bool:
    return bool(workspace.worklist.rows)


def _can_say(workspace: Workspace) -> bool:
    return workspace.worklist.current is not None and _writable(workspace)
