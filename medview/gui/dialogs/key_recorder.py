"""A button that takes the next key pressed."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QPushButton, QWidget

from medview.core.language import _

_ALONE = {
    Qt.Key.Key_Shift,
    Qt.Key.Key_Control,
    Qt.Key.Key_Alt,
    Qt.Key.Key_AltGr,
    Qt.Key.Key_Meta,
    Qt.Key.Key_CapsLock,
    Qt.Key.Key_NumLock,
    Qt.Key.Key_unknown,
}
"""Keys that are held, not pressed."""

_TEXT, _WAITING = _("Record a key"), _("Press a key")


class KeyRecorder(QPushButton):
    """Click it, press a key with its modifiers: ``recorded`` says it in Qt's portable spelling. Esc gives up."""

    recorded = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(_TEXT, parent)
        self.setToolTip(_("Click, then press the key; Esc gives up"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCheckable(True)
        self.toggled.connect(lambda on: self.setText(_WAITING if on else _TEXT))

    def event(self, event: QEvent) -> bool:
        """Take every key while recording, Tab and shortcuts of the window included."""
        if self.isChecked() and isinstance(event, QKeyEvent):
            if event.type() is QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() is QEvent.Type.KeyPress:
                self._take(event)
                return True
            if event.type() is QEvent.Type.KeyRelease:
                return True
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Give up when the person goes elsewhere."""
        self.setChecked(False)
        super().focusOutEvent(event)

    def _take(self, event: QKeyEvent) -> None:
        if Qt.Key(event.key()) in _ALONE:
            return
        self.setChecked(False)
        if event.key() != Qt.Key.Key_Escape:
            self.recorded.emit(portable(event))


def portable(event: QKeyEvent) -> str:
    """Return a key press as schemes spell it. Shift is left out where it only makes another sign, as in ``+`` or ``?``."""
    held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    key = Qt.Key(event.key())
    sign = (
        len(event.text()) == 1 and event.text().isprintable() and not event.text().isalnum() and not event.text().isspace()
    )
    if sign:
        held &= ~Qt.KeyboardModifier.ShiftModifier
    if key is Qt.Key.Key_Backtab:
        key = Qt.Key.Key_Tab
    return QKeySequence(int(held.value) | int(key.value)).toString(QKeySequence.SequenceFormat.PortableText)
