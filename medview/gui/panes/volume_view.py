"""The active case in three dimensions."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.gui.panes.owner_strip import OwnerStrip
from medview.gui.panes.scene_follower import SceneFollower
from medview.gui.panes.volume_canvas import VolumeCanvas
from medview.gui.parts.bind import Subscriptions, bind, field_signal
from medview.gui.parts.controls import icon_button
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.theme_tokens import GRID_PX
from medview.scene.camera import SIDES, Orbit
from medview.scene.presets import chosen, presets
from medview.workspace.workspace import Workspace

_LINGER_MS = 60_000
"""A hidden view keeps its process this long: it may only be behind a pane that fills the window."""


class VolumeView(QWidget):
    """A line of controls over the picture. Nothing is prepared and no process runs before the view is first seen."""

    maximise_wanted = Signal()
    """The person wants the view to fill the window, or to stop filling it."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("volume_view")
        self._workspace = workspace
        self.follower = SceneFollower(workspace, self)
        self.canvas = VolumeCanvas(workspace, self.follower, self)
        self.canvas.maximise_wanted.connect(self.maximise_wanted)
        self.preset_box = QComboBox()
        self.preset_box.setToolTip(_("What is seen of the volume. Drag with the right button to see more or less of it."))
        self.preset_box.setAccessibleName(_("What is seen of the volume"))
        self.preset_box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.preset_box.activated.connect(self._choose)
        self.surfaces_button = icon_button("mdi6.shape-outline", _("Show segments as surfaces"))
        self.surfaces_button.setCheckable(True)
        self.side_button = icon_button("mdi6.rotate-orbit", _("Look at all of it from one side"))
        self.side_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.side_button.setMenu(self._side_menu())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.owner = OwnerStrip(workspace)
        layout.addWidget(self.owner)
        layout.addWidget(self._bar())
        layout.addWidget(self.canvas, 1)
        self._linger = QTimer(self, interval=_LINGER_MS, singleShot=True)
        self._linger.timeout.connect(self.follower.sleep)
        bind(self.surfaces_button, workspace.scene, "surfaces")
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self._offer)
        heard.add(field_signal(workspace.scene, "preset"), self._show_preset)
        self._offer()

    def _bar(self) -> QFrame:
        bar = QFrame()
        bar.setProperty("role", "bar")
        row = QHBoxLayout(bar)
        row.setContentsMargins(2 * GRID_PX, GRID_PX // 2, GRID_PX, GRID_PX // 2)
        row.setSpacing(GRID_PX)
        row.addWidget(ElidedLabel("3-D", "quiet"), 1)
        for control in (self.preset_box, self.surfaces_button, self.side_button):
            row.addWidget(control)
        return bar

    def _side_menu(self) -> QMenu:
        menu = QMenu(self)
        for title, orbit in SIDES.items():
            menu.addAction(in_language(title)).triggered.connect(partial(self._look_from, orbit))
        return menu

    def shut(self) -> None:
        """End the process; the view starts anew when it is shown again."""
        self._linger.stop()
        self.follower.sleep()

    def showEvent(self, event: QShowEvent) -> None:
        """Show the active case."""
        super().showEvent(event)
        self._linger.stop()
        self.follower.wake()

    def hideEvent(self, event: QHideEvent) -> None:
        """Keep the process for a while."""
        super().hideEvent(event)
        self._linger.start()

    def closeEvent(self, event: QCloseEvent) -> None:
        """End the process."""
        super().closeEvent(event)
        self.shut()

    def _offer(self) -> None:
        case = self._workspace.active
        self.preset_box.clear()
        for preset in presets(case.volume.modality, case.volume.unit) if case is not None else ():
            self.preset_box.addItem(in_language(preset.title), preset.key)
        self.preset_box.setEnabled(case is not None)
        self._show_preset()

    def _show_preset(self) -> None:
        case = self._workspace.active
        if case is not None:
            key = chosen(case.volume.modality, case.volume.unit, self._workspace.scene.preset).key
            self.preset_box.setCurrentIndex(self.preset_box.findData(key))

    @Slot(int)
    def _choose(self, row: int) -> None:
        self._workspace.scene.choose(str(self.preset_box.itemData(row)))

    def _look_from(self, orbit: Orbit, *_checked: object) -> None:
        self._workspace.scene.orbit = orbit
