"""Who trains, who is held out, and who comes when: by names and seeds alone, the same in every project."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from medview.io.datasets.dataset_case import TRAIN, VAL
from medview.io.datasets.splits import make_splits


@dataclass(frozen=True, slots=True)
class Patients:
    """The patients of a dataset by split; those of the test split are in no project of the loop.

    Attributes
    ----------
    train, val : tuple of str
        In the order of their names.
    """

    train: tuple[str, ...]
    val: tuple[str, ...]

    @classmethod
    def of(cls, names: Iterable[str]) -> Patients:
        """Split patients as a project splits its own (70 : 15 : 15), with their names in place of pseudonyms."""
        own = sorted(names)
        splits = make_splits({name: name for name in own}, {})
        return cls(*(tuple(name for name in own if splits[name] == split) for split in (TRAIN, VAL)))

    def order(self, seed: int) -> tuple[str, ...]:
        """Return the training patients in the order in which a seed draws them: those before are never drawn again."""
        return tuple(self.train[n] for n in np.random.default_rng(seed).permutation(len(self.train)))
