"""Slabs and cine: how many slices are shown at once, and how fast slices or time points follow one another."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QVBoxLayout, QWidget

from medview.core.language import _
from medview.core.slab import Slab, SlabMode
from medview.gui.parts.bind import Subscriptions, bind, follow
from medview.gui.parts.controls import action_button, number_box, text_button, words
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.cine import FASTEST_HZ, SLOWEST_HZ
from medview.workspace.workspace import Workspace

_TIPS = {
    SlabMode.OFF: _("One slice at a time"),
    SlabMode.MAXIMUM: _("Brightest voxel of the slices behind one another: vessels, nodules, contrast"),
    SlabMode.MINIMUM: _("Darkest voxel of the slices behind one another: airways, emphysema"),
    SlabMode.MEAN: _("Mean of the slices: as a thicker slice would have shown"),
}
_THICKEST_MM = 300.0


class PlanesPanel(QWidget):
    """Buttons for the slab's kind, its thickness, play and rate."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._bench = workspace, workspace.bench
        modes = QHBoxLayout()
        modes.setSpacing(GRID_PX)
        group = QButtonGroup(self)
        self.modes = {}
        for mode, tip in _TIPS.items():
            button = text_button(mode.title or _("Off"), tip)
            button.setCheckable(True)
            button.clicked.connect(partial(self._set_mode, mode))
            group.addButton(button)
            modes.addWidget(button)
            self.modes[mode] = button
        self.thickness = number_box(0.5, _THICKEST_MM, _("Thickness of the slab"))
        self.thickness.setDecimals(1)
        self.thickness.setSuffix(" mm")
        self.thickness.valueChanged.connect(self._set_thickness)
        self.play = action_button(actions["cine.play"], text=True, flat=False)
        tip = _("Slices or time points per second; the file's own rate where it states one")
        self.rate = number_box(SLOWEST_HZ, FASTEST_HZ, tip)
        self.rate.setDecimals(1)
        self.rate.setSuffix(" per s")
        bind(self.rate, self._bench, "cine_rate_hz")
        self.played = {
            False: text_button(_("Slices"), _("Play goes through the slices of the pane under the pointer")),
            True: text_button(_("Time"), _("Play goes through the time points of the series")),
        }
        what = QButtonGroup(self)
        for in_time, button in self.played.items():
            button.setCheckable(True)
            button.clicked.connect(partial(self._set_played, in_time))
            what.addButton(button)
        self._what = QWidget()
        row = _row(words(_("Plays"), "quiet"), *self.played.values())
        row.setContentsMargins(0, 0, 0, 0)
        self._what.setLayout(row)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        column.setSpacing(GRID_PX * 2)
        column.addLayout(modes)
        column.addLayout(_row(words(_("Slab"), "quiet"), self.thickness))
        column.addWidget(self._what)
        column.addLayout(_row(self.play, self.rate))
        follow(self, self._bench, "slab", self._show)
        follow(self, self._bench, "cine_in_time", lambda in_time: self.played[in_time].setChecked(True))
        Subscriptions(self).add(workspace.active_changed, self._on_active)
        self._on_active()

    def _on_active(self) -> None:
        case = self._workspace.active
        self._what.setVisible(case is not None and case.entry.time_points > 1)

    def _set_played(self, in_time: bool, _checked: bool = False) -> None:
        self._bench.cine_in_time = in_time

    def _set_mode(self, mode: SlabMode, _checked: bool = False) -> None:
        self._bench.slab = replace(self._bench.slab, mode=mode)

    def _set_thickness(self, thickness_mm: float) -> None:
        self._bench.slab = replace(self._bench.slab, thickness_mm=thickness_mm)

    def _show(self, slab: Slab) -> None:
        self.modes[slab.mode].setChecked(True)
        self.thickness.setEnabled(slab.mode is not SlabMode.OFF)
        if self.thickness.value() != slab.thickness_mm:
            self.thickness.setValue(slab.thickness_mm)


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(GRID_PX)
    for widget in widgets:
        row.addWidget(widget, 1)
    return row
