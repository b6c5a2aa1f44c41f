"""Whether everything done so far is on disk."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from medview.core.language import _, in_language
from medview.gui.parts.controls import words
from medview.gui.parts.theme_tokens import GRID_PX, Tokens
from medview.store.entry import SavedKind, SavedState

_WORDS = {SavedKind.WRITING: _("Saving"), SavedKind.SAVED: _("Saved"), SavedKind.FAILED: _("Not saved")}


class SavedDot(QWidget):
    """Grey while writing, green when on disk, amber when hardly anything more fits, red with the reason when not saved."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dot = _Dot(self)
        self.label = words("", "quiet")
        self.label.setObjectName("saved")
        self.label.setWordWrap(False)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX + 2)
        layout.addWidget(self._dot)
        layout.addWidget(self.label)
        self.state: SavedState | None = None
        self._tokens = tokens
        self.show_state(None)

    def use_tokens(self, tokens: Tokens) -> None:
        """Take the colours of another theme."""
        self._tokens = tokens
        self.show_state(self.state)

    def show_state(self, state: SavedState | None) -> None:
        """Show a state; None where nothing is kept."""
        self.state = state
        self.setVisible(state is not None)
        if state is None:
            return
        t = self._tokens
        colours = {SavedKind.WRITING: t.quiet, SavedKind.SAVED: t.good, SavedKind.FAILED: t.error}
        self._dot.colour = t.warning if state.warning else colours[state.kind]
        self._dot.update()
        self.label.setText(_WORDS[state.kind])
        waiting = _(" {waiting} changes are waiting.").format(waiting=state.waiting) if state.waiting else ""
        self.setToolTip(
            (in_language(state.reason or state.warning) or _("Every change is written to disk as soon as it is made."))
            + waiting
        )


class _Dot(QWidget):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.colour = "#000000"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(10, 10)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.colour))
        painter.drawEllipse(QRectF(0.5, 0.5, 9, 9))
