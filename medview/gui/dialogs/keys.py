"""Keys and mouse at a glance."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.theme_tokens import GRID_PX


class KeysDialog(QDialog):
    """Two columns: what, and how.

    Parameters
    ----------
    rows : sequence of (str, str)
        Title and keys.
    mouse : str
        What the mouse does, in one line.
    scheme : str
        What the scheme in use is called.
    """

    change_wanted = Signal()

    def __init__(
        self, rows: Sequence[tuple[str, str]], mouse: str, scheme: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("Keys and mouse"))
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
        change = text_button(_("Change..."), _("Change keys and mouse"))
        change.clicked.connect(self._change)
        close = text_button(_("Close"), _("Close this window"), role="primary")
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addWidget(change)
        row.addStretch(1)
        row.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 3)
        if scheme:
            layout.addWidget(words(_("Scheme: {scheme}").format(scheme=scheme), "heading"))
        layout.addWidget(words(mouse, "quiet"))
        layout.addWidget(area, 1)
        layout.addLayout(row)
        self.resize(460, 560)

    def _change(self) -> None:
        self.accept()
        self.change_wanted.emit()
