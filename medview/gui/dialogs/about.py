"""What MedView is, its version, licence and parts."""

from __future__ import annotations

from importlib import metadata

from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from medview import __version__
from medview.core.language import _
from medview.gui.dialogs.notice import NOTICE
from medview.gui.parts.computer import computer_line
from medview.gui.parts.controls import hairline, text_button, words
from medview.gui.parts.theme_tokens import GRID_PX

_PARTS = ("PySide6-Essentials", "numpy", "pydicom", "highdicom", "SimpleITK", "torch", "SQLAlchemy")


class AboutDialog(QDialog):
    """Version, notice, licence, and the versions of the parts a report would need."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("About MedView"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 6, GRID_PX * 5, GRID_PX * 6, GRID_PX * 5)
        layout.setSpacing(GRID_PX * 2)
        layout.addWidget(words(f"MedView {__version__}", "title"))
        layout.addWidget(words(NOTICE, "warning"))
        layout.addWidget(words(_("Apache License 2.0. Open DICOM series, label them, run PyTorch models on them.")))
        layout.addWidget(hairline())
        layout.addWidget(words(parts_line(), "quiet"))
        layout.addWidget(words(computer_line(), "quiet"))
        layout.addStretch(1)
        close = text_button(_("Close"), _("Close this window"), role="primary")
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(close)
        layout.addLayout(row)
        self.setMinimumWidth(460)


def parts_line() -> str:
    """Return the versions of the libraries, read from their records without importing them."""
    found = []
    for name in _PARTS:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(_("{name} missing").format(name=name))
    return " · ".join(found)
