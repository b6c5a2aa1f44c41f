"""The button that asks a model why."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from medview.core.language import _
from medview.gui.parts.icons import icon
from medview.gui.parts.theme_tokens import ICON_SMALL_PX


class ExplainButton(QToolButton):
    """Opens the ways an answer can be explained in."""

    wanted = Signal(str)
    """``gradcam`` or ``occlusion``."""

    def __init__(self, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setIcon(icon("mdi6.fire"))
        self.setIconSize(QSize(ICON_SMALL_PX, ICON_SMALL_PX))
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.setObjectName("explain")
        self.setProperty("role", "flat")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        quick = menu.addAction(_("Where the model looked"), partial(self.wanted.emit, "gradcam"))
        quick.setToolTip(_("Grad-CAM: the model's own features that speak for the answer; takes one run"))
        slow = menu.addAction(_("What the score hangs on"), partial(self.wanted.emit, "occlusion"))
        slow.setToolTip(_("Occlusion: parts of the picture are covered one after the other; takes many runs"))
        self.setMenu(menu)
