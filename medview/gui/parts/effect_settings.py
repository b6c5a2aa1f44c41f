"""Controls for the settings of an effect, made from their description."""

from __future__ import annotations

from collections.abc import Sequence

from psygnal import SignalInstance
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from medview.core.language import _
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
from medview.gui.parts.bind import field_signal
from medview.gui.parts.case_histogram import CaseHistogram
from medview.gui.parts.controls import number_box, swatch, words
from medview.gui.parts.range_fields import RangeFields
from medview.gui.parts.steady import SteadyComboBox
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace

_LEAST_COMBO_PX = 80


class SettingRow:
    """Title, if any, control, and how a value is shown in it; what a person changes goes to the workspace's effects."""

    title: QWidget | None
    control: QWidget

    def show_value(self, values: Values, case: OpenCase) -> None:
        """Show a value without announcing it as a change."""


class EffectSettings(QWidget):
    """One row per setting that applies; nothing is kept here."""

    def __init__(self, workspace: Workspace, settings: Sequence[Setting], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID_PX * 2)
        grid.setVerticalSpacing(GRID_PX)
        grid.setColumnStretch(1, 1)
        self.rows: dict[str, SettingRow] = {}
        self._settings = tuple(settings)
        for line, setting in enumerate(settings):
            row = self.rows[setting.key] = _row(workspace, setting)
            if row.title is None:
                grid.addWidget(row.control, line, 0, 1, 2)
            else:
                grid.addWidget(row.title, line, 0)
                grid.addWidget(row.control, line, 1)

    def show_values(self, values: Values, case: OpenCase) -> None:
        """Show the settings as they are, for a case."""
        for setting in self._settings:
            row = self.rows[setting.key]
            shown = applies(setting, values)
            row.control.setVisible(shown)
            if row.title is not None:
                row.title.setVisible(shown)
            row.show_value(values, case)


class _NumberRow(SettingRow):
    def __init__(self, workspace: Workspace, setting: Number) -> None:
        self._key = setting.key
        self.box = number_box(setting.low, setting.high, setting.tip)
        self.box.setDecimals(setting.decimals)
        self.box.setSingleStep(setting.step)
        self.box.setSuffix(f" {setting.unit}" if setting.unit else "")
        self.box.setAccessibleName(setting.title)
        self.box.setObjectName(f"effect {setting.key}")
        self.box.valueChanged.connect(lambda value: workspace.effects.change(setting.key, value))
        self.title, self.control = words(setting.title, "quiet"), self.box

    def show_value(self, values: Values, _case: OpenCase) -> None:
        value = values[self._key]
        assert isinstance(value, int | float)
        blocker = QSignalBlocker(self.box)
        self.box.setValue(value)
        blocker.unblock()


class _SwitchRow(SettingRow):
    title = None

    def __init__(self, workspace: Workspace, setting: Switch) -> None:
        self._key = setting.key
        self.check = QCheckBox(setting.title)
        self.check.setToolTip(setting.tip)
        self.check.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.check.setObjectName(f"effect {setting.key}")
        self.check.toggled.connect(lambda on: workspace.effects.change(setting.key, on))
        self.control = self.check

    def show_value(self, values: Values, _case: OpenCase) -> None:
        blocker = QSignalBlocker(self.check)
        self.check.setChecked(bool(values[self._key]))
        blocker.unblock()


class _ChoiceRow(SettingRow):
    def __init__(self, workspace: Workspace, setting: Choice) -> None:
        self._key = setting.key
        self.combo = _combo(setting)
        for number, option in enumerate(setting.options):
            self.combo.addItem(option.title, option.value)
            self.combo.setItemData(number, option.tip, Qt.ItemDataRole.ToolTipRole)
        self.combo.activated.connect(lambda _number: workspace.effects.change(setting.key, self.combo.currentData()))
        self.title, self.control = words(setting.title, "quiet"), self.combo

    def show_value(self, values: Values, _case: OpenCase) -> None:
        self.combo.setCurrentIndex(self.combo.findData(values[self._key]))


