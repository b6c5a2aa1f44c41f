"""The top line: menus, Open, modes, and the actions used all day."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QMenuBar, QSizePolicy, QToolButton, QWidget

from medview.core.language import _
from medview.gui.parts.controls import action_button, icon_button
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.theme_tokens import GRID_PX

_HEIGHT_PX = 40
_HANDS = ("tool.window", "tool.crosshair", "tool.magnifier")
"""What the left button does, besides measuring and drawing: the way out of a tool without a key."""

_RIGHT = (
    "help.find",
    "",
    "undo",
    "redo",
    "",
    "view.fit",
    "view.maximise",
    "view.overlay",
    "",
    "view.identity",
    "view.panels",
)


class TopBar(QFrame):
    """40 px; nothing in it is reachable only here."""

    def __init__(self, actions: QtActions, layouts: QMenu, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "bar")
        self.setFixedHeight(_HEIGHT_PX)
        self.menus = QMenuBar()
        self.menus.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GRID_PX, 0, GRID_PX * 2, 0)
        layout.setSpacing(GRID_PX)
        layout.addWidget(self.menus)
        layout.addSpacing(GRID_PX * 2)
        open_button = action_button(actions["file.open_folder"], text=True, flat=False)
        open_button.setText(_("Open"))
        open_button.setObjectName("button open")
        layout.addWidget(open_button)
        layout.addSpacing(GRID_PX * 3)
        self.layouts = icon_button("mdi6.view-grid-outline", _("Layout of the panes, compare with the earlier study"))
        self.layouts.setObjectName("button layout")
        self.layouts.setMenu(layouts)
        self.layouts.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        layout.addWidget(self.layouts)
        layout.addSpacing(GRID_PX * 3)
        for name in ("mode.read", "mode.annotate"):
            button = action_button(actions[name], text=True)
            button.setObjectName(f"button {name}")
            layout.addWidget(button)
        layout.addSpacing(GRID_PX * 3)
        for name in _HANDS:
            button = action_button(actions[name])
            button.setObjectName(f"top {name}")
            layout.addWidget(button)
        layout.addStretch(1)
        for name in _RIGHT:
            if name:
                layout.addWidget(action_button(actions[name]))
            else:
                layout.addSpacing(GRID_PX * 2)
