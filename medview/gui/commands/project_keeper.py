"""Opens the project labels are kept in, says how it is, and lets go of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from medview.core.errors import LockedError, MedViewError, WriteError
from medview.core.language import _, in_language
from medview.gui.dialogs.file_choices import ask_new_file
from medview.gui.dialogs.give_up import Leaving, ask_to_give_up
from medview.gui.jobs.saved_watch import SavedWatch
from medview.store.entry import SavedState
from medview.workspace.events import Severity
from medview.workspace.models import data_folder
from medview.workspace.workspace import Workspace

if TYPE_CHECKING:
    from medview.store.project import Project

LOG = logging.getLogger("medview.window")


@dataclass(frozen=True, slots=True)
class Access:
    """Why a project is only read.

    Attributes
    ----------
    reason : str
        One sentence; empty when it can be written.
    free : bool
        It can be tried again.
    damaged : bool
        It can be recovered.
    """

    reason: str = ""
    free: bool = False
    damaged: bool = False


class ProjectKeeper(QObject):
    """The window's hand on the project."""

    saved_changed = Signal(object)
    """SavedState, or None where nothing is kept."""
    access_changed = Signal(object)
    """Access."""
    _freed = Signal()

    def __init__(self, window: QWidget, workspace: Workspace) -> None:
        super().__init__(window)
        self._window, self._workspace = window, workspace
        self._watch: SavedWatch | None = None
        self._given_up = False
        """Whether the person gives up what cannot be written of the project that is about to be closed."""
        self._freed.connect(self._on_freed, Qt.ConnectionType.QueuedConnection)

    def open(self) -> None:
        """Open the personal project, or read it where it cannot be written; the window works without and says so."""
        services = self._workspace.services
        try:
            project = _personal_project()
        except MedViewError as error:
            LOG.warning("personal project: %s", error.detail or type(error).__name__)
            services.project_problem = error.sentence
            self._workspace.say(error.sentence, Severity.WARNING)
            self.access_changed.emit(Access(error.sentence, free=isinstance(error, WriteError)))
            return
        self.take(project)

    def take(self, project: Project) -> None:
        """Keep labels in a project that was just opened, and say how it is."""
        services = self._workspace.services
        services.project, services.project_problem = project, project.read_only_reason
        if project.notices:
            self._workspace.say(" ".join(map(in_language, project.notices)))
        self._follow(project)

    def retry(self) -> None:
        """Try to save at once."""
        if (project := self._workspace.services.project) is not None:
            project.journal.retry()

    def save_copy(self) -> None:
        """Ask where to and save everything there, what waits included."""
        name = _("labels.medview")
        path = ask_new_file(self._window, _("Save a copy of the project"), name, _("MedView project (*.medview)"))
        if path is not None:
            _operations().save_project_copy(self._workspace, path)

    def write(self) -> None:
        """Go on in a project that could not be written when it was opened."""
        copy = self._workspace.services.project
        if copy is not None and not copy.read_only:
            return
        if not _operations().all_read(self._workspace):
            self._workspace.say(_("A series is still being read; try again once it is."))
            return
        try:
            if copy is None:
                project = _personal_project()
            else:
                silence = copy.lock_watch.silence if copy.lock_watch is not None else None
                project = type(copy).open(copy.path, silence=silence)
        except MedViewError as error:
            self._workspace.say(error.sentence, Severity.WARNING)
            damaged = copy is not None and copy.damaged
            self.access_changed.emit(Access(error.sentence, free=isinstance(error, WriteError), damaged=damaged))
            if isinstance(error, LockedError) and copy is not None and copy.lock_watch is not None:
                # Somebody else was faster.
                copy.lock_watch.start()
            return
        _operations().go_on_in(self._workspace, project)
        if copy is not None:
            copy.close()
        self._follow(project)
        self._workspace.worklist.load()
        self._workspace.trainings.conductor.look()

    def repair(self) -> None:
        """Put a sound project in the place of a damaged one and go on in it."""
        copy = self._workspace.services.project
        if copy is not None and copy.damaged:
            _operations().repair(self._workspace, copy.path, self.write)

    def may_close(self) -> bool:
        """Whether the project may be let go of: every change is on disk, or the person gives them up. Closes nothing."""
        project = self._workspace.services.project
        self._given_up = False
        if project is None:
            return True
        if self._is_merging():
            return False
        if project.read_only or project.journal.flush():
            return True
        self._given_up = self._gives_up(project.journal.state.reason)
        return self._given_up

    def closed(self) -> bool:
        """Let go of the project when every change is on disk, or when the person gives the changes up."""
        project = self._workspace.services.project
        if project is None:
            return True
        if self._is_merging():
            return False
        for case in self._workspace.cases.values():
            self._workspace.efforts.end(case)
        try:
            self._workspace.next_cases.let_go()
            self._workspace.queue.let_go()
            self._workspace.worklist.let_go()
            project.close()
        except MedViewError as error:
            if not self._given_up and not self._gives_up(error.sentence):
                self._workspace.next_cases.stay()
                return False
            project.close(discard=True)
        self._workspace.services.project, self._given_up = None, False
        return True

    def _gives_up(self, sentence: str) -> bool:
        """Ask whether to leave without the changes that cannot be written; somebody who saves a copy stays."""
        answer = ask_to_give_up(self._window, in_language(sentence))
        if answer is Leaving.COPY:
            self.save_copy()
        return answer is Leaving.LEAVE

    def _is_merging(self) -> bool:
        """Whether copies are being merged, which is cancelled then; who asks again does not wait for that any more."""
        merging = self._workspace.worklist.merging
        if not merging.working or merging.problem:
            return False
        merging.cancel()
        merging.refuse(_("The merge is being cancelled, and leaves the project as it was. Try again in a moment."))
        self._workspace.say(merging.problem, Severity.WARNING)
        return True

    def stop(self) -> None:
        """Listen no longer."""
        if self._watch is not None:
            self._watch.stop()

    def _follow(self, project: Project) -> None:
        self.stop()
        self._workspace.efforts.read_anew()
        # Room can be made and rights can be given: then it is worth another try.
        free = isinstance(project.refusal, WriteError)
        self.access_changed.emit(Access(project.read_only_reason, free, project.damaged))
        if project.read_only:
            self._workspace.say(project.read_only_reason, Severity.WARNING)
            self.saved_changed.emit(None)
            if project.lock_watch is not None:
                project.lock_watch.freed.connect(self._from_watcher)
            return
        self._watch = SavedWatch(project.journal, self)
        self._watch.changed.connect(self._on_saved)
        self._on_saved(project.journal.state)

    def _on_saved(self, state: SavedState) -> None:
        self.saved_changed.emit(state)

    def _from_watcher(self) -> None:
        # Runs in the watching thread; a Qt signal is the one thing that may be touched from there.
        self._freed.emit()

    def _on_freed(self) -> None:
        project = self._workspace.services.project
        if project is not None and project.read_only:
            free = _("{name} can be written again: whoever wrote it has closed it or is gone.")
            self.access_changed.emit(Access(free.format(name=project.path.name), free=True))


def _operations() -> ModuleType:
    # They import the database library, which waits until the window stands.
    return import_module("medview.workspace.operations.project")


def _personal_project() -> Project:
    # The database library is imported after the window stands.
    from medview.store.personal import personal_project

    return personal_project(data_folder(), or_read=True)
