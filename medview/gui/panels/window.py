"""Window presets, centre and width."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from medview.core.decimals import decimals_for
from medview.core.language import _, in_language
from medview.core.voi_table import VoiTransform
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import clear_layout, number_box, text_button, words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.presets import auto_window, choices
from medview.workspace.scheme import Scheme
from medview.workspace.workspace import Workspace

_COLUMNS = 2
_KEYS = 9
_COARSE_FROM = 20.0
"""Width from which whole numbers are enough."""


class WindowPanel(QWidget):
    """Buttons for the presets of the open series, and two numbers."""

    def __init__(self, workspace: Workspace, scheme: Scheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._scheme = workspace, scheme
        self._presets = QGridLayout()
        self._presets.setSpacing(GRID_PX)
        self.center = _number(_("Centre of the window: the value shown mid-grey"))
        self.window_width = _number(_("Width of the window: from black to white"))
        # The other number stays as exact as it was, whatever its field can show.
        self.center.valueChanged.connect(lambda value: self._adjust(center=value))
        self.window_width.valueChanged.connect(lambda value: self._adjust(width=value))
        self._unit = words("", "quiet")
        self._unit.setWordWrap(False)
        numbers = QHBoxLayout()
        numbers.setSpacing(GRID_PX)
        numbers.addWidget(_name(_("Centre")))
        numbers.addWidget(self.center, 1)
        numbers.addWidget(_name(_("Width")))
        numbers.addWidget(self.window_width, 1)
        numbers.addWidget(self._unit)
        self._empty = words(_("Open a series to see its windows."), "quiet")
        self._body = QWidget()
        body = QVBoxLayout(self._body)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(GRID_PX * 2)
        body.addLayout(self._presets)
        body.addLayout(numbers)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        layout.addWidget(self._empty)
        layout.addWidget(self._body)
        self._listening = Subscriptions(self)
        Subscriptions(self).add(workspace.active_changed, self._on_active)
        Subscriptions(self).add(field_signal(workspace.bench, "mode"), self._on_active)
        Subscriptions(self).add(scheme.changed, self._on_active)
        self._on_active()

    def _on_active(self, *_values: object) -> None:
        self._listening.clear()
        case = self._workspace.active
        self._empty.setVisible(case is None or case.volume.colour)
        self._empty.setText(_("Colour pictures have no window.") if case else _("Open a series to see its windows."))
        self._body.setVisible(case is not None and not case.volume.colour)
        clear_layout(self._presets)
        if case is None or case.volume.colour:
            return
        self._unit.setText(case.volume.unit)
        offered = choices(case.volume)
        for number, window in enumerate(offered):
            button = text_button(in_language(window.name), self._tip(window, number, case.volume.unit))
            button.setObjectName(f"preset {window.name}")
            button.clicked.connect(lambda _checked=False, w=window: self._set(w))
            self._add(button, number)
        auto = text_button(_("Auto"), _("From the values of the slice under the crosshair"))
        auto.clicked.connect(self._auto)
        self._add(auto, len(offered))
        self._listening.add(field_signal(case.view, "window"), self._show)
        self._show(case.view.window)

    def _add(self, button: QPushButton, number: int) -> None:
        # Long names from files are cut, never pushed out of the column.
        button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._presets.addWidget(button, number // _COLUMNS, number % _COLUMNS)

    def _tip(self, window: VoiTransform, number: int, unit: str) -> str:
        keys = self._scheme.shortcuts(f"preset.{number + 1}", self._workspace.bench.mode) if number < _KEYS else ()
        tip = (
            _("Centre {center:g}, width {width:g} {unit}")
            .format(center=window.center, width=window.width, unit=unit)
            .rstrip()
        )
        return f"{tip} ({keys[0]})" if keys else tip

    def _set(self, window: VoiTransform) -> None:
        if self._workspace.active is not None:
            self._workspace.active.view.window = window

    def _auto(self) -> None:
        case = self._workspace.active
        if case is not None:
            case.view.window = auto_window(case.volume, case.view.crosshair_kji[0])

    def _show(self, window: VoiTransform) -> None:
        decimals = decimals_for(window.width, usual=0 if window.width >= _COARSE_FROM else 3)
        for box, value in ((self.center, window.center), (self.window_width, window.width)):
            blocker = QSignalBlocker(box)
            box.setDecimals(decimals)
            box.setSingleStep(max(window.width / 50, 10.0**-decimals))
            box.setValue(value)
            blocker.unblock()

    def _adjust(self, center: float | None = None, width: float | None = None) -> None:
        case = self._workspace.active
        if case is not None:
            now = case.view.window
            case.view.window = now.adjusted(now.center if center is None else center, now.width if width is None else width)


def _name(text: str) -> QLabel:
    label = words(text, "quiet")
    label.setWordWrap(False)
    return label


def _number(tip: str) -> QDoubleSpinBox:
    box = number_box(-1e7, 1e7, tip)
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return box
