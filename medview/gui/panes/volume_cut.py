"""Scissors over the picture in three dimensions: a free line that cuts through everything behind it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from medview.core.language import _
from medview.scene.camera import Shot
from medview.workspace.cutting import cut_in_picture
from medview.workspace.label_writing import may_write
from medview.workspace.large_writing import LargeWriting
from medview.workspace.stage import Stage
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace

_STEP_PX = 2
_LEAST_PX = 12
"""A line that stays nearer to its beginning is a click."""


class VolumeCut:
    """One line at a time, while the scissors are in hand; nothing changes before the button is let go."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._later = LargeWriting(workspace)
        self._line: list[QPointF] = []

    @property
    def in_hand(self) -> bool:
        """Whether the left button cuts."""
        bench = self._workspace.bench
        return bench.tool is Tool.SCISSORS and bench.mode is Mode.ANNOTATE and self._workspace.active is not None

    @property
    def words(self) -> str:
        """What the mouse does meanwhile; empty where it does what it always does."""
        return _("Scissors: draw around what is cut. Shift turns.") if self.in_hand else ""

    @property
    def drawing(self) -> bool:
        """Whether a line is being drawn."""
        return bool(self._line)

    def begin(self, at: QPointF) -> None:
        """Begin a line where something can be cut; says why where it cannot."""
        stage = self._stage()
        self._line = [at] if stage is not None and may_write(stage, erase=True) else []

    def move(self, at: QPointF) -> None:
        """Go on with the line."""
        if self._line and (at - self._line[-1]).manhattanLength() >= _STEP_PX:
            self._line.append(at)

    def end(self, shot: Shot | None) -> bool:
        """Close the line and cut; False where it was no more than a click."""
        line, self._line = self._line, []
        stage = self._stage()
        far = max(((point - line[0]).manhattanLength() for point in line), default=0)
        if far < _LEAST_PX or stage is None or shot is None:
            return False
        cut_in_picture(stage, shot, [(point.x(), point.y()) for point in line])
        return True

    def drop(self) -> bool:
        """Give the line up; False when there is none."""
        line, self._line = self._line, []
        return bool(line)

    def paint(self, painter: QPainter) -> None:
        """Draw the line in the colour of the segment, with a dark rim."""
        case = self._workspace.active
        segment = None if case is None else case.active_segment
        if len(self._line) < 2 or segment is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        line = QPolygonF([*self._line, self._line[0]])
        for pen in (QPen(QColor(0, 0, 0, 150), 3.5), QPen(QColor(*segment.colour), 1.5, Qt.PenStyle.DashLine)):
            painter.setPen(pen)
            painter.drawPolyline(line)

    def _stage(self) -> Stage | None:
        case = self._workspace.active
        return None if case is None else Stage(self._workspace.bench, case, self._workspace.say, self._later)
