"""Icons of one style that take their colour from the theme when they are painted."""

from __future__ import annotations

from functools import cache

import qtawesome
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QIconEngine, QPainter, QPalette, QPixmap


def icon(name: str, colour: str = "") -> QIcon:
    """Return an icon.

    Parameters
    ----------
    name : str
        As qtawesome spells it, e.g. ``mdi6.brush``; empty for no icon.
    colour : str
        ``#rrggbb``; empty for the text colour of the theme in use at the time of painting.
    """
    return QIcon(_GlyphEngine(name, colour)) if name else QIcon()


@cache
def _glyph(name: str) -> tuple[QFont, str]:
    prefix = name.split(".", 1)[0]
    return qtawesome.font(prefix, 16), str(qtawesome.charmap(name))


class _GlyphEngine(QIconEngine):
    def __init__(self, name: str, colour: str) -> None:
        super().__init__()
        self._name, self._colour = name, colour

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw the glyph centred in ``rect``."""
        font, character = _glyph(self._name)
        font = QFont(font)
        font.setPixelSize(max(1, round(min(rect.width(), rect.height()) * 0.95)))
        painter.save()
        painter.setFont(font)
        painter.setPen(self._pen(mode, state))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, character)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Return the glyph on a transparent picture of ``size`` device pixels."""
        picture = QPixmap(size)
        if size.isEmpty():
            # A button that is only just being laid out has no room for its icon yet.
            return picture
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return picture

    def clone(self) -> QIconEngine:
        """Return a copy."""
        return _GlyphEngine(self._name, self._colour)

    def _pen(self, mode: QIcon.Mode, state: QIcon.State) -> QColor:
        palette = QGuiApplication.palette()
        if mode is QIcon.Mode.Disabled:
            colour = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText)
            colour.setAlpha(120)
            return colour
        if state is QIcon.State.On:
            return palette.color(QPalette.ColorRole.HighlightedText)
        return QColor(self._colour) if self._colour else palette.color(QPalette.ColorRole.ButtonText)
