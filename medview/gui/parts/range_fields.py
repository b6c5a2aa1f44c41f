"""Two fields for a range of values, as people read them: Hounsfield units, or uptake of a PET."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from medview.core.language import _
from medview.core.volume import Volume
from medview.gui.parts.controls import number_box, words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.rule_words import display_factor, display_unit, range_decimals

_LARGEST = 1e7
_COARSE_STEP = 5.0


class RangeFields(QWidget):
    """From and to, with the unit. An end that nobody typed stays as exact as it was, whatever its field can show."""

    range_wanted = Signal(float, float)
    """The person typed these ends, lowest first, in the unit of the volume."""

    def __init__(self, about: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.low = number_box(-_LARGEST, _LARGEST, _("{about}: lowest value").format(about=about))
        self.high = number_box(-_LARGEST, _LARGEST, _("{about}: highest value").format(about=about))
        self._unit = words("", "quiet")
        self._factor = 1.0
        self._ends = (0.0, 0.0)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID_PX)
        row.addWidget(self.low, 1)
        row.addWidget(words(_("to"), "quiet"))
        row.addWidget(self.high, 1)
        row.addWidget(self._unit)
        self.low.valueChanged.connect(lambda value: self._tell(value / self._factor, self._ends[1]))
        self.high.valueChanged.connect(lambda value: self._tell(self._ends[0], value / self._factor))

    def show_range(self, volume: Volume, low: float, high: float) -> None:
        """Show a range given in the unit of the volume."""
        self._factor, self._ends = display_factor(volume), (low, high)
        self._unit.setText(display_unit(volume))
        decimals = range_decimals(low * self._factor, high * self._factor)
        for box, end in ((self.low, low), (self.high, high)):
            blocker = QSignalBlocker(box)
            box.setDecimals(decimals)
            box.setSingleStep(10.0 ** (1 - decimals) if decimals else _COARSE_STEP)
            box.setValue(end * self._factor)
            blocker.unblock()

    def _tell(self, low: float, high: float) -> None:
        # As the fields stand: the person may be about to type the other end.
        self._ends = (low, high)
        self.range_wanted.emit(min(low, high), max(low, high))
