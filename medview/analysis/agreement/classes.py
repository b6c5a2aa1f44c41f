"""How often a classifier is right: accuracy, and precision, recall and F1 of each class."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class against the rest.

    Attributes
    ----------
    truths : int
        Items that are of the class.
    precision : float or None
        Part of the items put into it that are of it; None where none was put into it.
    recall : float or None
        Part of its items that were put into it; None where there are none.
    f1 : float or None
        Harmonic mean of both, 0 where no item is right; None where no item is of the class or was put into it.
    """

    name: Hashable
    truths: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class Classification:
    """Figures over all items.

    Attributes
    ----------
    accuracy : float or None
        Part of the items in the right class; None without items.
    macro_precision, macro_recall, macro_f1 : float or None
        Means over the classes that have the figure, each class counting the same.
    confusion : tuple of tuples of int
        ``confusion[a][b]`` items of class a that were put into b.
    """

    items: int
    accuracy: float | None
    classes: tuple[ClassFigures, ...]
    macro_precision: float | None
    macro_recall: float | None
    macro_f1: float | None
    confusion: tuple[tuple[int, ...], ...]


def classification(truth: Sequence[Hashable], found: Sequence[Hashable], classes: Sequence[Hashable]) -> Classification:
    """Compare the classes items were put into with the true ones.

    For labels that do not exclude each other (several findings on one image) call it for each with True and False.

    Raises
    ------
    ValueError
        When a class is none of ``classes``, or there are not as many truths as answers.
    """
    number = {name: n for n, name in enumerate(classes)}
    unknown = (set(truth) | set(found)) - set(number)
    if unknown:
        raise ValueError(f"{sorted(map(str, unknown))[0]} is none of the classes")
    table = np.zeros((len(number), len(number)), dtype=np.int64)
    for a, b in zip(truth, found, strict=True):
        table[number[a], number[b]] += 1
    rows: list[ClassFigures] = []
    for name, n in number.items():
        right, truths, given = int(table[n, n]), int(table[n].sum()), int(table[:, n].sum())
        f1 = _part(2 * right, truths + given)
        rows.append(ClassFigures(name, truths, _part(right, given), _part(right, truths), f1))
    items = int(table.sum())
    return Classification(
        items,
        _part(int(np.trace(table)), items),
        tuple(rows),
        _mean([row.precision for row in rows]),
        _mean([row.recall for row in rows]),
        _mean([row.f1 for row in rows]),
        tuple(tuple(int(n) for n in row) for row in table),
    )


def _part(of: int, whole: int) -> float | None:
    return of / whole if whole else None


def _mean(numbers: Sequence[float | None]) -> float | None:
    counted = [number for number in numbers if number is not None]
    return float(np.mean(counted)) if counted else None
