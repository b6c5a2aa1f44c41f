"""The one line in which the program speaks, with an Undo link instead of questions."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from medview.core.changes import Command
from medview.core.language import _
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import icon_button, set_role, text_button
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.identity import message_text
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.events import Message, Severity
from medview.workspace.pointer import Button, Modifiers
from medview.workspace.scheme import Scheme
from medview.workspace.toolbox import entry_of
from medview.workspace.view_state import Bench, Mode
from medview.workspace.workspace import Workspace

_HOLD_MS = {Severity.INFO: 8_000, Severity.WARNING: 20_000}
"""How long a message stays. Errors stay until they are closed or replaced."""

_ROLES = {Severity.INFO: "", Severity.WARNING: "warning", Severity.ERROR: "error"}

_BUTTONS = {Button.LEFT: _("Left"), Button.MIDDLE: _("Middle"), Button.RIGHT: _("Right")}
_DRAGS = {
    "pan": _("move"),
    "zoom": _("zoom"),
    "window": _("window"),
    "crosshair": _("crosshair"),
    "pick": _("pick the segment"),
}


class MessageLine(QFrame):
    """Shows the newest message, and what the mouse does while there is none."""

    undo_wanted = Signal()

    def __init__(self, workspace: Workspace, scheme: Scheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "bar")
        self.setFixedHeight(28)
        self._workspace, self._scheme = workspace, scheme
        self.label = ElidedLabel(role="quiet")
        self.label.setObjectName("message")
        self.undo = text_button(_("Undo"), _("Take this back"), role="flat", icon_name="mdi6.undo")
        self.undo.setObjectName("message undo")
        self.undo.clicked.connect(self._on_undo)
        self.way_out = text_button("", _("What can be done about it"), role="flat", icon_name="mdi6.arrow-right")
        self.way_out.setObjectName("message way out")
        self.way_out.clicked.connect(self._on_way_out)
        self.dismiss = icon_button("mdi6.close", _("Close this message"))
        self.dismiss.clicked.connect(self.clear)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 2, 0, GRID_PX, 0)
        layout.setSpacing(GRID_PX)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.undo)
        layout.addWidget(self.way_out)
        layout.addWidget(self.dismiss)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.clear)
        heard = Subscriptions(self)
        heard.add(workspace.message, self.show_message)
        heard.add(workspace.message_over, self._on_over)
        heard.add(workspace.active_changed, self._on_active)
        heard.add(scheme.changed, self._refresh_hint)
        for signal in (workspace.active_changed, workspace.history_changed):
            heard.add(signal, self._refresh_undo)
        for name in ("mode", "tool", "effect"):
            heard.add(field_signal(workspace.bench, name), self._refresh_hint)
        heard.add(field_signal(workspace.bench, "identity_hidden"), self._refresh_text)
        self._message: Message | None = None
        self._reported: Command | None = None
        self._about = ""
        self.clear()

    def show_message(self, message: Message) -> None:
        """Show a message in place of the one before."""
        self._message = message
        self._about = self._active_key()
        set_role(self.label, _ROLES[message.severity])
        self._refresh_text()
        self._reported = self._newest() if message.undo else None
        self._refresh_undo()
        self._refresh_way_out()
        self.dismiss.setVisible(True)
        self._timer.stop()
        if message.severity in _HOLD_MS:
            self._timer.start(_HOLD_MS[message.severity])

    def clear(self) -> None:
        """Go back to the hint."""
        self._timer.stop()
        self._message = None
        self._reported = None
        set_role(self.label, "quiet")
        self._refresh_undo()
        self._refresh_way_out()
        self.dismiss.hide()
        self._refresh_hint()

    def _on_over(self, message: Message) -> None:
        # The very one: another may say the same of something else.
        if message is self._message:
            self.clear()

    def _on_undo(self) -> None:
        meant = self._undo_meant()
        self.clear()
        if meant:
            self.undo_wanted.emit()

    def _on_way_out(self) -> None:
        way_out = self._message.way_out if self._message is not None else None
        self.clear()
        if way_out is not None:
            way_out.take()

    def _refresh_way_out(self) -> None:
        way_out = self._message.way_out if self._message is not None else None
        self.way_out.setVisible(way_out is not None)
        if way_out is not None:
            self.way_out.setText(way_out.title)
            self.way_out.setToolTip(way_out.tip)

    def _active_key(self) -> str:
        return self._workspace.active.key if self._workspace.active is not None else ""

    def _on_active(self) -> None:
        # Good news about the series before would be read as being about this one; what can be undone is waited for.
        one = self._message
        passing = one is not None and one.severity is Severity.INFO and not one.undo
        if passing and self._about and self._about != self._active_key():
            self.clear()
        self._refresh_hint()

    def _newest(self) -> Command | None:
        case = self._workspace.active
        return case.history.next_undo() if case is not None else None

    def _undo_meant(self) -> bool:
        """Whether Undo would take back what the message is about, and nothing done since."""
        return self._reported is not None and self._reported is self._newest()

    def _refresh_undo(self) -> None:
        case = self._workspace.active
        undone = case.history.next_redos(1) if case is not None and self._reported is not None else ()
        if self._reported is not None and any(one is self._reported for one in undone):
            # It says that something was done, and that was taken back.
            self.clear()
            return
        self.undo.setVisible(self._undo_meant())

    def _refresh_text(self, *_values: object) -> None:
        if self._message is not None:
            self.label.setText(message_text(self._message, hidden=self._workspace.bench.identity_hidden))

    def _refresh_hint(self, *_values: object) -> None:
        if self._message is None:
            self.label.setText(mouse_hint(self._scheme, self._workspace.bench) if self._workspace.active else "")


_PLACE = _("say which place the effect is about")


def mouse_hint(scheme: Scheme, bench: Bench) -> str:
    """Say in one line what the mouse does with the present tool."""
    parts = []
    entry = entry_of(bench.tool)
    for button in (Button.LEFT, Button.MIDDLE, Button.RIGHT):
        name = scheme.drag(bench.mode, button, Modifiers.NONE)
        words = (_PLACE if bench.effect.asks_place else entry.hint) if name == "tool" else _DRAGS.get(name, "")
        if words:
            parts.append(f"{_BUTTONS[button]}: {words}")
    parts.append(_("Wheel: slices"))
    if entry.sized and bench.mode is Mode.ANNOTATE:
        parts.append(_("Shift and wheel: brush size"))
    elif entry.clicks is None and not entry.draws:
        parts.append(_("Double click: maximise"))
    return " · ".join(parts)
