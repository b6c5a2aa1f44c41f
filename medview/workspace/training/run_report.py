"""What is shown of the report of a training: its figures, and its worst cases with where to look."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medview.ml.runs.folder import RunFolder

_KEY = re.compile(r"case_(\d+)(?:_k(\d+))?$")
"""A case of a project in its dataset folder, or one slice of it."""


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """A figure with its interval; None where it is not known."""

    name: str
    title: str
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ReportCase:
    """A case the model was judged on.

    Attributes
    ----------
    case_id : int or None
        Its number in the project; None for one that came from elsewhere.
    k : int or None
        Stored slice that shows it best.
    """

    key: str
    case_id: int | None
    k: int | None
    score: float | None
    why: str


@dataclass(frozen=True, slots=True)
class RunReport:
    """How good the model of a training is on the validation cases.

    Attributes
    ----------
    keys : frozenset of str
        Of the cases; empty where the report does not say.
    """

    cases: int
    patients: int | None
    figures: tuple[ReportFigure, ...]
    worst: tuple[ReportCase, ...]
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of two trainings, side by side."""

    title: str
    first: ReportFigure | None
    second: ReportFigure | None

    @property
    def difference(self) -> float | None:
        """Second less first, where both are known."""
        if self.first is None or self.second is None or self.first.value is None or self.second.value is None:
            return None
        return self.second.value - self.first.value


def read_report(run: RunFolder) -> RunReport | None:
    """Return the report of a training; None before it is judged. Raises ReadError when it is damaged."""
    content = run.read_json(run.report)
    return None if content is None else report_of(content)


def report_of(content: Mapping[str, Any]) -> RunReport:
    """Return what is shown of a report's document; what it lacks is left out."""
    figures = tuple(
        ReportFigure(str(one["name"]), str(one["title"]), *(_number(one.get(n)) for n in ("value", "low", "high")))
        for one in content.get("headlines", ())
    )
    worst = tuple(report_case(one) for one in content.get("worst", ()))
    patients = content.get("patients")
    keys = frozenset(str(one["case"]) for one in content.get("by_case", ()))
    return RunReport(int(content.get("cases", 0)), None if patients is None else int(patients), figures, worst, keys)


def report_case(said: Mapping[str, Any]) -> ReportCase:
    """Return a case from a document that names it by its key in the dataset."""
    key = str(said["case"])
    case_id, k = case_of_key(key)
    at = said.get("at_kji")
    if k is None and isinstance(at, Sequence) and len(at) == 3:
        k = int(at[0])
    return ReportCase(key, case_id, k, _number(said.get("score")), str(said.get("why", "")))


def case_of_key(key: str) -> tuple[int | None, int | None]:
    """Return the number of a case in its project, and the slice, that a key of its dataset says."""
    found = _KEY.match(key)
    if found is None:
        return None, None
    return int(found[1]), None if found[2] is None else int(found[2])


def compared(first: RunReport, second: RunReport) -> tuple[Compared, ...]:
    """Return the figures of two trainings beside each other, in the order of the first."""
    of_first = {one.name: one for one in first.figures}
    of_second = {one.name: one for one in second.figures}
    names = [*of_first, *(name for name in of_second if name not in of_first)]
    return tuple(
        Compared((of_first.get(name) or of_second[name]).title, of_first.get(name), of_second.get(name)) for name in names
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
