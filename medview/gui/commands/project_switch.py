"""Puts another project in the place of the one that is open."""

from __future__ import annotations

import logging
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from medview.core.errors import MedViewError, WriteError
from medview.core.language import _
from medview.gui.commands.project_keeper import ProjectKeeper
from medview.workspace.models import data_folder
from medview.workspace.queue import Queue
from medview.workspace.workspace import Workspace

if TYPE_CHECKING:
    from medview.store.project import Project
    from medview.workspace.new_project import NewProject

LOG = logging.getLogger("medview.window")


class ProjectSwitch:
    """The one that is open is let go only once the other one can be had."""

    def __init__(self, keeper: ProjectKeeper, workspace: Workspace) -> None:
        self._keeper, self._workspace = keeper, workspace

    def open(self, path: Path | None) -> None:
        """Open the project in a folder; without one, that of what is labelled without a project."""
        services = self._workspace.services
        if path is not None and services.project is not None and services.project.path.resolve() == path.resolve():
            self._workspace.bench.cases_listed = True
            return
        try:
            project = _opened(path)
        except MedViewError as error:
            LOG.warning("a project was not opened: %s", error.detail or type(error).__name__)
            self._workspace.report(error)
            return
        if self._put(project) and path is not None:
            self._workspace.remember(str(path))

    def make(self, wanted: NewProject) -> None:
        """Make a project, open it, and add its cases."""
        # The database library is imported after the window stands.
        from medview.store.project import Project

        try:
            _make_folder(wanted.path.parent)
            project = Project.create(wanted.path, wanted.name)
            wanted.furnish(project)
        except MedViewError as error:
            self._workspace.report(error)
            return
        if not self._put(project):
            return
        self._workspace.remember(str(wanted.path))
        if wanted.places:
            try:
                import_module("medview.workspace.operations.cases").add_cases(self._workspace, wanted.places)
            except MedViewError as error:
                self._workspace.report(error)

    def _put(self, project: Project) -> bool:
        """Let go of the project that is open and go on in another one; False where somebody thought better of it."""
        workspace = self._workspace
        if not self._keeper.may_close():
            project.close()
            return False
        for key, case in list(workspace.cases.items()):
            # Measured at once: what a job would bring later has no project to go to.
            workspace.efforts.end(case)
            workspace.close_case(key)
        running = workspace.queue.job
        if not self._keeper.closed():
            project.close()
            return False
        # What is still being opened was looked up in the project that is gone: nothing of it comes any more.
        workspace.opening.clear()
        # The model that ran begins anew the next time its project is open.
        workspace.queue.put(Queue(), keep=False)
        if running is not None:
            running.cancel()
        self._keeper.take(project)
        workspace.worklist.load()
        workspace.trainings.conductor.look()
        workspace.bench.cases_listed = not project.one_person
        return True


def _opened(path: Path | None) -> Project:
    # The database library is imported after the window stands.
    from medview.store.personal import personal_project
    from medview.store.project import Project

    return personal_project(data_folder(), or_read=True) if path is None else Project.open_or_read(path)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        text = _("{name} cannot be made; choose another place for the project.").format(name=folder.name)
        raise WriteError(text, detail=repr(error)) from error
