"""Both themes can be read."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor, QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from medview.gui.parts.theme import apply_theme, palette, style_sheet, ui_font
from medview.gui.parts.theme_tokens import (
    CONTROL_HEIGHT_PX,
    DARK,
    LIGHT,
    PICTURE_QUIET,
    PICTURE_TEXT,
    PICTURE_WARNING,
    PLANE_COLOURS,
    Tokens,
)


def luminance(colour: str) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    c = QColor(colour)
    return 0.2126 * linear(c.redF()) + 0.7152 * linear(c.greenF()) + 0.0722 * linear(c.blueF())


def contrast(one: str, other: str) -> float:
    """Contrast ratio by WCAG 2.2."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=lambda t: t.name)
def test_text_stands_out_from_every_background(tokens: Tokens) -> None:
    for back in (tokens.window, tokens.panel, tokens.raised):
        for text in (tokens.text, tokens.quiet, tokens.accent, tokens.warning, tokens.error, tokens.good):
            assert contrast(text, back) >= 4.5, (text, back)
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5
    assert contrast(tokens.edge, tokens.panel) >= 3.0


def test_words_and_lines_on_pictures_stand_out_from_black() -> None:
    for colour in (PICTURE_TEXT, PICTURE_QUIET, PICTURE_WARNING, *PLANE_COLOURS.values()):
        assert contrast(colour, "#000000") >= 4.5


@pytest.mark.parametrize("name", ["dark", "light"])
def test_a_theme_dresses_the_application(qtbot: QtBot, name: str) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    before = app.styleSheet(), app.palette(), app.font()
    try:
        tokens = apply_theme(app, name)
        assert tokens.name == name
        assert app.palette().color(QPalette.ColorRole.WindowText) == QColor(tokens.text)
        holder = QWidget()
        qtbot.addWidget(holder)
        button = QPushButton("Open folder")
        QVBoxLayout(holder).addWidget(button)
        holder.show()
        assert button.height() == CONTROL_HEIGHT_PX
    finally:
        app.setStyleSheet(before[0])
        app.setPalette(before[1])
        app.setFont(before[2])


def test_figures_are_equally_wide(qtbot: QtBot) -> None:
    metrics = QFontMetricsF(ui_font())
    assert len({metrics.horizontalAdvance(digit) for digit in "0123456789"}) == 1


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=lambda t: t.name)
def test_disabled_text_is_quiet(qtbot: QtBot, tokens: Tokens) -> None:
    disabled = palette(tokens).color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText)
    assert disabled == QColor(tokens.quiet)
    assert "{" in style_sheet(tokens)
