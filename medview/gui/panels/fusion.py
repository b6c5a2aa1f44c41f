"""One series over another: which, how strong, in which colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.core.study import Series
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import action_button, set_role, text_button, words
from medview.gui.parts.identity import series_description
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.steady import SteadyComboBox, SteadySlider
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace import colour_maps
from medview.workspace.fusion import Footing, Fusion, why_not
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import fusion as fusing
from medview.workspace.workspace import Workspace

_NOTHING = _("Nothing over it")
_LEAST_COMBO_PX = 80


class FusionPanel(QWidget):
    """Choice of the series that lies over the active one, opacity, colours, and how it was placed."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._offered: list[OpenCase | Series | None] = []
        self.note = words("", "quiet")
        self.overlay = _combo(_("Series that lies over the open one; those marked with a dot are opened first"))
        self.overlay.setObjectName("fusion overlay")
        self.overlay.activated.connect(self._on_overlay)
        self.opacity = SteadySlider()
        self.opacity.setObjectName("fusion opacity")
        self.opacity.setRange(0, 100)
        self.opacity.setPageStep(10)
        self.opacity.setToolTip(_("How much the upper series hides of the lower one"))
        self.opacity.setAccessibleName(_("Opacity of the upper series"))
        self.opacity.valueChanged.connect(self._on_opacity)
        self.colours = _combo(_("Colours of the upper series"))
        for name in colour_maps.names():
            self.colours.addItem(colour_maps.title(name), name)
        self.colours.activated.connect(self._on_colours)
        self.register = text_button(_("Register"), _("Find in the background how the upper series lies over the lower one"))
        self.register.setObjectName("fusion register")
        self.register.clicked.connect(self._on(fusing.register))
        self._body = QWidget()
        body = QVBoxLayout(self._body)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(GRID_PX)
        look = QHBoxLayout()
        look.setSpacing(GRID_PX * 2)
        look.addWidget(self.opacity, 1)
        look.addWidget(self.colours, 1)
        body.addLayout(look)
        acts = QHBoxLayout()
        acts.setSpacing(GRID_PX)
        acts.addWidget(self.register)
        acts.addStretch(1)
        for name in ("fusion.toggle", "fusion.swap", "fusion.off"):
            acts.addWidget(action_button(actions[name]))
        body.addLayout(acts)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        column.setSpacing(GRID_PX)
        column.addWidget(self.overlay)
        column.addWidget(self._body)
        column.addWidget(self.note)
        add, bench = Subscriptions(self).add, workspace.bench
        for signal in (workspace.active_changed, workspace.studies_changed, workspace.cases_changed):
            add(signal, self.refresh)
        for name in ("fusions", "identity_hidden", "names_read_as"):
            add(field_signal(bench, name), self.refresh)
        self.refresh()

    def refresh(self, *_values: object) -> None:
        """Show the fusion over the active case as it is."""
        workspace, base = self._workspace, self._workspace.active
        problem = _("Open a series to lay another one over it.") if base is None else why_not(base.volume)
        fusion = fusing.fusion_of(workspace, base)
        self.overlay.setVisible(not problem)
        self._body.setVisible(fusion is not None)
        if base is None or problem:
            self._say(problem, "quiet")
            return
        self._offer(base)
        if fusion is None:
            alone = len(self._offered) == 1
            self._say(_("No other series of this patient with millimetres is there.") if alone else "", "quiet")
            return
        self._show(fusion, fusing.footing_of(workspace, base))

    def _offer(self, base: OpenCase) -> None:
        workspace = self._workspace
        self._offered = [None, *fusing.open_candidates(workspace, base), *fusing.closed_candidates(workspace, base)]
        blocker = QSignalBlocker(self.overlay)
        self.overlay.clear()
        for one in self._offered:
            self.overlay.addItem(_NOTHING if one is None else self._name(one))
        upper = fusing.overlay_of(workspace, base)
        self.overlay.setCurrentIndex(self._offered.index(upper) if upper in self._offered else 0)
        blocker.unblock()

    def _show(self, fusion: Fusion, footing: Footing) -> None:
        blockers = [QSignalBlocker(self.opacity), QSignalBlocker(self.colours)]
        self.opacity.setValue(round(100 * fusion.opacity))
        self.colours.setCurrentIndex(self.colours.findData(fusion.colour_map))
        for blocker in blockers:
            blocker.unblock()
        self.register.setVisible(footing is not Footing.SAME_FRAME)
        self.register.setEnabled(not fusion.registering)
        self.register.setText(_("Register") if footing is Footing.NONE else _("Register again"))
        set_role(self.register, "primary" if footing is Footing.NONE else "")
        if fusion.registering:
            self._say(_("Registering in the background."), "quiet")
        elif footing is Footing.NONE:
            self._say(_("Another frame of reference, or none stated: nothing is drawn until it is registered."), "warning")
        elif fusion.registration is not None:
            self._say(_("Registered (rigid). {note}").format(note=in_language(fusion.registration.note)), "warning")
        else:
            self._say(_("Same frame of reference.") if fusion.visible else "Hidden.", "quiet")

    def _say(self, text: str, role: str) -> None:
        self.note.setText(text)
        self.note.setVisible(bool(text))
        set_role(self.note, role)

    def _name(self, one: OpenCase | Series) -> str:
        series, bench = one.series if isinstance(one, OpenCase) else one, self._workspace.bench
        described = series_description(bench.as_read(series), hidden=bench.identity_hidden)
        name = f"{series.modality} {described}".strip() or _("Series")
        return name if isinstance(one, OpenCase) else _("{name}, not open yet").format(name=name)

    def _on_overlay(self, number: int) -> None:
        base, chosen = self._workspace.active, self._offered[number]
        if base is None:
            return
        if chosen is None:
            fusing.end(self._workspace, base)
        elif isinstance(chosen, OpenCase):
            if chosen is not fusing.overlay_of(self._workspace, base):
                fusing.fuse(self._workspace, base, chosen)
        else:
            fusing.fuse_series(self._workspace, base, chosen)

    def _on_opacity(self, per_cent: int) -> None:
        if self._workspace.active is not None:
            fusing.change(self._workspace, self._workspace.active, lambda now: replace(now, opacity=per_cent / 100))

    def _on_colours(self, _number: int) -> None:
        if self._workspace.active is not None:
            chosen = self.colours.currentData()
            fusing.change(self._workspace, self._workspace.active, lambda now: replace(now, colour_map=chosen))

    def _on(self, act: Callable[[Workspace, OpenCase], object]) -> Callable[[], None]:
        def run() -> None:
            if self._workspace.active is not None:
                act(self._workspace, self._workspace.active)

        return run


def _combo(tip: str) -> QComboBox:
    box = SteadyComboBox()
    box.setToolTip(tip)
    # Long names are cut, never pushed out of the column.
    box.setMinimumWidth(_LEAST_COMBO_PX)
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return box
