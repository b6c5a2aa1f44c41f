"""One pane: it shows the workspace and forwards the mouse; it decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QEnterEvent,
    QGuiApplication,
    QHideEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from medview.gui.drawing.mouse import Notches, button_of, held_button
from medview.gui.panes.key_focus import take_keys
from medview.gui.panes.resting_pointer import RestingPointer
from medview.gui.panes.slice_canvas import SliceCanvas
from medview.gui.parts.series_mime import decode
from medview.workspace.hands import Hands
from medview.workspace.nudging import nudge, takes_arrows
from medview.workspace.pointer import Button, Pointer
from medview.workspace.workspace import Workspace

_CANCEL, _BACK = Qt.Key.Key_Escape, Qt.Key.Key_Backspace
_HELD = {
    Qt.Key.Key_Control: Qt.KeyboardModifier.ControlModifier,
    Qt.Key.Key_Shift: Qt.KeyboardModifier.ShiftModifier,
    Qt.Key.Key_Alt: Qt.KeyboardModifier.AltModifier,
}
_REMOVE = Qt.Key.Key_Delete
_DRAWING_KEYS = (_CANCEL, _BACK, _REMOVE, Qt.Key.Key_Return, Qt.Key.Key_Enter)
_ARROWS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
}
"""Arrow -> how far what is chosen moves down and to the right, in voxels."""


class SliceView(SliceCanvas):
    """A pane under the mouse."""

    menu_wanted = Signal(str, QPoint)
    """A right click that dragged nothing: pane id and place on the screen."""

    series_dropped = Signal(object, object, str)
    """A series was dropped on the pane: Series, VolumeEntry, pane id."""

    def __init__(self, workspace: Workspace, hands: Hands, pane_id: str, parent: QWidget | None = None) -> None:
        super().__init__(workspace, hands, pane_id, parent)
        self._notches = Notches()
        # Fires once the moves that wait in the system's queue have been seen: as often as the pane can be drawn.
        self._frame = QTimer(self, interval=0, singleShot=True)
        self._frame.timeout.connect(self._on_frame)
        self._hovered: Pointer | None = None
        self._resting = RestingPointer(self, self._on_moved)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAcceptDrops(True)

    def event(self, event: QEvent) -> bool:
        """Let keys of what is drawn click by click, or moved by arrows, go before shortcuts; see the pane move."""
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            # A key means the place where the hand is, not where it was a moment ago.
            self._on_frame()
            drawing = self._hands.clicking.going_on and self._drawing_key(event) in _DRAWING_KEYS
            if drawing or self._undoes_drop(event) or self._step_of(event) is not None:
                event.accept()
                return True
        elif event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self._resting.pane_moved()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let the keys that end a gesture, take a step of it back or move what is chosen do so."""
        if (step := self._step_of(event)) is not None:
            nudge(self._workspace, self.pane_id, *step)
            return
        self._on_frame()
        self._hold(event, down=True)
        key, clicking = self._drawing_key(event), self._hands.clicking
        if self._undoes_drop(event) and clicking.bring_back():
            return
        acts: dict[int, Callable[[], bool]] = {_CANCEL: self._hands.cancel, _BACK: clicking.back}
        acts[_REMOVE] = partial(clicking.remove, self._hands.pointer)
        if key not in _DRAWING_KEYS or not acts.get(key, clicking.close)():
            super().keyPressEvent(event)

    def _undoes_drop(self, event: QKeyEvent) -> bool:
        return self._hands.clicking.undoes_drop and event.matches(QKeySequence.StandardKey.Undo)

    def _drawing_key(self, event: QKeyEvent) -> int:
        """Return the key as something that is drawn understands it; 0 where it means nothing to it."""
        if not self._hands.clicking.adjustable:
            return 0 if event.key() == _REMOVE else event.key()
        # What is not written yet is what a person wants undone.
        return _BACK if event.matches(QKeySequence.StandardKey.Undo) else event.key()

    def _step_of(self, event: QKeyEvent) -> tuple[int, int] | None:
        """Return how far an arrow moves what is chosen; None where the key means something else."""
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier == Qt.KeyboardModifier.NoModifier
        step = _ARROWS.get(event.key()) if plain else None
        return step if step is not None and takes_arrows(self._workspace, self.pane_id) else None

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Let the hands know which keys are still held."""
        self._hold(event, down=False)
        super().keyReleaseEvent(event)

    def _hold(self, event: QKeyEvent, *, down: bool) -> None:
        """Show at once what a held key makes of the tool; a gesture that goes on keeps what it began with."""
        held = _HELD.get(Qt.Key(event.key()))
        if held is not None and self._pointer_px is not None and not QGuiApplication.mouseButtons():
            # The system tells the keys that were held before this one went down or up.
            modifiers = event.modifiers() | held if down else event.modifiers() & ~held
            self._hands.hover(self._pointer(self._pointer_px, Button.NONE, modifiers))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Forward a press."""
        self._on_frame()
        pointer = self._pointer(event.position(), button_of(event.button()), event.modifiers())
        if pointer is None:
            self._workspace.choose(self.pane_id)
        elif pointer.button is not Button.NONE:
            self._hands.press(pointer)
            if self._hands.finding:
                self._frame.start()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Forward a drag, or a pointer passing over."""
        self._pointer_px = event.position()
        held = held_button(event.buttons())
        pointer = self._pointer(event.position(), held, event.modifiers())
        if pointer is None:
            return
        if held is Button.NONE and self._hands.clicking.going_on:
            # What it would come to may take a while to find, a livewire's way for instance; only the last place counts.
            self._hovered = pointer
            self._frame.start()
        elif held is Button.NONE:
            self._hands.hover(pointer)
        elif self._hands.gather(pointer) or self._hands.finding:
            self._frame.start()
        self._say_pointed_at()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Forward a release."""
        pointer = self._pointer(event.position(), button_of(event.button()), event.modifiers())
        clicked = pointer is None
        if pointer is not None and pointer.button is not Button.NONE:
            clicked = self._hands.release(pointer)
        if clicked and event.button() is Qt.MouseButton.RightButton:
            self.menu_wanted.emit(self.pane_id, event.globalPosition().toPoint())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Forward a double click; it stands where Qt sends no second press."""
        pointer = self._pointer(event.position(), button_of(event.button()), event.modifiers())
        if pointer is None or pointer.button is Button.NONE:
            return
        self._hands.press(pointer)
        if pointer.button is Button.LEFT:
            self._hands.double_click(pointer)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Forward whole notches; Alt turns the wheel sideways on some systems."""
        turn = event.angleDelta()
        notches = self._notches.add(turn.y() or turn.x())
        pointer = self._pointer(event.position(), Button.NONE, event.modifiers())
        if pointer is not None and notches:
            self._hands.wheel(pointer, notches)
            # The picture may have moved under the resting pointer.
            self._hands.hover(self._pointer(event.position(), Button.NONE, event.modifiers()))
        event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take series; files go to the window."""
        if decode(event.mimeData(), self._workspace) is not None:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        """Show the series here."""
        if (dropped := decode(event.mimeData(), self._workspace)) is not None:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.series_dropped.emit(*dropped, self.pane_id)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Tell the hands which pane the pointer is in."""
        take_keys(self)
        self._pointer_px = event.position()
        # Keys act on the pane under the pointer.
        self._workspace.bench.pointed = self.pane_id
        pointer = self._pointer(event.position(), Button.NONE, Qt.KeyboardModifier.NoModifier)
        if pointer is not None:
            self._hands.hover(pointer)
            self._say_pointed_at()

    def leaveEvent(self, event: QEvent) -> None:
        """Tell everybody that the pointer is gone."""
        super().leaveEvent(event)
        self._gone()

    def hideEvent(self, event: QHideEvent) -> None:
        """Tell everybody that the pointer is gone: a hidden pane gets no leave."""
        super().hideEvent(event)
        self._gone()

    def _on_frame(self) -> None:
        if self._hands.frame():
            self._frame.start()
        hovered, self._hovered = self._hovered, None
        if hovered is not None:
            self._hands.hover(hovered)

    def _on_camera(self) -> None:
        super()._on_camera()
        self._resting.picture_moved()

    def _on_moved(self, place_px: QPointF | None) -> None:
        """Show what the tool would do at a pointer that rested while the picture or the pane moved."""
        if self._pointer_px is None:
            return
        self._pointer_px = self._pointer_px if place_px is None else place_px
        if self.rect().contains(self._pointer_px.toPoint()):
            self._hands.hover(self._pointer(self._pointer_px, Button.NONE, QGuiApplication.keyboardModifiers()))
            self._say_pointed_at()
        else:
            self._gone()

    def _gone(self) -> None:
        self._hovered = None
        if self._pointer_px is not None:
            self._pointer_px = None
            self._hands.hover(None)
            self.pointed_at.emit(None)
