"""A form that is designed, as it will be asked: it can be tried, and nothing of that is kept."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from medview.core.answer import SERIES, STUDY, Answer, Target, Value, answer_to
from medview.core.form import Level
from medview.core.language import _
from medview.gui.parts.controls import words
from medview.gui.parts.form_view import FormView
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.asked import Asked, AskedGroup
from medview.workspace.form_draft import FormDraft

_TARGETS = {
    Level.STUDY: STUDY,
    Level.SERIES: SERIES,
    Level.SLICE: Target(Level.SLICE, 0),
    Level.LESION: Target(Level.LESION, annotation_id="preview"),
}
_TITLES = {
    Level.STUDY: _("This study"),
    Level.SERIES: _("This series"),
    Level.SLICE: _("Each slice"),
    Level.LESION: _("Each lesion"),
}


class FormPreview(QScrollArea):
    """Shows the form in hand of a draft."""

    def __init__(self, draft: FormDraft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft = draft
        self._tried: dict[str, Answer] = {}
        self.view = FormView()
        self.view.answered.connect(self._try)
        inside = QFrame()
        inside.setProperty("role", "panel")
        column = QVBoxLayout(inside)
        column.setContentsMargins(GRID_PX * 2, GRID_PX * 2, GRID_PX * 2, GRID_PX * 2)
        column.addWidget(words(_("As it will be asked; try it"), "small"))
        column.addWidget(self.view)
        column.addStretch(1)
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.refresh()

    def refresh(self) -> None:
        """Show the form as it is now."""
        form = self._draft.form
        groups: list[AskedGroup] = []
        for level in Level:
            questions = () if form is None else form.at(level)
            rows = tuple(
                Asked("", form, question, _TARGETS[level], self._tried.get(question.uid))
                for question in questions
                if form is not None
            )
            if rows:
                groups.append(AskedGroup(level, _TITLES[level], rows))
        self.view.show_groups(groups, editable=True)

    def _try(self, asked: Asked, value: Value | None) -> None:
        if value is None:
            self._tried.pop(asked.question.uid, None)
        else:
            self._tried[asked.question.uid] = answer_to(asked.form, asked.question, asked.target, value)
        self.refresh()
