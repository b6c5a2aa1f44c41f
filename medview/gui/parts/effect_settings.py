"""Controls for the settings of an effect, made from their description."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QGridLayout, QSizePolicy, QWidget

from medview.core.language import _
from medview.core.segmentation import Segment
from medview.edit.effects.settings import (
    Choice,
    Number,
    OtherSegment,
    Place,
    Setting,
    Switch,
    ValueRange,
    Values,
    applies,
    value_range,
)
from medview.gui.parts.controls import number_box, swatch, words
from medview.gui.parts.theme_tokens import GRID_PX

Change = Callable[[str, object], None]

_LEAST_COMBO_PX = 80


class EffectSettings(QWidget):
    """One row per setting that applies; nothing is kept here.

    Parameters
    ----------
    change : callable
        Called with key and value when a person changes a setting.
    """

    def __init__(self, settings: Sequence[Setting], change: Change, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID_PX * 2)
        grid.setVerticalSpacing(GRID_PX)
        grid.setColumnStretch(1, 1)
        self.rows: dict[str, SettingRow] = {}
        self._settings = tuple(settings)
        for line, setting in enumerate(settings):
            row = self.rows[setting.key] = _row(setting, change)
            if row.title is None:
                grid.addWidget(row.control, line, 0, 1, 2)
            else:
                grid.addWidget(row.title, line, 0)
                grid.addWidget(row.control, line, 1)

    def show_values(self, values: Values, others: Sequence[Segment], unit: str) -> None:
        """Show the settings as they are.

        Parameters
        ----------
        others : sequence of Segment
            What an OtherSegment offers.
        unit : str
            Of the values of the picture.
        """
        for setting in self._settings:
            row = self.rows[setting.key]
            shown = applies(setting, values)
            row.control.setVisible(shown)
            if row.title is not None:
                row.title.setVisible(shown)
            row.show_value(values, others, unit)


class SettingRow:
    """Title, if any, control, and how a value is shown in it."""

    def __init__(self, title: QWidget | None, control: QWidget) -> None:
        self.title, self.control = title, control

    def show_value(self, values: Values, others: Sequence[Segment], unit: str) -> None:
        """Show a value without announcing it as a change."""


class _NumberRow(SettingRow):
    def __init__(self, setting: Number, change: Change) -> None:
        self._key = setting.key
        self.box = number_box(setting.low, setting.high, setting.tip)
        self.box.setDecimals(setting.decimals)
        self.box.setSingleStep(setting.step)
        self.box.setSuffix(f" {setting.unit}" if setting.unit else "")
        self.box.setAccessibleName(setting.title)
        self.box.valueChanged.connect(lambda value: change(setting.key, value))
        super().__init__(words(setting.title, "quiet"), self.box)

    def show_value(self, values: Values, others: Sequence[Segment], unit: str) -> None:
        _set_quietly(self.box, values[self._key])


class _SwitchRow(SettingRow):
    def __init__(self, setting: Switch, change: Change) -> None:
        self._key = setting.key
        self.check = QCheckBox(setting.title)
        self.check.setToolTip(setting.tip)
        self.check.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.check.toggled.connect(lambda on: change(setting.key, on))
        super().__init__(None, self.check)

    def show_value(self, values: Values, others: Sequence[Segment], unit: str) -> None:
        blocker = QSignalBlocker(self.check)
        self.check.setChecked(bool(values[self._key]))
        blocker.unblock()


class _ChoiceRow(SettingRow):
    def __init__(self, setting: Choice, change: Change) -> None:
        self._key = setting.key
        self.combo = _combo(setting.title, setting.tip)
        for number, option in enumerate(setting.options):
            self.combo.addItem(option.title, option.value)
            self.combo.setItemData(number, option.tip, Qt.ItemDataRole.ToolTipRole)
        self.combo.activated.connect(lambda _number: change(setting.key, self.combo.currentData()))
        super().__init__(words(setting.title, "quiet"), self.combo)

    def show_value(self, values: Values, others: Sequence[Segment], unit: str) -> None:
        self.combo.setCurrentIndex(self.combo.findData(values[self._key]))


class _SegmentRow(SettingRow):
    def __init__(self, setting: OtherSegment, change: Change) -> None:
        self._key = setting.key
        self.combo = _combo(setting.title, setting.tip)
        self.combo.activated.connect(lambda _number: change(setting.key, self.combo.currentData()))
        super().__init__(words(setting.title, "quiet"), self.combo)

    def show_value(self, values: Values, others: Sequence[Segment], unit: str) -> None:
        self.combo.clear()
        self.combo.addItem(_("Choose one"), "")
        for segment in others:
            self.combo.addItem(swatch(segment.colour), segment.name, segment.segment_id)
        self.combo.setCurrentIndex(max(0, self.combo.findData(values[self._key])))


class _RangeRow(SettingRow):
    def __init__(self, setting: ValueRange, change: Change) -> None:
        self._key, self._change = setting.key, change
        control = QWidget()
        line = QGridLayout(control)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(GRID_PX)
        self.ends = [self._end(setting, _("From")), self._end(setting, _("To"))]
        for column, box in enumerate(self.ends):
            line.addWidget(box, 0, column)
        super().__init__(words(setting.title, "quiet"), control)

    def _end(self, setting: ValueRange, which: str) -> QDoubleSpinBox:
        box = number_box(-1e7, 1e7, f"{which}: {setting.tip}")
        box.setAccessibleName(f"{setting.title}, {which}")
        box.valueChanged.connect(self._on_value)
        return box

    def _on_value(self, _value: float) -> None:
        low, high = (box.value() for box in self.ends)
        self._change(self._key, (min(low, high), max(low, high)))

    def show_value(self, values: Values, others: Sequence[Segment], unit: str) -> None:
        found = value_range(values, self._key)
        for box, value in zip(self.ends, found or (0.0, 0.0), strict=True):
            # Uptake and the like lie close to each other.
            box.setDecimals(0 if unit == "HU" else 2)
            box.setSuffix(f" {unit}" if unit else "")
            box.setSpecialValueText("")
            box.setEnabled(True)
            _set_quietly(box, value)


class _PlaceRow(SettingRow):
    def __init__(self, setting: Place) -> None:
        label = words(setting.title, "quiet")
        label.setToolTip(setting.tip)
        super().__init__(None, label)


def _row(setting: Setting, change: Change) -> SettingRow:
    if isinstance(setting, Number):
        return _NumberRow(setting, change)
    if isinstance(setting, Switch):
        return _SwitchRow(setting, change)
    if isinstance(setting, Choice):
        return _ChoiceRow(setting, change)
    if isinstance(setting, OtherSegment):
        return _SegmentRow(setting, change)
    return _RangeRow(setting, change) if isinstance(setting, ValueRange) else _PlaceRow(setting)


def _combo(title: str, tip: str) -> QComboBox:
    box = QComboBox()
    box.setToolTip(tip)
    box.setAccessibleName(title)
    # Long names are cut, never pushed out of the column.
    box.setMinimumWidth(_LEAST_COMBO_PX)
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return box


def _set_quietly(box: QDoubleSpinBox, value: object) -> None:
    assert isinstance(value, int | float)
    blocker = QSignalBlocker(box)
    box.setValue(value)
    blocker.unblock()
