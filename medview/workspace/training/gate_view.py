"""The document of the promotion gate as it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medview.core.language import _, in_language
from medview.workspace.training.run_report import ReportCase, report_case

VERDICTS: Mapping[str, str] = {
    "better": _("better"),
    "no worse": _("no worse"),
    "worse": _("worse"),
    "not shown": _("not shown"),
    "learnt": _("learnt"),
    "not learnt": _("not learnt"),
}
"""Of a class."""


@dataclass(frozen=True, slots=True)
class GateRow:
    """A class under the new and the current model; figures are None where there are none."""

    name: str
    new: float | None
    current: float | None
    difference: float | None
    low: float | None
    high: float | None
    verdict: str

    @property
    def good(self) -> bool | None:
        """Whether it speaks for the new model; None where it says nothing."""
        return {"better": True, "learnt": True, "worse": False, "not learnt": False}.get(self.verdict)


@dataclass(frozen=True, slots=True)
class GateCase:
    """A case under both models."""

    case: ReportCase
    new: float | None
    current: float | None
    difference: float | None


@dataclass(frozen=True, slots=True)
class GateView:
    """What the gate says of a new model.

    Attributes
    ----------
    verdict : str
        ``first``, ``promoted`` or ``kept``.
    new, current : str
        What both are called; the current one is empty where there is none.
    rows : tuple of GateRow
        All of it, then class by class.
    cases : tuple of GateCase
        Where the new one loses most first.
    """

    verdict: str
    sentence: str
    new: str
    current: str
    rows: tuple[GateRow, ...]
    cases: tuple[GateCase, ...]

    @property
    def promoted(self) -> bool:
        """Whether the new model counts from then on."""
        return self.verdict in ("first", "promoted")


def gate_view(document: Mapping[str, Any]) -> GateView:
    """Return what is shown of a gate document; what it lacks is left out."""
    rows = []
    headline = document.get("headline")
    if isinstance(headline, Mapping) and headline.get("difference") is not None:
        rows.append(_row(headline, _("All classes")))
    rows += [_row(one, str(one.get("name", ""))) for one in _list(document.get("per_class"))]
    cases = tuple(
        GateCase(report_case(one), *(_number(one.get(name)) for name in ("new", "current", "difference")))
        for one in _list(document.get("by_case"))
    )
    return GateView(
        str(document.get("verdict", "")),
        in_language(str(document.get("sentence", ""))),
        _title(document.get("new")),
        _title(document.get("current")),
        tuple(rows),
        cases,
    )


def _row(said: Mapping[str, Any], name: str) -> GateRow:
    ends = said.get("ci95")
    low, high = (_number(one) for one in ends) if isinstance(ends, Sequence) and len(ends) == 2 else (None, None)
    new, current, difference = (_number(said.get(key)) for key in ("new", "current", "difference"))
    return GateRow(name, new, current, difference, low, high, str(said.get("verdict", "")))


def _title(side: object) -> str:
    return str(side.get("title", "")) if isinstance(side, Mapping) else ""


def _list(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, Sequence) else []


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
