"""Two fields for a range of values, as people read them: Hounsfield units, or uptake of a PET."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from medview.core.language import _
from medview.core.volume import Volume
from medview.gui.parts.controls import number_box, words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.rule_words import display_factor, display_unit

_LARGEST = 1e7
_FINE_BELOW = 100.0


class RangeFields(QWidget):
    """From and to, with the unit."""

    range_wanted = Signal(float, float)
    """The person typed these ends, lowest first, in the unit of the volume."""

    def __init__(self, about: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.low = number_box(-_LARGEST, _LARGEST, _("{about}: lowest value").format(about=about))
        self.high = number_box(-_LARGEST, _LARGEST, _("{about}: highest value").format(about=about))
        self._unit = words("", "quiet")
        self._factor = 1.0
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID_PX)
        row.addWidget(self.low, 1)
        row.addWidget(words(_("to"), "quiet"))
        row.addWidget(self.high, 1)
        row.addWidget(self._unit)
        for box in (self.low, self.high):
            box.valueChanged.connect(self._on_typed)

    def show_range(self, volume: Volume, low: float, high: float) -> None:
        """Show a range given in the unit of the volume."""
        self._factor = display_factor(volume)
        self._unit.setText(display_unit(volume))
        small = max(abs(low), abs(high)) * self._factor < _FINE_BELOW
        for box, end in ((self.low, low), (self.high, high)):
            blocker = QSignalBlocker(box)
            box.setDecimals(2 if small else 0)
            box.setSingleStep(0.1 if small else 5.0)
            box.setValue(end * self._factor)
            blocker.unblock()

    def _on_typed(self, _value: float) -> None:
        ends = sorted((self.low.value(), self.high.value()))
        self.range_wanted.emit(ends[0] / self._factor, ends[1] / self._factor)
