"""The heat map over the open series: what it shows, how strong, on or off."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import action_button, words
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.steady import SteadySlider
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace


class HeatPanel(QWidget):
    """Stands wherever the active case has a heat map."""

    wanted_changed = Signal()
    """There is one now, or there is none any more."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._actions = workspace, actions
        self._was_wanted = False
        self.name = words("")
        self.note = words("", "quiet")
        self.opacity = SteadySlider()
        self.opacity.setObjectName("heat opacity")
        self.opacity.setRange(5, 100)
        self.opacity.setPageStep(10)
        self.opacity.setToolTip(_("How much the heat map hides of the picture"))
        self.opacity.setAccessibleName(_("Opacity of the heat map"))
        self.opacity.valueChanged.connect(self._on_opacity)
        row = QHBoxLayout()
        row.setSpacing(GRID_PX)
        row.addWidget(self.opacity, 1)
        for name in ("heat.toggle", "heat.remove"):
            row.addWidget(action_button(actions[name]))
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        column.setSpacing(GRID_PX)
        column.addWidget(self.name)
        column.addLayout(row)
        column.addWidget(self.note)
        self._of_case = Subscriptions(self)
        Subscriptions(self).add(workspace.active_changed, self._take_case)
        self._take_case()

    @property
    def wanted(self) -> bool:
        """Whether there is a heat map."""
        case = self._workspace.active
        return case is not None and case.view.heat is not None

    def _take_case(self) -> None:
        self._of_case.clear()
        case: OpenCase | None = self._workspace.active
        if case is not None:
            for name in ("heat", "heat_visible", "heat_opacity", "time_index"):
                self._of_case.add(field_signal(case.view, name), self._refresh)
        self._refresh()

    def _refresh(self, *_values: object) -> None:
        case = self._workspace.active
        heat = None if case is None else case.view.heat
        if case is not None and heat is not None:
            self.name.setText(in_language(heat.name))
            hidden = "" if case.view.heat_visible else _("Hidden.")
            elsewhen = heat.time_index not in (None, case.view.time_index)
            when = _("Made at time {n}, and shown there.").format(n=(heat.time_index or 0) + 1) if elsewhen else ""
            said = " ".join(part for part in (hidden, when, in_language(heat.note)) if part)
            self.note.setText(said)
            self.note.setVisible(bool(said))
            blocker = QSignalBlocker(self.opacity)
            self.opacity.setValue(round(100 * case.view.heat_opacity))
            blocker.unblock()
        if self.wanted != self._was_wanted:
            self._was_wanted = self.wanted
            # Nothing else tells that there is something to show, hide or remove.
            self._actions.refresh()
            self.wanted_changed.emit()

    def _on_opacity(self, per_cent: int) -> None:
        case = self._workspace.active
        if case is not None:
            case.view.heat_opacity = per_cent / 100
            case.view.heat_visible = True
