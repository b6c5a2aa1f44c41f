"""A dialog's table with a line below it that says how far it is, and a button that copies it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from medview.core.language import _
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.theme_tokens import CONTROL_HEIGHT_PX, GRID_PX


def lay_out_table(dialog: QWidget, view: QTableView, copy: Callable[[], object]) -> tuple[QLabel, QPushButton]:
    """Put a table of whole rows into a dialog; return the line that tells its state and the button that copies it."""
    view.verticalHeader().hide()
    view.verticalHeader().setDefaultSectionSize(CONTROL_HEIGHT_PX)
    view.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    view.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    view.horizontalHeader().setHighlightSections(False)
    view.setShowGrid(False)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    state = words("", "quiet")
    button = text_button(_("Copy as table"), _("All columns, for a spreadsheet"), role="primary")
    button.clicked.connect(copy)
    row = QHBoxLayout()
    row.addWidget(state, 1)
    row.addWidget(button)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
    layout.setSpacing(GRID_PX * 3)
    layout.addWidget(view, 1)
    layout.addLayout(row)
    return state, button
