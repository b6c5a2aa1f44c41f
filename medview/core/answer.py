"""What a person answered to a question of a form, about what, and what that means now that the form may have changed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from medview.core.form import AnswerKind, Form, Forms, Level, Option, Question

IndexKji = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Target:
    """What an answer is about. Two targets are the same when their ``key`` is.

    Attributes
    ----------
    k : int
        Of a slice: its index along the first axis of the grid of the case.
    sop_instance_uid, frame_number : str, int
        Of a slice: the image it is, and the frame of it from 0; empty where the files name none.
    segment_id, at_kji : str, tuple of int
        Of a lesion that is a piece of a segment: the segment, and a voxel of the piece.
    annotation_id : str
        Of a lesion that is a box or a mark.
    name : str
        Of a lesion: what it was called when it was asked about.
    """

    level: Level
    k: int = -1
    sop_instance_uid: str = ""
    frame_number: int = 0
    segment_id: str = ""
    at_kji: IndexKji = (0, 0, 0)
    annotation_id: str = ""
    name: str = ""

    @property
    def key(self) -> str:
        """What tells targets of one case apart."""
        if self.level is Level.SLICE:
            return f"slice {self.k}"
        if self.level is Level.LESION:
            at = " ".join(map(str, self.at_kji))
            return f"drawn {self.annotation_id}" if self.annotation_id else f"lesion {self.segment_id} {at}"
        return str(self.level.value)


STUDY, SERIES = Target(Level.STUDY), Target(Level.SERIES)

AnswerKey = tuple[str, str]
"""Key of the target and uid of the question."""

Value = tuple[Option, ...] | float | str
"""Options as they read when they were chosen, a number in the unit of the answer, or a text."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, with enough of the question to be read without its form.

    Attributes
    ----------
    question : str
        Its words when it was answered.
    reader : str
        Who answered.
    answered_utc : str
        ISO 8601.

    Raises
    ------
    ValueError
        When it says nothing, or a number is none.
    """

    target: Target
    question_uid: str
    question: str
    value: Value
    unit: str = ""
    form_uid: str = ""
    form_name: str = ""
    form_version: int = 1
    reader: str = ""
    answered_utc: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.value, tuple | str):
            if not self.value:
                raise ValueError(f"an empty answer to {self.question}")
        elif not math.isfinite(self.value):
            raise ValueError(f"{self.question} is {self.value}")

    @property
    def key(self) -> AnswerKey:
        """One target and question have one answer."""
        return self.target.key, self.question_uid

    @property
    def words(self) -> str:
        """The answer as people read it, with its unit."""
        return words_of(self.value, self.unit)


class Standing(Enum):
    """What an answer is worth to the question as it is asked now."""

    MISSING = "not answered"
    ANSWERED = "answered"
    REWORDED = "an option chosen has other words now"
    OPTION_GONE = "an option chosen is none any longer"
    OTHER_KIND = "answered in another way than is asked now"
    OTHER_UNIT = "answered in another unit"
    OUT_OF_RANGE = "outside of the range"
    NOT_ASKED = "asked no longer"

    @property
    def settled(self) -> bool:
        """Whether the question needs no answer any more."""
        return self in (Standing.ANSWERED, Standing.REWORDED)


def words_of(value: Value, unit: str = "") -> str:
    """Return a value as people read it, with its unit."""
    if isinstance(value, tuple):
        return "; ".join(option.text for option in value)
    return value if isinstance(value, str) else f"{value:.10g} {unit}".strip()


def wrong(question: Question, value: Value) -> Standing | None:
    """Return what is wrong with a value as an answer to a question, or None."""
    if question.kind.chooses:
        if not isinstance(value, tuple) or (question.kind is AnswerKind.ONE and len(value) != 1):
            return Standing.OTHER_KIND
        now = [question.option(chosen.uid) for chosen in value]
        return Standing.OPTION_GONE if None in now else None
    if question.kind is AnswerKind.TEXT:
        return None if isinstance(value, str) else Standing.OTHER_KIND
    if isinstance(value, str | tuple):
        return Standing.OTHER_KIND
    low = -math.inf if question.least is None else question.least
    high = math.inf if question.most is None else question.most
    return None if low <= value <= high else Standing.OUT_OF_RANGE


def standing(question: Question | None, answer: Answer | None) -> Standing:
    """Return what an answer is worth to a question now; nothing is ever taken for another unit or another option."""
    if answer is None:
        return Standing.MISSING
    if question is None or question.level is not answer.target.level:
        return Standing.NOT_ASKED
    found = wrong(question, answer.value)
    if found in (None, Standing.OUT_OF_RANGE) and question.unit != answer.unit:
        return Standing.OTHER_UNIT
    if found is not None:
        return found
    if isinstance(answer.value, tuple):
        now = [question.option(chosen.uid) for chosen in answer.value]
        if any(option is None or option.text != chosen.text for option, chosen in zip(now, answer.value, strict=True)):
            return Standing.REWORDED
    return Standing.ANSWERED


def missing(questions: Iterable[Question], target: Target, answers: Mapping[AnswerKey, Answer]) -> tuple[Question, ...]:
    """Return the required questions of a target that still need an answer."""
    return tuple(
        question
        for question in questions
        if question.required
        and question.level is target.level
        and not standing(question, answers.get((target.key, question.uid))).settled
    )


def asked_no_longer(forms: Forms, answers: Iterable[Answer]) -> tuple[Answer, ...]:
    """Return the answers that no question of the forms takes any more; they are kept all the same."""
    now = {question.uid: question for form in forms for question in form.questions}
    return tuple(one for one in answers if standing(now.get(one.question_uid), one) is Standing.NOT_ASKED)


def answer_to(
    form: Form, question: Question, target: Target, value: Value, reader: str = "", answered_utc: str = ""
) -> Answer:
    """Return an answer to a question as it is asked now.

    Raises
    ------
    ValueError
        When the value is none that the question takes.
    """
    found = wrong(question, value)
    if found is not None or question.level is not target.level:
        raise ValueError(f"{words_of(value)} does not answer {question.text}")
    if isinstance(value, tuple):
        # In the order of the form, with the words of the form.
        chosen = {option.uid for option in value}
        value = tuple(option for option in question.options if option.uid in chosen)
    return Answer(
        target, question.uid, question.text, value, question.unit, form.uid, form.name, form.version, reader, answered_utc
    )
