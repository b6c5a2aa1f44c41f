"""Which lines stand in which corner of the pictures."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.bind import follow
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.corners import CORNERS, LINES, CornerLines, default
from medview.workspace.workspace import Workspace

_NAMES = {
    "top_left": _("Upper left"),
    "top_right": _("Upper right"),
    "bottom_left": _("Lower left"),
    "bottom_right": _("Lower right"),
}
_USUAL = {"time": "top_left"}
"""Corners of lines that stand nowhere as delivered."""


class CornerTextsDialog(QDialog):
    """A row per line: whether it stands on the pictures, and where. What is chosen is seen at once."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Corner texts"))
        self._workspace = workspace
        self.checks: dict[str, QCheckBox] = {}
        self.places: dict[str, QComboBox] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID_PX * 6)
        grid.setVerticalSpacing(GRID_PX)
        grid.setColumnStretch(0, 1)
        for row, (line_id, name) in enumerate(LINES.items()):
            check = QCheckBox(name)
            check.setObjectName(f"corner {line_id}")
            check.setToolTip(_("Show or leave out: {name}").format(name=name))
            check.toggled.connect(partial(self._on_row, line_id))
            place = QComboBox()
            place.setToolTip(_("Corner for: {name}").format(name=name))
            place.setAccessibleName(_("Corner for: {name}").format(name=name))
            for corner in CORNERS:
                place.addItem(_NAMES[corner], corner)
            place.currentIndexChanged.connect(partial(self._on_row, line_id))
            self.checks[line_id], self.places[line_id] = check, place
            grid.addWidget(check, row, 0)
            grid.addWidget(place, row, 1)
        self.reset = text_button(_("Reset"), _("As delivered"))
        self.reset.clicked.connect(lambda: workspace.use_corners(default()))
        close = text_button(_("Close"), _("Close this window; the choice is kept"), role="primary")
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID_PX * 2)
        buttons.addWidget(self.reset)
        buttons.addStretch(1)
        buttons.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        column.setSpacing(GRID_PX * 3)
        column.addWidget(
            words(_("While the identity is hidden, lines that tell who the patient is are left out."), "quiet")
        )
        column.addLayout(grid)
        column.addLayout(buttons)
        follow(self, workspace.bench, "corners", self._show)

    def _show(self, corners: CornerLines) -> None:
        for line_id, check in self.checks.items():
            place = self.places[line_id]
            blockers = QSignalBlocker(check), QSignalBlocker(place)
            corner = corners.corner_of(line_id)
            check.setChecked(bool(corner))
            # Where a line that is off would come is what was chosen for it last.
            if corner or place.property("chosen") is None:
                place.setCurrentIndex(place.findData(corner or default().corner_of(line_id) or _USUAL.get(line_id)))
            place.setProperty("chosen", True)
            place.setEnabled(bool(corner))
            for blocker in blockers:
                blocker.unblock()
        self.reset.setEnabled(corners != default())

    def _on_row(self, line_id: str, _value: object) -> None:
        corner = str(self.places[line_id].currentData()) if self.checks[line_id].isChecked() else ""
        self._workspace.use_corners(self._workspace.bench.corners.with_line(line_id, corner))
