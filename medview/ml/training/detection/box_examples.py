"""Prepared examples with their boxes, and which of them show what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medview.ml.training.detection.average_precision import TrueBoxes
from medview.ml.training.stored import Halves, StoredExamples

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class BoxExamples:
    """Prepared examples, by their place.

    Attributes
    ----------
    boxes : tuple of ndarray, shape (n, 8)
        Class from 0, lowest and highest corner k, j, i in voxels of the model's grid, 1 where difficult.
    holding : tuple of tuple of int
        For every class the examples that have a box of it, difficult or not.
    open : tuple of frozenset of int
        Classes, from 0, that nobody looked for.
    """

    stored: StoredExamples
    boxes: tuple[Doubles, ...]
    holding: tuple[tuple[int, ...], ...]
    open: tuple[frozenset[int], ...]

    @classmethod
    def read(cls, folder: Path, keys: Sequence[str], classes: int) -> BoxExamples:
        """Open the examples of these keys. Raises ReadError where one is missing or torn."""
        return cls.of(StoredExamples.open(folder, keys), classes)

    @classmethod
    def of(cls, stored: StoredExamples, classes: int) -> BoxExamples:
        """Look through what is known of stored examples once, so that drawing a sample need not."""
        boxes = tuple(np.asarray(facts["boxes"], dtype=np.float64).reshape(-1, 8) for facts in stored.facts)
        holding: list[list[int]] = [[] for _ in range(classes)]
        for n, some in enumerate(boxes):
            for number in np.unique(some[:, 0]).astype(int).tolist():
                holding[number].append(n)
        unknown = tuple(frozenset(int(number) for number in facts["open"]) for facts in stored.facts)
        return cls(stored, boxes, tuple(map(tuple, holding)), unknown)

    def __len__(self) -> int:
        return len(self.stored)

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys."""
        return self.stored.keys

    def values(self, n: int) -> Halves:
        """Return the values of an example, shape (channels, k, j, i)."""
        return self.stored.values(n)

    def chosen(self, numbers: Sequence[int]) -> BoxExamples:
        """Return some of the examples."""
        return BoxExamples.of(self.stored.chosen(numbers), len(self.holding))

    def truth(self, n: int) -> TrueBoxes:
        """Return the true boxes of an example."""
        boxes = self.boxes[n]
        return TrueBoxes(boxes[:, 1:4], boxes[:, 4:7], boxes[:, 0].astype(np.int64), boxes[:, 7] > 0)

    def pick(self, foreground: float, rng: np.random.Generator) -> tuple[int, Doubles | None]:
        """Return an example, and the box its sample is to hold: for a share ``foreground`` one of a class drawn evenly."""
        wanted, number = rng.random() < foreground, int(rng.integers(len(self.holding)))
        pick, which = rng.random(), rng.random()
        holding = self.holding[number] if wanted else ()
        if not holding:
            return int(pick * len(self)), None
        n = holding[int(pick * len(holding))]
        own = self.boxes[n][self.boxes[n][:, 0] == number]
        return n, own[int(which * len(own))]
