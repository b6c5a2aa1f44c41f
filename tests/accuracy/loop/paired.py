"""Two models on the same patients: how far their Dice differs, patients drawn again as ``evaluate --against`` does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medview.analysis.agreement.bootstrap import Interval, difference_interval
from tests.accuracy.loop.learning import Dices

ALL = "all"
"""The mean over the classes of a patient."""


def paired(first: Sequence[Dices], second: Sequence[Dices], name: str = ALL) -> Interval:
    """Return the mean of second less first over patients and seeds.

    Parameters
    ----------
    first, second : sequence of mapping
        Of each seed. A patient is drawn with all seeds: what two seeds make of one patient are no two patients.
    name : str
        Of a class, or ``all``.
    """
    mine: list[float | None] = []
    theirs: list[float | None] = []
    patients: list[str] = []
    for before, after in zip(first, second, strict=True):
        for patient in sorted(before.keys() & after.keys()):
            mine.append(dice_of(before[patient], name))
            theirs.append(dice_of(after[patient], name))
            patients.append(patient)
    return difference_interval(mine, theirs, patients)


def dice_of(row: dict[str, float | None], name: str = ALL) -> float | None:
    """Return the Dice of a class in one patient, or the mean over the classes that have one."""
    if name != ALL:
        return row.get(name)
    there = [dice for dice in row.values() if dice is not None]
    return float(np.mean(there)) if there else None
