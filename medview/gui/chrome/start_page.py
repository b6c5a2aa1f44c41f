"""What the centre shows while nothing is open."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.dialogs.notice import NOTICE
from medview.gui.parts.controls import clear_layout, text_button, words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.theme_tokens import GRID_PX

_WIDTH_PX = 560
_RECENT_SHOWN = 6


class StartPage(QFrame):
    """Open a folder, open the demo study, recent places, and what the computer can do."""

    open_folder_wanted = Signal()
    open_demo_wanted = Signal()
    new_project_wanted = Signal()
    open_project_wanted = Signal()
    place_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        title = words("MedView", "title")
        what = words(_("Open DICOM series, label them, run models on them."))
        notice = words(NOTICE, "quiet")
        self.open_folder = text_button(
            _("Open a folder"), _("Choose a folder with DICOM, NIfTI or NRRD files"), role="primary", icon_name=""
        )
        self.open_folder.setObjectName("start open folder")
        self.open_demo = text_button(_("Open the demo study"), _("A computed chest CT with nodules; no patient data"))
        self.open_demo.setObjectName("start open demo")
        self.open_folder.clicked.connect(self.open_folder_wanted)
        self.open_demo.clicked.connect(self.open_demo_wanted)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID_PX * 2)
        buttons.addWidget(self.open_folder)
        buttons.addWidget(self.open_demo)
        buttons.addStretch(1)
        self.new_project = text_button(_("New project"), _("Label a set of cases, alone or with others"))
        self.new_project.setObjectName("start new project")
        self.open_project = text_button(_("Open a project"), _("Go on in a project: a folder that ends in .medview"))
        self.open_project.setObjectName("start open project")
        self.new_project.clicked.connect(self.new_project_wanted)
        self.open_project.clicked.connect(self.open_project_wanted)
        buttons.insertWidget(2, self.new_project)
        buttons.insertWidget(3, self.open_project)
        self._recent_title = words(_("Recent"), "heading")
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        self.computer = words("", "quiet")
        column = QVBoxLayout()
        column.setSpacing(GRID_PX * 2)
        column.addWidget(title)
        column.addWidget(what)
        column.addWidget(notice)
        column.addSpacing(GRID_PX * 3)
        column.addLayout(buttons)
        column.addWidget(words(_("Or drop a folder, a file or a zip onto this window."), "quiet"))
        column.addSpacing(GRID_PX * 5)
        column.addWidget(self._recent_title)
        column.addLayout(self._recent)
        column.addSpacing(GRID_PX * 5)
        column.addWidget(self.computer)
        block = QWidget()
        block.setFixedWidth(_WIDTH_PX)
        block.setLayout(column)
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        # An alignment would give wrapped text the height of one line.
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(block)
        middle.addStretch(1)
        layout.addLayout(middle)
        layout.addStretch(3)
        self.show_recent(())

    def show_recent(self, places: tuple[str, ...]) -> None:
        """List the places opened last; those that are gone are left out."""
        clear_layout(self._recent)
        there = [p for p in places if _exists(Path(p))][:_RECENT_SHOWN]
        self._recent_title.setVisible(bool(there))
        for place in there:
            path = Path(place)
            row = text_button("", _("Open {place}").format(place=place), role="flat")
            row.setObjectName("recent place")
            inner = QHBoxLayout(row)
            inner.setContentsMargins(GRID_PX, 0, GRID_PX, 0)
            name = ElidedLabel(path.name or place)
            where = ElidedLabel(str(path.parent), role="quiet", mode=Qt.TextElideMode.ElideMiddle)
            for label in (name, where):
                label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            inner.addWidget(name, 2)
            inner.addWidget(where, 3)
            row.clicked.connect(lambda _checked=False, p=place: self.place_wanted.emit(p))
            self._recent.addWidget(row)


def _exists(place: Path) -> bool:
    try:
        return place.exists()
    except OSError:
        # It is there, and may not be looked at now: opening it says so.
        return True
