"""Answers of readers to the questions of forms: how far they go together, over all cases."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

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
from medview.analysis.agreement.reader_lesions import LesionLink
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
        Things that only one of them answered the question about; of lesions, those that both have, and those that lie where
        the other does not know what is there.
    only_first, only_second : int
        Lesions that one answered the question about and the other does not have.
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
    only_first: int = 0
    only_second: int = 0


@dataclass(frozen=True, slots=True)
class QuestionAgreement:
    """All readers' answers to one question, or to one option of a question that takes several.

    Attributes
    ----------
    option : str
        Words of the option, chosen or not; empty for the whole question.
    things : int
        Studies, series, slices or lesions about which any reader answered it.
    raters : ManyRaters or None
        Of a choice, all readers together; of lesions where there are two.
    correlation : IntraclassCorrelation or None
        Of a number, the same.
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
            "only_first": pair.only_first,
            "only_second": pair.only_second,
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
    question: Question, cases: Sequence[CaseAnswers], readers: Sequence[str], links: Sequence[LesionLink] = ()
) -> tuple[QuestionAgreement, ...]:
    """Compare the readers' answers to a question; of one that takes several options, each option by itself.

    Nothing comes back for texts. Answers that do not answer the question as it is asked now (an option gone, another unit)
    count as missing.

    Parameters
    ----------
    links : sequence of LesionLink
        Whose lesion is whose, in all cases: of a question on lesions those are compared that both of a pair have.
    """
    if question.kind is AnswerKind.TEXT:
        return ()
    given = _Given(question, cases, readers, links)
    if question.kind is AnswerKind.NUMBER:
        return (given.numbers(),)
    texts = {option.uid: option.text for option in question.options}
    if question.kind is AnswerKind.ONE:

        def chosen(value: Value | None) -> Hashable:
            uids = _uids(value)
            return texts[uids[0]] if uids else None

        return (given.choices("", chosen, list(texts.values())),)

    def has(uid: str) -> Callable[[Value | None], Hashable]:
        def said(value: Value | None) -> Hashable:
            uids = _uids(value)
            return uid in uids if uids else None

        return said

    return tuple(given.choices(text, has(uid), [False, True]) for uid, text in texts.items())


def last_answer(answers: Mapping[AnswerKey, Answer], keys: Sequence[str], question: Question) -> Answer | None:
    """Return what was answered to a question about a lesion; what was said last where it was asked about twice."""
    said = (answers.get((key, question.uid)) for key in keys)
    counting = [one for one in said if one is not None and _counts(question, one)]
    return max(counting, key=lambda one: one.answered_utc, default=None)


def _counts(question: Question, answer: Answer) -> bool:
    """Whether an answer answers a question as it is asked now."""
    return standing(question, answer) in (Standing.ANSWERED, Standing.REWORDED, Standing.OUT_OF_RANGE)


def _uids(value: Value | None) -> list[str]:
    return [option.uid for option in value] if isinstance(value, tuple) else []


@dataclass(frozen=True, slots=True)
class _Compared:
    """What two readers answered about the same things, and whose they are."""

    first: list[Value | None]
    second: list[Value | None]
    patients: list[str]
    only_first: int = 0
    only_second: int = 0
    unknown: int = 0

    @property
    def left_out(self) -> int:
        by_one = sum((one is None) != (other is None) for one, other in zip(self.first, self.second, strict=True))
        return by_one + self.unknown


