"""Settings of the prompt tool: what a drag is, what is asked; and the prompts given, each of which can be taken out."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from medview.core.language import _, plural
from medview.core.prompt import Prompt, PromptKind
from medview.gui.parts.bind import Subscriptions, bind, field_signal, follow
from medview.gui.parts.controls import clear_layout, icon_button, row_of, text_button, words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.icons import icon
from medview.gui.parts.key_tip import KeyTip
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.steady import SteadyComboBox
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.events import LabelsChanged
from medview.workspace.prompting import engines
from medview.workspace.workspace import Workspace

_KINDS = {
    PromptKind.SCRIBBLE: (_("Scribble"), "mdi6.draw", _("A drag draws a line inside the object")),
    PromptKind.BOX: (_("Box"), "mdi6.vector-square", _("A drag draws a box around the object on this slice")),
    PromptKind.LASSO: (_("Lasso"), "mdi6.lasso", _("A drag goes around the object on this slice")),
}
_NAMES = {
    PromptKind.POINT: _("Point"),
    PromptKind.SCRIBBLE: _("Scribble"),
    PromptKind.BOX: _("Box"),
    PromptKind.LASSO: _("Lasso"),
}
PLUS, MINUS = "+", "\N{MINUS SIGN}"
_MOST_ROWS = 6
"""The newest ones are listed; older ones come up as those are taken out."""


class PromptOptions(QWidget):
    """What a drag is, which engine is asked, a button for another object, and the list of prompts."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.kind = SteadyComboBox()
        for kind, (title, picture, tip) in _KINDS.items():
            self.kind.addItem(icon(picture), title, kind.value)
            self.kind.setItemData(self.kind.count() - 1, tip, 3)
        self.kind.setToolTip(
            _("What a drag is; a click is always a point. Hold Ctrl for what does not belong to the object")
        )
        self.kind.setAccessibleName(_("What a drag is"))
        bind(
            self.kind,
            workspace.bench,
            "prompt_drag",
            to_widget=lambda kind: kind.value,
            from_widget=lambda value: PromptKind(value),
        )
        self.engine = SteadyComboBox()
        self.engine.setToolTip(_("What finds the object: growing along the values of the picture, or a model"))
        self.engine.setAccessibleName(self.engine.toolTip())
        self.engine.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.engine.activated.connect(self._on_engine)
        self.another = text_button(
            _("Next object"), _("Begin another object in a segment of its own"), icon_name="mdi6.plus"
        )
        self.another.clicked.connect(actions["segment.add"].trigger)
        KeyTip(self.another, self.another.toolTip(), actions["segment.add"])
        self.state = words("", "quiet")
        self.list = QGridLayout()
        self.list.setSpacing(GRID_PX)
        self.list.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX)
        layout.addLayout(row_of(words(_("Drag"), "quiet"), self.kind, self.another))
        layout.addLayout(row_of(words(_("Ask"), "quiet"), self.engine))
        layout.addWidget(self.state)
        layout.addLayout(self.list)
        heard = Subscriptions(self)
        heard.add(workspace.models_changed, self._list_engines)
        heard.add(workspace.active_changed, self._on_active)
        heard.add(workspace.labels_changed, self._on_labels)
        heard.add(field_signal(workspace.bench, "prompts"), self._refresh)
        self._of_case = Subscriptions(self)
        follow(self, workspace.bench, "prompt_engine", self._list_engines)
        self._on_active()

    def _list_engines(self, *_values: object) -> None:
        wanted = self._workspace.bench.prompt_engine
        blocker = QSignalBlocker(self.engine)
        self.engine.clear()
        self.engine.addItem(_("Growing, without a model"), "")
        for pack in engines(self._workspace):
            self.engine.addItem(pack.spec.name, pack.spec.key)
        self.engine.setCurrentIndex(max(0, self.engine.findData(wanted)))
        blocker.unblock()

    def _on_engine(self, _number: int) -> None:
        self._workspace.bench.prompt_engine = self.engine.currentData()

    def _on_active(self) -> None:
        self._of_case.clear()
        case = self._workspace.active
        if case is not None:
            self._of_case.add(field_signal(case.view, "active_segment_id"), self._refresh)
        self._refresh()

    def _on_labels(self, event: LabelsChanged) -> None:
        if not event.only_voxels and not event.only_figures:
            self._refresh()

    def _refresh(self, *_values: object) -> None:
        case, state = self._workspace.active, self._workspace.bench.prompts
        clear_layout(self.list)
        log = case.labels.prompts.get(case.view.active_segment_id) if case is not None else None
        given = log.prompts if log is not None else ()
        self.state.setText(self._said(len(given), len(log.settled) if log is not None else 0))
        for row, (number, prompt) in enumerate(reversed(list(enumerate(given, start=1))[-_MOST_ROWS:])):
            self._add_row(row, number, prompt, enabled=not state.working)

    def _said(self, given: int, settled: int) -> str:
        state = self._workspace.bench.prompts
        if state.working:
            return _("Working it out… (Esc: cancel)")
        if not given:
            return _("Click on an object; hold Ctrl on what does not belong to it.")
        said = plural("{n} prompt", "{n} prompts", given).format(n=given)
        if given > _MOST_ROWS:
            said = _("{said}, the last {n} are listed").format(said=said, n=_MOST_ROWS)
        if settled:
            said = _("{said}; {n} before the last change by hand").format(said=said, n=settled)
        return (
            _("{said}. The last one took {seconds:.1f} s.").format(said=said, seconds=state.seconds)
            if state.seconds
            else said
        )

    def _add_row(self, row: int, number: int, prompt: Prompt, *, enabled: bool) -> None:
        sign = _("belongs to it") if prompt.positive else _("does not")
        picture = words(PLUS if prompt.positive else MINUS)
        name = ElidedLabel(_("{number}. {kind}: {sign}").format(number=number, kind=_NAMES[prompt.kind], sign=sign))
        show = icon_button("mdi6.crosshairs", _("Look at this prompt"))
        show.setEnabled(True)
        show.clicked.connect(lambda: self._look_at(prompt))
        out = icon_button("mdi6.close", _("Take this prompt out and work out what the others come to"))
        out.setEnabled(enabled)
        out.clicked.connect(lambda: self._remove(prompt.prompt_id))
        for column, widget in enumerate((picture, name, show, out)):
            self.list.addWidget(widget, row, column)

    def _look_at(self, prompt: Prompt) -> None:
        case = self._workspace.active
        if case is not None:
            geometry = case.volume.geometry
            case.view.look_at(geometry.index_kji(prompt.middle_lps_mm), geometry.shape_kji)

    def _remove(self, prompt_id: str) -> None:
        case = self._workspace.active
        if case is not None:
            self._workspace.prompting.remove(case, case.view.active_segment_id, prompt_id)
