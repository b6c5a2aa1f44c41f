"""What can be learnt of whole images or slices: which question, which classes, and who answered what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from medview.core.answer import Standing
from medview.core.errors import AmbiguousError, ModelError
from medview.core.form import AnswerKind, Forms, Level
from medview.core.scores import Said
from medview.io.datasets.neutral_read import StoredCase
from medview.workspace.training.targets import IMAGE_LABELS

_GONE = (Standing.OPTION_GONE.value, Standing.OTHER_KIND.value)
"""What answers are worth that are none to the question as it is asked now."""
_WHOLE = ("study", "series")


@dataclass(frozen=True, slots=True)
class Answered:
    """What one image, or one slice of it, was said to show.

    Attributes
    ----------
    k : int or None
        The slice; None for all of the case.
    """

    case: StoredCase
    k: int | None
    answers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class AnswerSet:
    """A question and all answers to it.

    Attributes
    ----------
    classes : tuple of str
        In the order of the options, or by name.
    exclusive : bool
        Exactly one of them holds.
    """

    target: str
    classes: tuple[str, ...]
    exclusive: bool
    answered: tuple[Answered, ...]


def answer_set(cases: Sequence[StoredCase], forms: Forms, target: str | None) -> AnswerSet:
    """Return the answers to a question with options, or the image labels.

    Parameters
    ----------
    target : str, optional
        ``labels`` for all image labels, the name of one of them alone, or the words of a question; the only one there is
        when not given.

    Raises
    ------
    AmbiguousError
        When there are several and none is named, or none of that name.
    ModelError
        When there is nothing to learn.
    """
    names = _names(cases)
    questions = _questions(cases)
    choices = ([IMAGE_LABELS] if names else []) + list(questions)
    if not choices:
        raise ModelError("Nothing is answered in these cases: label images or answer a form with options, then train.")
    if target is None:
        if len(choices) > 1:
            raise AmbiguousError(f"There are several things to learn; name one with --target: {', '.join(choices)}.")
        target = choices[0]
    if target in questions:
        return _of_question(cases, questions[target], target, forms)
    if target == IMAGE_LABELS and names:
        return _of_labels(cases, names)
    if target in names:
        return _of_one_label(cases, target)
    raise AmbiguousError(f"There is no question or label {target[:80]}; there are: {', '.join([*choices, *names])}.")


def _labels_of(case: StoredCase) -> Iterable[tuple[int | None, str, str]]:
    """Yield (slice, label, what is said) of the statements of people about a case."""
    for said in case.said["image_labels"]:
        if not said.get("says"):
            continue
        if said.get("subject", "series") in _WHOLE or case.said["geometry"]["shape_kji"][0] == 1:
            yield None, str(said["label"]), str(said["says"])
        else:
            at = case.image().geometry.index_kji(said["point_lps_mm"])
            yield round(float(at[0])), str(said["label"]), str(said["says"])


def _names(cases: Sequence[StoredCase]) -> list[str]:
    return sorted({str(s["label"]) for case in cases for s in case.said["image_labels"] if s.get("says")})


def _of_labels(cases: Sequence[StoredCase], names: Sequence[str]) -> AnswerSet:
    stated: list[tuple[StoredCase, int | None, dict[str, str]]] = []
    for case in cases:
        by_slice: dict[int | None, dict[str, str]] = {}
        for k, label, says in _labels_of(case):
            by_slice.setdefault(k, {})[label] = says
        stated += [(case, k, own) for k, own in by_slice.items()]
    exclusive = len(names) > 1 and all(list(own.values()).count(Said.PRESENT.value) == 1 for _, _, own in stated)
    answered = []
    for case, k, own in stated:
        answers = dict.fromkeys(names, 0.0) if exclusive else {}
        for label, says in own.items():
            if says in (Said.PRESENT.value, Said.ABSENT.value):
                answers[label] = float(says == Said.PRESENT.value)
        if answers:
            answered.append(Answered(case, k, answers))
    return AnswerSet(IMAGE_LABELS, tuple(names), exclusive, tuple(answered))


def _of_one_label(cases: Sequence[StoredCase], name: str) -> AnswerSet:
    every = _of_labels(cases, _names(cases))
    answered = tuple(Answered(one.case, one.k, {name: one.answers[name]}) for one in every.answered if name in one.answers)
    return AnswerSet(name, (name,), False, answered)


def _questions(cases: Sequence[StoredCase]) -> dict[str, str]:
    """Return the questions that were answered by options: words -> uid."""
    found: dict[str, str] = {}
    for case in cases:
        for record in case.said["answers"]:
            if isinstance(record["answer"], list) and record["target"]["level"] != Level.LESION.value:
                found[str(record["question"])] = str(record["question_uid"])
    return found


def _of_question(cases: Sequence[StoredCase], uid: str, words: str, forms: Forms) -> AnswerSet:
    asked = next((q for form in forms for q in form.questions if q.uid == uid), None)
    options = {option.uid: option.text for option in asked.options} if asked is not None else {}
    given: list[tuple[StoredCase, int | None, list[str]]] = []
    for case in cases:
        for record in case.said["answers"]:
            if record["question_uid"] != uid or not isinstance(record["answer"], list) or record["standing"] in _GONE:
                continue
            level = record["target"]["level"]
            if level == Level.LESION.value:
                continue
            for option in record["answer"]:
                options.setdefault(str(option["uid"]), str(option["text"]))
            single = level != Level.SLICE.value or case.said["geometry"]["shape_kji"][0] == 1
            k = None if single else int(record["target"]["slice"]) - 1
            given.append((case, k, [str(option["uid"]) for option in record["answer"]]))
    exclusive = all(len(chosen) == 1 for _, _, chosen in given)
    if asked is not None:
        exclusive = asked.kind is AnswerKind.ONE
    answered = tuple(
        Answered(case, k, {text: float(one in chosen) for one, text in options.items()}) for case, k, chosen in given
    )
    return AnswerSet(words, tuple(options.values()), exclusive, answered)
