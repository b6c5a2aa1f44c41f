"""The values of the open series, with the window to be dragged."""

from __future__ import annotations

from psygnal import SignalInstance
from PySide6.QtWidgets import QWidget

from medview.core.language import _
from medview.core.window import Window
from medview.gui.parts.bind import field_signal
from medview.gui.parts.case_histogram import CaseHistogram
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace


class HistogramPanel(CaseHistogram):
    """The range is the window, from black to white; one that a table gives stays where it is."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, "histogram", parent)
        self._layout.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)

    def ends(self, case: OpenCase) -> tuple[float, float, bool]:
        """Return the window's ends."""
        window = case.view.window
        return window.center - window.width / 2, window.center + window.width / 2, isinstance(window, Window)

    def take(self, case: OpenCase, low: float, high: float) -> None:
        """Change the window."""
        case.view.window = case.view.window.adjusted((low + high) / 2, high - low)

    def told_by(self, case: OpenCase) -> tuple[SignalInstance, ...]:
        """The window's own."""
        return (field_signal(case.view, "window"),)

    def tip(self, what: str) -> str:
        """Say what the counts are and what dragging does."""
        return _("{what}; the scale is logarithmic.\nDrag an edge or the middle to change the window.").format(what=what)
