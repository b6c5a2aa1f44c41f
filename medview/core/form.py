"""Questions that are asked of a study, a series, a slice or a lesion, and forms made of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from medview.core.segmentation import Code

MOST_LETTERS = 200
"""Of a question, an option or the name of a form."""

MOST_OPTIONS = 40
MOST_QUESTIONS = 200


class Level(Enum):
    """What a question is asked of."""

    STUDY = "study"
    SERIES = "series"
    SLICE = "slice"
    LESION = "lesion"


class AnswerKind(Enum):
    """What the answer to a question is."""

    ONE = "one"
    """One of the options."""
    SEVERAL = "several"
    """One or more of the options."""
    NUMBER = "number"
    TEXT = "text"

    @property
    def chooses(self) -> bool:
        """Whether it has options."""
        return self in (AnswerKind.ONE, AnswerKind.SEVERAL)


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers to choose from.

    Attributes
    ----------
    uid : str
        Stays when the words change, so that an answer knows its option again.
    code : Code or None
        The concept it stands for.
    """

    uid: str
    text: str
    code: Code | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that is asked.

    Attributes
    ----------
    uid : str
        Stays when the words change.
    options : tuple of Option
        Of a choice, each with words of its own.
    unit : str
        Of a number, as UCUM writes it where it can: ``mm``, ``mL``, ``%``.
    least, most : float or None
        Of a number, both included.
    required : bool
        Counted as missing until it is answered.
    lesions : tuple of str
        Of a question on lesions: it is asked of segments, boxes and marks of these names only; of all when empty.

    Raises
    ------
    ValueError
        When it could not be asked: one sentence without a full stop.
    """

    uid: str
    text: str
    kind: AnswerKind
    level: Level = Level.SERIES
    options: tuple[Option, ...] = ()
    unit: str = ""
    least: float | None = None
    most: float | None = None
    required: bool = False
    lesions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_words(self.text, "a question")
        if not self.uid:
            raise ValueError(f"the question {self.text} has no uid")
        if self.kind.chooses:
            self._check_options()
        elif self.options:
            raise ValueError(f"{self.text} has options and is answered with a {self.kind.value}")
        limits = [limit for limit in (self.least, self.most) if limit is not None]
        if not all(math.isfinite(limit) for limit in limits) or (len(limits) == 2 and limits[0] > limits[1]):
            raise ValueError(f"the numbers that answer {self.text} have no range")
        if self.kind is not AnswerKind.NUMBER and (limits or self.unit):
            raise ValueError(f"{self.text} has a unit or a range and is not answered with a number")
        if self.lesions and self.level is not Level.LESION:
            raise ValueError(f"{self.text} names lesions and is not asked of them")

    def _check_options(self) -> None:
        if not self.options:
            raise ValueError(f"{self.text} has no options to choose from")
        if len(self.options) > MOST_OPTIONS:
            raise ValueError(f"{self.text} has more than {MOST_OPTIONS} options")
        for option in self.options:
            _check_words(option.text, f"an option of {self.text}")
        texts = [option.text.casefold() for option in self.options]
        uids = [option.uid for option in self.options]
        if len(set(texts)) != len(texts) or len(set(uids)) != len(uids) or not all(uids):
            raise ValueError(f"two options of {self.text} are the same")

    @property
    def range_words(self) -> str:
        """Which numbers are answers: ``0 to 100 mm``, ``at least 1``, or the unit alone."""
        low, high = (None if limit is None else f"{limit:.10g}" for limit in (self.least, self.most))
        if low is not None and high is not None:
            said = f"{low} to {high}"
        elif low is not None:
            said = f"at least {low}"
        else:
            said = "" if high is None else f"at most {high}"
        return f"{said} {self.unit}".strip()

    def option(self, uid: str) -> Option | None:
        """Return an option by its uid, or None when there is none of it (any longer)."""
        return next((option for option in self.options if option.uid == uid), None)

    def asks_about(self, name: str) -> bool:
        """Whether it is asked of lesions of this name, whatever its case; instances (``Nodule 2``) count."""
        if not self.lesions:
            return True
        head, _, tail = name.rpartition(" ")
        names = {name.casefold(), head.casefold()} if tail.isdigit() else {name.casefold()}
        return any(one.casefold() in names for one in self.lesions)


@dataclass(frozen=True, slots=True)
class Form:
    """Questions that belong together, in the order they are asked.

    Attributes
    ----------
    version : int
        Grows whenever the questions change; answers note under which one they were given.
    modalities : tuple of str
        Of the series it is for, as DICOM writes them: ``CR``, ``DX``; for all when empty.

    Raises
    ------
    ValueError
        When it has no name or holds a question twice.
    """

    uid: str
    name: str
    questions: tuple[Question, ...] = ()
    version: int = 1
    modalities: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_words(self.name, "a form")
        uids = [question.uid for question in self.questions]
        if not self.uid or len(set(uids)) != len(uids):
            raise ValueError(f"the form {self.name} holds a question twice, or has no uid")
        if len(self.questions) > MOST_QUESTIONS:
            raise ValueError(f"the form {self.name} has more than {MOST_QUESTIONS} questions")

    def fits(self, modality: str) -> bool:
        """Whether it is for series of a modality."""
        return not self.modalities or modality in self.modalities

    def question(self, uid: str) -> Question | None:
        """Return a question by its uid, or None."""
        return next((question for question in self.questions if question.uid == uid), None)

    def at(self, level: Level) -> tuple[Question, ...]:
        """Return the questions asked of a level."""
        return tuple(question for question in self.questions if question.level is level)

    def changed(self, **fields: Any) -> Form:
        """Return the form with other fields, one version on; itself when nothing is different."""
        other: Form = replace(self, **fields)
        return self if other == self else replace(other, version=self.version + 1)


Forms = tuple[Form, ...]
"""Each once."""


def asked(forms: Forms, modality: str) -> Iterator[tuple[Form, Question]]:
    """Give every question of the forms that are for a modality."""
    for form in forms:
        if form.fits(modality):
            for question in form.questions:
                yield form, question


def _check_words(text: str, what: str) -> None:
    if not text.strip():
        raise ValueError(f"{what} has no words")
    if len(text) > MOST_LETTERS or not text.isprintable():
        raise ValueError(f"the words of {what} are too long or hold characters that cannot be shown")
