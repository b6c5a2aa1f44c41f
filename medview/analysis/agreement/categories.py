"""How far raters go together who put the same items into categories."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.bootstrap import LEVEL, RESAMPLES, SEED, Interval, sums_interval

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CategoryAgreement:
    """Two raters. Kappas are None where chance alone would agree always, as when both use one category only.

    Attributes
    ----------
    categories : tuple
        In their order, which the weighted kappas go by.
    confusion : tuple of tuples of int
        ``confusion[a][b]`` items that the first put into category a and the second into b.
    kappa : float or None
        Cohen 1960.
    linear_kappa, quadratic_kappa : float or None
        Cohen 1968: a disagreement counts by how many categories lie between, or by the square of that.
    """

    categories: tuple[Hashable, ...]
    confusion: tuple[tuple[int, ...], ...]
    kappa: float | None
    linear_kappa: float | None
    quadratic_kappa: float | None

    @property
    def items(self) -> int:
        """How many items both rated."""
        return sum(sum(row) for row in self.confusion)

    @property
    def agreed(self) -> float | None:
        """Part of the items that both put into one category, 0 to 1; None without items."""
        same = sum(row[n] for n, row in enumerate(self.confusion))
        return same / self.items if self.items else None


def category_agreement(
    first: Sequence[Hashable], second: Sequence[Hashable], categories: Sequence[Hashable]
) -> CategoryAgreement:
    """Compare two raters over the same items.

    Parameters
    ----------
    first, second : sequence
        The category of each item; None where a rater gave none, which leaves the item out.
    categories : sequence
        All there are, in their order.

    Raises
    ------
    ValueError
        When a rating is none of the categories, or the raters have different numbers of items.
    """
    number = {category: n for n, category in enumerate(categories)}
    table = np.zeros((len(number), len(number)), dtype=np.int64)
    for a, b in zip(first, second, strict=True):
        if a is None or b is None:
            continue
        if a not in number or b not in number:
            raise ValueError(f"{a if a not in number else b!r} is none of the categories")
        table[number[a], number[b]] += 1
    apart = np.abs(np.subtract.outer(np.arange(len(number)), np.arange(len(number)))).astype(np.float64)
    kappas = [_kappa(table, weights) for weights in ((apart > 0).astype(np.float64), apart, apart**2)]
    return CategoryAgreement(tuple(categories), tuple(tuple(int(n) for n in row) for row in table), *kappas)


def kappa_interval(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    categories: Sequence[Hashable],
    patients: Sequence[Hashable],
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Return Cohen's kappa of two raters over the same items with its interval by patient.

    Parameters and errors are those of ``category_agreement``; items that a rater did not rate do not count.
    """
    number = {category: n for n, category in enumerate(categories)}
    category_agreement(first, second, categories)
    rated = [n for n, pair in enumerate(zip(first, second, strict=True)) if None not in pair]
    width = len(number)
    cells = np.zeros((len(rated), width * width))
    for row, n in enumerate(rated):
        cells[row, number[first[n]] * width + number[second[n]]] = 1.0

    def kappas(sums: FloatArray) -> FloatArray:
        tables = sums.reshape(len(sums), width, width)
        total = tables.sum(axis=(1, 2))
        by_chance = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1)
        agreed = np.trace(tables, axis1=1, axis2=2) * total
        left = total**2 - by_chance
        return np.asarray(np.divide(agreed - by_chance, left, out=np.full(len(sums), np.nan), where=left > 0))

    return sums_interval(cells, kappas, [patients[n] for n in rated], level, resamples, seed)


@dataclass(frozen=True, slots=True)
class ManyRaters:
    """More than two raters (Fleiss 1971).

    Attributes
    ----------
    items : int
        Rated by all raters.
    left_out : int
        Items that some rater did not rate.
    agreed : float or None
        Mean over items of the part of pairs of raters that agree.
    kappa : float or None
        Of all categories; None without items, or where all ratings are one category.
    by_category : tuple of float or None
        Of each category against the rest.
    """

    raters: int
    items: int
    left_out: int
    agreed: float | None
    kappa: float | None
    by_category: tuple[float | None, ...]


def fleiss_kappa(ratings: Sequence[Sequence[Hashable]], categories: Sequence[Hashable]) -> ManyRaters:
    """Compare raters over the same items.

    Parameters
    ----------
    ratings : sequence of sequences
        Of every rater, the category of each item; None where there is none, which leaves the item out for all.
    categories : sequence
        All there are.

    Raises
    ------
    ValueError
        With fewer than two raters, different numbers of items, or a rating that is none of the categories.
    """
    if len(ratings) < 2 or len({len(given) for given in ratings}) != 1:
        raise ValueError("two raters or more are compared over the same items")
    number = {category: n for n, category in enumerate(categories)}
    for category in {given for rater in ratings for given in rater} - {None}:
        if category not in number:
            raise ValueError(f"{category!r} is none of the categories")
    items = [item for item in zip(*ratings, strict=True) if None not in item]
    counts = np.zeros((len(items), len(number)))
    for n, item in enumerate(items):
        for category in item:
            counts[n, number[category]] += 1
    raters, left_out = len(ratings), len(ratings[0]) - len(items)
    if not items:
        return ManyRaters(raters, 0, left_out, None, None, (None,) * len(number))
    pairs = raters * (raters - 1)
    part = counts.sum(axis=0) / counts.sum()
    agreed = float((counts * (counts - 1)).sum(axis=1).mean() / pairs)
    chance = float((part**2).sum())
    kappa = (agreed - chance) / (1.0 - chance) if chance < 1.0 else None
    apart = (counts * (raters - counts)).sum(axis=0) / (len(items) * pairs)
    usual = part * (1.0 - part)
    each = tuple(float(1.0 - a / u) if u > 0 else None for a, u in zip(apart, usual, strict=True))
    return ManyRaters(raters, len(items), left_out, agreed, kappa, each)


def _kappa(table: npt.NDArray[np.int64], weights: FloatArray) -> float | None:
    """Return one less the disagreement over that of chance."""
    total = table.sum()
    if not total:
        return None
    by_chance = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    usual = float((weights * by_chance).sum())
    return 1.0 - float((weights * table).sum()) / usual if usual > 0 else None
