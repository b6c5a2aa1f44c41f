"""Icons of one style that take their colour from the theme when they are painted."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QIcon, QIconEngine, QPainter, QPalette, QPixmap


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


_FONTS = {"mdi6": "materialdesignicons6-webfont", "ph": "phosphor"}
"""Prefix of a name to the start of qtawesome's file names."""


@cache
def _family(prefix: str) -> tuple[str, dict[str, str]]:
    """Return the family of an icon font and its characters by name.

    The files are qtawesome's. It is not imported: with it come all classes of Qt, a tenth of the start.
    """
    found = find_spec("qtawesome")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("qtawesome, which holds the icons, is not installed; install MedView again.")
    folder, start = Path(found.submodule_search_locations[0]) / "fonts", _FONTS[prefix]
    file = next(path for path in sorted(folder.glob(f"{start}-*.ttf")) if "charmap" not in path.name)
    names: dict[str, str] = json.loads(next(folder.glob(f"{start}-charmap-*.json")).read_text(encoding="utf-8"))
    number = QFontDatabase.addApplicationFont(str(file))
    return QFontDatabase.applicationFontFamilies(number)[0], names


@cache
def _glyph(name: str) -> tuple[QFont, str]:
    prefix, _, glyph = name.partition(".")
    family, names = _family(prefix)
    return QFont(family), chr(int(names[glyph], 16))


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
