"""The one question asked before leaving: changes that cannot be written would be lost."""

from __future__ import annotations

from enum import Enum

from PySide6.QtWidgets import QMessageBox, QWidget

from medview.core.language import _


class Leaving(Enum):
    """What to do about changes that cannot be written."""

    STAY = "stay"
    COPY = "copy"
    LEAVE = "leave"


def ask_to_give_up(parent: QWidget, sentence: str) -> Leaving:
    """Say why changes cannot be written and ask whether to leave without them; staying is the default."""
    box = QMessageBox(QMessageBox.Icon.Warning, "MedView", sentence, parent=parent)
    box.setInformativeText(_("Stay to free room or make the folder writable; saving is tried again by itself."))
    stay = box.addButton(_("Stay"), QMessageBox.ButtonRole.RejectRole)
    copy = box.addButton(_("Save a copy elsewhere..."), QMessageBox.ButtonRole.ActionRole)
    leave = box.addButton(_("Leave and lose the changes"), QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    chosen = box.clickedButton()
    return Leaving.LEAVE if chosen is leave else Leaving.COPY if chosen is copy else Leaving.STAY
