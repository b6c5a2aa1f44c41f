"""Settings of the scissors: which side falls off, and how deep they cut."""

from __future__ import annotations

from PySide6.QtWidgets import QButtonGroup, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.options.outline import HELP
from medview.gui.parts.bind import bind, follow
from medview.gui.parts.controls import number_box, row_of, text_button, words
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.workspace import Workspace

_DEEPEST_MM = 1000.0


class ScissorsOptions(QWidget):
    """Two buttons for the side, a field for the depth."""

    def __init__(self, workspace: Workspace, _actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        bench = workspace.bench
        self.inside = text_button(
            _("Cut inside"), _("What lies behind and before the outline is cut away"), icon_name="mdi6.content-cut"
        )
        self.outside = text_button(
            _("Keep inside"), _("Everything beside the outline is cut away"), icon_name="mdi6.crop-free"
        )
        sides = QButtonGroup(self)
        for choice in (self.inside, self.outside):
            choice.setCheckable(True)
            sides.addButton(choice)
        bind(self.outside, bench, "cut_outside")
        follow(self, bench, "cut_outside", lambda outside: self.inside.setChecked(not outside))
        self.depth_mm = number_box(
            0.0,
            _DEEPEST_MM,
            _("How deep they cut on slices, half of it to each side; 0 is through everything, as always in 3-D"),
        )
        self.depth_mm.setDecimals(0)
        self.depth_mm.setSingleStep(5.0)
        self.depth_mm.setSuffix(" mm")
        self.depth_mm.setSpecialValueText(_("through everything"))
        bind(self.depth_mm, bench, "cut_depth_mm")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX)
        layout.addLayout(row_of(self.inside, self.outside))
        layout.addLayout(row_of(words(_("Depth"), "quiet"), self.depth_mm))
        layout.addWidget(words(HELP, "quiet"))
