"""Settings of fill and grow: what hangs together, and how far a region may reach."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.bind import bind
from medview.gui.parts.controls import number_box, row_of, words
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.workspace import Workspace

_FURTHEST_MM = 500.0


class GrowOptions(QWidget):
    """A field for the distance and a box for corners; the range of values is set by the drag itself."""

    def __init__(self, workspace: Workspace, _actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.limit = number_box(
            0.0, _FURTHEST_MM, _("A region ends at this distance from where it begins, against leaks; 0 is no limit")
        )
        self.limit.setDecimals(0)
        self.limit.setSingleStep(5.0)
        self.limit.setSuffix(" mm")
        self.limit.setSpecialValueText(_("no limit"))
        bind(self.limit, workspace.bench, "grow_limit_mm")
        self.corners = QCheckBox(_("Across corners"))
        self.corners.setToolTip(_("Voxels that touch with an edge or a corner hang together too, not only with a face"))
        bind(self.corners, workspace.bench, "grow_corners")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX)
        layout.addLayout(row_of(words(_("At most"), "quiet"), self.limit, self.corners))
        layout.addWidget(words(_("Drag right or up for more values, left or down for fewer."), "quiet"))
