"""A label that shortens what does not fit and shows the whole in its tooltip."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QStyle, QStyleOption, QWidget


class ElidedLabel(QLabel):
    """One line of plain text, cut with an ellipsis where the room ends.

    Parameters
    ----------
    role : str
        Look of the theme: ``title``, ``heading``, ``quiet``, ``small`` ...
    mode : Qt.TextElideMode
        Paths are best cut in the middle.
    """

    def __init__(
        self,
        text: str = "",
        role: str = "",
        parent: QWidget | None = None,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        self._hint = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        if role:
            self.setProperty("role", role)
        self.setText(text)

    def set_hint(self, hint: str) -> None:
        """Set what the tooltip says below the text."""
        self._hint = hint
        self._update_tip()

    def setText(self, text: str) -> None:
        """Set the whole text."""
        super().setText(text)
        self._update_tip()

    def minimumSizeHint(self) -> QSize:
        """Return a width that never pushes the panel wider."""
        return QSize(self.fontMetrics().horizontalAdvance("…") * 2, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the text as far as it fits."""
        painter = QPainter(self)
        option = QStyleOption()
        option.initFrom(self)
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_Widget, option, painter, self)
        area = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), self._mode, area.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(area, self.alignment() | Qt.AlignmentFlag.AlignVCenter, shown)

    def resizeEvent(self, event: object) -> None:
        """Show the whole text in the tooltip only when it is cut."""
        self._update_tip()

    def _update_tip(self) -> None:
        cut = self.fontMetrics().horizontalAdvance(self.text()) > max(0, self.contentsRect().width())
        tip = "\n".join(part for part in (self.text() if cut else "", self._hint) if part)
        if tip != self.toolTip():
            self.setToolTip(tip)