class _SegmentRow(SettingRow):
    def __init__(self, workspace: Workspace, setting: OtherSegment) -> None:
        self._key = setting.key
        self.combo = _combo(setting)
        self.combo.activated.connect(lambda _number: workspace.effects.change(setting.key, self.combo.currentData()))
        self.title, self.control = words(setting.title, "quiet"), self.combo

    def show_value(self, values: Values, case: OpenCase) -> None:
        self.combo.clear()
        self.combo.addItem(_("Choose one"), "")
        for segment in case.labels.segmentation.segments:
            if segment.segment_id != case.view.active_segment_id or segment.segment_id == values[self._key]:
                self.combo.addItem(swatch(segment.colour), segment.name, segment.segment_id)
        self.combo.setCurrentIndex(max(0, self.combo.findData(values[self._key])))


class _RangeRow(SettingRow):
    title = None

    def __init__(self, workspace: Workspace, setting: ValueRange) -> None:
        self._key = setting.key
        self.fields = RangeFields(setting.title)
        self.fields.range_wanted.connect(lambda low, high: workspace.effects.change(setting.key, (low, high)))
        self.histogram = _RangeHistogram(workspace, setting.key)
        self.control = QWidget()
        column = QVBoxLayout(self.control)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID_PX)
        column.addWidget(self.fields)
        column.addWidget(self.histogram)

    def show_value(self, values: Values, case: OpenCase) -> None:
        self.fields.show_range(case.anchor.volume, *_ends(values, self._key, case))


class _RangeHistogram(CaseHistogram):
    """The range is a setting of the open effect."""

    def __init__(self, workspace: Workspace, key: str) -> None:
        self._key = key
        super().__init__(workspace, "effect-histogram")

    def ends(self, case: OpenCase) -> tuple[float, float, bool]:
        """Return the range that is set."""
        return (*_ends(self._workspace.bench.effect.values, self._key, case), True)

    def take(self, case: OpenCase, low: float, high: float) -> None:
        """Change the setting."""
        self._workspace.effects.change(self._key, (low, high))

    def told_by(self, case: OpenCase) -> tuple[SignalInstance, ...]:
        """Return what tells that the range is another one."""
        return (field_signal(self._workspace.bench, "effect"), field_signal(case.view, "window"))

    def tip(self, what: str) -> str:
        """Say what the counts are and what dragging does."""
        return _("{what}; the scale is logarithmic.\nDrag an edge or the middle to change the range.").format(what=what)


class _PlaceRow(SettingRow):
    title = None

    def __init__(self, setting: Place) -> None:
        self.control = words(setting.title, "quiet")
        self.control.setToolTip(setting.tip)


def _ends(values: Values, key: str, case: OpenCase) -> tuple[float, float]:
    """Return a range, or what the window shows between black and white while there is none."""
    window = case.view.window
    return value_range(values, key) or (window.center - window.width / 2, window.center + window.width / 2)


def _row(workspace: Workspace, setting: Setting) -> SettingRow:
    if isinstance(setting, Number):
        return _NumberRow(workspace, setting)
    if isinstance(setting, Switch):
        return _SwitchRow(workspace, setting)
    if isinstance(setting, Choice):
        return _ChoiceRow(workspace, setting)
    if isinstance(setting, OtherSegment):
        return _SegmentRow(workspace, setting)
    return _RangeRow(workspace, setting) if isinstance(setting, ValueRange) else _PlaceRow(setting)


def _combo(setting: Choice | OtherSegment) -> QComboBox:
    box = SteadyComboBox()
    box.setToolTip(setting.tip)
    box.setAccessibleName(setting.title)
    box.setObjectName(f"effect {setting.key}")
    # Long names are cut, never pushed out of the column.
    box.setMinimumWidth(_LEAST_COMBO_PX)
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return box
