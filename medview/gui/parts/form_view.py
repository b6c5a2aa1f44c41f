"""Questions level by level, answered from the first to the last with keys."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from medview.gui.parts.controls import words
from medview.gui.parts.form_question import QuestionRow, is_inside, row_for
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.asked import AskedGroup


class FormView(QWidget):
    """A row for each question under the name of what it is about; the rows of a level stay while its questions do."""

    answered = Signal(object, object)
    """The Asked, and its value: None takes the answer back."""
    entered = Signal(str, str)
    """Hands are at a question: key of its target, and its uid."""
    finished = Signal()
    """Enter was pressed at the last question."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: list[_Part] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID_PX)

    @property
    def rows(self) -> list[QuestionRow]:
        """All rows, from top to bottom."""
        return [row for part in self._parts for row in part.rows]

    def show_groups(self, groups: Sequence[AskedGroup], *, editable: bool) -> None:
        """Show what is asked now, and the answers."""
        if [part.structure for part in self._parts] != [_structure(group) for group in groups]:
            self._build(groups)
        # What is being typed about something else is answered on the way, which shows all of it again.
        for part, group in zip(list(self._parts), groups, strict=True):
            part.show_group(group, editable=editable)

    def commit(self) -> None:
        """Take what is being typed."""
        for row in self.rows:
            row.commit()

    def row_at(self, target_key: str = "", question_uid: str = "") -> QuestionRow | None:
        """Return the row of a question, or the first that lacks an answer; None when there is none."""
        rows = self.rows
        named = (row for row in rows if (row.asked.target.key, row.asked.question.uid) == (target_key, question_uid))
        found = next(named, None)
        if found is None and not question_uid:
            found = next((row for row in rows if row.asked.missing), rows[0] if rows else None)
        return found

    @property
    def current(self) -> QuestionRow | None:
        """The row hands are at."""
        focused = QApplication.focusWidget()
        return next((row for row in self.rows if is_inside(focused, row)), None)

    def _build(self, groups: Sequence[AskedGroup]) -> None:
        current = self.current
        uid = current.asked.question.uid if current is not None else ""
        # A lesion comes into the hand and goes while hands write about the series: what is asked of that stays untouched.
        known = {part.structure: part for part in self._parts}
        wanted = [(_structure(group), group) for group in groups]
        parts = [known.pop(structure) if structure in known else self._part(group) for structure, group in wanted]
        for part in known.values():
            for row in part.rows:
                row.commit()
            self._column.removeWidget(part)
            part.hide()
            part.deleteLater()
        self._parts = parts
        for n, part in enumerate(parts):
            if self._column.indexOf(part) != n:
                self._column.insertWidget(n, part)
        for before, after in pairwise(self.rows):
            QWidget.setTabOrder(before, after)
        if current is not None and current not in self.rows:
            again = next((row for row in self.rows if row.asked.question.uid == uid), None)
            if again is not None:
                again.take_focus()

    def _part(self, group: AskedGroup) -> _Part:
        part = _Part(group)
        for row in part.rows:
            row.answered.connect(self.answered)
            row.left.connect(lambda step, row=row: self._go(row, step))
            row.entered.connect(lambda row=row: self.entered.emit(row.asked.target.key, row.asked.question.uid))
        return part

    def _go(self, row: QuestionRow, step: int) -> None:
        rows = self.rows
        at = rows.index(row) + step if row in rows else -1
        if 0 <= at < len(rows):
            rows[at].take_focus()
        elif step > 0 and row in rows:
            self.finished.emit()


class _Part(QWidget):
    """The questions on one level."""

    def __init__(self, group: AskedGroup) -> None:
        super().__init__()
        self.structure = _structure(group)
        self.title = words(group.title, "quiet")
        self.rows = [row_for(asked) for asked in group.asked]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID_PX)
        column.addWidget(self.title)
        if group.hint:
            column.addWidget(words(group.hint, "small"))
        for row in self.rows:
            column.addWidget(row)

    def show_group(self, group: AskedGroup, *, editable: bool) -> None:
        """Show what the questions are about now, and the answers."""
        self.title.setText(group.title)
        for row, asked in zip(self.rows, group.asked, strict=True):
            row.show_asked(asked, editable=editable)


def _structure(group: AskedGroup) -> tuple[object, ...]:
    return group.level, group.hint, tuple((row.form.uid, row.question) for row in group.asked)
