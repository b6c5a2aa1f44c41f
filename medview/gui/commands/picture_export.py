"""What a pane shows, as a file or on the clipboard: exactly what is seen, identity hidden when it is hidden."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from medview.core.atomic import replacing
from medview.core.errors import MedViewError
from medview.core.language import _
from medview.gui.dialogs.file_choices import ask_new_file
from medview.gui.panes.pane_grid import PaneGrid
from medview.workspace.action import Action
from medview.workspace.events import Severity
from medview.workspace.workspace import Workspace

_KIND = _("Pictures (*.png)")


class PictureExport:
    """Saves or copies the pane under the pointer."""

    def __init__(self, window: QWidget, workspace: Workspace, panes: PaneGrid) -> None:
        self._window, self._workspace, self._panes = window, workspace, panes

    def actions(self) -> tuple[Action, ...]:
        """Return the actions for menus and keys."""
        return (
            Action("picture.save", _("Save the picture..."), lambda _w: self.save(), "mdi6.camera-outline", _has_case),
            Action("picture.copy", _("Copy the picture"), lambda _w: self.copy(), "mdi6.content-copy", _has_case),
        )

    def save(self) -> None:
        """Ask where to and write the picture as PNG."""
        # Taken before the dialog: what was seen is what is saved.
        pixels = self._png()
        path = ask_new_file(self._window, _("Save the picture"), "picture.png", _KIND)
        if path is not None:
            self._write(path, pixels)

    def copy(self) -> None:
        """Put the picture on the clipboard."""
        QGuiApplication.clipboard().setPixmap(self._pane().grab())
        self._workspace.say(_("Copied the picture."))

    def _write(self, path: Path, pixels: bytes) -> None:
        try:
            with replacing(path) as file:
                file.write(pixels)
        except MedViewError as error:
            self._workspace.report(error)
            return
        hidden = "" if self._workspace.bench.identity_hidden else _(" It shows the patient's identity.")
        self._workspace.say(_("Wrote {name}.{hidden}").format(name=path.name, hidden=hidden), Severity.INFO)

    def _png(self) -> bytes:
        stored = QByteArray()
        buffer = QBuffer(stored)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        self._pane().grab().save(buffer, "PNG")
        return bytes(stored.data())

    def _pane(self) -> QWidget:
        pane = self._panes.pointed_pane
        pane.be_fine()
        return pane


def _has_case(workspace: Workspace) -> bool:
    return workspace.active is not None
