"""Settings of the threshold brush: those of every brush, and the range of values on the histogram."""

from __future__ import annotations

from psygnal import SignalInstance
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.options.brush import BrushOptions
from medview.gui.parts.bind import Subscriptions, bind, field_signal
from medview.gui.parts.case_histogram import CaseHistogram
from medview.gui.parts.controls import number_box, row_of, text_button, words
from medview.gui.parts.key_tip import KeyTip
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.range_fields import RangeFields
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.brush_range import brush_range, set_brush_range
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace


class ThresholdBrushOptions(QWidget):
    """Radius and shape, the range as numbers and on the histogram, and how it is taken from the picture."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.brush = BrushOptions(workspace, actions)
        self.fields = RangeFields(_("The threshold brush paints from here to there"))
        self.fields.range_wanted.connect(self._on_typed)
        self.histogram = RangeHistogram(workspace)
        self.adapts = QCheckBox(_("From each stroke's beginning"))
        self.adapts.setToolTip(
            _(
                "The brush adapts: it takes the range anew from what lies under the pointer when a stroke begins, "
                "and paints only what hangs together with it"
            )
        )
        bind(self.adapts, workspace.bench, "brush_adapts")
        self.spread = number_box(0.5, 6.0, _("How many standard deviations around the mean such a range reaches"))
        self.spread.setDecimals(1)
        self.spread.setSingleStep(0.5)
        self.spread.setPrefix("\u00b1 ")
        self.spread.setSuffix(" SD")
        bind(self.spread, workspace.bench, "brush_spread")
        pick = text_button(
            _("From a region"),
            _("Drag a circle over what is to be painted: its mean and deviation become the range"),
            icon_name="mdi6.select-marker",
        )
        pick.clicked.connect(actions["tool.value_range"].trigger)
        KeyTip(pick, pick.toolTip(), actions["tool.value_range"])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX)
        layout.addWidget(self.brush)
        layout.addLayout(row_of(words(_("Range"), "quiet"), self.fields))
        layout.addWidget(self.histogram)
        layout.addLayout(row_of(pick, self.spread))
        layout.addWidget(self.adapts)
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self._refresh)
        heard.add(field_signal(workspace.bench, "brush_ranges"), self._refresh)
        self._refresh()

    def _refresh(self, *_values: object) -> None:
        case = self._workspace.active
        self.fields.setEnabled(case is not None and not case.anchor.volume.colour)
        if case is not None:
            self.fields.show_range(case.anchor.volume, *brush_range(self._workspace.bench, case))

    def _on_typed(self, low: float, high: float) -> None:
        if self._workspace.active is not None:
            set_brush_range(self._workspace.bench, self._workspace.active, (low, high))


class RangeHistogram(CaseHistogram):
    """The range is that of the threshold brush."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, "range-histogram", parent)

    def ends(self, case: OpenCase) -> tuple[float, float, bool]:
        """Return the brush's range."""
        return (*brush_range(self._workspace.bench, case), True)

    def take(self, case: OpenCase, low: float, high: float) -> None:
        """Change the brush's range."""
        set_brush_range(self._workspace.bench, case, (low, high))

    def told_by(self, case: OpenCase) -> tuple[SignalInstance, ...]:
        """The brush's own, and the window's, which it is before one is chosen."""
        return (field_signal(self._workspace.bench, "brush_ranges"), field_signal(case.view, "window"))

    def tip(self, what: str) -> str:
        """Say what the counts are and what dragging does."""
        return _("{what}; the scale is logarithmic.\nDrag an edge or the middle to change what the brush paints.").format(
            what=what
        )
