"""A slice of a case with everything drawn on it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from medview.gui.drawing.mouse import pointer_at
from medview.gui.panes.pointed_at import PointedAt
from medview.gui.panes.slice_follower import SliceFollower
from medview.gui.panes.stale import Stale
from medview.workspace.hands import Hands
from medview.workspace.pointer import Button, Pointer
from medview.workspace.workspace import Workspace


class SliceCanvas(SliceFollower):
    """Paints the pane and says what lies under the pointer."""

    pointed_at = Signal(object)
    """PointedAt under the pointer, or None."""

    def __init__(self, workspace: Workspace, hands: Hands, pane_id: str, parent: QWidget | None = None) -> None:
        self._pointer_px: QPointF | None = None
        super().__init__(workspace, hands, pane_id, parent)

    def be_fine(self) -> None:
        """Show the picture as fine as it gets now, for somebody who takes it along."""
        if self._haste.end():
            self._mark(Stale.PICTURE)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bring the pane up to date and draw what is asked for."""
        if self._stale is not Stale.NONE or self._written:
            self._refresh()
        painter = QPainter(self)
        try:
            painter.setClipRegion(event.region())
            if self._case is None:
                bench = self._workspace.bench
                waiting = not bench.layout.follows
                self._picture.paint_empty(painter, self.rect(), waiting=waiting, active=bench.pointed == self.pane_id)
                return
            self._picture.paint(painter, self.rect(), active=self._workspace.bench.pointed == self.pane_id)
        finally:
            # Qt does not survive a painter that an error left open.
            painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Look at the slice through the new size."""
        super().resizeEvent(event)
        self._mark(Stale.ALL)

    def event(self, event: QEvent) -> bool:
        """Draw anew as finely as the screen it was moved to shows."""
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self._mark(Stale.ALL)
        return super().event(event)

    def _pointer(self, position: QPointF, button: Button, modifiers: Qt.KeyboardModifier) -> Pointer | None:
        case, layout = self._case, self._layout
        if case is None or layout is None:
            return None
        index = case.position_on(layout)
        viewport = self._picture.viewport_for(case, layout, (self.width(), self.height()), self.devicePixelRatioF())
        return pointer_at(position, viewport, layout, index, button, modifiers, self.pane_id)

    def _say_pointed_at(self) -> None:
        case = self._case
        at = self._pointer_px
        if at is None:
            return
        pointer = self._pointer(at, Button.NONE, Qt.KeyboardModifier.NoModifier)
        self.pointed_at.emit(PointedAt.under(case, pointer) if case is not None and pointer is not None else None)

    def shown_text(self) -> tuple[str, ...]:
        """Every line of text in the pane."""
        self._refresh()
        return self._picture.shown_text()

    @property
    def picture_rect(self) -> QRect:
        """Where the slice lies in the pane, in logical pixels."""
        viewport = self._picture.viewport
        return QRect() if viewport is None else viewport.slice_px.toAlignedRect()
