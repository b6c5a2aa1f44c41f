"""What only a window offers for series in time: the curve over it."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QWidget
from shiboken6 import isValid

from medview.core.language import _
from medview.workspace.action import Action
from medview.workspace.time_axis import axis_of
from medview.workspace.workspace import Workspace


class TimeCommands:
    """Holds the one window with a curve."""

    def __init__(self, window: QWidget, workspace: Workspace) -> None:
        self._window, self._workspace = window, workspace
        self._curve: QDialog | None = None

    def actions(self) -> tuple[Action, ...]:
        """Return the actions for menus and keys."""
        return (Action("time.curve", _("Curve over time"), lambda _w: self.show_curve(), "mdi6.chart-line", _in_time),)

    def show_curve(self) -> None:
        """Open the window with the curve, or bring it to the front."""
        # The plotting library is imported only by who looks at a curve.
        from medview.gui.dialogs.time_curve import TimeCurveDialog

        if self._curve is None or not isValid(self._curve):
            self._curve = TimeCurveDialog(self._workspace, self._window)
        self._curve.show()
        self._curve.activateWindow()


def _in_time(workspace: Workspace) -> bool:
    return workspace.active is not None and axis_of(workspace.active) is not None
