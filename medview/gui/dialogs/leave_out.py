"""Why cases are left out."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QHBoxLayout, QVBoxLayout, QWidget

from medview.core.language import _, plural
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.workspace import Workspace

_REASONS = (
    _("motion or artefacts"),
    _("incomplete"),
    _("wrong kind of series"),
    _("a duplicate"),
    _("does not meet the inclusion criteria"),
)


class LeaveOutDialog(QDialog):
    """Usual reasons to choose from, or one's own."""

    def __init__(self, workspace: Workspace, case_ids: Sequence[int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(plural("Leave {n} case out", "Leave {n} cases out", len(case_ids)).format(n=len(case_ids)))
        self._changes, self._case_ids = workspace.worklist.changes, tuple(case_ids)
        self.reason = QComboBox()
        self.reason.setObjectName("leave out reason")
        self.reason.setEditable(True)
        self.reason.addItems(list(_REASONS))
        self.reason.setCurrentText("")
        self.reason.setToolTip(_("Stands in the list of cases and in the data card"))
        if (field := self.reason.lineEdit()) is not None:
            field.setPlaceholderText(_("Reason"))
        self.leave = text_button(_("Leave out"), _("The labels stay; it can be taken in again"), role="primary")
        self.leave.setObjectName("leave out")
        self.leave.setDefault(True)
        self.leave.clicked.connect(self.accept)
        cancel = text_button(_("Cancel"), _("Change nothing"))
        cancel.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.leave)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 3)
        layout.addWidget(
            words(_("Left out cases are not offered for work, counted or exported; their labels stay."), "quiet")
        )
        layout.addWidget(self.reason)
        layout.addLayout(row)
        self.resize(440, 150)
        self.reason.editTextChanged.connect(self._on_text)
        self._on_text("")

    def accept(self) -> None:
        """Leave them out."""
        self._changes.exclude(self._case_ids, self.reason.currentText())
        super().accept()

    def _on_text(self, text: str) -> None:
        self.leave.setEnabled(bool(text.strip()))
