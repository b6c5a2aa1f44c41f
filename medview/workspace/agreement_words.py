"""Figures and readers in words."""

from __future__ import annotations

from medview.analysis.agreement.bootstrap import Interval
from medview.core.language import _
from medview.workspace.reader_names import CONSENSUS


def reader_title(name: str) -> str:
    """Return what a reader is called on the screen."""
    return _("Consensus") if name == CONSENSUS else name


def pair_title(first: str, second: str) -> str:
    """Return two readers in words; empty names are all pairs."""
    return f"{reader_title(first)} / {reader_title(second)}" if first else _("All pairs")


def number(value: float | None, digits: int = 3) -> str:
    """Return a figure in words."""
    return "–" if value is None else f"{value:.{digits}g}"


def told(interval: Interval, digits: int = 3) -> str:
    """Return a figure with its interval."""
    if interval.value is None or interval.low is None or interval.high is None:
        return number(interval.value, digits)
    value, low, high = (number(one, digits) for one in (interval.value, interval.low, interval.high))
    return _("{value} ({low} to {high})").format(value=value, low=low, high=high)
