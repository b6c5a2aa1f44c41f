"""The picture in three dimensions under the mouse."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from medview.core.language import _, in_language
from medview.gui.panes.scene_follower import SceneFollower
from medview.gui.panes.volume_cut import VolumeCut
from medview.gui.panes.volume_picture import VolumePicture, Words
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.theme_tokens import PICTURE_MEASURE
from medview.scene.camera import Shot
from medview.scene.messages import Picture
from medview.scene.presets import shift_text
from medview.workspace.workspace import Workspace

_DEGREES_PER_PX = 0.5
_ZOOM_PER_NOTCH = 1.15
_SHIFT_PER_PX = 1 / 800
_DRAG_PX = 4
"""A press that moves less is a click."""
_QUICK_SCALE = 0.5
"""Size of a picture while the hand moves."""
_SETTLE_MS = 180
"""Without movement for so long, the fine picture is asked for."""
_EIGHTHS_PER_NOTCH = 120.0


class VolumeCanvas(QWidget):
    """Shows the newest picture; left drag turns, middle pans, right moves the opacity, the wheel zooms, a click points."""

    maximise_wanted = Signal()
    """A double click."""

    def __init__(self, workspace: Workspace, follower: SceneFollower, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._follower = follower
        self._picture = VolumePicture()
        self._cut = VolumeCut(workspace)
        self._shown: Picture | None = None
        self._pressed_px: QPointF | None = None
        self._last_px = QPointF()
        self._dragging = False
        self._moving = False
        self._settle = QTimer(self, interval=_SETTLE_MS, singleShot=True)
        self._settle.timeout.connect(self._come_to_rest)
        self._of_case = Subscriptions(self)
        self.setObjectName("volume_canvas")
        self.setAccessibleName(_("3-D picture"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        follower.changed.connect(self._ask)
        follower.drawn.connect(self._take)
        Subscriptions(self).add(workspace.active_changed, self._take_case)
        for name in ("identity_hidden", "tool", "mode"):
            Subscriptions(self).add(field_signal(workspace.bench, name), self._on_crosshair)
        self._take_case()

    @property
    def shown(self) -> Picture | None:
        """The picture that is seen."""
        return self._shown

    def _take_case(self) -> None:
        self._of_case.clear()
        case = self._workspace.active
        if case is not None:
            for name in ("crosshair_kji", "focus_kji"):
                self._of_case.add(field_signal(case.view, name), self._on_crosshair)
        self._forget()

    def _forget(self) -> None:
        self._shown = None
        self._picture.take(None)
        self.update()

    @Slot()
    def _ask(self) -> None:
        if self._follower.stage is None:
            self._forget()
            return
        scale = self.devicePixelRatioF() * (_QUICK_SCALE if self._moving else 1.0)
        size = (max(1, round(self.width() * scale)), max(1, round(self.height() * scale)))
        self._follower.ask(size, quick=self._moving)
        self.update()

    @Slot()
    def _come_to_rest(self) -> None:
        self._moving = False
        self._ask()

    def _move(self) -> None:
        """Be content with rough pictures until the hand rests."""
        self._moving = True
        self._settle.start()

    @Slot(object)
    def _take(self, picture: Picture) -> None:
        self._shown = picture
        self._picture.take(picture)
        self.update()

    def _on_crosshair(self) -> None:
        self.update()

    def _shot(self) -> Shot | None:
        """Return how the shown picture was taken, in pixels of the widget."""
        stage = self._follower.stage
        if stage is None or self._shown is None:
            return None
        return Shot(self._shown.look.orbit, stage, (self.width(), self.height()))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the newest picture, the cross and the marker."""
        area, font = QRectF(self.rect()), self.font()
        shot, case = self._shot(), self._workspace.active
        painter = QPainter(self)
        try:
            self._picture.paint(painter, area, font, self.devicePixelRatioF(), self._words())
            if shot is not None and case is not None:
                painter.setFont(font)
                point = case.volume.geometry.point_lps_mm(case.view.at_kji)
                self._picture.paint_cross(painter, shot, point, PICTURE_MEASURE)
                self._picture.paint_marker(painter, area, font, shot.orbit)
                self._cut.paint(painter)
        finally:
            # Qt does not survive a painter that an error left open.
            painter.end()

    def _words(self) -> Words:
        follower, case, shift = self._follower, self._workspace.active, self._workspace.scene.opacity_shift
        below = ""
        if self._shown is not None and self._cut.words:
            below = self._cut.words
        elif self._shown is not None and case is not None and shift:
            below = _("Opacity {shift}").format(
                shift=in_language(shift_text(case.volume.modality, case.volume.unit, shift))
            )
        elif self._shown is not None and self._workspace.bench.identity_hidden:
            below = _("A face drawn in 3-D can be recognised")
        return Words(follower.words if self._shown is None else "", below, warning=follower.trouble)

    def event(self, event: QEvent) -> bool:
        """Ask anew on a screen with finer or coarser pixels."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._ask()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for a picture of the new size."""
        super().resizeEvent(event)
        self._ask()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag, a cut or a click."""
        self._pressed_px, self._last_px, self._dragging = event.position(), event.position(), False
        turns = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.button() == Qt.MouseButton.LeftButton and self._cut.in_hand and not turns and self._shown is not None:
            self._cut.begin(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Turn, pan or move the opacity."""
        if self._pressed_px is None or event.buttons() == Qt.MouseButton.NoButton:
            return
        if not self._dragging and (event.position() - self._pressed_px).manhattanLength() < _DRAG_PX:
            return
        self._dragging = True
        if self._cut.drawing:
            self._cut.move(event.position())
            self.update()
            return
        way, self._last_px = event.position() - self._last_px, event.position()
        self._drag(event.buttons(), way.x(), way.y())

    def _drag(self, buttons: Qt.MouseButton, right_px: float, down_px: float) -> None:
        scene, shot = self._workspace.scene, self._shot()
        if shot is None:
            return
        self._move()
        if buttons & Qt.MouseButton.LeftButton:
            scene.orbit = scene.orbit.turned(-right_px * _DEGREES_PER_PX, down_px * _DEGREES_PER_PX)
        elif buttons & Qt.MouseButton.MiddleButton:
            scene.orbit = scene.orbit.panned(-right_px * shot.mm_per_px, down_px * shot.mm_per_px)
        elif buttons & Qt.MouseButton.RightButton:
            scene.shift_opacity(-down_px * _SHIFT_PER_PX)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Point at what was clicked, or ask for the fine picture after a drag."""
        clicked = self._pressed_px is not None and not self._dragging
        self._pressed_px = None
        shot = self._shot()
        if self._cut.end(shot):
            self._dragging = False
            self.update()
            return
        if clicked and event.button() == Qt.MouseButton.LeftButton and shot is not None:
            self._follower.pick(shot, event.position().x(), event.position().y())
        elif self._dragging and event.buttons() == Qt.MouseButton.NoButton:
            self._settle.stop()
            self._come_to_rest()
        self._dragging = False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Give up a line that is being drawn (Escape)."""
        if event.key() == Qt.Key.Key_Escape and self._cut.drop():
            self._pressed_px = None
            self.update()
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask to fill the window."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.maximise_wanted.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom; Alt turns the wheel sideways on some systems."""
        turn = event.angleDelta()
        notches = (turn.y() or turn.x()) / _EIGHTHS_PER_NOTCH
        if notches and self._shown is not None:
            self._move()
            scene = self._workspace.scene
            scene.orbit = scene.orbit.zoomed(_ZOOM_PER_NOTCH**notches)
        event.accept()
