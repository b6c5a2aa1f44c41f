"""What a person says about a labelled dataset: where it is, in which format, what its values and patients are called."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from medview.core.language import _, in_language
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.dataset_words import DATASET_WORDS, DatasetWords, guessed_form
from medview.workspace.importing import Wanted

_PLACES = ("source", "images", "labels", "splits")


class DatasetFields(QWidget):
    """Only what a format can be told is asked."""

    changed = Signal()
    folder_wanted = Signal(str)
    """The person wants to choose a folder for this place."""
    file_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paths: dict[str, Path | None] = dict.fromkeys(_PLACES)
        self.form = QComboBox()
        self.form.setObjectName("import format")
        self.form.setToolTip(_("Which kind of dataset it is; guessed from the names in the folder"))
        for one in DATASET_WORDS:
            self.form.addItem(in_language(one.title), one)
        self._about = words("", "quiet")
        self.places = {name: ElidedLabel("", "quiet", mode=Qt.TextElideMode.ElideMiddle) for name in _PLACES}
        self.values, self.patients = QLineEdit(), QLineEdit()
        self.values.setPlaceholderText(_("255=Left lung, 128="))
        self.values.setToolTip(_("What values of masks are called; without a name a value is left out"))
        self.patients.setPlaceholderText(_("patient_([0-9]+)"))
        self.patients.setToolTip(_("A regular expression that finds the patient in the path of an image"))
        self._rows = QFormLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setHorizontalSpacing(GRID_PX * 4)
        self._rows.setVerticalSpacing(GRID_PX)
        self._place_rows = {name: self._place_row(name) for name in _PLACES}
        for name in ("images", "labels"):
            self.places[name].setText(_("found by its usual name"))
        self.places["source"].setText(_("Choose a folder or a file, or drop it here"))
        self.places["splits"].setText(_("as the dataset says"))
        self._apart = _beside((self._place_rows["images"], 1), (words(_("Labels")), 0), (self._place_rows["labels"], 1))
        for title, row in (
            (_("Dataset"), self._place_rows["source"]),
            (_("Format"), self.form),
            ("", self._about),
            (_("Images"), self._apart),
            (_("Values"), self.values),
            (_("Patient from"), _beside((self.patients, 1), (words(_("Splits")), 0), (self._place_rows["splits"], 1))),
        ):
            self._rows.addRow(words(title), row)
        self.form.currentIndexChanged.connect(self._on_form)
        for field in (self.values, self.patients):
            field.textEdited.connect(self.changed)
        self._on_form()

    @property
    def complete(self) -> bool:
        """Whether enough is said to look."""
        chosen = self._chosen()
        return self._paths["source"] is not None or (
            chosen.pairs and self._paths["images"] is not None and self._paths["labels"] is not None
        )

    def choose(self, name: str, path: Path) -> None:
        """Say where the dataset, its images, its labels or its splits are; the format is guessed from the first."""
        self._paths[name] = path
        self.places[name].setText(str(path))
        if name == "source" and (form := guessed_form(path)):
            self.form.setCurrentIndex([one.form for one in DATASET_WORDS].index(form))
        self.changed.emit()

    def wanted(self) -> Wanted:
        """Return what is said."""
        paths, chosen = self._paths, self._chosen()
        return Wanted(
            chosen.form,
            paths["source"],
            paths["images"] if chosen.pairs else None,
            paths["labels"] if chosen.pairs else None,
            self.values.text().strip() if chosen.values else "",
            self.patients.text().strip(),
            paths["splits"],
        )

    def _chosen(self) -> DatasetWords:
        found = self.form.currentData()
        assert isinstance(found, DatasetWords)
        return found

    def _on_form(self, *_values: object) -> None:
        chosen = self._chosen()
        self._about.setText(in_language(chosen.about))
        self._rows.setRowVisible(self._apart, chosen.pairs)
        self._rows.setRowVisible(self.values, chosen.values)
        self.changed.emit()

    def _place_row(self, name: str) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID_PX * 2)
        row.addWidget(self.places[name], 1)
        if name != "splits":
            folder = text_button(_("Folder..."), _("Choose a folder; one can be dropped on this window, too"))
            folder.clicked.connect(lambda: self.folder_wanted.emit(name))
            row.addWidget(folder)
        if name in ("source", "splits"):
            file = text_button(_("File..."), _("Choose a file: of arrays, a list, or names and their splits"))
            file.clicked.connect(lambda: self.file_wanted.emit(name))
            row.addWidget(file)
        for button in holder.findChildren(QPushButton):
            button.setAutoDefault(False)
        return holder


def _beside(*parts: tuple[QWidget, int]) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(GRID_PX * 3)
    for widget, share in parts:
        row.addWidget(widget, share)
    return holder
