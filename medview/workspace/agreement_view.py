"""Agreement as a person looks at it: a table line by line, and behind each line the cases it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medview.analysis.agreement.reader_answers import PairOfReaders, QuestionAgreement
from medview.analysis.agreement.reader_boxes import BoxSummary
from medview.analysis.agreement.reader_rows import ReaderRow
from medview.analysis.agreement.reader_summary import SummaryRow
from medview.core.language import _
from medview.workspace.agreement_figures import FIGURES, Figure, Kind
from medview.workspace.agreement_rows import answered, box_rows, is_all_pairs, segment_rows
from medview.workspace.agreement_words import number, pair_title, told

if TYPE_CHECKING:
    # It reads projects, whose library the window does not wait for.
    from medview.workspace.project_agreement import ProjectAgreement

Subject = SummaryRow | BoxSummary | tuple[QuestionAgreement, PairOfReaders]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table.

    Attributes
    ----------
    tip : str
        What else there is to say of it.
    """

    subject: Subject
    cells: tuple[str, ...]
    tip: str = ""


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case behind a line: what it comes to there; those that go least together come first."""

    case: str
    patient: str
    words: str
    badness: float


def lines_of(found: ProjectAgreement, kind: Kind) -> tuple[Line, ...]:
    """Return the table of a kind."""
    report = found.report
    if kind is Kind.SEGMENTS:
        return tuple(_segment_line(row) for row in report.segments)
    if kind is Kind.BOXES:
        return tuple(_box_line(row) for row in report.boxes)
    return tuple(_answer_line(answer, pair) for answer in report.answers for pair in answer.pairs if things_in(pair))


def cases_of(found: ProjectAgreement, line: Line, figure: Figure) -> tuple[CaseLine, ...]:
    """Return the cases behind a line, those that go least together first."""
    subject = line.subject
    listed: list[CaseLine] = []
    if isinstance(subject, SummaryRow):
        for row in segment_rows(found, subject):
            value = figure.of(row)
            badness = float("-inf") if value is None else -value if figure.more_is_better else abs(value)
            listed.append(
                CaseLine(row.case, row.patient, _case_words(row, value, figure, several=is_all_pairs(subject)), badness)
            )
    elif isinstance(subject, BoxSummary):
        for box in box_rows(found, subject):
            f1 = box.agreement.f1
            words = _("F1 {value}").format(value=number(f1))
            listed.append(CaseLine(box.case, box.patient, words, float("-inf") if f1 is None else -f1))
    else:
        for case, patient, words, both in answered(found, *subject):
            apart = abs(both[1] - both[0]) if subject[1].numbers is not None else float(both[0] != both[1])
            listed.append(CaseLine(case, patient, words, apart))
    return tuple(sorted(listed, key=lambda one: (-one.badness, one.case)))


def _segment_line(row: SummaryRow) -> Line:
    figures = dict(row.figures)
    cells = [row.segment, pair_title(row.first_reader, row.second_reader), str(row.cases)]
    cells += [told(figures[one.name]) for one in FIGURES]
    cells.append(number(row.volume_correlation.icc))
    counts = (
        (row.lesions_matched, _("{n} lesions in both")),
        (row.lesions_missed, _("{n} lesions only in the first")),
        (row.lesions_extra, _("{n} lesions only in the second")),
        (row.both_empty, _("{n} comparisons empty on both sides: in no mean")),
        (row.one_empty, _("{n} comparisons empty on one side: a Dice of 0, no distances")),
        (row.not_compared, _("{n} comparisons in which it is still to be drawn")),
    )
    return Line(row, tuple(cells), "\n".join(text.format(n=count) for count, text in counts if count))


def _box_line(row: BoxSummary) -> Line:
    cells = (
        row.label,
        pair_title(row.first_reader, row.second_reader),
        str(row.cases),
        f"{row.first_boxes}, {row.second_boxes}",
        *(told(one) for one in (row.sensitivity, row.precision, row.f1, row.mean_iou)),
    )
    return Line(row, cells, _("{n} boxes left out: on slices not done").format(n=row.left_out) if row.left_out else "")


def _answer_line(answer: QuestionAgreement, pair: PairOfReaders) -> Line:
    title = f"{answer.question}: {answer.option}" if answer.option else answer.question
    categories, numbers = pair.categories, pair.numbers
    limits = ""
    if numbers is not None and numbers.lower is not None and numbers.upper is not None:
        limits = _("{low} to {high}").format(low=number(numbers.lower), high=number(numbers.upper))
    everybody = answer.raters.kappa if answer.raters is not None else None
    everybody = answer.correlation.icc if answer.correlation is not None else everybody
    cells = (
        f"{title} ({answer.unit})" if answer.unit else title,
        pair_title(pair.first_reader, pair.second_reader),
        f"{things_in(pair)}, {pair.left_out}",
        "" if pair.kappa is None else told(pair.kappa),
        "" if categories is None else number(categories.linear_kappa),
        "" if categories is None else number(categories.quadratic_kappa),
        "" if numbers is None else number(numbers.mean_difference),
        limits,
        number(everybody),
    )
    return Line((answer, pair), cells)


def things_in(pair: PairOfReaders) -> int:
    """Return how many things both answered a question about."""
    if pair.categories is not None:
        return pair.categories.items
    return 0 if pair.numbers is None else pair.numbers.things


def _case_words(row: ReaderRow, value: float | None, figure: Figure, *, several: bool) -> str:
    unit = f" {figure.unit}" if figure.unit and value is not None else ""
    words = f"{number(value)}{unit}"
    masks = row.agreement.masks
    if masks is None:
        words = _("still to be drawn")
    elif masks.both_empty:
        words = _("empty on both sides")
    elif masks.one_empty and value is None:
        words = _("empty on one side")
    return f"{words} · {pair_title(row.first_reader, row.second_reader)}" if several else words
