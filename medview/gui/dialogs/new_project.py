"""What a new project is called, where it is kept, and what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from medview.core.language import _
from medview.core.reading_rule import ReadingRule
from medview.gui.dialogs.file_choices import ask_folder, ask_images, ask_table
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.rule_choice import RuleChoice
from medview.gui.parts.theme_tokens import CONTROL_HEIGHT_PX, GRID_PX
from medview.workspace.label_sets import KeptSet
from medview.workspace.new_project import NewProject, folder_of

_SIZE = QSize(620, 520)


class NewProjectDialog(QDialog):
    """One page. What is asked for is announced, not done here."""

    wanted = Signal(object)
    """A NewProject is to be made."""

    def __init__(
        self, kept: Sequence[KeptSet], place: Path, places: Sequence[Path] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("new project")
        self.setWindowTitle(_("New project"))
        self._place = place
        self._places: list[Path] = []
        self.name = QLineEdit()
        self.name.setObjectName("project name")
        self.name.setPlaceholderText(_("Nodules 2026"))
        self.name.setToolTip(_("Shown to people; no patient's name"))
        self.where = ElidedLabel("", "quiet", mode=Qt.TextElideMode.ElideMiddle)
        self.elsewhere = text_button(_("Elsewhere..."), _("Choose the folder the project is kept in"))
        self.elsewhere.clicked.connect(self._choose_place)
        self.label_set = QComboBox()
        self.label_set.setObjectName("project label set")
        self.label_set.setToolTip(_("What there is to label; segments are offered under these names"))
        self.label_set.addItem(_("None yet"), None)
        for one in kept:
            self.label_set.addItem(one.label_set.name, one.label_set)
        self.rule = RuleChoice(ReadingRule())
        self.list = QListWidget()
        self.list.setObjectName("project places")
        self.list.setToolTip(_("Each series in them becomes a case"))
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.make = text_button(_("Make the project"), _("Makes it, opens it, and adds the cases"), role="primary")
        self.make.setObjectName("project make")
        self.make.setDefault(True)
        self.make.clicked.connect(self.accept)
        self._arrange()
        self.name.textChanged.connect(self._show)
        self.add(places)
        self._show()
        self.resize(_SIZE)
        self.name.setFocus()

    def add(self, paths: Sequence[Path]) -> None:
        """List places whose images become cases, each once."""
        for path in paths:
            if path not in self._places:
                self._places.append(path)
                self.list.addItem(QListWidgetItem(str(path)))
        self._show()

    def accept(self) -> None:
        """Announce what is wanted."""
        if not self.make.isEnabled():
            return
        name = self.name.text().strip()
        path = folder_of(self._place, name)
        self.wanted.emit(NewProject(path, name, self.label_set.currentData(), self.rule.rule, tuple(self._places)))
        super().accept()

    def _arrange(self) -> None:
        place = QHBoxLayout()
        place.setSpacing(GRID_PX * 2)
        place.addWidget(self.where, 1)
        place.addWidget(self.elsewhere)
        form = QFormLayout()
        form.setHorizontalSpacing(GRID_PX * 4)
        form.setVerticalSpacing(GRID_PX * 2)
        form.addRow(_label(_("Name")), self.name)
        form.addRow(_label(_("Kept in")), place)
        form.addRow(_label(_("Label set")), self.label_set)
        form.addRow(_label(_("Readers")), self.rule)
        buttons = QHBoxLayout()
        for title, tip, ask, name in (
            (_("Add a folder..."), _("A folder with DICOM, NIfTI or NRRD files, or pictures"), self._add_folder, "folder"),
            (_("Add a file..."), _("A zip, or one image file"), self._add_file, "file"),
            (_("Add a table..."), _("CSV with the columns path, patient, split and series"), self._add_table, "table"),
            (_("Remove"), _("Take the chosen place off the list"), self._remove, "remove"),
        ):
            button = text_button(title, tip)
            button.setObjectName(f"project {name}")
            button.setAutoDefault(False)
            button.clicked.connect(ask)
            buttons.addWidget(button)
        buttons.addStretch(1)
        self.elsewhere.setAutoDefault(False)
        cancel = text_button(_("Cancel"), _("Make nothing"))
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        ends = QHBoxLayout()
        ends.addStretch(1)
        ends.addWidget(cancel)
        ends.addWidget(self.make)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 3)
        layout.addLayout(form)
        layout.addWidget(words(_("Images to label. They stay where they are; more can be added later."), "quiet"))
        layout.addWidget(self.list, 1)
        layout.addLayout(buttons)
        layout.addLayout(ends)

    def _show(self, *_values: object) -> None:
        name = self.name.text().strip()
        self.make.setEnabled(bool(name))
        self.where.setText(str(folder_of(self._place, name) if name else self._place))

    def _choose_place(self) -> None:
        if (path := ask_folder(self, _("Keep the project in"))) is not None:
            self._place = path
            self._show()

    def _add_folder(self) -> None:
        if (path := ask_folder(self, _("Add a folder"))) is not None:
            self.add([path])

    def _add_file(self) -> None:
        if (path := ask_images(self)) is not None:
            self.add([path])

    def _add_table(self) -> None:
        if (path := ask_table(self)) is not None:
            self.add([path])

    def _remove(self) -> None:
        row = self.list.currentRow()
        if row >= 0:
            self.list.takeItem(row)
            del self._places[row]


def _label(text: str) -> QLabel:
    label = QLabel(text)
    label.setMinimumHeight(CONTROL_HEIGHT_PX)
    return label
