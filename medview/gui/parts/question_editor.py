"""The fields of one question of a form that is designed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from medview.core.form import AnswerKind, Level
from medview.core.language import _, in_language
from medview.gui.parts.controls import words
from medview.gui.parts.steady import SteadyComboBox
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.form_draft import FormDraft, option_lines, options_of

KINDS = {
    AnswerKind.ONE: _("One of these"),
    AnswerKind.SEVERAL: _("Any of these"),
    AnswerKind.NUMBER: _("A number"),
    AnswerKind.TEXT: _("A text"),
}
LEVELS = {
    Level.STUDY: _("Of the study"),
    Level.SERIES: _("Of the series"),
    Level.SLICE: _("Of each slice"),
    Level.LESION: _("Of each lesion"),
}
_OPTIONS_PX = 130


class QuestionEditor(QWidget):
    """Shows the question in hand and writes into the draft what is typed; the draft says what cannot be."""

    problem_changed = Signal()
    """What is typed fits no question, or does again."""

    def __init__(self, draft: FormDraft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft = draft
        self._shown = ""
        self.problem = ""
        self.text = _line(_("The question, as it is read"))
        self.kind, self.level = _combo(KINDS, _("What the answer is")), _combo(LEVELS, _("What it is asked of"))
        self.required = QCheckBox(_("Required"))
        self.required.setToolTip(_("Counted as missing until it is answered"))
        self.options = _Lines()
        self.options.setToolTip(
            _("One option in each line; a code may stand behind a bar: Left | SCT 7771000 Left. The first nine have a key")
        )
        self.options.setAccessibleName(_("Options"))
        self.options.setTabChangesFocus(True)
        self.options.setFixedHeight(_OPTIONS_PX)
        self.unit = _line(_("Unit of the number: mm, mL, %"))
        self.least, self.most = (
            _line(_("The least number it takes; empty for any")),
            _line(_("The greatest; empty for any")),
        )
        self.lesions = _line(_("Names of segments, boxes and marks it is asked of, with commas between; empty for all"))
        self.lesions.setPlaceholderText(_("all lesions"))
        self.wrong = words("", "error")
        self.form = QFormLayout()
        self.form.setSpacing(GRID_PX * 2)
        self.form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        for title, widget in (
            (_("Question"), self.text),
            (_("Answer"), self.kind),
            (_("Asked"), self.level),
            (_("Options"), self.options),
            (_("Unit"), self.unit),
            (_("At least"), self.least),
            (_("At most"), self.most),
            (_("Lesions"), self.lesions),
            ("", self.required),
        ):
            self.form.addRow(title, widget)
            if not widget.accessibleName():
                widget.setAccessibleName(widget.toolTip())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self.form)
        column.addWidget(self.wrong)
        column.addStretch(1)
        self.text.textEdited.connect(lambda text: self._alter(text=" ".join(text.split())))
        self.kind.activated.connect(lambda _n: self._alter(kind=self.kind.currentData()))
        self.level.activated.connect(lambda _n: self._alter(level=self.level.currentData()))
        self.required.clicked.connect(lambda on: self._alter(required=on))
        self.options.left.connect(self._take_options)
        self.unit.textEdited.connect(lambda text: self._alter(unit=text.strip()))
        for field in (self.least, self.most):
            field.textEdited.connect(self._take_range)
        self.lesions.textEdited.connect(self._take_lesions)
        self.refresh()

    def refresh(self) -> None:
        """Show the question in hand; what is being typed about it stays as it is typed."""
        question = self._draft.question
        self.setEnabled(question is not None)
        if question is None:
            self._shown = ""
            return
        other = question.uid != self._shown
        self._shown = question.uid
        if other:
            self._say("")
        self.kind.setCurrentIndex(self.kind.findData(question.kind))
        self.level.setCurrentIndex(self.level.findData(question.level))
        self.required.setChecked(question.required)
        for field, text in (
            (self.text, question.text),
            (self.unit, question.unit),
            (self.least, _number(question.least)),
            (self.most, _number(question.most)),
            (self.lesions, ", ".join(question.lesions)),
        ):
            if other or not field.hasFocus():
                field.setText(text)
        if other or not self.options.hasFocus():
            self.options.setPlainText(option_lines(question.options))
        number = question.kind is AnswerKind.NUMBER
        for widget, wanted in (
            (self.options, question.kind.chooses),
            (self.unit, number),
            (self.least, number),
            (self.most, number),
            (self.lesions, question.level is Level.LESION),
        ):
            self.form.setRowVisible(widget, wanted)

    def settle(self) -> None:
        """Take what is being typed in lines."""
        if self.options.hasFocus():
            self._take_options()

    def _take_options(self) -> None:
        question = self._draft.question
        if question is not None and question.kind.chooses and self._shown == question.uid:
            self._alter(options=options_of(self.options.toPlainText(), question.options))

    def _take_range(self, _text: str = "") -> None:
        limits = [_parsed(field.text()) for field in (self.least, self.most)]
        if any(isinstance(limit, str) for limit in limits):
            self._say(_("The least and the greatest have to be numbers."))
            return
        self._alter(least=limits[0], most=limits[1])

    def _take_lesions(self, text: str) -> None:
        names = (part.strip() for part in text.split(","))
        self._alter(lesions=tuple(dict.fromkeys(name for name in names if name)))

    def _alter(self, **fields: object) -> None:
        self._say(self._draft.alter(**fields))

    def _say(self, problem: str) -> None:
        before, self.problem = self.problem, problem
        self.wrong.setText(in_language(problem))
        self.wrong.setVisible(bool(problem))
        if bool(before) != bool(problem):
            self.problem_changed.emit()


class _Lines(QPlainTextEdit):
    """Lines that are taken when hands leave them."""

    left = Signal()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell it."""
        super().focusOutEvent(event)
        self.left.emit()


def _line(tip: str) -> QLineEdit:
    made = QLineEdit()
    made.setToolTip(tip)
    return made


def _combo(titles: dict[AnswerKind, str] | dict[Level, str], tip: str) -> QComboBox:
    made = SteadyComboBox()
    for value, title in titles.items():
        made.addItem(title, value)
    made.setToolTip(tip)
    return made


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _parsed(text: str) -> float | str | None:
    try:
        return float(text.strip().replace(",", ".").replace("\u2212", "-")) if text.strip() else None
    except ValueError:
        return text
