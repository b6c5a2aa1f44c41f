"""What plots of an agreement show: figures case by case, differences over means, confusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medview.analysis.agreement.bootstrap import Interval
from medview.analysis.agreement.numbers import LimitsOfAgreement
from medview.analysis.agreement.reader_boxes import BoxRow, BoxSummary
from medview.analysis.agreement.reader_rows import ReaderRow
from medview.analysis.agreement.reader_summary import SummaryRow
from medview.core.language import _
from medview.workspace.agreement_figures import Figure
from medview.workspace.agreement_rows import answered, box_rows, segment_rows, who_and_whom
from medview.workspace.agreement_view import Line
from medview.workspace.agreement_words import number, reader_title, told

if TYPE_CHECKING:
    # It reads projects, whose library the window does not wait for.
    from medview.workspace.project_agreement import ProjectAgreement


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


def by_case(found: ProjectAgreement, line: Line, figure: Figure) -> Dots | None:
    """Return a figure of a segment, or the F1 of boxes, case by case; None where a line has none."""
    subject = line.subject
    if isinstance(subject, SummaryRow):
        values = [(row, figure.of(row)) for row in segment_rows(found, subject)]
        interval = subject.figure(figure.name) if figure.name in dict(subject.figures) else None
        return _by_case(f"{subject.segment}: {figure.title}", figure.title, figure.unit, values, interval, figure.span)
    if isinstance(subject, BoxSummary):
        boxes = [(row, row.agreement.f1) for row in box_rows(found, subject)]
        return _by_case(f"{subject.label}: {_('F1')}", _("F1"), "", boxes, subject.f1, (0.0, 1.0))
    return None


def differences(found: ProjectAgreement, line: Line) -> Dots | None:
    """Return differences over means (Bland and Altman) of volumes or of numbers answered; None where a line has none.

    All pairs together have none unless one of each is the reference: which of two is the second would be by chance.
    """
    subject = line.subject
    if isinstance(subject, SummaryRow):
        if not subject.directed:
            return None
        pairs = [
            (row.case, who_and_whom(row), masks.first_ml, masks.second_ml)
            for row in segment_rows(found, subject)
            if (masks := row.agreement.masks) is not None and not masks.both_empty
        ]
        title = _("{name}: volumes").format(name=subject.segment)
        return _bland_altman(title, "mL", pairs, subject.volumes_ml)
    if isinstance(subject, tuple) and subject[1].numbers is not None:
        answer, pair = subject
        numbers = [(case, words, *both) for case, _p, words, both in answered(found, *subject)]
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
        Dot(row.case, float(order[row.case]), value, f"{row.case} · {who_and_whom(row)}: {number(value)}{unit_words}")
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


def _category(category: object) -> str:
    if isinstance(category, bool):
        return _("Yes") if category else _("No")
    return str(category)
