"""What only a window offers for series in time: the curve over it."""

from __future__ import annotations

from types import ModuleType

from PySide6.QtWidgets import QDialog, QWidget
from shiboken6 import isValid

from medview.core.language import _
from medview.gui.parts.plots_loader import PlotsLoader
from medview.workspace.action import Action
from medview.workspace.time_axis import axis_of
from medview.workspace.workspace import Workspace

_DIALOG = "medview.gui.dialogs.time_curve"


class TimeCommands:
    """Holds the one window with a curve."""

    def __init__(self, window: QWidget, workspace: Workspace) -> None:
        self._window, self._workspace = window, workspace
        self._curve: QDialog | None = None
        self._loading = False

    def actions(self) -> tuple[Action, ...]:
        """Return the actions for menus and keys."""
        return (Action("time.curve", _("Curve over time"), lambda _w: self.show_curve(), "mdi6.chart-line", _in_time),)

    def show_curve(self) -> None:
        """Open the window with the curve once what draws it is loaded, or bring it to the front."""
        if self._curve is not None and isValid(self._curve):
            self._curve.show()
            self._curve.activateWindow()
        elif not self._loading:
            self._loading = True
            PlotsLoader(_DIALOG, self._on_loaded, self._window)

    def _on_loaded(self, module: ModuleType) -> None:
        self._loading = False
        self._curve = module.TimeCurveDialog(self._workspace, self._window)
        self._curve.show()
        self._curve.activateWindow()


def _in_time(workspace: Workspace) -> bool:
    return workspace.active is not None and axis_of(workspace.active) is not None
