"""Questions level by level, answered from the first to the last with keys."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget

from medview.gui.parts.controls import clear_layout, words
from medview.gui.parts.form_question import QuestionRow, is_inside, row_for
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.asked import AskedGroup


class FormView(QWidget):
    """A row for each question under the name of what it is about; the rows stay while the questions do."""

    answered = Signal(object, object)
    """The Asked, and its value: None takes the answer back."""
    entered = Signal(str, str)
    """Hands are at a question: key of its target, and its uid."""
    finished = Signal()
    """Enter was pressed at the last question."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[QuestionRow] = []
        self._titles: list[QLabel] = []
        self._structure: tuple[object, ...] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID_PX)

    def show_groups(self, groups: Sequence[AskedGroup], *, editable: bool) -> None:
        """Show what is asked now, and the answers."""
        structure = tuple(
            (group.level, group.hint, tuple((row.form.uid, row.question) for row in group.asked)) for group in groups
        )
        if structure != self._structure:
            self._build(groups)
            self._structure = structure
        for title, group in zip(self._titles, groups, strict=True):
            title.setText(group.title)
        asked = [row for group in groups for row in group.asked]
        for row, one in zip(list(self.rows), asked, strict=True):
            row.show_asked(one, editable=editable)

    def commit(self) -> None:
        """Take what is being typed."""
        for row in self.rows:
            row.commit()

    def row_at(self, target_key: str = "", question_uid: str = "") -> QuestionRow | None:
        """Return the row of a question, or the first that lacks an answer; None when there is none."""
        named = (row for row in self.rows if (row.asked.target.key, row.asked.question.uid) == (target_key, question_uid))
        found = next(named, None)
        if found is None and not question_uid:
            found = next((row for row in self.rows if row.asked.missing), self.rows[0] if self.rows else None)
        return found

    @property
    def current(self) -> QuestionRow | None:
        """The row hands are at."""
        focused = QApplication.focusWidget()
        return next((row for row in self.rows if is_inside(focused, row)), None)

    def _build(self, groups: Sequence[AskedGroup]) -> None:
        current = self.current
        uid = current.asked.question.uid if current is not None else ""
        # Rows that go take what is being typed with them otherwise.
        self.commit()
        clear_layout(self._column)
        self.rows, self._titles = [], []
        for group in groups:
            title = words(group.title, "quiet")
            self._titles.append(title)
            self._column.addWidget(title)
            if group.hint:
                self._column.addWidget(words(group.hint, "small"))
            for asked in group.asked:
                self._add(row_for(asked))
        for row in self.rows:
            if row.asked.question.uid == uid:
                row.take_focus()

    def _add(self, row: QuestionRow) -> None:
        row.answered.connect(self.answered)
        row.left.connect(lambda step: self._go(row, step))
        row.entered.connect(lambda: self.entered.emit(row.asked.target.key, row.asked.question.uid))
        self._column.addWidget(row)
        if self.rows:
            QWidget.setTabOrder(self.rows[-1], row)
        self.rows.append(row)

    def _go(self, row: QuestionRow, step: int) -> None:
        at = self.rows.index(row) + step if row in self.rows else -1
        if 0 <= at < len(self.rows):
            self.rows[at].take_focus()
        elif step > 0 and row in self.rows:
            self.finished.emit()
