"""What the project is written as, whose labels, where to, and what of them the format cannot hold."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QVBoxLayout,
    QWidget,
)

from medview.core.errors import MedViewError
from medview.core.language import _, in_language
from medview.core.reading_status import Role
from medview.gui.dialogs.file_choices import ask_folder
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.export_words import FORM_WORDS, FormWords
from medview.workspace.jobs import Job
from medview.workspace.workspace import Workspace

if TYPE_CHECKING:
    from medview.workspace.export_selection import ExportRun

_SIZE = QSize(640, 540)
_CONSENSUS, _REVIEW_ENDING = "consensus", ", review"


class ProjectExportDialog(QDialog):
    """What would be lost is looked for anew with every choice, before anything can be written."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None, place: Path | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("project export")
        self.setWindowTitle(_("Export the project"))
        self._workspace = workspace
        self._job: Job | None = None
        self._asked = 0
        self._place = place or Path.home()
        self.form = QComboBox()
        self.form.setObjectName("export format")
        self.form.setToolTip(_("What the files are to be read by"))
        for one in FORM_WORDS:
            self.form.addItem(one.title, one)
        self.about = words("", "quiet")
        self.reader = QComboBox()
        self.reader.setObjectName("export reader")
        self.reader.setToolTip(_("Whose labels are written where several people read a case"))
        self.reader.addItem(_("What counts: consensus, approved edit, approved or only reader"), "")
        self.reader.addItem(_("Consensus only"), _CONSENSUS)
        states = [state for row in workspace.worklist.rows for state in row.readings if state.reader]
        for name in sorted({state.reader for state in states if state.role is Role.READER}):
            self.reader.addItem(name, name)
        for name in sorted({state.reader for state in states if state.role is Role.REVIEW}):
            self.reader.addItem(_("{name}, review").format(name=name), f"{name}{_REVIEW_ENDING}")
        self.done_only = QCheckBox(_("Only cases that are done or approved"))
        self.done_only.setObjectName("export done only")
        self.done_only.setToolTip(_("Cases in work are left out and counted"))
        self.overwrite = QCheckBox(_("In place of an earlier export"))
        self.overwrite.setObjectName("export overwrite")
        self.overwrite.setToolTip(_("A folder that holds anything else, or files changed since, is left alone"))
        self.licence = QLineEdit()
        self.licence.setObjectName("export licence")
        self.licence.setPlaceholderText(_("Not stated"))
        self.licence.setToolTip(_("Stands in the data card: who may use images and labels, and for what"))
        self.where = ElidedLabel("", "quiet", mode=Qt.TextElideMode.ElideMiddle)
        self.elsewhere = text_button(_("Elsewhere..."), _("Choose the folder the export is put into"))
        self.elsewhere.setAutoDefault(False)
        self.elsewhere.clicked.connect(self._choose_place)
        self.losses = QListWidget()
        self.losses.setObjectName("export losses")
        self.losses.setWordWrap(True)
        self.losses.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.losses.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.losses.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.losses.setToolTip(_("Said before anything is written; the data card repeats it"))
        tip = _("Writes into a new folder, reads it back and compares; it goes on while you work")
        self.export = text_button(_("Export"), tip, role="primary")
        self.export.setObjectName("export write")
        self.export.setDefault(True)
        self.export.clicked.connect(self.accept)
        self._arrange()
        self.form.currentIndexChanged.connect(self._on_form)
        self.reader.currentIndexChanged.connect(self._look)
        self.done_only.toggled.connect(self._look)
        self.resize(_SIZE)
        self._on_form()

    @property
    def output(self) -> Path:
        """The folder that is written."""
        project = self._workspace.services.project
        stem = project.path.stem if project is not None else "project"
        return self._place / f"{stem}-{self._chosen().form}"

    def choose_place(self, place: Path) -> None:
        """Put the export into another folder."""
        self._place = place
        self.where.setText(str(self.output))

    def accept(self) -> None:
        """Have it written."""
        if self.export.isEnabled():
            _operations().export_project(self._workspace, self._run(), self.output)
            super().accept()

    def done(self, result: int) -> None:
        """Stop looking; nobody waits for it any more."""
        self._asked += 1
        if self._job is not None:
            self._job.cancel()
            self._job = None
        super().done(result)

    def _arrange(self) -> None:
        place = QHBoxLayout()
        place.setSpacing(GRID_PX * 2)
        place.addWidget(self.where, 1)
        place.addWidget(self.elsewhere)
        form = QFormLayout()
        form.setHorizontalSpacing(GRID_PX * 4)
        form.setVerticalSpacing(GRID_PX * 2)
        form.addRow(words(_("Format")), self.form)
        form.addRow(words(""), self.about)
        form.addRow(words(_("Labels of")), self.reader)
        form.addRow(words(""), self.done_only)
        form.addRow(words(_("Licence")), self.licence)
        form.addRow(words(_("Written to")), place)
        form.addRow(words(""), self.overwrite)
        cancel = text_button(_("Cancel"), _("Write nothing"))
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        ends = QHBoxLayout()
        ends.addStretch(1)
        ends.addWidget(cancel)
        ends.addWidget(self.export)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 3)
        layout.addLayout(form)
        layout.addWidget(words(_("What is left out, and what to know"), "quiet"))
        layout.addWidget(self.losses, 1)
        layout.addLayout(ends)

    def _chosen(self) -> FormWords:
        found = self.form.currentData()
        assert isinstance(found, FormWords)
        return found

    def _run(self) -> ExportRun:
        project = self._workspace.services.project
        name = project.name if project is not None else ""
        run: ExportRun = _operations().run_of(
            self._chosen().form,
            self.reader.currentData(),
            name,
            done_only=self.done_only.isChecked(),
            overwrite=self.overwrite.isChecked(),
            licence=self.licence.text().strip(),
        )
        return run

    def _on_form(self, *_values: object) -> None:
        chosen = self._chosen()
        self.about.setText(chosen.about)
        self.where.setText(str(self.output))
        blocked = self.done_only.blockSignals(True)
        self.done_only.setChecked(chosen.done_only)
        self.done_only.blockSignals(blocked)
        self._look()

    def _look(self, *_values: object) -> None:
        """Find out what would be lost by what is chosen now."""
        if self._job is not None:
            self._job.cancel()
        self._asked += 1
        asked = self._asked
        self.export.setEnabled(False)
        self._say((_("Looking at the cases..."),))

        def told(sentences: tuple[str, ...]) -> None:
            if asked == self._asked:
                self._say(tuple(in_language(one) for one in sentences))
                self.export.setEnabled(True)

        def failed(error: MedViewError) -> None:
            if asked == self._asked:
                self._say((in_language(error.sentence),))

        self._job = _operations().say_losses(self._workspace, self._run(), told, failed)

    def _say(self, sentences: tuple[str, ...]) -> None:
        self.losses.clear()
        self.losses.addItems(list(sentences))

    def _choose_place(self) -> None:
        if (path := ask_folder(self, _("Put the export into"))) is not None:
            self.choose_place(path)


def _operations() -> ModuleType:
    # They import the readers and writers of files, which wait until they are wanted.
    return import_module("medview.workspace.operations.exporting")
