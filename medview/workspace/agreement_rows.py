"""What of an agreement lies behind a line of its table: comparisons case by case, answers thing by thing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from medview.analysis.agreement.reader_answers import PairOfReaders, QuestionAgreement, last_answer
from medview.analysis.agreement.reader_boxes import BoxRow, BoxSummary
from medview.analysis.agreement.reader_rows import ReaderRow
from medview.analysis.agreement.reader_summary import SummaryRow
from medview.analysis.agreement.things import folded
from medview.core.answer import Answer, AnswerKey, Standing, standing
from medview.core.form import Level, Question
from medview.workspace.agreement_words import pair_title

if TYPE_CHECKING:
    # It reads projects, whose library the window does not wait for.
    from medview.workspace.project_agreement import ProjectAgreement


def is_all_pairs(subject: SummaryRow) -> bool:
    """Whether a line is about all pairs of readers together."""
    return not subject.first_reader


def segment_rows(found: ProjectAgreement, subject: SummaryRow) -> list[ReaderRow]:
    """Return the comparisons behind a line of segments."""
    pair = (subject.first_reader, subject.second_reader)
    same = (row for row in found.report.rows if folded(row.agreement.name) == folded(subject.segment))
    return [row for row in same if is_all_pairs(subject) or (row.first_reader, row.second_reader) == pair]


def box_rows(found: ProjectAgreement, subject: BoxSummary) -> list[BoxRow]:
    """Return the comparisons behind a line of boxes."""
    key = (folded(subject.label), subject.first_reader, subject.second_reader)
    return [row for row in found.report.box_rows if (folded(row.label), row.first_reader, row.second_reader) == key]


def who_and_whom(row: ReaderRow | BoxRow) -> str:
    """Return patient and readers of a comparison in words."""
    return " · ".join(dict.fromkeys((row.patient, pair_title(row.first_reader, row.second_reader))))


def answered(
    found: ProjectAgreement, answer: QuestionAgreement, pair: PairOfReaders
) -> Iterator[tuple[str, str, str, tuple[float, float]]]:
    """Give case, patient, words and both values of everything that both answered a question about; choices are numbered."""
    question = next((one for one in found.questions if one.uid == answer.question_uid), None)
    if question is None:
        return
    for case in found.given:
        first, second = case.answers.get(pair.first_reader, {}), case.answers.get(pair.second_reader, {})
        for given in _both_given(found, question, case.case, pair, (first, second)):
            one, other = (_value(question, said, answer.option) for said in given)
            if one is None or other is None:
                continue
            yield case.case, case.patient, " / ".join(said.words for said in given), (one, other)


def _both_given(
    found: ProjectAgreement,
    question: Question,
    case: str,
    pair: PairOfReaders,
    given: tuple[Mapping[AnswerKey, Answer], Mapping[AnswerKey, Answer]],
) -> Iterator[tuple[Answer, Answer]]:
    """Give the answers of two readers to a question about the same thing; lesions are the same by where they are."""
    first, second = given
    if question.level is not Level.LESION:
        yield from ((first[key], second[key]) for key in first if key in second and key[1] == question.uid)
        return
    for link in found.report.lesions:
        if (link.case, link.first_reader, link.second_reader) == (
            case,
            pair.first_reader,
            pair.second_reader,
        ) and link.both:
            one, other = last_answer(first, link.first, question), last_answer(second, link.second, question)
            if one is not None and other is not None:
                yield one, other


def _value(question: Question, answer: Answer, option: str) -> float | None:
    if standing(question, answer) not in (Standing.ANSWERED, Standing.REWORDED, Standing.OUT_OF_RANGE):
        return None
    if not isinstance(answer.value, tuple):
        return float(answer.value) if isinstance(answer.value, int | float) else None
    uids = [one.uid for one in answer.value]
    if option:
        wanted = next((one.uid for one in question.options if one.text == option), "")
        return float(wanted in uids) if uids else None
    places = [n for n, one in enumerate(question.options) if one.uid in uids]
    return float(places[0]) if places else None
