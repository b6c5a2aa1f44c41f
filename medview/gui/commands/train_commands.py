"""Trainings by key, menu and search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from medview.core.language import _
from medview.gui.commands.training_watch import TrainingWatch
from medview.workspace.action import Action
from medview.workspace.workspace import Workspace

if TYPE_CHECKING:
    from medview.gui.dialogs.train import TrainDialog


class TrainCommands:
    """Parameters are the window and the workspace."""

    def __init__(self, window: QWidget, workspace: Workspace) -> None:
        self._window, self._workspace = window, workspace
        self._watch = TrainingWatch(workspace, window)
        self.dialog: TrainDialog | None = None

    def actions(self) -> tuple[Action, ...]:
        """Return the actions for menus and keys."""
        return (
            Action("train.open", _("Train a model..."), lambda _w: self.show(), "mdi6.school-outline", _kept),
            Action("train.pause", _("Pause the training"), _pause, "mdi6.pause", _going),
            Action("train.go_on", _("Go on with the training"), _go_on, "mdi6.play", _paused),
        )

    def show(self, name: str = "") -> None:
        """Show the trainings: what can be trained, or the one that goes on, or one by its name."""
        dialog = self._opened()
        dialog.show()
        dialog.activateWindow()
        going = self._workspace.trainings.going
        if name or going is not None:
            dialog.refresh()
            dialog.show_run(name or (going.name if going is not None else ""))
        else:
            dialog.begin()

    def _opened(self) -> TrainDialog:
        if self.dialog is None:
            # What trainings need is imported when somebody asks for one.
            from medview.gui.dialogs.train import TrainDialog

            self.dialog = TrainDialog(self._workspace, self._window)
        return self.dialog


def _kept(workspace: Workspace) -> bool:
    return workspace.services.project is not None


def _going(workspace: Workspace) -> bool:
    going = workspace.trainings.going
    return going is not None and going.can_pause


def _paused(workspace: Workspace) -> bool:
    return workspace.trainings.going is None and any(run.can_go_on for run in workspace.trainings.runs)


def _pause(workspace: Workspace) -> None:
    if (going := workspace.trainings.going) is not None:
        workspace.trainings.conductor.pause(going.name)


def _go_on(workspace: Workspace) -> None:
    run = next((run for run in workspace.trainings.runs if run.can_go_on), None)
    if run is not None:
        workspace.trainings.conductor.go_on(run.name)
