"""The questions of a form that is designed: added, copied, ordered, taken out, with keys or buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from medview.core.form import Question
from medview.core.language import _
from medview.gui.parts.controls import icon_button
from medview.gui.parts.question_editor import KINDS, LEVELS
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.form_draft import FormDraft


class QuestionList(QWidget):
    """A line for each question; the one in hand is chosen."""

    edit_wanted = Signal()
    """The question in hand is to be edited: Enter, a double click, or it is new."""

    def __init__(self, draft: FormDraft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft = draft
        self.list = QListWidget()
        self.list.setObjectName("questions")
        self.list.setAccessibleName(_("Questions"))
        self.list.setToolTip(_("Enter edits the question, Del takes it out, Alt+Up and Alt+Down move it"))
        self.add = icon_button("mdi6.plus", _("A new question after this one (Ins)"))
        self.copy = icon_button("mdi6.content-copy", _("A copy of this question (Ctrl+D)"))
        self.up = icon_button("mdi6.arrow-up", _("Ask it sooner (Alt+Up)"))
        self.down = icon_button("mdi6.arrow-down", _("Ask it later (Alt+Down)"))
        self.remove = icon_button("mdi6.trash-can-outline", _("Ask this question no longer (Del); its answers are kept"))
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID_PX)
        for button in (self.add, self.copy, self.up, self.down):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID_PX)
        column.addWidget(self.list, 1)
        column.addLayout(buttons)
        self.list.currentRowChanged.connect(self._choose)
        self.list.itemDoubleClicked.connect(lambda _item: self.edit_wanted.emit())
        self.add.clicked.connect(self._add)
        self.copy.clicked.connect(self._copy)
        self.up.clicked.connect(lambda: draft.move_question(-1))
        self.down.clicked.connect(lambda: draft.move_question(1))
        self.remove.clicked.connect(draft.remove_question)
        key, alt = Qt.Key, Qt.Modifier.ALT
        for keys, button in (
            (QKeySequence(key.Key_Insert), self.add),
            (QKeySequence(Qt.Modifier.CTRL | key.Key_D), self.copy),
            (QKeySequence(alt | key.Key_Up), self.up),
            (QKeySequence(alt | key.Key_Down), self.down),
        ):
            QShortcut(keys, self.window()).activated.connect(button.click)
        # In a field these keys are for letters.
        for one, act in (
            (key.Key_Delete, self.remove.click),
            (key.Key_Return, self.edit_wanted.emit),
            (key.Key_Enter, self.edit_wanted.emit),
        ):
            shortcut = QShortcut(QKeySequence(one), self.list)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(act)
        self.refresh()

    def refresh(self) -> None:
        """Show the questions of the form in hand."""
        form, at = self._draft.form, self._draft.at_question
        questions = () if form is None else form.questions
        self.list.blockSignals(True)
        while self.list.count() > len(questions):
            self.list.takeItem(self.list.count() - 1)
        while self.list.count() < len(questions):
            self.list.addItem(QListWidgetItem())
        for n, question in enumerate(questions):
            item = self.list.item(n)
            item.setText(f"{n + 1}. {question.text}{'  *' if question.required else ''}")
            item.setToolTip(_words(question))
        self.list.setCurrentRow(at)
        self.list.blockSignals(False)
        some = self._draft.question is not None
        self.copy.setEnabled(some)
        self.remove.setEnabled(some)
        self.up.setEnabled(at > 0)
        self.down.setEnabled(0 <= at < len(questions) - 1)

    def _choose(self, at: int) -> None:
        self._draft.choose_question(at)

    def _add(self, _checked: bool = False) -> None:
        self._draft.add_question()
        self.edit_wanted.emit()

    def _copy(self, _checked: bool = False) -> None:
        self._draft.copy_question()
        self.edit_wanted.emit()


def _words(question: Question) -> str:
    said = [question.text, KINDS[question.kind], LEVELS[question.level]]
    return "\n".join([*said, _("Required")] if question.required else said)
