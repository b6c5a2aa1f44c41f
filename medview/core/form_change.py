"""What changing forms does to answers that were given before: said before it is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from medview.core.answer import Answer, Standing, standing
from medview.core.form import Forms, Question
from medview.core.language import _, plural


@dataclass(frozen=True, slots=True)
class Consequence:
    """What becomes of the answers to one question.

    Attributes
    ----------
    count : int
        How many answers that concerns.
    standing : Standing
        What they are worth afterwards.
    """

    question: str
    count: int
    standing: Standing

    @property
    def sentence(self) -> str:
        """One sentence for the person who changes the form."""
        n = plural("{n} answer", "{n} answers", self.count).format(n=self.count)
        return _SENTENCES[self.standing].format(question=self.question, answers=n)


_SENTENCES = {
    Standing.NOT_ASKED: _("\u201c{question}\u201d is asked no longer: {answers} to it kept and exported."),
    Standing.OPTION_GONE: _("\u201c{question}\u201d loses an option: {answers} chose it; kept, and asked again."),
    Standing.OTHER_KIND: _("\u201c{question}\u201d is answered in another way: {answers} so far; kept, and asked again."),
    Standing.OTHER_UNIT: _("\u201c{question}\u201d has another unit: {answers} so far; kept, and asked again."),
    Standing.OUT_OF_RANGE: _("\u201c{question}\u201d has another range: {answers} outside of it; kept, and asked again."),
    Standing.REWORDED: _("\u201c{question}\u201d has an option in other words: {answers} chose it and count on."),
    Standing.MISSING: _("\u201c{question}\u201d is required now: {answers} missing where others are given."),
}


def consequences(before: Forms, after: Forms, cases: Iterable[Iterable[Answer]]) -> tuple[Consequence, ...]:
    """Return what changes for answers when forms are replaced, in the order of the questions; what stays is left out.

    Parameters
    ----------
    cases : iterable of iterable of Answer
        The answers of each case.
    """
    given = [tuple(answers) for answers in cases]
    by_question: dict[str, list[Answer]] = {}
    for answer in (one for answers in given for one in answers):
        by_question.setdefault(answer.question_uid, []).append(answer)
    old, new = _questions(before), _questions(after)
    found: list[Consequence] = []
    for uid in dict.fromkeys((*new, *old)):
        question, was = new.get(uid), old.get(uid)
        if question == was:
            continue
        counts: dict[Standing, int] = {}
        for answer in by_question.get(uid, ()):
            now = standing(question, answer)
            if now is not Standing.ANSWERED and now is not standing(was, answer):
                counts[now] = counts.get(now, 0) + 1
        words = (was or new[uid]).text
        found += [Consequence(words, count, now) for now, count in counts.items()]
        if question is not None and question.required and not (was is not None and was.required):
            lacking = sum(_lacking(question, after, answers) for answers in given)
            found += [Consequence(question.text, lacking, Standing.MISSING)] if lacking else []
    return tuple(found)


def _questions(forms: Forms) -> dict[str, Question]:
    return {question.uid: question for form in forms for question in form.questions}


def _lacking(question: Question, forms: Forms, answers: tuple[Answer, ...]) -> int:
    """Count what of one case was asked other questions of the same form and level, and not this one."""
    form = next(form for form in forms if question in form.questions)
    others = {one.uid for one in form.at(question.level) if one.uid != question.uid}
    targets = {one.target.key for one in answers if one.question_uid in others and one.target.level is question.level}
    return len(targets - {one.target.key for one in answers if one.question_uid == question.uid})
