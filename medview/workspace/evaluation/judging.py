"""What the judges of all tasks share: one case judged, and the figures of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from medview.analysis.agreement.bootstrap import Interval, WeightedStatistic
from medview.core.prediction import Prediction
from medview.core.volume import Volume
from medview.ml.examples import Example, Truth, case_key
from medview.workspace.evaluation.case_parts import CaseParts

MOST_POINTS = 200
"""Of a curve in the report."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """How a model is judged.

    Attributes
    ----------
    tolerance : float
        Surfaces no further apart count as one: millimetres, or pixels of pictures that have no millimetres.
    common : bool
        Only classes that both the model and the labels have are judged.
    device : str
        Where the model runs: ``auto``, ``cpu`` or ``cuda``.
    worst : int
        How many of the worst cases are listed, and shown where ``pictures`` are wanted.
    """

    tolerance: float = 2.0
    common: bool = False
    device: str = "auto"
    worst: int = 12
    pictures: bool = True


@dataclass(frozen=True, slots=True)
class CaseJudgement:
    """One case.

    Attributes
    ----------
    score : float or None
        The lower the worse; None where there was nothing to judge.
    why : str
        What is bad about it, for the list of the worst.
    row : dict
        Ready for JSON, beside the case's key.
    at_kji : tuple of int
        A voxel of the slice that shows it best.
    """

    score: float | None
    why: str
    row: Document
    at_kji: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Headline:
    """One figure that stands for the whole.

    Attributes
    ----------
    statistic : callable
        The figure where each of the judged cases counts so many times: two models are compared by it, case by case.
    """

    name: str
    title: str
    interval: Interval
    statistic: WeightedStatistic = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class TaskFigures:
    """Figures over all cases, ready for JSON.

    Attributes
    ----------
    headlines : tuple of Headline
        For cards and the top of a report.
    per_class : list of dict
    confusion : dict or None
        ``rows`` (true) and ``columns`` (found) and ``counts``; or ``classes``, each with counts of its own.
    ci95 : dict
        Figure -> [low, high], and under ``classes`` the same of every class.
    more : dict
        Further keys of the document.
    notes : tuple of str
        What a reader has to know of how it was counted.
    items, patients : tuple of str
        Key and patient of every judged case, in the order in which headlines weigh them.
    class_figure : str
        What stands for a class: ``dice``, ``ap50``, ``f1`` or ``dice_3``.
    parts : mapping of str to mapping
        What each judged case, by its key, adds to that figure of each class.
    """

    headlines: tuple[Headline, ...]
    per_class: list[Document]
    confusion: Document | None
    ci95: Document
    more: Document = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()
    class_figure: str = ""
    parts: Mapping[str, CaseParts] = field(default_factory=dict)


class Judge(Protocol):
    """Compares what a model finds with what is true, case by case."""

    def add(self, example: Example, volume: Volume, truth: Truth, found: Prediction) -> CaseJudgement:
        """Judge one case and keep its counts."""

    def figures(self) -> TaskFigures:
        """Return the figures of all cases so far."""


def patient_of(example: Example) -> str:
    """Return whom an example is drawn with when intervals are worked out: its patient, or where nobody knows its case.

    Slices of one case are of one patient, whoever that is.
    """
    return example.patient or f" {case_key(example.key)}"


def ends(interval: Interval) -> list[float | None]:
    """Return where an interval begins and ends."""
    return [interval.low, interval.high]


def intervals_document(intervals: Mapping[str, Interval]) -> Document:
    """Return figure -> [low, high]."""
    return {name: ends(interval) for name, interval in intervals.items()}


def thinned(points: Sequence[Sequence[float]], most: int = MOST_POINTS) -> list[list[float]]:
    """Return at most so many points of a curve, the first and the last among them, rounded to six digits."""
    count = len(points)
    which = range(count) if count <= most else sorted({round(n * (count - 1) / (most - 1)) for n in range(most)})
    return [[round(float(number), 6) for number in points[n]] for n in which]
