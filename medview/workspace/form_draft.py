"""Forms while they are designed: nothing is asked otherwise before the draft is put to use."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from psygnal import Signal

from medview.core.answer import Answer
from medview.core.form import AnswerKind, Form, Forms, Level, Option, Question
from medview.core.form_change import Consequence, consequences
from medview.core.language import _
from medview.core.segmentation import Code

_CODE = re.compile(r"(?P<text>.*\S)\s*\|\s*(?P<scheme>\S+)\s+(?P<value>\S+)\s+(?P<meaning>\S.*)")


class FormDraft:
    """Forms as they would be, one of them and one of its questions in hand.

    Attributes
    ----------
    before : tuple of Form
        As they are.
    forms : tuple of Form
        As they would be; versions count on from ``before`` once, in ``result``.
    at_form, at_question : int
        What is in hand; -1 where there is none.
    answers : tuple of tuple of Answer
        Given so far, by case.
    """

    changed = Signal()

    def __init__(self, forms: Forms, at_form: int = 0) -> None:
        self.before = self.forms = forms
        self.answers: tuple[tuple[Answer, ...], ...] = ()
        self.at_form = min(at_form, len(forms) - 1)
        self.at_question = 0 if self.form is not None and self.form.questions else -1

    @property
    def form(self) -> Form | None:
        """The form in hand."""
        return self.forms[self.at_form] if 0 <= self.at_form < len(self.forms) else None

    @property
    def question(self) -> Question | None:
        """The question in hand."""
        questions = () if self.form is None else self.form.questions
        return questions[self.at_question] if 0 <= self.at_question < len(questions) else None

    @property
    def result(self) -> Forms:
        """The forms to put to use: those that differ are one version on."""
        known = {form.uid: form for form in self.before}
        return tuple(
            form if known.get(form.uid) in (None, form) else replace(form, version=known[form.uid].version + 1)
            for form in self.forms
        )

    @property
    def consequences(self) -> tuple[Consequence, ...]:
        """What putting it to use does to the answers given so far."""
        return consequences(self.before, self.forms, self.answers)

    def know_answers(self, answers: Iterable[Iterable[Answer]]) -> None:
        """Take what was answered so far."""
        self.answers = tuple(tuple(some) for some in answers)
        self.changed.emit()

    # ------------------------------------------------------------------------------------ forms

    def choose_form(self, at: int) -> None:
        """Take another form in hand."""
        if at != self.at_form and 0 <= at < len(self.forms):
            self.at_form, self.at_question = at, 0 if self.forms[at].questions else -1
            self.changed.emit()

    def add_form(self) -> None:
        """Add an empty form and take it in hand."""
        taken = {form.name for form in self.forms}
        base = _("New form")
        names = (base, *(f"{base} {n}" for n in range(2, len(taken) + 3)))
        self.bring((Form(_uid(), next(name for name in names if name not in taken)),))

    def bring(self, forms: Forms) -> None:
        """Add forms, in place of those of the same uid, and take the first of them in hand."""
        if forms:
            uids = {form.uid for form in forms}
            self.forms = (*(form for form in self.forms if form.uid not in uids), *forms)
            self.at_form = len(self.forms) - len(forms)
            self.at_question = 0 if forms[0].questions else -1
            self.changed.emit()

    def remove_form(self) -> None:
        """Ask nothing of the form in hand any longer."""
        if self.form is not None:
            left = (*self.forms[: self.at_form], *self.forms[self.at_form + 1 :])
            self.forms, self.at_form = left, min(self.at_form, len(left) - 1)
            self.at_question = 0 if left and left[self.at_form].questions else -1
            self.changed.emit()

    def alter_form(self, **fields: Any) -> str:
        """Give the form in hand other fields; return why that cannot be, or nothing."""
        form = self.form
        if form is None:
            return ""
        try:
            self._put(replace(form, **fields))
        except ValueError as error:
            return _sentence(error)
        return ""

    # ------------------------------------------------------------------------------------ questions

    def choose_question(self, at: int) -> None:
        """Take another question in hand."""
        if at != self.at_question and self.form is not None and -1 <= at < len(self.form.questions):
            self.at_question = at
            self.changed.emit()

    def add_question(self) -> None:
        """Add a question after the one in hand, of the same level, and take it in hand."""
        if self.form is None:
            self.add_form()
        before = self.question
        level = Level.SERIES if before is None else before.level
        options = (Option(_uid(), _("Yes")), Option(_uid(), _("No")))
        self._insert(Question(_uid(), _("New question"), AnswerKind.ONE, level, options))

    def copy_question(self) -> None:
        """Add a copy of the question in hand after it."""
        if (question := self.question) is not None:
            options = tuple(replace(option, uid=_uid()) for option in question.options)
            self._insert(replace(question, uid=_uid(), options=options))

    def remove_question(self) -> None:
        """Take the question in hand out."""
        form = self.form
        if form is not None and self.question is not None:
            left = (*form.questions[: self.at_question], *form.questions[self.at_question + 1 :])
            self.at_question = min(self.at_question, len(left) - 1)
            self._put(replace(form, questions=left))

    def move_question(self, steps: int) -> None:
        """Ask the question in hand later, or sooner (negative)."""
        form, question = self.form, self.question
        to = self.at_question + steps
        if form is not None and question is not None and 0 <= to < len(form.questions):
            order = list(form.questions)
            order.insert(to, order.pop(self.at_question))
            self.at_question = to
            self._put(replace(form, questions=tuple(order)))

    def alter(self, **fields: Any) -> str:
        """Give the question in hand other fields; return why that cannot be, or nothing."""
        form, question = self.form, self.question
        if form is None or question is None:
            return ""
        try:
            other: Question = replace(question, **_fitting(question, fields))
        except ValueError as error:
            return _sentence(error)
        self._put(replace(form, questions=tuple(other if one is question else one for one in form.questions)))
        return ""

    def _insert(self, question: Question) -> None:
        form = self.form
        if form is not None:
            self.at_question += 1
            at = self.at_question
            self._put(replace(form, questions=(*form.questions[:at], question, *form.questions[at:])))

    def _put(self, form: Form) -> None:
        self.forms = tuple(form if n == self.at_form else other for n, other in enumerate(self.forms))
        self.changed.emit()


def option_lines(options: Iterable[Option]) -> str:
    """Return options as lines that a person edits: words, and a code behind a bar where there is one."""
    return "\n".join(
        option.text if (code := option.code) is None else f"{option.text} | {code.scheme} {code.value} {code.meaning}"
        for option in options
    )


def options_of(lines: str, before: tuple[Option, ...]) -> tuple[Option, ...]:
    """Return the options of such lines.

    Lines with the words of an option are that option, wherever they stand. Of the others, in as many lines as there were
    options, each is the option of its line in other words; else they are new.
    """
    parsed = [_parsed(line) for line in lines.splitlines() if line.strip()]
    by_text = {option.text.casefold(): option for option in before}
    kept = {by_text[text.casefold()].uid for text, _code in parsed if text.casefold() in by_text}
    found: list[Option] = []
    for n, (text, code) in enumerate(parsed):
        same = by_text.get(text.casefold())
        if same is None and len(parsed) == len(before) and before[n].uid not in kept:
            same = before[n]
        found.append(Option(_uid() if same is None else same.uid, text, code))
    return tuple(found)


def _parsed(line: str) -> tuple[str, Code | None]:
    found = _CODE.fullmatch(line.strip())
    if found is None:
        return " ".join(line.split()), None
    return " ".join(found["text"].split()), Code(found["value"], found["scheme"], found["meaning"].strip())


def _fitting(question: Question, fields: dict[str, Any]) -> dict[str, Any]:
    """Add what a change of kind or level brings with it: options where they are needed, no range where there is none."""
    kind, level = fields.get("kind", question.kind), fields.get("level", question.level)
    added: dict[str, Any] = {}
    if kind is not question.kind and isinstance(kind, AnswerKind):
        if not kind.chooses:
            added["options"] = ()
        elif not question.options:
            added["options"] = (Option(_uid(), _("Yes")), Option(_uid(), _("No")))
        if kind is not AnswerKind.NUMBER:
            added |= {"unit": "", "least": None, "most": None}
    if level is not Level.LESION:
        added["lesions"] = ()
    return added | fields


def _sentence(error: ValueError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _uid() -> str:
    return uuid.uuid4().hex
