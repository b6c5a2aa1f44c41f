"""The slices that an effect changes: back, apply on this one, on."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.controls import text_button
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.workspace import Workspace


class EffectSlices(QWidget):
    """Shown for effects whose slices can be applied one by one."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._actions = workspace, actions
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX)
        self.buttons = {}
        for name, text in (("previous_slice", "◂"), ("apply_slice", _("Apply this slice")), ("next_slice", "▸")):
            button = text_button(text, actions[f"effect.{name}"].toolTip())
            button.setObjectName(f"button effect.{name}")
            button.setAccessibleName(actions[f"effect.{name}"].text())
            button.clicked.connect(lambda _checked=False, name=name: self._actions.run(f"effect.{name}"))
            layout.addWidget(button, 1 if name == "apply_slice" else 0)
            self.buttons[name] = button

    def refresh(self) -> None:
        """Show what can be done now."""
        state = self._workspace.bench.effect
        candidate = state.candidate
        self.setVisible(candidate is not None and candidate.across is not None)
        for name, button in self.buttons.items():
            button.setToolTip(self._actions[f"effect.{name}"].toolTip())
            button.setEnabled(not (state.stale or state.writing or state.working))
