"""Keys and mouse at a glance."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from medview.gui.controls import text_button, words
from medview.gui.theme_tokens import GRID_PX


class KeysDialog(QDialog):
    """Two columns: what, and how."""

    def __init__(self, rows: Sequence[tuple[str, str]], mouse: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and mouse")
        table = QWidget()
        grid = QGridLayout(table)
        grid.setHorizontalSpacing(GRID_PX * 6)
        grid.setVerticalSpacing(GRID_PX)
        for number, (title, keys) in enumerate(rows):
            grid.addWidget(words(title), number, 0)
            grid.addWidget(words(keys, "quiet"), number, 1)
        area = QScrollArea()
        area.setWidget(table)
        area.setWidgetResizable(True)
        close = text_button("Close", "Close this window", role="primary")
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 3)
        layout.addWidget(words(mouse, "quiet"))
        layout.addWidget(area, 1)
        layout.addLayout(row)
        self.resize(460, 560)
