"""One line of the published figures: what is trained on what, for how long, and what has to come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.accuracy.trainings.data import Data

ROUNDED = 0.1
"""Minutes are kept with one digit behind the point."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a figure has to reach.

    Attributes
    ----------
    figure : str
        Name of a headline of the report.
    least : float or None
        It has to be at least that.
    above : str
        Another headline that it has to be above; empty for none.
    """

    figure: str
    least: float | None = None
    above: str = ""

    def reached(self, figures: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether figures of a row, by name, reach it."""
        value = self._value(figures, self.figure)
        wanted = self._value(figures, self.above) if self.above else self.least
        if value is None or wanted is None:
            return False
        return value > wanted if self.above else value >= wanted

    def words(self) -> str:
        """Return what is asked, for a table."""
        return f"above {self.above}" if self.above else f"at least {self.least:g}"

    @staticmethod
    def _value(figures: Mapping[str, Mapping[str, Any]], name: str) -> float | None:
        value = figures.get(name, {}).get("value")
        return None if value is None else float(value)


@dataclass(frozen=True, slots=True)
class Row:
    """A training, or one for each fold, and what is asked of it.

    Attributes
    ----------
    table : str
        Heading under which it is told; rows of one table have the same data and budget where they are compared.
    minutes : float or None
        Wall time of each training; None for the steps of the recipe, or for ``steps``.
    recipe : str
        Name of a recipe that comes with MedView; empty for the task's default.
    changes : mapping
        Keys of the recipe that are otherwise in this row, for comparisons and longer trainings.
    folds : int
        Trainings that each validate on other patients; 0 for one training on the project's own split.
    parent : str
        Row whose model this one begins with; empty for none.
    script : str
        A program below the root that trains, resumes and reports by itself; empty for ``medview train``.
    """

    name: str
    title: str
    table: str
    task: str
    data: Data
    minutes: float | None
    thresholds: tuple[Threshold, ...] = ()
    recipe: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    folds: int = 0
    parent: str = ""
    seed: int = 0
    script: str = ""

    def in_time(self, result: Mapping[str, Any]) -> bool:
        """Whether each training of a result kept to its minutes."""
        if self.minutes is None:
            return True
        return all(part["minutes_used"] <= self.minutes + ROUNDED for part in result["parts"])

    @property
    def parts(self) -> tuple[int | None, ...]:
        """Folds, or one part that is none."""
        return tuple(range(self.folds)) if self.folds else (None,)
