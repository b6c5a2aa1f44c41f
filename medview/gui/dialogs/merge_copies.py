"""Copies of the project that others worked on, brought into the one that is open."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QListWidget, QListWidgetItem, QProgressBar, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.gui.dialogs.file_choices import ask_folder
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.controls import set_role, text_button, words
from medview.gui.parts.theme import tokens_in_use
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.merge_words import beside, joined, to_know
from medview.workspace.workspace import Workspace

_SIZE = QSize(640, 520)
_LOOK_MS = 100
"""How often the progress of the job is looked at."""
_PATH_ROLE = int(Qt.ItemDataRole.UserRole) + 1


class MergeDialog(QDialog):
    """Shows the copies that are chosen, the progress, and what came of each. It may be closed meanwhile."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("merge copies")
        self.setWindowTitle(_("Merge copies of the project"))
        self.setAcceptDrops(True)
        self._merging = workspace.worklist.merging
        self.copies = QListWidget()
        self.copies.setObjectName("merge chosen")
        self.copies.setToolTip(_("Copies that are merged one after the other; folders can be dropped here"))
        self.copies.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.copies.setMaximumHeight(120)
        self.add = text_button(_("Add a copy..."), _("Choose the project folder that somebody else worked on"))
        self.add.setObjectName("merge add")
        self.add.clicked.connect(self._ask)
        self.remove = text_button(_("Remove"), _("Take the chosen copy off the list (Delete)"))
        self.remove.setObjectName("merge remove")
        self.remove.clicked.connect(self._remove)
        QShortcut(QKeySequence(Qt.Key.Key_Delete), self.copies, self._remove)
        self.state = words("", "quiet")
        self.state.setObjectName("merge state")
        self.meter = QProgressBar()
        self.meter.setRange(0, 1000)
        self.meter.setTextVisible(False)
        self.meter.setFixedHeight(4)
        self.report = QListWidget()
        self.report.setObjectName("merge report")
        self.report.setWordWrap(True)
        self.report.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.report.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.report.setToolTip(_("What was joined, and what stays side by side; the activity of the project says it too"))
        self.merge = text_button(_("Merge"), _("Takes what is new in the copies; they are only read"), role="primary")
        self.merge.setObjectName("merge begin")
        self.merge.setDefault(True)
        self.merge.clicked.connect(self._begin)
        self.cancel = text_button(_("Cancel"), _("Leaves the project as it was before this copy"))
        self.cancel.setObjectName("merge cancel")
        self.cancel.clicked.connect(self._merging.cancel)
        self.close_button = text_button(_("Close"), _("Close this window; a merge goes on"))
        self.close_button.clicked.connect(self.reject)
        for button in (self.add, self.remove, self.cancel, self.close_button):
            button.setAutoDefault(False)
        self._arrange()
        self._tick = QTimer(self, interval=_LOOK_MS)
        self._tick.timeout.connect(self._show_progress)
        Subscriptions(self).add(self._merging.changed, self.refresh)
        self.resize(_SIZE)
        self.refresh()

    def refresh(self) -> None:
        """Show what is chosen, what goes on and what came of it."""
        merging = self._merging
        self.copies.clear()
        for path in merging.chosen:
            item = QListWidgetItem(path.name)
            item.setToolTip(str(path))
            item.setData(_PATH_ROLE, path)
            self.copies.addItem(item)
        working = merging.working
        for button in (self.add, self.remove):
            button.setEnabled(not working)
        self.remove.setEnabled(not working and bool(merging.chosen))
        self.merge.setEnabled(not working and bool(merging.chosen))
        self.cancel.setVisible(working)
        self.meter.setVisible(working)
        if working:
            self._tick.start()
        else:
            self._tick.stop()
        self._show_report()
        self._show_progress()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "report"):
            self._show_report()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take folders of this computer."""
        if not self._merging.working and any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Choose what was dropped."""
        for url in event.mimeData().urls():
            # What is said of one that is none stays to be read.
            if url.isLocalFile() and not self._merging.add(Path(url.toLocalFile())):
                break
        event.acceptProposedAction()

    def _show_progress(self) -> None:
        merging = self._merging
        job = merging.job
        text = in_language(merging.problem)
        if not text and job is not None:
            self.meter.setValue(round(job.fraction * 1000))
            text = job.text or job.title
        set_role(self.state, "warning" if merging.problem else "quiet")
        self.state.setText(text)

    def _show_report(self) -> None:
        self.report.clear()
        tokens = tokens_in_use()
        for merged in self._merging.results:
            self._line(merged.name, "")
            self._line(f"    {joined(merged)}", "" if merged.report is not None else tokens.error)
            for text in beside(merged):
                self._line("    " + _("Side by side: {what}").format(what=text), tokens.warning)
            for text in to_know(merged):
                self._line(f"    {text}", tokens.quiet)
        if not self._merging.results:
            self._line(_("Nothing was merged yet."), tokens.quiet)
        self.report.scrollToBottom()

    def _line(self, text: str, colour: str) -> None:
        item = QListWidgetItem(text)
        if colour:
            item.setForeground(QColor(colour))
        self.report.addItem(item)

    def _arrange(self) -> None:
        explained = _(
            "Choose copies of this project that others worked on. What is new in them comes in: cases, readers, their "
            "labels row by row, reviews and decisions. Where the same labels went on in both, both stay, side by side. The "
            "copies are only read, and nobody can draw while they are merged."
        )
        buttons, ends = QHBoxLayout(), QHBoxLayout()
        for row in (buttons, ends):
            row.setSpacing(GRID_PX * 2)
        buttons.addWidget(self.add)
        buttons.addWidget(self.remove)
        buttons.addStretch(1)
        ends.addWidget(self.state, 1)
        ends.addWidget(self.cancel)
        ends.addWidget(self.close_button)
        ends.addWidget(self.merge)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 2)
        layout.addWidget(words(explained, "quiet"))
        layout.addWidget(self.copies)
        layout.addLayout(buttons)
        layout.addWidget(words(_("What came of it")))
        layout.addWidget(self.report, 1)
        layout.addWidget(self.meter)
        layout.addLayout(ends)

    def _ask(self) -> None:
        if (path := ask_folder(self, _("Add a copy of the project"))) is not None:
            self._merging.add(path)

    def _remove(self) -> None:
        row = max(self.copies.currentRow(), 0)
        if row < self.copies.count() and not self._merging.working:
            self._merging.remove(self.copies.item(row).data(_PATH_ROLE))

    def _begin(self) -> None:
        self._merging.begin()
