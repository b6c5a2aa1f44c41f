"""Tools to measure with, and the list of what was measured."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.core.measurement import Measurement
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import action_button, clear_layout, icon_button, text_button
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.events import LabelsChanged
from medview.workspace.measuring import (
    MEASURING_TOOLS,
    as_text,
    delete,
    jump_to,
    measured,
    measurements,
    short_text,
    table,
    title,
    where,
)
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace

_PACE_MS = 120
_TOOLS_IN_ROW = 5
"""As many as the narrow column has room for in the style of either theme."""


class MeasurementsPanel(QWidget):
    """Buttons to measure and to mark the slice; a row per measurement that shows the place with a click; copies as text."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        tools = QGridLayout()
        tools.setSpacing(2)
        offered = (*(f"tool.{tool.value}" for tool in MEASURING_TOOLS), "keyimage.toggle")
        for number, action_id in enumerate(offered):
            button = action_button(actions[action_id], flat=False)
            button.setObjectName(f"button {action_id}")
            button.setSizePolicy(button.sizePolicy().Policy.Expanding, button.sizePolicy().Policy.Fixed)
            tools.addWidget(button, *divmod(number, _TOOLS_IN_ROW))
        self._rows = QVBoxLayout()
        self._rows.setSpacing(GRID_PX)
        self.copy_text = text_button(_("Copy as text"), _("One line for each measurement, for a report"))
        self.copy_table = text_button(
            _("Copy as table"), _("Name, slice, quantity, value, unit in columns, for a spreadsheet")
        )
        self.copy_text.clicked.connect(self._copy_text)
        self.copy_table.clicked.connect(self._copy_table)
        copies = QHBoxLayout()
        copies.setSpacing(GRID_PX)
        copies.addWidget(self.copy_text)
        copies.addWidget(self.copy_table)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        column.setSpacing(GRID_PX * 2)
        column.addLayout(tools)
        column.addLayout(self._rows)
        column.addLayout(copies)
        self._soon = QTimer(self, interval=_PACE_MS, singleShot=True)
        self._soon.timeout.connect(self.refresh)
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self._on_active)
        heard.add(workspace.labels_changed, self._on_labels)
        heard.add(workspace.load_changed, self._refresh_soon)
        self._of_case = Subscriptions(self)
        self._on_active()

    def _on_active(self) -> None:
        self._of_case.clear()
        case = self._workspace.active
        if case is not None:
            self._of_case.add(field_signal(case.view, "active_annotation_id"), self.refresh)
        self.refresh()

    def _on_labels(self, event: LabelsChanged) -> None:
        # While a hand pulls at a figure the numbers beside it change; the list follows at its own pace.
        if not event.only_voxels:
            self._refresh_soon()

    def _refresh_soon(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def refresh(self, *_values: object) -> None:
        """Bring the rows in line with the case."""
        case = self._workspace.active
        clear_layout(self._rows)
        found = measurements(case) if case is not None else []
        for button in (self.copy_text, self.copy_table):
            button.setVisible(bool(found))
        if case is not None:
            for one in found:
                self._rows.addLayout(self._row(case, one))

    def _row(self, case: OpenCase, one: Measurement) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GRID_PX)
        found = measured(case, one)
        said = ", ".join(short_text(found))
        label = ElidedLabel(f"{title(one)}: {said}")
        reason = f"\n{in_language(found.remark)}" if found.remark else ""
        label.set_hint(
            _("{where}\n{said}{reason}\nClick to go there").format(where=where(case, one), said=said, reason=reason)
        )
        label.setProperty("role", "accent" if one.annotation_id == case.view.active_annotation_id else "")
        show = icon_button("mdi6.crosshairs-gps", _("Show it: {where}").format(where=where(case, one)))
        show.clicked.connect(lambda _checked=False: jump_to(case, one))
        remove = icon_button("mdi6.trash-can-outline", _("Delete {title}; Undo brings it back").format(title=title(one)))
        remove.setEnabled(case.editable)
        remove.clicked.connect(lambda _checked=False: self._delete(case, one))
        row.addWidget(label, 1)
        row.addWidget(show)
        row.addWidget(remove)
        return row

    def _delete(self, case: OpenCase, one: Measurement) -> None:
        if delete(case, one):
            self._workspace.say(_("Deleted {title}.").format(title=title(one)), undo=True)

    def _copy_text(self) -> None:
        case = self._workspace.active
        if case is not None:
            QGuiApplication.clipboard().setText(as_text(case, measurements(case)))
            self._workspace.say(_("Copied the measurements as text."))

    def _copy_table(self) -> None:
        case = self._workspace.active
        if case is not None:
            QGuiApplication.clipboard().setText(table(case))
            self._workspace.say(_("Copied the measurements as a table."))
