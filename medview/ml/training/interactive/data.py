"""Prepared examples of interactive training, and the objects in them by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medview.core.prompt_log import HeldVoxels
from medview.ml.spec import Vector3
from medview.ml.training.interactive.objects import TrainingObject, held_of, object_of
from medview.ml.training.stored import StoredExamples


@dataclass(frozen=True, slots=True, eq=False)
class ObjectSet:
    """Objects to draw samples of.

    Attributes
    ----------
    objects : tuple of (int, TrainingObject)
        Place of the example, and the object.
    by_class : tuple of ndarray of int
        Places in ``objects`` of the classes that have any.
    chances : ndarray of float64
        How often each of those classes is drawn: by the root of how many objects it has, so that rare ones are learnt too.
    """

    examples: StoredExamples
    objects: tuple[tuple[int, TrainingObject], ...]
    by_class: tuple[npt.NDArray[np.int64], ...]
    chances: npt.NDArray[np.float64]

    @classmethod
    def open(cls, folder: Path, keys: Sequence[str]) -> ObjectSet:
        """Open the prepared examples of these keys. Raises ReadError where one is missing or torn."""
        examples = StoredExamples.open(folder, keys)
        objects = tuple((n, object_of(one)) for n, facts in enumerate(examples.facts) for one in facts["objects"])
        numbers = np.array([one.number for _, one in objects], dtype=np.int64)
        by_class = tuple(np.flatnonzero(numbers == number) for number in np.unique(numbers))
        roots = np.sqrt([len(places) for places in by_class])
        return cls(examples, objects, by_class, roots / roots.sum())

    def values(self, n: int) -> npt.NDArray[np.float16]:
        """Return the values of an example, shape (channels, k, j, i)."""
        return self.examples.values(n)

    def spacing_kji(self, n: int) -> Vector3:
        """Return the size of an example's voxels."""
        k, j, i = self.examples.facts[n]["spacing"]
        return float(k), float(j), float(i)

    def unknown(self, n: int) -> HeldVoxels:
        """Return where nobody knows anything of an example."""
        return held_of(self.examples.facts[n]["unknown"])

    def drawn(self, rng: np.random.Generator) -> tuple[int, TrainingObject]:
        """Draw an object: first its class, then one of it."""
        places = self.by_class[int(rng.choice(len(self.by_class), p=self.chances))]
        return self.objects[int(places[int(rng.integers(len(places)))])]

    def spread(self, most: int) -> list[tuple[int, TrainingObject]]:
        """Return at most so many objects, evenly of all classes and spread over the examples of each."""
        each = max(1, most // max(1, len(self.by_class)))
        found = []
        for places in self.by_class:
            at = np.unique(np.linspace(0, len(places) - 1, min(each, len(places))).round().astype(int))
            found += [self.objects[int(places[n])] for n in at]
        return found
