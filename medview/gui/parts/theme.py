"""Dresses the application in one of its themes."""

from __future__ import annotations

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from medview.core.resources import resource_path
from medview.gui.parts.theme_tokens import (
    CONTROL_HEIGHT_PX,
    DARK,
    GRID_PX,
    LIGHT,
    TEXT_LARGE_PX,
    TEXT_PX,
    TEXT_SMALL_PX,
    TEXT_TITLE_PX,
    THEMES,
    Tokens,
)


def apply_theme(app: QApplication, name: str = "dark") -> Tokens:
    """Dress the application.

    Parameters
    ----------
    name : str
        ``dark`` or ``light``; anything else is dark.

    Returns
    -------
    Tokens
        The colours now in use.
    """
    tokens = THEMES.get(name, THEMES["dark"])
    app.setStyle(QStyleFactory.create("Fusion"))
    app.setFont(ui_font())
    app.setPalette(palette(tokens))
    app.setStyleSheet(style_sheet(tokens))
    return tokens


def tokens_in_use() -> Tokens:
    """Return the colours of the theme that is in use, for what paints itself."""
    dark = QApplication.palette().color(QPalette.ColorRole.Window).lightness() < 128
    return DARK if dark else LIGHT


def ui_font(size_px: int = TEXT_PX, *, bold: bool = False) -> QFont:
    """Return the system's interface font with figures of equal width, so that changing numbers do not jump."""
    font = QFont(QApplication.font().family())
    font.setPixelSize(size_px)
    font.setBold(bold)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def palette(tokens: Tokens) -> QPalette:
    """Return the Qt palette of a theme; it colours what the style sheet does not reach."""
    result = QPalette()
    role = QPalette.ColorRole
    for part, colour in {
        role.Window: tokens.panel,
        role.WindowText: tokens.text,
        role.Base: tokens.raised,
        role.AlternateBase: tokens.panel,
        role.Text: tokens.text,
        role.Button: tokens.raised,
        role.ButtonText: tokens.text,
        role.BrightText: tokens.error,
        role.ToolTipBase: tokens.raised,
        role.ToolTipText: tokens.text,
        role.PlaceholderText: tokens.quiet,
        role.Highlight: tokens.accent,
        role.HighlightedText: tokens.on_accent,
        role.Accent: tokens.accent,
        role.Link: tokens.accent,
        role.LinkVisited: tokens.accent,
        role.Light: tokens.line,
        role.Midlight: tokens.line,
        role.Mid: tokens.line,
        role.Dark: tokens.window,
        role.Shadow: tokens.window,
    }.items():
        result.setColor(part, QColor(colour))
    for part in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        result.setColor(QPalette.ColorGroup.Disabled, part, QColor(tokens.quiet))
    result.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(tokens.line))
    return result


