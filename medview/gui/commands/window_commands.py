"""What the window does with itself: closing, colours, dialogs about it, and what is dropped on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QDialog, QWidget

from medview.core.language import _
from medview.core.study import DamagedFile, Series, VolumeEntry
from medview.gui.commands.file_commands import FileCommands
from medview.gui.dialogs.about import AboutDialog
from medview.gui.dialogs.damaged import DamagedDialog
from medview.gui.dialogs.hanging import HangingDialog
from medview.gui.panes.pane_menu import pane_menu
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.series_mime import decode
from medview.workspace.action import Action
from medview.workspace.layout import grid
from medview.workspace.layout_actions import use_layout
from medview.workspace.workspace import Workspace


class WindowCommands:
    """Parameters are the window and what it is made of.

    Parameters
    ----------
    use_theme : callable
        Takes ``dark`` or ``light``.
    """

    def __init__(
        self, window: QWidget, workspace: Workspace, files: FileCommands, use_theme: Callable[[str], object]
    ) -> None:
        self._window, self._workspace, self._files, self._use_theme = window, workspace, files, use_theme

    def actions(self) -> tuple[Action, ...]:
        """Return the actions for menus and keys."""
        return (
            Action("window.quit", _("Quit"), lambda _w: self._close()),
            Action("window.dark", _("Dark"), lambda _w: self._dress("dark")),
            Action("window.light", _("Light"), lambda _w: self._dress("light")),
            Action("hanging.rules", _("Hanging rules..."), lambda _w: self.show_hanging(), "mdi6.wall"),
            Action("help.about", _("About MedView"), lambda _w: self.show_about()),
        )

    def show_about(self) -> None:
        """Say what this program is."""
        _open(AboutDialog(self._window))

    def show_hanging(self) -> None:
        """Show the rules by which series are hung."""
        HangingDialog(self._workspace, self._window).open()

    def show_damaged(self, files: list[DamagedFile]) -> None:
        """List the files that could not be read."""
        _open(DamagedDialog(files, hidden=self._workspace.bench.identity_hidden, parent=self._window))

    def use_grid(self, rows: int, columns: int) -> None:
        """Divide the centre into a grid of panes."""
        use_layout(self._workspace, grid(rows, columns))

    def show_pane_menu(self, actions: QtActions, pane_id: str, place: QPoint) -> None:
        """Show the menu of a pane at a place on the screen."""
        menu = pane_menu(self._workspace, actions, pane_id, self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    def takes(self, event: QDropEvent) -> bool:
        """Whether what is dragged is a series of this window, or folders and files of this computer."""
        return self._dragged(event) is not None or any(url.isLocalFile() for url in event.mimeData().urls())

    def drop(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        if (dragged := self._dragged(event)) is not None:
            self._files.open_series(*dragged)
        else:
            for url in event.mimeData().urls():
                if url.isLocalFile():
                    self._files.open_dropped(Path(url.toLocalFile()))
        event.acceptProposedAction()

    def _dragged(self, event: QDropEvent) -> tuple[Series, VolumeEntry] | None:
        return decode(event.mimeData(), self._workspace)

    def _close(self) -> None:
        self._window.close()

    def _dress(self, theme: str) -> None:
        self._use_theme(theme)


def _open(dialog: QDialog) -> None:
    """Show a dialog that lives until it is closed; the window goes on behind it."""
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
