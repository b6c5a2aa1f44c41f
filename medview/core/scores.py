"""What a classifier answered: probabilities, of slices too, and what they say by the pack's own rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt


class Said(StrEnum):
    """What a score comes to."""

    PRESENT = "present"
    ABSENT = "absent"
    UNSURE = "not sure"


NO_LINE = 0.5
"""What a pack says of three or more classes that exclude each other where nobody set a threshold."""


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """How scores are to be read.

    Attributes
    ----------
    subject : str
        What one answer is about: ``study``, ``series`` or ``slice``.
    threshold : float
        Score from which a class counts as present; of classes that exclude each other, the last class. ``NO_LINE`` of
        three or more of those is none: the most probable class is present.
    abstain : tuple of float, or None
        Scores between the two are answered with "not sure".
    exclusive : bool
        Exactly one class is present (softmax), or any number of them (sigmoid).
    """

    subject: str = "series"
    threshold: float = 0.5
    abstain: tuple[float, float] | None = None
    exclusive: bool = False

    def says(self, scores: Mapping[str, float]) -> dict[str, Said]:
        """Return what the scores of all classes come to."""
        if not self.exclusive or len(scores) < 2:
            return {name: self._of_one(score) for name, score in scores.items()}
        *others, last = scores
        if not self.draws_line(len(scores)):
            winner = max(scores, key=lambda name: scores[name])
        else:
            winner = last if scores[last] >= self.threshold else max(others, key=lambda name: scores[name])
        # Two classes are two sides of one score.
        if self._unsure(scores[last if len(scores) == 2 else winner]):
            return dict.fromkeys(scores, Said.UNSURE)
        return {name: Said.PRESENT if name == winner else Said.ABSENT for name in scores}

    def marks(self, name: str, names: Sequence[str]) -> bool:
        """Whether the threshold is about the score of a class: of classes that exclude each other, only about the last."""
        return not self.exclusive or len(names) < 2 or (name == names[-1] and self.draws_line(len(names)))

    def draws_line(self, classes: int) -> bool:
        """Whether so many classes are told apart by the threshold, and not by which is the most probable."""
        return not self.exclusive or classes < 3 or self.threshold != NO_LINE

    def _of_one(self, score: float) -> Said:
        if self._unsure(score):
            return Said.UNSURE
        return Said.PRESENT if score >= self.threshold else Said.ABSENT

    def _unsure(self, score: float) -> bool:
        return self.abstain is not None and self.abstain[0] < score < self.abstain[1]


@dataclass(frozen=True, slots=True, eq=False)
class SliceScores:
    """Scores of every slice of the series.

    Attributes
    ----------
    axis : int
        Grid axis (0 k, 1 j, 2 i) the slices lie across.
    by_class : mapping of str to ndarray of float32, shape (slices,)
        Probability of each class, one per slice of the grid.
    """

    axis: int
    by_class: Mapping[str, npt.NDArray[np.float32]]

    def at(self, index: int) -> dict[str, float]:
        """Return the scores of one slice."""
        return {name: float(values[index]) for name, values in self.by_class.items()}
