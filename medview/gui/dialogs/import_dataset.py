"""A labelled dataset of another program into the project: what it holds, what matches, what does not fit."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QProgressBar,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from medview.core.language import _, in_language
from medview.gui.dialogs.file_choices import ask_dataset_file, ask_folder
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.controls import set_role, text_button, words
from medview.gui.parts.dataset_fields import DatasetFields
from medview.gui.parts.misplaced_labels import MisplacedLabels
from medview.gui.parts.theme import tokens_in_use
from medview.gui.parts.theme_tokens import CONTROL_HEIGHT_PX, GRID_PX
from medview.workspace.dataset_look import LookedCase
from medview.workspace.look_words import state_of, summary
from medview.workspace.workspace import Workspace

_SIZE = QSize(1080, 700)
_LOOK_MS = 100


class ImportDatasetDialog(QDialog):
    """Looks first, imports then; nothing is written before. What does not fit is decided case by case."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("import dataset")
        self.setWindowTitle(_("Import a labelled dataset"))
        self.setAcceptDrops(True)
        self._importing = workspace.worklist.importing
        self._cases: tuple[LookedCase, ...] = ()
        self.fields = DatasetFields()
        self.fields.changed.connect(self._importing.put_aside)
        self.fields.folder_wanted.connect(self._ask_folder)
        self.fields.file_wanted.connect(self._ask_file)
        self.look = text_button(
            _("Look"), _("Lists it, finds its images among the cases, and reads its labels"), role="primary"
        )
        self.look.setObjectName("import look")
        self.look.clicked.connect(self._look)
        self.summary = words("", "quiet")
        self.summary.setObjectName("import summary")
        self.table = self._make_table()
        self.misplaced = MisplacedLabels(self._importing)
        self.meter = QProgressBar()
        self.meter.setRange(0, 1000)
        self.meter.setTextVisible(False)
        self.meter.setFixedHeight(4)
        self.state = words("", "quiet")
        self.state.setObjectName("import state")
        self.start = text_button(
            _("Import"), _("Always as a new layer of your own labels; it goes on while you look"), role="primary"
        )
        self.start.setObjectName("import begin")
        self.start.clicked.connect(self._importing.begin)
        self.cancel = text_button(_("Cancel"), _("Stop; importing again goes on where it stopped"))
        self.cancel.setObjectName("import cancel")
        self.cancel.clicked.connect(self._importing.cancel)
        self._arrange()
        self._tick = QTimer(self, interval=_LOOK_MS)
        self._tick.timeout.connect(self._show_state)
        Subscriptions(self).add(self._importing.changed, self.refresh)
        self.resize(_SIZE)
        self.refresh()

    def choose(self, path: Path) -> None:
        """Say where the dataset is."""
        self.fields.choose("source", path)

    def refresh(self) -> None:
        """Show what was found and what goes on."""
        importing = self._importing
        working, found = importing.job is not None, importing.found
        self.look.setEnabled(not working and self.fields.complete)
        ready = found is not None and not working and importing.report is None and bool(found.cases)
        self.start.setEnabled(ready)
        self.cancel.setVisible(working)
        self.meter.setVisible(working)
        if working:
            self._tick.start()
        else:
            self._tick.stop()
        cases = found.cases if found is not None else ()
        if cases is not self._cases:
            self._cases = cases
            self._fill()
        self._show_decided()
        self.summary.setText(summary(found) if found is not None else "")
        self._show_case()
        self._show_state()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take a folder or file of this computer."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Choose what was dropped."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            self.choose(paths[0])
        event.acceptProposedAction()

    def done(self, result: int) -> None:
        """Stop looking; an import that has begun goes on."""
        if self._importing.found is None:
            self._importing.cancel()
        super().done(result)

    def _look(self) -> None:
        self._importing.look(self.fields.wanted())

    def _ask_folder(self, name: str) -> None:
        if (path := ask_folder(self, _("Import a labelled dataset"))) is not None:
            self.fields.choose(name, path)

    def _ask_file(self, name: str) -> None:
        if (path := ask_dataset_file(self)) is not None:
            self.fields.choose(name, path)

    def _fill(self) -> None:
        self.table.setRowCount(len(self._cases))
        tokens = tokens_in_use()
        for row, case in enumerate(self._cases):
            where = _("case {n}").format(n=case.case_id) if case.case_id else _("new")
            for column, text in enumerate(
                (case.image, case.labels or "–", where, ", ".join(case.names), state_of(case, None))
            ):
                item = QTableWidgetItem(text)
                item.setToolTip(in_language(case.problem) or text)
                if column == 4 and case.problem:
                    item.setForeground(QColor(tokens.warning))
                self.table.setItem(row, column, item)
        self.table.resizeColumnsToContents()
        first = next((row for row, case in enumerate(self._cases) if case.misplaced), 0)
        if self._cases:
            self.table.setCurrentCell(first, 0)

    def _show_decided(self) -> None:
        for row, case in enumerate(self._cases):
            if case.misplaced and (item := self.table.item(row, 4)) is not None:
                item.setText(state_of(case, self._importing.decided.get(case.label_path)))

    def _show_case(self) -> None:
        row = self.table.currentRow()
        self.misplaced.show_case(self._cases[row] if 0 <= row < len(self._cases) else None)

    def _show_state(self) -> None:
        importing = self._importing
        text, role = in_language(importing.problem), "warning"
        if importing.job is not None:
            self.meter.setValue(round(importing.job.fraction * 1000))
            text, role = importing.job.text or importing.job.title, "quiet"
        elif importing.report is not None:
            from medview.workspace.operations.importing import said_of

            text, role = said_of(importing.report), "good"
        set_role(self.state, role)
        self.state.setText(text)

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(0, 5)
        table.setObjectName("import cases")
        table.setToolTip(_("What the dataset holds, and which case of the project each image is"))
        table.setHorizontalHeaderLabels([_("Image"), _("Labels"), _("Case"), _("Holds"), _("Fits")])
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setShowGrid(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(CONTROL_HEIGHT_PX)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        table.horizontalHeader().setStretchLastSection(True)
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        table.horizontalHeader().setHighlightSections(False)
        table.itemSelectionChanged.connect(self._show_case)
        return table

    def _arrange(self) -> None:
        middle = QHBoxLayout()
        middle.setSpacing(GRID_PX * 3)
        middle.addWidget(self.table, 3)
        middle.addWidget(self.misplaced, 2)
        close = text_button(_("Close"), _("Close this window; an import goes on"))
        close.clicked.connect(self.reject)
        for button in (self.look, self.start, self.cancel, close):
            button.setAutoDefault(False)
        head, ends = QHBoxLayout(), QHBoxLayout()
        for row in (head, ends):
            row.setSpacing(GRID_PX * 2)
        head.addWidget(self.summary, 1)
        head.addWidget(self.look)
        ends.addWidget(self.state, 1)
        for button in (self.cancel, close, self.start):
            ends.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 2)
        layout.addWidget(self.fields)
        layout.addLayout(head)
        layout.addWidget(self.meter)
        layout.addLayout(middle, 1)
        layout.addLayout(ends)
