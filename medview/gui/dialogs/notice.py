"""The research-use notice, shown at the first start."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.theme_tokens import GRID_PX

NOTICE = _("Research use. Not a medical device.")

_TEXT = (
    _(
        "MedView is made for research and teaching. It is not cleared or approved for "
        "diagnosis or treatment, and what its models propose may be wrong. A qualified "
        "person has to check every result."
    ),
    _(
        "Images and labels stay on this computer. The demo models were trained on "
        "computed phantoms; on patients their output means nothing."
    ),
)


class NoticeDialog(QDialog):
    """Says once what MedView is not; closing it in any way but the button leaves it unacknowledged."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("MedView")
        self.setObjectName("notice")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 6, GRID_PX * 5, GRID_PX * 6, GRID_PX * 5)
        layout.setSpacing(GRID_PX * 3)
        layout.addWidget(words(NOTICE, "title"))
        for paragraph in _TEXT:
            label = words(paragraph)
            label.setMinimumWidth(440)
            layout.addWidget(label)
        self.agree = text_button(_("I understand"), _("Go on; this is asked once"), role="primary")
        self.agree.setObjectName("notice agree")
        self.agree.setDefault(True)
        self.agree.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.agree)
        layout.addSpacing(GRID_PX)
        layout.addLayout(row)
