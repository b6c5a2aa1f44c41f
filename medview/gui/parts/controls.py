"""Small building blocks of panels: buttons, lines, chips and colour swatches in the house style."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QDoubleSpinBox, QFrame, QHBoxLayout, QLabel, QLayout, QPushButton, QToolButton, QWidget

from medview.gui.parts.icons import icon
from medview.gui.parts.steady import SteadySpinBox
from medview.gui.parts.theme_tokens import GRID_PX, ICON_SMALL_PX


def icon_button(name: str, tip: str) -> QToolButton:
    """Return a small button that shows only an icon; ``tip`` says what it does."""
    button = QToolButton()
    button.setIcon(icon(name))
    button.setIconSize(QSize(ICON_SMALL_PX, ICON_SMALL_PX))
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setProperty("role", "flat")
    return button


def action_button(action: QAction, *, text: bool = False, flat: bool = True) -> QToolButton:
    """Return a button of an action: same icon, state and tooltip; with ``text`` its title as well."""
    button = QToolButton()
    button.setDefaultAction(action)
    button.setIconSize(QSize(ICON_SMALL_PX, ICON_SMALL_PX))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    style = Qt.ToolButtonStyle
    button.setToolButtonStyle(style.ToolButtonTextBesideIcon if text else style.ToolButtonIconOnly)
    if flat:
        button.setProperty("role", "flat")
    return button


def text_button(text: str, tip: str, *, role: str = "", icon_name: str = "") -> QPushButton:
    """Return a button with words on it; ``role`` is ``primary``, ``flat`` or empty."""
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    if icon_name:
        button.setIcon(icon(icon_name))
    if role:
        button.setProperty("role", role)
    return button


def words(text: str, role: str = "") -> QLabel:
    """Return plain text that wraps."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    if role:
        label.setProperty("role", role)
    return label


def chip(text: str, tip: str = "") -> QLabel:
    """Return a short word in a rounded frame."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("role", "chip")
    label.setToolTip(tip)
    return label


def number_box(low: float, high: float, tip: str) -> QDoubleSpinBox:
    """Return a field for a number without arrows; Up, Down and the wheel step through it. It may become narrow."""
    box = SteadySpinBox()
    # With ButtonSymbols.NoButtons and a style sheet Qt gives the text a width of one pixel.
    box.setStyleSheet("QDoubleSpinBox::up-button, QDoubleSpinBox::down-button { width: 0; }")
    box.setRange(low, high)
    box.setKeyboardTracking(False)
    box.setToolTip(tip)
    box.setMinimumWidth(48)
    box.lineEdit().setTextMargins(GRID_PX, 0, GRID_PX, 0)
    return box


def hairline() -> QFrame:
    """Return a horizontal line that parts two areas."""
    line = QFrame()
    line.setProperty("role", "line")
    line.setFixedHeight(1)
    return line


def swatch(colour: tuple[int, int, int], size_px: int = 14) -> QIcon:
    """Return a filled rounded square of an RGB colour."""
    picture = QPixmap(size_px * 2, size_px * 2)
    picture.setDevicePixelRatio(2.0)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(*colour))
    painter.drawRoundedRect(0, 0, size_px, size_px, 3, 3)
    painter.end()
    return QIcon(picture)


def set_role(widget: QWidget, role: str) -> None:
    """Change the look of a widget that is already shown."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def row_of(*widgets: QWidget) -> QHBoxLayout:
    """Return widgets side by side; words take what they need, the others share the rest."""
    row = QHBoxLayout()
    row.setSpacing(GRID_PX * 2)
    for widget in widgets:
        row.addWidget(widget, 0 if isinstance(widget, QLabel) else 1)
    return row


def clear_layout(layout: QLayout) -> None:
    """Remove and destroy everything in a layout."""
    while (item := layout.takeAt(0)) is not None:
        inner, widget = item.layout(), item.widget()
        if inner is not None:
            clear_layout(inner)
        if widget is not None:
            widget.hide()
            widget.deleteLater()
