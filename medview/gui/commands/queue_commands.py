"""Asks which models are to run on which series, and by themselves, and hands that to the queue."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from medview.core.language import _
from medview.gui.dialogs.run_models import RunModelsDialog, Volumes
from medview.gui.dialogs.run_rules import RunRulesDialog
from medview.workspace.action import Action
from medview.workspace.workspace import Workspace


class QueueCommands:
    """Parameters are the window and the workspace."""

    def __init__(self, window: QWidget, workspace: Workspace) -> None:
        self._window, self._workspace = window, workspace

    def actions(self) -> tuple[Action, ...]:
        """Return the actions for menus and keys."""
        return (
            Action(
                "queue.add",
                _("Run models on several series..."),
                lambda _w: self.ask(),
                "mdi6.playlist-play",
                _has_series,
            ),
            Action("queue.pause", _("Pause the queue of models"), lambda w: w.queue.pause(), "mdi6.pause", _going),
            Action("queue.go_on", _("Go on with the queue of models"), lambda w: w.queue.go_on(), "mdi6.play", _paused),
            Action(
                "queue.rules", _("Models that run by themselves..."), lambda _w: self.show_rules(), "mdi6.robot-outline"
            ),
        )

    def show_rules(self) -> None:
        """Show which models run by themselves on what is opened."""
        RunRulesDialog(self._workspace, self._window).open()

    def ask(self, chosen: Volumes = ()) -> None:
        """Ask which models are to run, on series that were chosen or others."""
        RunModelsDialog(self._workspace, chosen, self._window).open()


def _has_series(workspace: Workspace) -> bool:
    return bool(workspace.series) or workspace.active is not None


def _going(workspace: Workspace) -> bool:
    return bool(workspace.queue.queue.open) and not workspace.queue.queue.paused


def _paused(workspace: Workspace) -> bool:
    return bool(workspace.queue.queue.open) and workspace.queue.queue.paused
