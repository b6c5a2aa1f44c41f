"""Effects on whole segments: which one, its settings, what it would come to."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from medview.core.geometry import Calibration, Geometry
from medview.core.language import _, in_language
from medview.edit.effects.carry_out import LOST, Amount
from medview.edit.effects.effect import Effect
from medview.edit.effects.table import EFFECTS
from medview.gui.parts.bind import Subscriptions, field_signal, follow
from medview.gui.parts.controls import row_of, set_role, text_button, words
from medview.gui.parts.effect_settings import EffectSettings
from medview.gui.parts.effect_slices import EffectSlices
from medview.gui.parts.icons import icon
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.theme_tokens import GRID_PX, TEXT_SMALL_PX
from medview.workspace.effect_job import why_not
from medview.workspace.effect_state import EffectState
from medview.workspace.workspace import Workspace

_COLUMNS = 3
_MOST_AMOUNTS = 4
_NOTICED_S = 0.1
"""Nobody asks how long less took."""


class EffectsPanel(QWidget):
    """A button per effect; of the open one its settings, Preview, Apply, Cancel, and the volumes before and after."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._actions = workspace, actions
        self.buttons = {one.effect_id: self._button(one) for one in EFFECTS}
        grid = QGridLayout()
        grid.setSpacing(GRID_PX)
        for number, button in enumerate(self.buttons.values()):
            grid.addWidget(button, number // _COLUMNS, number % _COLUMNS)
        self.settings: EffectSettings | None = None
        self._shown_id = ""
        self._form = QVBoxLayout()
        self._form.setSpacing(0)
        self.preview = self._act("preview", _("Preview"))
        self.apply = self._act("apply", _("Apply"), "primary")
        self.cancel = self._act("close", _("Cancel"))
        self.amounts, self.note = words("", "quiet"), words("", "quiet")
        self.slices = EffectSlices(workspace, actions)
        self._open = QWidget()
        column = QVBoxLayout(self._open)
        column.setContentsMargins(0, GRID_PX, 0, 0)
        column.setSpacing(GRID_PX * 2)
        column.addLayout(self._form)
        column.addWidget(self.amounts)
        column.addWidget(self.note)
        column.addWidget(self.slices)
        column.addLayout(row_of(self.preview, self.apply, self.cancel))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        layout.setSpacing(GRID_PX)
        layout.addLayout(grid)
        layout.addWidget(self._open)
        heard = Subscriptions(self)
        for signal in (workspace.active_changed, workspace.load_changed):
            heard.add(signal, self.refresh)
        heard.add(field_signal(workspace.bench, "effect"), self.refresh)
        follow(self, workspace.bench, "mode", lambda _mode: self.refresh())

    def refresh(self, *_values: object) -> None:
        """Show the effect that is open."""
        state, case = self._workspace.bench.effect, self._workspace.active
        effect = state.effect
        for effect_id, button in self.buttons.items():
            button.setEnabled(case is not None and not case.read_only and not case.reading)
            button.setChecked(effect_id == state.effect_id)
        self._open.setVisible(effect is not None)
        if effect is None or case is None:
            self._take(None)
            return
        self._take(effect)
        assert self.settings is not None
        self.settings.show_values(state.values, case)
        self.settings.setEnabled(not state.writing)
        possible = not (state.writing or why_not(effect, case))
        for name, act in (("preview", self.preview), ("apply", self.apply), ("close", self.cancel)):
            # Keys differ from scheme to scheme.
            act.setToolTip(self._actions[f"effect.{name}"].toolTip())
            act.setEnabled(name == "close" or possible)
        self.slices.refresh()
        self._say(state)

    def _take(self, effect: Effect | None) -> None:
        effect_id = "" if effect is None else effect.effect_id
        if effect_id == self._shown_id:
            return
        self._shown_id = effect_id
        if self.settings is not None:
            self._form.removeWidget(self.settings)
            self.settings.hide()
            self.settings.deleteLater()
            self.settings = None
        if effect is not None:
            self.settings = EffectSettings(self._workspace, effect.settings)
            self._form.addWidget(self.settings)

    def _say(self, state: EffectState) -> None:
        case, candidate = self._workspace.active, state.candidate
        assert case is not None
        geometry = case.volume.geometry
        lines = [] if candidate is None else [_amount(one, geometry) for one in candidate.amounts[:_MOST_AMOUNTS]]
        more = 0 if candidate is None else len(candidate.amounts) - len(lines)
        if more > 0:
            lines.append(_("and {count} more").format(count=more))
        if candidate is not None and any(one.value == LOST for one in candidate.mask.segments):
            lines.append(_("Red is given up."))
        self.amounts.setText("\n".join(lines))
        self.amounts.setVisible(bool(lines))
        if state.problem:
            text, role = in_language(state.problem), "warning"
        elif state.writing:
            text, role = _("Writing."), "quiet"
        elif state.working:
            text, role = _("Working it out."), "quiet"
        else:
            waited = candidate is not None and state.seconds >= _NOTICED_S
            took = _("Worked out in {seconds:.1f} s.").format(seconds=state.seconds) if waited else ""
            text, role = "\n".join(filter(None, (in_language(state.note), took))), "quiet"
        self.note.setText(text)
        self.note.setVisible(bool(text))
        set_role(self.note, role)

    def _button(self, effect: Effect) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"button effect.{effect.effect_id}")
        button.setIcon(icon(effect.icon))
        button.setText(effect.short or effect.title)
        button.setToolTip(effect.tip)
        # Nine of them stand three in a row beside a scroll bar.
        button.setStyleSheet(f"QToolButton {{ font-size: {TEXT_SMALL_PX}px; padding: 0; }}")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setSizePolicy(button.sizePolicy().Policy.Ignored, button.sizePolicy().Policy.Fixed)
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(partial(self._on_button, effect.effect_id))
        return button

    def _act(self, name: str, text: str, role: str = "") -> QPushButton:
        button = text_button(text, self._actions[f"effect.{name}"].toolTip(), role=role)
        button.setObjectName(f"button effect.{name}")
        button.clicked.connect(lambda: self._actions.run(f"effect.{name}"))
        return button

    def _on_button(self, effect_id: str, _checked: bool = False) -> None:
        effects = self._workspace.effects
        if self._workspace.bench.effect.effect_id == effect_id:
            effects.close()
        else:
            effects.open(effect_id)
        self.refresh()


def _amount(one: Amount, geometry: Geometry) -> str:
    if geometry.calibration is not Calibration.VOLUME:
        return _("{name}: {before} → {after} voxels").format(name=one.name, before=one.before, after=one.after)
    voxel_ml = geometry.voxel_volume_mm3 / 1000
    return _("{name}: {before} → {after} mL").format(
        name=one.name, before=_three(one.before * voxel_ml), after=_three(one.after * voxel_ml)
    )


def _three(number: float) -> str:
    """Return a volume with three significant digits, without an exponent."""
    return f"{number:.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"
