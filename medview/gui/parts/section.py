"""A titled part of a side panel that folds away."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.icons import icon
from medview.gui.parts.theme_tokens import GRID_PX


class Section(QFrame):
    """A heading with a chevron over a body."""

    def __init__(self, title: str, body: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.body = body
        self._toggle = QToolButton()
        self._toggle.setObjectName(f"section {title}")
        self._toggle.setProperty("role", "flat")
        self._toggle.setText(title)
        self._toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._toggle.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._toggle.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._toggle.clicked.connect(self._flip)
        heading = QHBoxLayout()
        heading.setContentsMargins(0, 0, GRID_PX * 2, 0)
        heading.setSpacing(GRID_PX)
        heading.addWidget(self._toggle)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX, GRID_PX, 0, GRID_PX)
        layout.setSpacing(GRID_PX)
        layout.addLayout(heading)
        layout.addWidget(body, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.set_open(open_=True)

    def set_open(self, *, open_: bool) -> None:
        """Unfold or fold."""
        self.body.setVisible(open_)
        self._toggle.setIcon(icon("mdi6.chevron-down" if open_ else "mdi6.chevron-right"))
        self._toggle.setToolTip(_("Fold this part away") if open_ else _("Unfold this part"))

    def _flip(self) -> None:
        self.set_open(open_=self.body.isHidden())
