"""The files a scan could not read, and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.core.study import DamagedFile
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.theme_tokens import GRID_PX

_MOST_SHOWN = 200


class DamagedDialog(QDialog):
    """One entry per file: its name, and one sentence; only their number while identity is hidden."""

    def __init__(self, files: Sequence[DamagedFile], *, hidden: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Files that could not be read"))
        column = QVBoxLayout()
        column.setSpacing(GRID_PX)
        if hidden:
            column.addWidget(
                words(
                    _("{count} in all. Show the identity again to see which, since names may be in there.").format(
                        count=len(files)
                    )
                )
            )
        for file in () if hidden else files[:_MOST_SHOWN]:
            name = ElidedLabel(Path(file.path).name)
            name.set_hint(file.path)
            column.addWidget(name)
            column.addWidget(words(in_language(file.reason), "quiet"))
            column.addSpacing(GRID_PX)
        if not hidden and len(files) > _MOST_SHOWN:
            column.addWidget(words(_("And {count} more.").format(count=len(files) - _MOST_SHOWN), "quiet"))
        column.addStretch(1)
        inside = QWidget()
        inside.setLayout(column)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inside)
        close = text_button(_("Close"), _("Close this window"), role="primary")
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(close)
        layout = QVBoxLayout(self)
        layout.addWidget(area, 1)
        layout.addLayout(row)
        self.resize(520, 400)
