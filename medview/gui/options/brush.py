"""Settings of the brushes: radius in millimetres, disc or sphere."""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QButtonGroup, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.bind import bind, follow
from medview.gui.parts.controls import number_box, row_of, text_button, words
from medview.gui.parts.key_tip import KeyTip
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.steady import SteadySlider
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.view_state import MAX_BRUSH_MM, MIN_BRUSH_MM
from medview.workspace.workspace import Workspace

_STEPS = 200


class BrushOptions(QWidget):
    """A slider and a field for the radius, two buttons for the shape."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        bench = workspace.bench
        self.radius = number_box(MIN_BRUSH_MM, MAX_BRUSH_MM, _("Brush radius ([ and ], or Shift and wheel on the picture)"))
        self.radius.setDecimals(1)
        self.radius.setSingleStep(0.5)
        self.radius.setSuffix(" mm")
        self.radius.setFixedWidth(72)
        bind(self.radius, bench, "brush_radius_mm")
        self.slider = SteadySlider()
        self.slider.setRange(0, _STEPS)
        self.slider.setToolTip(self.radius.toolTip())
        self.slider.valueChanged.connect(lambda step: bench.set_radius(_radius_mm(step)))
        follow(self, bench, "brush_radius_mm", self._show_radius)
        self.disc = text_button(_("2-D disc"), _("Paints on the slice only"), icon_name="mdi6.circle-outline")
        self.sphere = text_button(_("Sphere"), _("Paints neighbouring slices too"), icon_name="mdi6.sphere")
        for choice in (self.disc, self.sphere):
            KeyTip(choice, choice.toolTip(), actions["brush.sphere"])
        shape = QButtonGroup(self)
        for choice in (self.disc, self.sphere):
            choice.setCheckable(True)
            shape.addButton(choice)
        bind(self.sphere, bench, "brush_sphere")
        follow(self, bench, "brush_sphere", lambda sphere: self.disc.setChecked(not sphere))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX)
        layout.addLayout(row_of(words(_("Radius"), "quiet"), self.slider, self.radius))
        layout.addLayout(row_of(self.disc, self.sphere))

    def _show_radius(self, radius_mm: float) -> None:
        blocker = QSignalBlocker(self.slider)
        self.slider.setValue(_step(radius_mm))
        blocker.unblock()


def _radius_mm(step: int) -> float:
    # Equal steps of the slider are equal ratios: fine where brushes are small.
    return round(float(MIN_BRUSH_MM * (MAX_BRUSH_MM / MIN_BRUSH_MM) ** (step / _STEPS)), 1)


def _step(radius_mm: float) -> int:
    return round(_STEPS * math.log(radius_mm / MIN_BRUSH_MM) / math.log(MAX_BRUSH_MM / MIN_BRUSH_MM))
