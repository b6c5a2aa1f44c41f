"""Agreement as a person looks at it: a table line by line, and behind each line the cases it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from medview.analysis.agreement.bootstrap import Interval
from medview.analysis.agreement.numbers import LimitsOfAgreement
from medview.analysis.agreement.reader_answers import PairOfReaders, QuestionAgreement, last_answer
from medview.analysis.agreement.reader_boxes import BoxRow, BoxSummary
from medview.analysis.agreement.reader_rows import ReaderRow
from medview.analysis.agreement.reader_summary import SummaryRow
from medview.analysis.agreement.things import folded
from medview.core.answer import Answer, AnswerKey, Standing, standing
from medview.core.form import Level, Question
from medview.core.language import _
from medview.workspace.reader_names import CONSENSUS

if TYPE_CHECKING:
    # It reads projects, whose library the window does not wait for.
    from medview.workspace.project_agreement import ProjectAgreement

Subject = SummaryRow | BoxSummary | tuple[QuestionAgreement, PairOfReaders]


class Kind(Enum):
    """What readers are compared in."""

    SEGMENTS = "segments"
    BOXES = "boxes"
    ANSWERS = "answers"


KINDS = {Kind.SEGMENTS: _("Segments"), Kind.BOXES: _("Boxes"), Kind.ANSWERS: _("Questions")}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Attributes
    ----------
    number : bool
        Its cells stand at the right.
    """

    title: str
    tip: str
    number: bool = True


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
class Dot:
    """One case on a plot.

    Attributes
    ----------
    case : str
        As ``reader_names.case_name`` calls it.
    words : str
        What is said of it.
    """

    case: str
    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class Dots:
    """What a plot shows.

    Attributes
    ----------
    lines : tuple of (float, str)
        Drawn across, with what they are.
    band : tuple of float, or None
        Lies between them.
    span_y : tuple of float, or None
        The whole range where there is one.
    by_case : bool
        x only counts the cases.
    """

    title: str
    x_title: str
    y_title: str
    dots: tuple[Dot, ...]
    lines: tuple[tuple[float, str], ...] = ()
    band: tuple[float, float] | None = None
    span_y: tuple[float, float] | None = None
    by_case: bool = False


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often two readers put the same thing into which categories.

    Attributes
    ----------
    counts : tuple of tuples of int
        ``counts[a][b]`` that the first called a and the second b.
    """

    first: str
    second: str
    categories: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case behind a line: what it comes to there; those that go least together come first."""

    case: str
    patient: str
    words: str
    badness: float


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of segments that can be looked at case by case."""

    name: str
    title: str
    unit: str
    of: Callable[[ReaderRow], float | None]
    more_is_better: bool = True
    span: tuple[float, float] | None = None


def _mask(name: str) -> Callable[[ReaderRow], float | None]:
    return lambda row: None if row.agreement.masks is None else getattr(row.agreement.masks, name)


def _lesion(name: str) -> Callable[[ReaderRow], float | None]:
    return lambda row: None if row.agreement.lesions is None else getattr(row.agreement.lesions, name)


FIGURES = (
    Figure("dice", _("Dice"), "", _mask("dice"), span=(0.0, 1.0)),
    Figure("surface_dice", _("Surface Dice"), "", _mask("surface_dice"), span=(0.0, 1.0)),
    Figure("hd95_mm", _("HD95"), "mm", _mask("hd95_mm"), more_is_better=False),
    Figure("mean_surface_mm", _("Mean surface distance"), "mm", _mask("mean_surface_mm"), more_is_better=False),
    Figure("volume_difference_ml", _("Volume difference"), "mL", _mask("volume_difference_ml"), more_is_better=False),
    Figure("lesion_sensitivity", _("Lesion sensitivity"), "", _lesion("sensitivity"), span=(0.0, 1.0)),
    Figure("lesion_precision", _("Lesion precision"), "", _lesion("precision"), span=(0.0, 1.0)),
    Figure("lesion_f1", _("Lesion F1"), "", _lesion("f1"), span=(0.0, 1.0)),
)

_TIPS = {
    "dice": _("Twice the common voxels over the sum of both; mean over cases"),
    "surface_dice": _("Part of both surfaces no further than the tolerance from the other; mean over cases"),
    "hd95_mm": _("95th percentile of the distances between the surfaces; mean over cases"),
    "mean_surface_mm": _("Mean of the distances between the surfaces; mean over cases"),
    "volume_difference_ml": _("Second less first; mean over cases"),
    "lesion_sensitivity": _("Part of the first reader's lesions that the second has too; over the lesions of all cases"),
    "lesion_precision": _("Part of the second reader's lesions that the first has too; over the lesions of all cases"),
    "lesion_f1": _("Harmonic mean of sensitivity and precision of lesions; over the lesions of all cases"),
}

COLUMNS = {
    Kind.SEGMENTS: (
        Column(_("Segment"), _("What was drawn, found by code and name"), number=False),
        Column(_("Readers"), _("The first is the reference"), number=False),
        Column(_("Cases"), _("In which it was compared")),
        *(Column(f"{one.title} ({one.unit})" if one.unit else one.title, _TIPS[one.name]) for one in FIGURES),
        Column(_("Volumes, ICC"), _("How much of the variance of volumes is that of the cases, not of the readers")),
    ),
    Kind.BOXES: (
        Column(_("Label"), _("Of the boxes"), number=False),
        Column(_("Readers"), _("The first is the reference"), number=False),
        Column(_("Cases"), _("In which either of the two drew one")),
        Column(_("Boxes"), _("Of the first, and of the second")),
        Column(_("Sensitivity"), _("Part of the first reader's boxes that the second has too")),
        Column(_("Precision"), _("Part of the second reader's boxes that the first has too")),
        Column(_("F1"), _("Harmonic mean of both")),
        Column(_("IoU of pairs"), _("What paired boxes share of their union; mean over pairs")),
    ),
    Kind.ANSWERS: (
        Column(_("Question"), _("As it is asked now; of one that takes several options each by itself"), number=False),
        Column(_("Readers"), _("The first is the reference"), number=False),
        Column(_("Answered"), _("Things both answered it about, and things only one of them did")),
        Column(_("Kappa"), _("Cohen's: agreement beyond chance")),
        Column(_("Kappa, linear"), _("Weighted by how far apart two options stand in their order")),
        Column(_("Kappa, quadratic"), _("Weighted by the square of how far apart two options stand")),
        Column(_("Mean difference"), _("Of numbers: second less first")),
        Column(_("Limits of agreement"), _("Between them lie about 95 % of the differences")),
        Column(_("All readers"), _("Fleiss' kappa of choices, ICC of numbers")),
    ),
}


def reader_title(name: str) -> str:
    """Return what a reader is called on the screen."""
    return _("Consensus") if name == CONSENSUS else name


def pair_title(first: str, second: str) -> str:
    """Return two readers in words; empty names are all pairs."""
    return f"{reader_title(first)} / {reader_title(second)}" if first else _("All pairs")


def lines_of(found: ProjectAgreement, kind: Kind) -> tuple[Line, ...]:
    """Return the table of a kind."""
    report = found.report
    if kind is Kind.SEGMENTS:
        return tuple(_segment_line(row) for row in report.segments)
    if kind is Kind.BOXES:
        return tuple(_box_line(row) for row in report.boxes)
    return tuple(_answer_line(answer, pair) for answer in report.answers for pair in answer.pairs if _items(pair))


def by_case(found: ProjectAgreement, line: Line, figure: Figure) -> Dots | None:
    """Return a figure of a segment, or the F1 of boxes, case by case; None where a line has none."""
    subject = line.subject
    if isinstance(subject, SummaryRow):
        values = [(row, figure.of(row)) for row in _segment_rows(found, subject)]
        interval = subject.figure(figure.name) if figure.name in dict(subject.figures) else None
        return _by_case(f"{subject.segment}: {figure.title}", figure.title, figure.unit, values, interval, figure.span)
    if isinstance(subject, BoxSummary):
        boxes = [(row, row.agreement.f1) for row in _box_rows(found, subject)]
        return _by_case(f"{subject.label}: {_('F1')}", _("F1"), "", boxes, subject.f1, (0.0, 1.0))
    return None


def differences(found: ProjectAgreement, line: Line) -> Dots | None:
    """Return differences over means (Bland and Altman) of volumes or of numbers answered; None where a line has none."""
    subject = line.subject
    if isinstance(subject, SummaryRow):
        pairs = [
            (row.case, _who(row), masks.first_ml, masks.second_ml)
            for row in _segment_rows(found, subject)
            if (masks := row.agreement.masks) is not None and not masks.both_empty
        ]
        title = _("{name}: volumes").format(name=subject.segment)
        return _bland_altman(title, "mL", pairs, subject.volumes_ml)
    if isinstance(subject, tuple) and subject[1].numbers is not None:
        answer, pair = subject
        numbers = [(case, words, *both) for case, _p, words, both in _answered(found, *subject)]
        return _bland_altman(answer.question, answer.unit, numbers, pair.numbers)
    return None


def confusion(line: Line) -> Confusion | None:
    """Return how answers that are choices go together; None where a line has none."""
    if not isinstance(line.subject, tuple) or line.subject[1].categories is None:
        return None
    pair = line.subject[1]
    categories = pair.categories
    assert categories is not None
    names = tuple(_category(one) for one in categories.categories)
    return Confusion(reader_title(pair.first_reader), reader_title(pair.second_reader), names, categories.confusion)


def cases_of(found: ProjectAgreement, line: Line, figure: Figure) -> tuple[CaseLine, ...]:
    """Return the cases behind a line, those that go least together first."""
    subject = line.subject
    listed: list[CaseLine] = []
    if isinstance(subject, SummaryRow):
        for row in _segment_rows(found, subject):
            value = figure.of(row)
            badness = float("-inf") if value is None else -value if figure.more_is_better else abs(value)
            listed.append(CaseLine(row.case, row.patient, _case_words(row, value, figure, several=_all(subject)), badness))
    elif isinstance(subject, BoxSummary):
        for box in _box_rows(found, subject):
            f1 = box.agreement.f1
            words = _("F1 {value}").format(value=number(f1))
            listed.append(CaseLine(box.case, box.patient, words, float("-inf") if f1 is None else -f1))
    else:
        for case, patient, words, both in _answered(found, *subject):
            apart = abs(both[1] - both[0]) if subject[1].numbers is not None else float(both[0] != both[1])
            listed.append(CaseLine(case, patient, words, apart))
    return tuple(sorted(listed, key=lambda one: (-one.badness, one.case)))


def number(value: float | None, digits: int = 3) -> str:
    """Return a figure in words."""
    return "–" if value is None else f"{value:.{digits}g}"


def told(interval: Interval, digits: int = 3) -> str:
    """Return a figure with its interval."""
    if interval.value is None or interval.low is None or interval.high is None:
        return number(interval.value, digits)
    value, low, high = (number(one, digits) for one in (interval.value, interval.low, interval.high))
    return _("{value} ({low} to {high})").format(value=value, low=low, high=high)


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
    return Line(row, cells)


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
        f"{_items(pair)}, {pair.left_out}",
        "" if pair.kappa is None else told(pair.kappa),
        "" if categories is None else number(categories.linear_kappa),
        "" if categories is None else number(categories.quadratic_kappa),
        "" if numbers is None else number(numbers.mean_difference),
        limits,
        number(everybody),
    )
    return Line((answer, pair), cells)


def _items(pair: PairOfReaders) -> int:
    """Return how many things both answered a question about."""
    if pair.categories is not None:
        return pair.categories.items
    return 0 if pair.numbers is None else pair.numbers.things


def _all(subject: SummaryRow) -> bool:
    return not subject.first_reader


def _segment_rows(found: ProjectAgreement, subject: SummaryRow) -> list[ReaderRow]:
    pair = (subject.first_reader, subject.second_reader)
    same = (row for row in found.report.rows if folded(row.agreement.name) == folded(subject.segment))
    return [row for row in same if _all(subject) or (row.first_reader, row.second_reader) == pair]


def _box_rows(found: ProjectAgreement, subject: BoxSummary) -> list[BoxRow]:
    key = (folded(subject.label), subject.first_reader, subject.second_reader)
    return [row for row in found.report.box_rows if (folded(row.label), row.first_reader, row.second_reader) == key]


def _who(row: ReaderRow | BoxRow) -> str:
    return " · ".join(dict.fromkeys((row.patient, pair_title(row.first_reader, row.second_reader))))


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


def _by_case(
    title: str,
    name: str,
    unit: str,
    values: Sequence[tuple[ReaderRow | BoxRow, float | None]],
    interval: Interval | None,
    span: tuple[float, float] | None,
) -> Dots:
    order = {case: n for n, case in enumerate(dict.fromkeys(row.case for row, _v in values), start=1)}
    unit_words = f" {unit}" if unit else ""
    dots = tuple(
        Dot(row.case, float(order[row.case]), value, f"{row.case} · {_who(row)}: {number(value)}{unit_words}")
        for row, value in values
        if value is not None
    )
    lines: tuple[tuple[float, str], ...] = ()
    band = None
    if interval is not None and interval.value is not None:
        lines = ((interval.value, told(interval)),)
        band = (interval.low, interval.high) if interval.low is not None and interval.high is not None else None
    y_title = f"{name} ({unit})" if unit else name
    return Dots(title, _("Cases, as listed"), y_title, dots, lines, band, span, by_case=True)


def _bland_altman(
    title: str,
    unit: str,
    pairs: Sequence[tuple[str, str, float | None, float | None]],
    limits: LimitsOfAgreement | None,
) -> Dots | None:
    dots: list[Dot] = []
    for case, who, first, second in pairs:
        if first is None or second is None:
            continue
        apart = second - first
        words = _("{case} · {who}: {first} and {second} {unit}")
        said = words.format(case=case, who=who, first=number(first), second=number(second), unit=unit).rstrip()
        dots.append(Dot(case, (first + second) / 2.0, apart, said))
    if not dots:
        return None
    lines: list[tuple[float, str]] = []
    if limits is not None:
        lines = [
            (value, words.format(value=number(value)))
            for value, words in (
                (limits.mean_difference, _("mean {value}")),
                (limits.lower, _("-1.96 SD {value}")),
                (limits.upper, _("+1.96 SD {value}")),
            )
            if value is not None
        ]
    return Dots(
        title,
        _("Mean of both ({unit})").format(unit=unit) if unit else _("Mean of both"),
        _("Second less first ({unit})").format(unit=unit) if unit else _("Second less first"),
        tuple(dots),
        tuple(lines),
    )


def _answered(
    found: ProjectAgreement, answer: QuestionAgreement, pair: PairOfReaders
) -> Iterator[tuple[str, str, str, tuple[float, float]]]:
    """Give case, patient, words and both values of everything that both answered a question about; choices are numbered."""
    question = next((one for one in found.questions if one.uid == answer.question_uid), None)
    if question is None:
        return
    for case in found.given:
        first, second = case.answers.get(pair.first_reader, {}), case.answers.get(pair.second_reader, {})
        for given in _both_answered(found, question, case.case, pair, (first, second)):
            one, other = (_value(question, said, answer.option) for said in given)
            if one is None or other is None:
                continue
            yield case.case, case.patient, " / ".join(said.words for said in given), (one, other)


def _both_answered(
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


def _category(category: object) -> str:
    if isinstance(category, bool):
        return _("Yes") if category else _("No")
    return str(category)