class _Given:
    """Answers to one question: of each reader, the value for each thing that anybody answered it about."""

    def __init__(
        self, question: Question, cases: Sequence[CaseAnswers], readers: Sequence[str], links: Sequence[LesionLink]
    ) -> None:
        self._question = question
        self._readers = readers
        self._pairs: list[tuple[str, str, _Compared]] = []
        if question.level is Level.LESION:
            self._take_lesions({case.case: case for case in cases}, links)
        else:
            self._take_things(cases)

    def _take_things(self, cases: Sequence[CaseAnswers]) -> None:
        """Take what is the same thing for everybody: study, series and slices."""
        question, readers = self._question, self._readers
        patients: list[str] = []
        columns: list[list[Value | None]] = []
        for case in cases:
            targets = {
                target: None
                for reader in readers
                for target, uid in case.answers.get(reader, {})
                if uid == question.uid and self._value(case.answers[reader][target, uid]) is not None
            }
            for target in targets:
                patients.append(case.patient)
                columns.append([self._value(case.answers.get(r, {}).get((target, question.uid))) for r in readers])
        self.things = len(columns)
        self._values = [[column[n] for column in columns] for n in range(len(readers))]
        for a, b in combinations(range(len(readers)), 2):
            self._pairs.append((readers[a], readers[b], _Compared(self._values[a], self._values[b], patients)))

    def _take_lesions(self, cases: Mapping[str, CaseAnswers], links: Sequence[LesionLink]) -> None:
        """Take lesions that both of a pair have, and count those that one of them answered about and the other lacks."""
        same = Groups()
        for first, second in combinations(self._readers, 2):
            compared, only, unknown = _Compared([], [], []), [0, 0], 0
            for link in links:
                if (link.first_reader, link.second_reader) != (first, second):
                    continue
                case = cases[link.case]
                one = self._of_lesion(case.answers.get(first, {}), link.first)
                other = self._of_lesion(case.answers.get(second, {}), link.second)
                if one is None and other is None:
                    continue
                names = [(link.case, first, *link.first)] if one is not None else []
                names += [(link.case, second, *link.second)] if other is not None else []
                same.join(names)
                if link.both:
                    compared.first.append(one)
                    compared.second.append(other)
                    compared.patients.append(case.patient)
                elif link.unknown:
                    unknown += 1
                else:
                    only[one is None] += 1
            told = replace(compared, only_first=only[0], only_second=only[1], unknown=unknown)
            self._pairs.append((first, second, told))
        self.things = same.count
        # Whose lesion is whose is known of pairs; of two readers that is all of them.
        self._values = [self._pairs[0][2].first, self._pairs[0][2].second] if len(self._pairs) == 1 else []

    def _of_lesion(self, answers: Mapping[AnswerKey, Answer], keys: Sequence[str]) -> Value | None:
        found = last_answer(answers, keys, self._question)
        return None if found is None else found.value

    def _value(self, answer: Answer | None) -> Value | None:
        return answer.value if answer is not None and _counts(self._question, answer) else None

    def choices(
        self, option: str, chosen: Callable[[Value | None], Hashable], categories: Sequence[Hashable]
    ) -> QuestionAgreement:
        """Return the agreement of categories, as ``chosen`` makes them of values."""
        pairs: list[PairOfReaders] = []
        for first, second, compared in self._pairs:
            one, other = [chosen(v) for v in compared.first], [chosen(v) for v in compared.second]
            found = category_agreement(one, other, categories)
            kappa = kappa_interval(one, other, categories, compared.patients)
            only = compared.only_first, compared.only_second
            pairs.append(PairOfReaders(first, second, compared.left_out, found, kappa, None, *only))
        every = [[chosen(value) for value in of_reader] for of_reader in self._values]
        raters = fleiss_kappa(every, categories) if len(every) > 1 else None
        question = self._question
        return QuestionAgreement(question.uid, question.text, "", option, self.things, tuple(pairs), raters)

    def numbers(self) -> QuestionAgreement:
        """Return the agreement of numbers."""
        pairs: list[PairOfReaders] = []
        for first, second, compared in self._pairs:
            limits = limits_of_agreement(_row(compared.first), _row(compared.second))
            only = compared.only_first, compared.only_second
            pairs.append(PairOfReaders(first, second, compared.left_out, None, None, limits, *only))
        question = self._question
        correlation = None
        if self._values:
            correlation = intraclass_correlation(np.array([_row(of_reader) for of_reader in self._values]).T)
        return QuestionAgreement(
            question.uid, question.text, question.unit, "", self.things, tuple(pairs), correlation=correlation
        )


def _row(values: Sequence[Value | None]) -> npt.NDArray[np.float64]:
    """Return numbers, nan where there is none, shape (things,)."""
    return np.array(values, dtype=np.float64)


class Groups:
    """Names that mean the same, joined pair by pair."""

    def __init__(self) -> None:
        self._into: dict[Hashable, Hashable] = {}

    def join(self, names: Sequence[Hashable]) -> None:
        """Say that some names mean the same."""
        for name in names:
            self._into.setdefault(name, name)
            self._into[self._first(name)] = self._first(names[0])

    @property
    def count(self) -> int:
        """How many different things there are."""
        return sum(name == into for name, into in self._into.items())

    def _first(self, name: Hashable) -> Hashable:
        while self._into[name] != name:
            name = self._into[name]
        return name
