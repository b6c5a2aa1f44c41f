"""What correcting models took, shown on demand."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from medview.core.language import _
from medview.gui.dialogs.effort_table import EffortTableDialog
from medview.workspace.action import Action
from medview.workspace.workspace import Workspace


class EffortCommands:
    """Parameters are the window and the workspace."""

    def __init__(self, window: QWidget, workspace: Workspace) -> None:
        self._window, self._workspace = window, workspace

    def actions(self) -> tuple[Action, ...]:
        """Return the actions for menus and keys."""
        return (
            Action(
                "models.effort", _("Correction effort..."), lambda _w: self.show_table(), "mdi6.timer-edit-outline", _kept
            ),
        )

    def show_table(self) -> None:
        """Show the table of the open project."""
        dialog = EffortTableDialog(self._workspace, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()


def _kept(workspace: Workspace) -> bool:
    return workspace.services.project is not None
