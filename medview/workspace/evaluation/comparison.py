"""Two models on the same cases: how far their figures differ, and whether that is more than chance."""

from __future__ import annotations

from medview.analysis.agreement.bootstrap import IntArray, WeightedStatistic, weighted_interval
from medview.workspace.evaluation.judging import Document, Headline
from medview.workspace.evaluation.report import EvaluationReport

BETTER, WORSE, NOT_SHOWN = "better", "worse", "no difference shown"


def compare(report: EvaluationReport, other: EvaluationReport) -> Document:
    """Return how a model does beside another: for each figure both values, the difference and its interval.

    Patients are drawn together for both (paired): an interval without 0 says that they differ, at its level. Figures over
    all classes are only compared where both find the same ones.

    Returns
    -------
    dict
        ``model``, ``version``, ``name``, ``figures`` and ``same_cases``; no figures where those are not the same.
    """
    first, second = other.figures, report.figures
    same = first.items == second.items
    alike = {row["name"] for row in first.per_class} == {row["name"] for row in second.per_class}
    theirs = {one.name: one for one in first.headlines if alike or "." in one.name} if same else {}
    rows = [_row(theirs[one.name], one, list(second.patients)) for one in second.headlines if one.name in theirs]
    spec = other.pack.spec
    return {"model": spec.id, "version": spec.version, "name": spec.name, "same_cases": same, "figures": rows}


def _row(before: Headline, now: Headline, patients: list[str]) -> Document:
    found = weighted_interval(_Difference(before.statistic, now.statistic), patients)
    verdict = NOT_SHOWN
    if found.low is not None and found.high is not None:
        verdict = BETTER if found.low > 0 else WORSE if found.high < 0 else NOT_SHOWN
    return {
        "name": now.name,
        "title": now.title,
        "value": now.interval.value,
        "other": before.interval.value,
        "difference": found.value,
        "low": found.low,
        "high": found.high,
        "verdict": verdict,
    }


class _Difference:
    """A figure of one model less that of another, both of the same cases counted so many times."""

    def __init__(self, before: WeightedStatistic, now: WeightedStatistic) -> None:
        self._before, self._now = before, now

    def __call__(self, weights: IntArray) -> float | None:
        before, now = self._before(weights), self._now(weights)
        return None if before is None or now is None else now - before