def style_sheet(tokens: Tokens) -> str:
    """Return the style sheet of a theme.

    Widgets choose a look by the dynamic property ``role``.

    - Labels: ``title``, ``heading``, ``quiet``, ``small``, ``accent``, ``warning``, ``error``, ``good``, ``chip``,
      ``warning-small``.
    - Buttons: ``primary``, ``flat``, ``flat-warning``, ``option``.
    - Frames: ``panel``, ``raised``, ``bar``, ``line``, ``alarm``, ``caution``, ``question``, ``question-active``.
    """
    t, g = tokens, GRID_PX
    inner = CONTROL_HEIGHT_PX - 2
    # Without a picture of its own the arrow of the style comes with a bevel around it.
    arrow = (resource_path("icons") / "arrow-down.png").as_posix()
    shade = "dark" if QColor(t.on_accent).lightness() < 128 else "light"
    check = (resource_path("icons") / f"check-{shade}.png").as_posix()
    return f"""
QWidget {{ font-size: {TEXT_PX}px; color: {t.text}; }}
QMainWindow, QDialog {{ background: {t.window}; }}
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.edge}; padding: {g}px; }}

#pane_grid {{ background: {t.line}; }}
QFrame[role="panel"] {{ background: {t.panel}; border: none; }}
QFrame[role="raised"] {{ background: {t.raised}; border: 1px solid {t.line}; border-radius: {g}px; }}
QFrame[role="bar"] {{ background: {t.panel}; border: none; }}
QFrame[role="alarm"] {{ background: {t.raised}; border: none; border-left: {g}px solid {t.error}; }}
QFrame[role="caution"] {{ background: {t.raised}; border: none; border-left: {g}px solid {t.warning}; }}
QFrame[role="line"] {{ background: {t.line}; border: none; }}

QFrame[role="question"] {{ border: none; border-left: 2px solid transparent; }}
QFrame[role="question-active"] {{ border: none; border-left: 2px solid {t.accent}; background: {t.raised}; }}

QLabel {{ background: transparent; }}
QLabel[role="title"] {{ font-size: {TEXT_TITLE_PX}px; }}
QLabel[role="heading"] {{ font-size: {TEXT_LARGE_PX}px; }}
QLabel[role="quiet"] {{ color: {t.quiet}; }}
QLabel[role="small"] {{ color: {t.quiet}; font-size: {TEXT_SMALL_PX}px; }}
QLabel[role="accent"] {{ color: {t.accent}; }}
QLabel[role="warning"] {{ color: {t.warning}; }}
QLabel[role="warning-small"] {{ color: {t.warning}; font-size: {TEXT_SMALL_PX}px; }}
QLabel[role="error"] {{ color: {t.error}; }}
QLabel[role="good"] {{ color: {t.good}; }}
QLabel[role="chip"] {{ background: {t.raised}; border: 1px solid {t.line}; border-radius: {g}px; padding: 1px {g + 2}px;
    font-size: {TEXT_SMALL_PX}px; }}

QPushButton, QToolButton {{ background: {t.raised}; border: 1px solid {t.line}; border-radius: {g}px; padding: 0 {2 * g}px;
    min-height: {inner}px; }}
QToolButton {{ padding: 0 {g}px; min-width: {inner - 2 * g}px; }}
QPushButton:hover, QToolButton:hover {{ border-color: {t.edge}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {t.line}; }}
QPushButton:checked, QToolButton:checked {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; }}
QPushButton:focus, QToolButton:focus {{ border-color: {t.accent}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {t.quiet}; background: {t.panel}; }}
QPushButton[role="primary"] {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; }}
QPushButton[role="primary"]:hover {{ border-color: {t.text}; }}
QPushButton[role="primary"]:disabled {{ background: {t.panel}; color: {t.quiet}; border-color: {t.line}; }}
QPushButton[role="option"] {{ text-align: left; background: {t.panel}; }}
QPushButton[role="option"]:checked {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; }}
QPushButton[role="option"]:checked:disabled {{ background: {t.line}; color: {t.text}; border-color: {t.quiet}; }}
QPushButton[role="flat"], QToolButton[role="flat"] {{ background: transparent; border-color: transparent; }}
QPushButton[role="flat"]:hover, QToolButton[role="flat"]:hover {{ background: {t.raised}; border-color: {t.line}; }}
QPushButton[role="flat-warning"], QToolButton[role="flat-warning"] {{ background: transparent; border-color: transparent;
    color: {t.warning}; }}
QPushButton[role="flat-warning"]:hover, QToolButton[role="flat-warning"]:hover {{ background: {t.raised}; }}
QToolButton[role="flat"]:checked {{ background: {t.accent}; color: {t.on_accent}; }}
QToolButton::menu-indicator {{ image: none; }}
QRadioButton::indicator {{ width: 12px; height: 12px; border: 1px solid {t.quiet}; border-radius: 7px;
    background: {t.panel}; }}
QRadioButton::indicator:checked {{ background: {t.accent}; border-color: {t.text}; }}
QRadioButton::indicator:focus {{ border-color: {t.accent}; }}
QCheckBox::indicator, QAbstractItemView::indicator {{ width: 12px; height: 12px; border: 1px solid {t.quiet};
    border-radius: 3px; background: {t.panel}; }}
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked {{ background: {t.accent}; border-color: {t.accent};
    image: url("{check}"); }}
QCheckBox::indicator:focus {{ border-color: {t.accent}; }}
QCheckBox::indicator:disabled {{ border-color: {t.line}; }}

QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox {{ background: {t.raised}; border: 1px solid {t.line}; border-radius: {g}px;
    padding: 0 {g + 2}px; min-height: {inner}px; selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
QLineEdit QToolButton {{ background: transparent; border: none; padding: 0; min-width: 0; min-height: 0; }}
QComboBox::drop-down {{ border: none; width: {5 * g}px; }}
QComboBox::down-arrow {{ image: url("{arrow}"); width: 10px; height: 6px; }}
QComboBox QAbstractItemView {{ background: {t.raised}; border: 1px solid {t.edge}; }}
QLineEdit:hover, QSpinBox:hover, QDoubleSpinBox:hover, QComboBox:hover {{ border-color: {t.edge}; }}
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus {{ border-color: {t.accent}; }}
QLineEdit:disabled, QSpinBox:disabled, QComboBox:disabled {{ color: {t.quiet}; background: {t.panel}; }}
QPlainTextEdit, QTextEdit, QTextBrowser {{ background: {t.raised}; border: 1px solid {t.line}; border-radius: {g}px; }}

QListView, QTreeView, QTableView {{ background: {t.panel}; border: none; outline: none; }}
QListView::item, QTreeView::item, QTableView::item {{ min-height: {CONTROL_HEIGHT_PX}px; padding: 0 {g}px; }}
QListView::item:hover, QTreeView::item:hover, QTableView::item:hover {{ background: {t.raised}; }}
QListView::item:selected, QTreeView::item:selected, QTableView::item:selected {{ background: {t.accent};
    color: {t.on_accent}; }}
QHeaderView::section {{ background: {t.panel}; color: {t.quiet}; border: none; border-bottom: 1px solid {t.line};
    padding: {g}px; }}

QMenuBar {{ background: {t.panel}; }}
QMenuBar::item {{ background: transparent; padding: {g}px {g + 2}px; }}
QMenuBar::item:selected {{ background: {t.raised}; }}
QMenu {{ background: {t.raised}; border: 1px solid {t.line}; padding: {g}px 0; }}
QMenu::item {{ padding: {g + 2}px {6 * g}px {g + 2}px {3 * g}px; }}
QMenu::icon {{ margin-left: {g + 2}px; }}
QMenu::icon:checked {{ background: {t.accent}; border-radius: {g}px; }}
QMenu::item:selected {{ background: {t.accent}; color: {t.on_accent}; }}
QMenu::item:disabled {{ color: {t.quiet}; background: transparent; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: {g}px 0; }}

QSlider::groove:horizontal {{ height: {g}px; background: {t.line}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {t.accent}; border-radius: 2px; }}
QSlider::handle:horizontal {{ background: {t.text}; width: {3 * g}px; margin: -{g}px 0; border-radius: {3 * g // 2}px; }}
QSlider::handle:horizontal:focus {{ background: {t.accent}; }}
QProgressBar {{ background: {t.line}; border: none; border-radius: 2px; min-height: {g}px; max-height: {g}px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 2px; }}

QTabBar::tab {{ background: transparent; padding: {g + 2}px {3 * g}px; color: {t.quiet};
    border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {t.text}; border-bottom-color: {t.accent}; }}
QTabWidget::pane {{ border: none; border-top: 1px solid {t.line}; }}
QGroupBox {{ border: none; margin-top: {5 * g}px; font-weight: bold; }}
QGroupBox::title {{ subcontrol-origin: margin; left: 0; padding: 0; }}

QScrollArea, QAbstractScrollArea {{ border: none; }}
QScrollBar:vertical {{ background: transparent; width: {2 * g + 2}px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: {2 * g + 2}px; margin: 0; }}
QScrollBar::handle {{ background: {t.line}; border-radius: {g}px; min-height: {6 * g}px;
    min-width: {6 * g}px; margin: 1px; }}
QScrollBar::handle:hover {{ background: {t.edge}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSplitter::handle {{ background: {t.window}; }}
QSplitter::handle:horizontal {{ width: {g}px; }}
QSplitter::handle:vertical {{ height: {g}px; }}
QDockWidget::title {{ background: {t.panel}; padding: {g}px; }}
QStatusBar {{ background: {t.panel}; min-height: {CONTROL_HEIGHT_PX}px; }}
QStatusBar::item {{ border: none; }}
"""
