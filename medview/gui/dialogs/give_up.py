"""The one question asked before leaving: changes that cannot be written would be lost."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox, QWidget

from medview.core.language import _


def ask_to_give_up(parent: QWidget, sentence: str) -> bool:
    """Say why changes cannot be written and ask whether to leave without them; staying is the default."""
    box = QMessageBox(QMessageBox.Icon.Warning, "MedView", sentence, parent=parent)
    box.setInformativeText(_("Stay to free room or make the folder writable; saving is tried again by itself."))
    stay = box.addButton(_("Stay"), QMessageBox.ButtonRole.RejectRole)
    leave = box.addButton(_("Leave and lose the changes"), QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    return box.clickedButton() is leave
