"""Asks for the web address of a model."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from medview.core.errors import PackError
from medview.core.language import _, in_language
from medview.gui.parts.controls import words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.ml.download import Address

_WIDTH_PX = 560


class ModelAddressDialog(QDialog):
    """An address and, where whoever gave it named one, its checksum; what is wrong with them is said beneath."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Add a model from a web address"))
        self.setMinimumWidth(_WIDTH_PX)
        self.address: Address | None = None
        self.url = QLineEdit()
        self.url.setObjectName("model address")
        self.url.setPlaceholderText(_("https://..."))
        self.url.setToolTip(_("Address of a zipped model pack"))
        self.checksum = QLineEdit()
        self.checksum.setObjectName("model checksum")
        self.checksum.setPlaceholderText(_("SHA-256, where you were given one"))
        self.checksum.setToolTip(_("The file is deleted again where its checksum differs"))
        self.problem = words("", "warning")
        self.problem.setVisible(False)
        form = QFormLayout()
        form.setSpacing(GRID_PX * 2)
        form.addRow(_("Address"), self.url)
        form.addRow(_("Checksum"), self.checksum)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.add = buttons.addButton(_("Download and add"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.add.setToolTip(_("Nothing in the file is run; its licence is shown once it is there"))
        self.add.setEnabled(False)
        self.url.textChanged.connect(lambda text: self.add.setEnabled(bool(text.strip())))
        buttons.accepted.connect(self._on_accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(GRID_PX * 3)
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addWidget(buttons)

    def _on_accept(self) -> None:
        try:
            self.address = Address.parse(self.url.text(), self.checksum.text())
        except PackError as error:
            self.problem.setText(in_language(error.sentence))
            self.problem.setVisible(True)
            return
        self.accept()


def ask_model_address(parent: QWidget) -> Address | None:
    """Ask for the address of a model; None when the person thought better of it."""
    dialog = ModelAddressDialog(parent)
    return dialog.address if dialog.exec() else None
