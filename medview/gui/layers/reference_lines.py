"""Where the pictures in other panes cut this one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from medview.gui.drawing.viewport import Viewport
from medview.gui.parts.theme_tokens import DARK, PICTURE_WARNING
from medview.workspace.reference_lines import ReferenceLine


class ReferenceLinesLayer:
    """Dashed lines; that of the pane under the pointer stands out."""

    def __init__(self) -> None:
        self._lines: tuple[ReferenceLine, ...] = ()
        self._viewport: Viewport | None = None

    def update(self, lines: Sequence[ReferenceLine], viewport: Viewport) -> None:
        """Take the lines."""
        self._lines, self._viewport = tuple(lines), viewport

    def paint(self, painter: QPainter) -> None:
        """Draw the lines."""
        if self._viewport is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for line in self._lines:
            painter.setPen(QPen(QColor(PICTURE_WARNING if line.pointed else DARK.accent), 1.2, Qt.PenStyle.DashLine))
            painter.drawLine(QLineF(self._viewport.point_px(*line.start), self._viewport.point_px(*line.end)))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
