"""Answers of readers to forms, over cases."""

from __future__ import annotations

import json

import pytest
from sklearn.metrics import cohen_kappa_score

from medview.analysis.agreement.reader_answers import CaseAnswers, question_agreement
from medview.core.answer import SERIES, Answer, AnswerKey, Target, Value
from medview.core.form import AnswerKind, Level, Option, Question

GRADES = tuple(Option(f"o{n}", text) for n, text in enumerate(("none", "mild", "severe")))
GRADE = Question("q1", "Emphysema?", AnswerKind.ONE, options=GRADES)
SIGNS = Question("q2", "Signs?", AnswerKind.SEVERAL, options=GRADES)
SIZE = Question("q3", "Size?", AnswerKind.NUMBER, unit="mm")

ADA, BEN, CLEO = [0, 1, 2, 2, 1, 0, 0, 2], [0, 1, 2, 1, 1, 0, 1, 2], [0, 1, 1, 2, 1, 0, 0, None]


def _answer(question: Question, value: Value, target: Target = SERIES, unit: str | None = None) -> Answer:
    return Answer(target, question.uid, question.text, value, question.unit if unit is None else unit)


def _cases(question: Question, **values: list[Value | None]) -> list[CaseAnswers]:
    cases = []
    for n in range(len(next(iter(values.values())))):
        answers: dict[str, dict[AnswerKey, Answer]] = {}
        for reader, given in values.items():
            value = given[n]
            answers[reader] = {} if value is None else {one.key: one for one in (_answer(question, value),)}
        cases.append(CaseAnswers(f"case {n}", f"patient {n // 2}", answers))
    return cases


def _graded() -> list[CaseAnswers]:
    def chosen(numbers: list[int | None]) -> list[Value | None]:
        return [None if n is None else (GRADES[n],) for n in numbers]

    return _cases(GRADE, Ada=chosen([*ADA]), Ben=chosen([*BEN]), Cleo=chosen([*CLEO]))


def test_a_choice_has_kappas_of_each_pair_and_of_all_readers() -> None:
    (found,) = question_agreement(GRADE, _graded(), ["Ada", "Ben", "Cleo"])
    assert (found.question, found.things, len(found.pairs)) == ("Emphysema?", 8, 3)
    first = found.pairs[0]
    assert (first.first_reader, first.second_reader, first.left_out) == ("Ada", "Ben", 0)
    assert first.categories is not None
    assert first.kappa is not None
    assert first.categories.categories == ("none", "mild", "severe")
    assert first.categories.kappa == pytest.approx(cohen_kappa_score(ADA, BEN))
    assert first.categories.quadratic_kappa == pytest.approx(cohen_kappa_score(ADA, BEN, weights="quadratic"))
    assert (first.kappa.value, first.kappa.patients) == (pytest.approx(first.categories.kappa), 4)
    assert (first.kappa.low or 0) < (first.kappa.value or 0) <= (first.kappa.high or 0)
    assert found.pairs[1].left_out == 1
    assert found.raters is not None
    assert (found.raters.raters, found.raters.items, found.raters.left_out) == (3, 7, 1)
    assert json.dumps(found.document())


def test_each_option_of_several_is_compared_by_itself() -> None:
    a, b, c = GRADES
    cases = _cases(SIGNS, Ada=[(a, b), (b,), (c,)], Ben=[(a,), (b,), (b, c)])
    found = question_agreement(SIGNS, cases, ["Ada", "Ben"])
    assert [row.option for row in found] == ["none", "mild", "severe"]
    agreed = [row.pairs[0].categories.agreed for row in found if row.pairs[0].categories]
    assert agreed == pytest.approx([1.0, 1 / 3, 1.0])


def test_numbers_have_limits_and_a_correlation_and_another_unit_is_no_answer() -> None:
    cases = _cases(SIZE, Ada=[10.0, 20.0, 30.0, 5.0], Ben=[12.0, 21.0, 33.0, None])
    wrong = _answer(SIZE, 0.5, unit="cm")
    cases[3].answers["Ben"][wrong.key] = wrong  # type: ignore[index]
    (found,) = question_agreement(SIZE, cases, ["Ada", "Ben"])
    numbers = found.pairs[0].numbers
    assert numbers is not None
    assert found.correlation is not None
    assert (found.unit, numbers.things, numbers.left_out, found.pairs[0].left_out) == ("mm", 3, 1, 1)
    assert numbers.mean_difference == pytest.approx(2.0)
    assert found.correlation.things == 3
    assert 0.9 < (found.correlation.icc or 0.0) < 1.0


def test_slices_are_things_of_their_own_and_texts_are_not_compared() -> None:
    question = Question("q4", "Here?", AnswerKind.ONE, Level.SLICE, GRADES)
    slices = [Target(Level.SLICE, k=k) for k in (3, 4)]
    given = [_answer(question, (GRADES[0],), target) for target in slices]
    case = CaseAnswers("c", "p", {"Ada": {one.key: one for one in given}, "Ben": {given[1].key: given[1]}})
    (found,) = question_agreement(question, [case], ["Ada", "Ben"])
    assert (found.things, found.pairs[0].left_out) == (2, 1)
    assert question_agreement(Question("q5", "Why?", AnswerKind.TEXT), [case], ["Ada", "Ben"]) == ()


def test_without_answers_there_is_no_figure_and_no_error() -> None:
    (found,) = question_agreement(GRADE, [CaseAnswers("c", "p", {})], ["Ada", "Ben"])
    assert (found.things, found.pairs[0].kappa.value if found.pairs[0].kappa else 1) == (0, None)
    (numbers,) = question_agreement(SIZE, [], ["Ada", "Ben"])
    assert numbers.pairs[0].numbers is not None
    assert numbers.pairs[0].numbers.mean_difference is None
