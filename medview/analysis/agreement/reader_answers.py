"""Answers of readers to the questions of forms: how far they go together, over all cases."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np

from medview.analysis.agreement.bootstrap import Interval
from medview.analysis.agreement.categories import (
    CategoryAgreement,
    ManyRaters,
    category_agreement,
    fleiss_kappa,
    kappa_interval,
)
from medview.analysis.agreement.numbers import (
    IntraclassCorrelation,
    LimitsOfAgreement,
    intraclass_correlation,
    limits_of_agreement,
)
from medview.analysis.agreement.reader_rows import Plain
from medview.core.answer import Answer, AnswerKey, Standing, Value, standing
from medview.core.form import AnswerKind, Level, Question


@dataclass(frozen=True, slots=True, eq=False)
class CaseAnswers:
    """What each reader answered in one case.

    Attributes
    ----------
    case, patient : str
        As they may be written into a table.
    answers : mapping
        By reader, the answers by their key.
    """

    case: str
    patient: str
    answers: Mapping[str, Mapping[AnswerKey, Answer]]


@dataclass(frozen=True, slots=True)
class PairOfReaders:
    """Two readers' answers to one question.

    Attributes
    ----------
    left_out : int
        Things that only one of them answered the question about.
    categories : CategoryAgreement or None
        Of a choice; None for numbers.
    kappa : Interval or None
        Cohen's, with its interval by patient.
    numbers : LimitsOfAgreement or None
        Of a number; None for choices.
    """

    first_reader: str
    second_reader: str
    left_out: int
    categories: CategoryAgreement | None = None
    kappa: Interval | None = None
    numbers: LimitsOfAgreement | None = None


@dataclass(frozen=True, slots=True)
class QuestionAgreement:
    """All readers' answers to one question, or to one option of a question that takes several.

    Attributes
    ----------
    option : str
        Words of the option, chosen or not; empty for the whole question.
    things : int
        Studies, series or slices about which any reader answered it.
    raters : ManyRaters or None
        Of a choice, all readers together.
    correlation : IntraclassCorrelation or None
        Of a number, all readers together.
    """

    question_uid: str
    question: str
    unit: str
    option: str
    things: int
    pairs: tuple[PairOfReaders, ...]
    raters: ManyRaters | None = None
    correlation: IntraclassCorrelation | None = None

    def document(self) -> dict[str, object]:
        """Return it ready for JSON."""
        return asdict(self)

    def flat(self) -> list[dict[str, Plain]]:
        """Return a row for each pair of readers, ready for CSV; the last columns are of all readers together."""
        return [self._row(pair) for pair in self.pairs]

    def _row(self, pair: PairOfReaders) -> dict[str, Plain]:
        categories, numbers = pair.categories, pair.numbers
        row: dict[str, Plain] = {
            "question": self.question,
            "option": self.option,
            "unit": self.unit,
            "first_reader": pair.first_reader,
            "second_reader": pair.second_reader,
            "items": categories.items if categories is not None else numbers.things if numbers is not None else 0,
            "left_out": pair.left_out,
            "agreed": None if categories is None else categories.agreed,
            "kappa": None if pair.kappa is None else pair.kappa.value,
            "kappa_low": None if pair.kappa is None else pair.kappa.low,
            "kappa_high": None if pair.kappa is None else pair.kappa.high,
            "linear_kappa": None if categories is None else categories.linear_kappa,
            "quadratic_kappa": None if categories is None else categories.quadratic_kappa,
        }
        for name in ("mean_difference", "sd_difference", "lower", "upper"):
            row[name] = None if numbers is None else getattr(numbers, name)
        row["fleiss_kappa_of_all"] = None if self.raters is None else self.raters.kappa
        row["icc_of_all"] = None if self.correlation is None else self.correlation.icc
        return row


def question_agreement(
    question: Question, cases: Sequence[CaseAnswers], readers: Sequence[str]
) -> tuple[QuestionAgreement, ...]:
    """Compare the readers' answers to a question; of one that takes several options, each option by itself.

    Nothing comes back for texts, and for questions on lesions: whose lesion is whose has to be known first. Answers that do
    not answer the question as it is asked now (an option gone, another unit) count as missing.
    """
    if question.kind is AnswerKind.TEXT or question.level is Level.LESION:
        return ()
    given = _Given(question, cases, readers)
    if question.kind is AnswerKind.NUMBER:
        return (given.numbers(),)
    found: list[QuestionAgreement] = []
    texts = {option.uid: option.text for option in question.options}
    uids = [[_uids(value) for value in of_reader] for of_reader in given.values]
    if question.kind is AnswerKind.ONE:
        chosen = [[texts[one[0]] if one else None for one in of_reader] for of_reader in uids]
        return (given.choices("", chosen, list(texts.values())),)
    for uid, text in texts.items():
        yes = [[uid in those if those else None for those in of_reader] for of_reader in uids]
        found.append(given.choices(text, yes, [False, True]))
    return tuple(found)


def _uids(value: Value | None) -> list[str]:
    return [option.uid for option in value] if isinstance(value, tuple) else []


class _Given:
    """Answers to one question: of each reader, the value for each thing that anybody answered it about."""

    def __init__(self, question: Question, cases: Sequence[CaseAnswers], readers: Sequence[str]) -> None:
        self._question = question
        self._readers = readers
        self.patients: list[str] = []
        columns: list[list[Value | None]] = []
        for case in cases:
            targets = {
                target: None
                for reader in readers
                for target, uid in case.answers.get(reader, {})
                if uid == question.uid and self._value(case.answers[reader][target, uid]) is not None
            }
            for target in targets:
                self.patients.append(case.patient)
                columns.append([self._value(case.answers.get(r, {}).get((target, question.uid))) for r in readers])
        self.values = [[column[n] for column in columns] for n in range(len(readers))]

    def _value(self, answer: Answer | None) -> Value | None:
        counts = (Standing.ANSWERED, Standing.REWORDED, Standing.OUT_OF_RANGE)
        return answer.value if answer is not None and standing(self._question, answer) in counts else None

    def choices(
        self, option: str, chosen: Sequence[Sequence[Hashable]], categories: Sequence[Hashable]
    ) -> QuestionAgreement:
        """Return the agreement of categories; those of ``chosen`` are by reader and thing."""
        pairs: list[PairOfReaders] = []
        for a, b in combinations(range(len(self._readers)), 2):
            found = category_agreement(chosen[a], chosen[b], categories)
            kappa = kappa_interval(chosen[a], chosen[b], categories, self.patients)
            pairs.append(PairOfReaders(self._readers[a], self._readers[b], self._left_out(a, b), found, kappa))
        raters = fleiss_kappa(chosen, categories) if len(self._readers) > 1 else None
        question = self._question
        return QuestionAgreement(question.uid, question.text, "", option, len(self.patients), tuple(pairs), raters)

    def numbers(self) -> QuestionAgreement:
        """Return the agreement of numbers."""
        table = np.array(self.values, dtype=np.float64).reshape(len(self._readers), len(self.patients))
        pairs = tuple(
            PairOfReaders(
                self._readers[a],
                self._readers[b],
                self._left_out(a, b),
                numbers=limits_of_agreement(table[a], table[b]),
            )
            for a, b in combinations(range(len(self._readers)), 2)
        )
        question, correlation = self._question, intraclass_correlation(table.T)
        return QuestionAgreement(
            question.uid, question.text, question.unit, "", len(self.patients), pairs, correlation=correlation
        )

    def _left_out(self, a: int, b: int) -> int:
        return sum((one is None) != (other is None) for one, other in zip(self.values[a], self.values[b], strict=True))
