"""What annotators are told, as a page to read and to write."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QFont, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QMessageBox,
    QPlainTextEdit,
    QStackedWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from medview.core.language import _
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.controls import text_button
from medview.gui.parts.theme_tokens import GRID_PX, TEXT_LARGE_PX, TEXT_TITLE_PX
from medview.workspace.workspace import Workspace

_SIZE = QSize(640, 560)
_EXAMPLE = _(
    "# What is labelled\n\nEvery nodule of more than 4 mm, each as an instance of its own.\n\n- vessels: no\n- scars: no\n"
)


class Page(QTextBrowser):
    """Markdown, from which nothing is loaded and nothing opened: a project may come from anybody."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)

    def show_text(self, markdown: str) -> None:
        """Show a text with room between its parts."""
        self.setMarkdown(markdown)
        self.document().setDocumentMargin(GRID_PX * 4)
        block = self.document().begin()
        while block.isValid():
            shape = block.blockFormat()
            level = shape.headingLevel()
            shape.setTopMargin(GRID_PX * 4 if level and block.blockNumber() else GRID_PX)
            shape.setBottomMargin(GRID_PX)
            cursor = QTextCursor(block)
            cursor.setBlockFormat(shape)
            if level:
                font = QFont(self.font())
                font.setPixelSize(TEXT_TITLE_PX if level == 1 else TEXT_LARGE_PX)
                font.setBold(True)
                look = QTextCharFormat()
                look.setFont(font)
                cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
                cursor.mergeCharFormat(look)
            block = block.next()
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def loadResource(self, _kind: int, _name: QUrl | str) -> object:
        """Return nothing, whatever is asked for."""
        return None


class InstructionsDialog(QDialog):
    """Stays open beside the work, as long as its project does; who may change the project writes the page here."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("Instructions"))
        self._cases, self._services = workspace.worklist, workspace.services
        self._project = workspace.services.project
        self.page = Page()
        self.page.setObjectName("instructions page")
        self.text = QPlainTextEdit(self._cases.instructions)
        self.text.setObjectName("instructions text")
        self.text.setPlaceholderText(_EXAMPLE)
        self.text.setToolTip(_("Markdown: # heading, - list, **bold**"))
        self._pages = QStackedWidget()
        self._pages.addWidget(self.page)
        self._pages.addWidget(self.text)
        self.edit = text_button(_("Write"), _("Change what annotators are told"))
        self.edit.setObjectName("instructions edit")
        self.edit.clicked.connect(self._write)
        self.keep = text_button(_("Keep"), _("Keep it in the project"), role="primary")
        self.keep.setObjectName("instructions keep")
        self.keep.clicked.connect(self._keep)
        self.leave = text_button(_("Close"), _("Close this window"))
        self.leave.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(self.edit)
        row.addStretch(1)
        row.addWidget(self.leave)
        row.addWidget(self.keep)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 3)
        layout.addWidget(self._pages, 1)
        layout.addLayout(row)
        self.resize(_SIZE)
        self.edit.setEnabled(not self._cases.changes.refusal)
        if self._cases.changes.refusal:
            self.edit.setToolTip(self._cases.changes.refusal)
        self._read()
        Subscriptions(self).add(self._cases.changed, self._on_list)

    def reject(self) -> None:
        """Close, unless something was written that is not kept: then it is asked about first."""
        writing = self._pages.currentWidget() is self.text
        if writing and self._is_of_project and self.text.toPlainText() != self._cases.instructions:
            self._ask_to_keep()
        else:
            super().reject()

    @property
    def _is_of_project(self) -> bool:
        return self._services.project is self._project

    def _on_list(self) -> None:
        # What is written here is about the cases of one project; another has a page of its own.
        if not self._is_of_project:
            self.done(QDialog.DialogCode.Rejected)

    def _ask_to_keep(self) -> None:
        box = QMessageBox(self)
        box.setWindowTitle(self.windowTitle())
        box.setText(_("What was written is not kept in the project yet."))
        keep = box.addButton(_("Keep"), QMessageBox.ButtonRole.AcceptRole)
        lose = box.addButton(_("Throw it away"), QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton(_("Go on writing"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(stay)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        keep.clicked.connect(self._keep)
        for button in (keep, lose):
            button.clicked.connect(lambda: self.done(QDialog.DialogCode.Rejected))
        box.open()

    def _read(self) -> None:
        written = self.text.toPlainText()
        self.page.show_text(written or _("*Nothing is said yet.*"))
        self._pages.setCurrentWidget(self.page)
        self.keep.setVisible(False)
        self.edit.setVisible(True)

    def _write(self) -> None:
        self._pages.setCurrentWidget(self.text)
        self.text.setFocus(Qt.FocusReason.OtherFocusReason)
        self.keep.setVisible(True)
        self.edit.setVisible(False)

    def _keep(self) -> None:
        if self._is_of_project:
            self._cases.changes.tell(self.text.toPlainText())
        self._read()
