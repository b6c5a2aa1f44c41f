"""Above the tree of studies: search, recent places, order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QToolButton, QWidget

from medview.core.language import _
from medview.gui.commands.menus import fill_recent
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import icon_button
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.study_order import PatientOrder, SeriesOrder, patient_order, series_order
from medview.workspace.workspace import Workspace

_PATIENTS = {
    PatientOrder.NAME: _("Patients by name"),
    PatientOrder.NEWEST: _("Patients by newest study"),
    PatientOrder.FOUND: _("Patients as found"),
}
_SERIES = {
    SeriesOrder.NUMBER: _("Series by number"),
    SeriesOrder.MODALITY: _("Series by modality"),
    SeriesOrder.FOUND: _("Series as found"),
}


class StudyBar(QWidget):
    """A search field and two small menus. The order is kept in the settings."""

    place_wanted = Signal(str)
    """The person wants a recent place opened again."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.search = QLineEdit()
        self.search.setPlaceholderText(_("Search studies"))
        self.search.setToolTip(_("Shows only patients, studies and series that contain these words"))
        self.search.setClearButtonEnabled(True)
        self.recent, self.recent_menu = _menu_button("mdi6.history", _("Recent places"))
        self.recent.setObjectName("recent")
        self.order, self.order_menu = _menu_button(
            "mdi6.sort", _("Order of patients and series; newest studies come first")
        )
        self.order.setObjectName("order")
        self._choices: list[tuple[Enum, QAction]] = []
        self._add_choices(_PATIENTS)
        self.order_menu.addSeparator()
        self._add_choices(_SERIES)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 2, 0, GRID_PX, 0)
        layout.setSpacing(0)
        layout.addWidget(self.search, 1)
        layout.addSpacing(GRID_PX)
        layout.addWidget(self.recent)
        layout.addWidget(self.order)
        heard = Subscriptions(self)
        heard.add(workspace.settings_changed, self._show)
        heard.add(field_signal(workspace.bench, "identity_hidden"), self._show)
        self._show()

    def _show(self, *_values: object) -> None:
        settings = self._workspace.settings
        # Folders are often named after patients.
        recent = () if self._workspace.bench.identity_hidden else settings.recent
        fill_recent(self.recent_menu, recent, self.place_wanted.emit)
        self.recent.setVisible(bool(recent))
        now: set[Enum] = {patient_order(settings.patient_order), series_order(settings.series_order)}
        for order, choice in self._choices:
            choice.setChecked(order in now)

    def _add_choices(self, titles: Mapping[PatientOrder, str] | Mapping[SeriesOrder, str]) -> None:
        group = QActionGroup(self)
        for order, title in titles.items():
            choice = QAction(title, group, checkable=True)
            choice.triggered.connect(partial(self._use, order))
            self.order_menu.addAction(choice)
            self._choices.append((order, choice))

    def _use(self, order: PatientOrder | SeriesOrder, _checked: bool = False) -> None:
        settings = self._workspace.settings
        if isinstance(order, PatientOrder):
            self._workspace.settings = replace(settings, patient_order=order.value)
        else:
            self._workspace.settings = replace(settings, series_order=order.value)
        self._workspace.settings_changed.emit()


def _menu_button(icon_name: str, tip: str) -> tuple[QToolButton, QMenu]:
    button = icon_button(icon_name, tip)
    menu = QMenu(button)
    button.setMenu(menu)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    return button, menu
