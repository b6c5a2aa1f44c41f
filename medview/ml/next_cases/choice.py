"""A batch of cases to label next. Pure: arrays and a seed in, numbers of cases out, for the window and for scripts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.ml.next_cases.case_scores import CaseScores
from medview.ml.next_cases.ranking import Apart, Doubles, drawn, power_after, ranks
from medview.ml.next_cases.strategy import Strategy

LEAST_APART = 0.1
"""However alike a case is to one that was chosen, it keeps this part of its score."""

_HERE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Cases that may be labelled next, n of them.

    Attributes
    ----------
    patients : tuple of str
        Of whom each case is; cases of which nobody knows that have to have names of their own.
    unsure, foreground : ndarray, shape (n, classes)
        As in ``CaseScores``.
    features : ndarray, shape (n, m)
        What they look like to the model; m may be 0.
    """

    patients: tuple[str, ...]
    unsure: Doubles
    foreground: Doubles
    features: Doubles

    def __post_init__(self) -> None:
        shapes = {len(one) for one in (self.patients, self.unsure, self.foreground, self.features)}
        if len(shapes) != 1 or self.unsure.shape != self.foreground.shape:
            raise ValueError("every case needs a patient and a row in all arrays")

    @classmethod
    def of(cls, scores: Sequence[CaseScores], patients: Sequence[str]) -> Pool:
        """Return the pool of cases one model scored."""
        return cls(
            tuple(patients),
            _stacked([one.unsure for one in scores]),
            _stacked([one.foreground for one in scores]),
            _stacked([one.features for one in scores]),
        )


@dataclass(frozen=True, slots=True)
class Pick:
    """One case of a batch.

    Attributes
    ----------
    number : int
        Which case of the pool.
    by_class : int or None
        The class whose turn it was; None where chance chose.
    """

    number: int
    by_class: int | None = None


def choose(
    pool: Pool,
    count: int,
    strategy: Strategy = Strategy.UNCERTAINTY,
    seed: int = 0,
    *,
    labelled: int = 0,
    busy: Collection[str] = (),
) -> tuple[Pick, ...]:
    """Return up to ``count`` cases, never two of one patient.

    With ``Strategy.UNCERTAINTY`` the classes choose in turn, the rarest first, so that each has its say: a case scores by
    its rank among all cases in how unsure the model is of the class, times how far it is from what was chosen already.

    Parameters
    ----------
    seed : int
        The same seed, the same batch.
    labelled : int
        How many cases the model learnt from: the fewer, the more is left to chance.
    busy : collection of str
        Patients that are not to be in it, as somebody works on another case of theirs.
    """
    rng = np.random.default_rng(seed)
    free = np.asarray([patient not in busy for patient in pool.patients], dtype=np.bool_)
    if strategy is not Strategy.UNCERTAINTY or not pool.unsure.shape[1]:
        return _at_random(pool, free, count, rng)
    order = _turns(pool)
    if not order:
        return _at_random(pool, free, count, rng)
    scored = {number: ranks(pool.unsure[:, number]) for number in order}
    power = power_after(labelled)
    apart, nearest = Apart.of(pool.features), np.full(len(pool.patients), np.inf)
    picks: list[Pick] = []
    while len(picks) < count and free.any():
        number = order[len(picks) % len(order)]
        value = scored[number]
        if picks and apart.mean:
            nearest = np.minimum(nearest, apart.from_case(picks[-1].number))
            value = value * np.clip(nearest, LEAST_APART, 1.0)
        with_chance = drawn(value, power, rng)
        best = int(np.where(free, with_chance, -np.inf).argmax())
        picks.append(Pick(best, number))
        _take(free, pool.patients, best)
    return tuple(picks)


def _turns(pool: Pool) -> list[int]:
    """Return the classes that have a say, the one found in the fewest cases first; those no case is unsure of have none."""
    unsure = pool.unsure.max(axis=0, initial=0.0) > _HERE
    found = (pool.foreground > _HERE).sum(axis=0)
    return sorted(np.flatnonzero(unsure).tolist(), key=lambda number: (int(found[number]), number))


def _at_random(pool: Pool, free: npt.NDArray[np.bool_], count: int, rng: np.random.Generator) -> tuple[Pick, ...]:
    """Draw patients, and of each one case: who has many cases is not drawn more often."""
    names = sorted({pool.patients[n] for n in np.flatnonzero(free)})
    picks = []
    for name in rng.permutation(np.asarray(names, dtype=object))[:count]:
        own = [n for n in np.flatnonzero(free).tolist() if pool.patients[n] == name]
        picks.append(Pick(int(rng.choice(own))))
    return tuple(picks)


def _take(free: npt.NDArray[np.bool_], patients: Sequence[str], chosen: int) -> None:
    free[[n for n, patient in enumerate(patients) if patient == patients[chosen]]] = False


def _stacked(rows: Sequence[npt.ArrayLike]) -> Doubles:
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), -1) if len(rows) else np.zeros((0, 0))
