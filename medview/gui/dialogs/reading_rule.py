"""Who reads which case of the project."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.rule_choice import RuleChoice
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.workspace import Workspace


class ReadingRuleDialog(QDialog):
    """What is chosen holds for what is not begun yet; nobody's labels are taken away."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("Who reads what"))
        self._cases = workspace.worklist
        self.choice = RuleChoice(self._cases.rule)
        refusal = self._cases.changes.refusal
        self.choice.setEnabled(not refusal)
        keep = text_button(_("Keep"), _("Keep it in the project"), role="primary")
        keep.setObjectName("reading rule keep")
        keep.setEnabled(not refusal)
        keep.clicked.connect(self.accept)
        cancel = text_button(_("Cancel"), _("Change nothing"))
        cancel.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(keep)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 3)
        explained = _(
            "The list offers a reader the cases that lack one; what is begun stays theirs. Blinding holds from now "
            "on: what somebody has seen they have seen."
        )
        layout.addWidget(words(refusal or explained, "quiet"))
        layout.addWidget(self.choice)
        layout.addLayout(row)
        self.resize(520, 190)

    def accept(self) -> None:
        """Keep it."""
        self._cases.changes.use_rule(self.choice.rule)
        super().accept()
