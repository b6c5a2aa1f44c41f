"""What each case adds to the figure of each class: enough to compare two models case by case, also later and elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.detections import AveragePrecisions, ImageHits

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

NO_HITS = ImageHits(np.zeros(0), np.zeros(0, dtype=bool), 0)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One class in one case.

    Attributes
    ----------
    above, below : float
        What the case adds to both sides of the class's figure: a Dice and 1, or twice the hits and twice the hits with all
        mistakes; 0 and 0 where the class is on neither side.
    score : float or None
        Of the case alone, the higher the better, for lists; None where there is nothing to say.
    hits : ImageHits or None
        Of boxes, whose figure is an average precision of all cases together.
    """

    above: float = 0.0
    below: float = 0.0
    score: float | None = None
    hits: ImageHits | None = None

    @property
    def shown(self) -> bool:
        """Whether the class has a figure in this case alone: it is there, or was found where it is not."""
        return self.below > 0 or (self.hits is not None and self.hits.truths > 0)

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        found: dict[str, Any] = {"above": self.above, "below": self.below, "score": self.score}
        if self.hits is not None:
            found["scores"] = self.hits.scores.tolist()
            found["hits"] = [int(one) for one in self.hits.hits]
            found["truths"] = self.hits.truths
        return found

    @classmethod
    def of_document(cls, said: Mapping[str, Any]) -> Part:
        """Inverse of ``document``. Raises KeyError, TypeError or ValueError on anything else."""
        hits, score = None, said["score"]
        if "hits" in said:
            scores, held = np.array(said["scores"], dtype=np.float64), np.array(said["hits"], dtype=np.int64) > 0
            if scores.shape != held.shape or scores.ndim != 1:
                raise ValueError("as many hits as scores")
            hits = ImageHits(scores, held, int(said["truths"]))
        return cls(float(said["above"]), float(said["below"]), None if score is None else float(score), hits)


CaseParts = Mapping[str, Part]
"""Parts of one case by the class, as the labels call it; a class that nobody knows anything of there is not in it."""


class ClassFigure:
    """The figure of one class in some cases, each of which counts any number of times.

    Parameters
    ----------
    parts : sequence of Part
        Of each case.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self._sums = np.array([(part.above, part.below) for part in parts], dtype=np.float64).reshape(-1, 2)
        boxes = any(part.hits is not None for part in parts)
        self._curve = AveragePrecisions([part.hits or NO_HITS for part in parts]) if boxes else None

    def __call__(self, weights: IntArray) -> FloatArray:
        """Return the figure, shape (draws,), of weights, shape (draws, cases); NaN where it has none."""
        if self._curve is not None:
            found = (self._curve.precision(times) for times in weights)
            return np.array([np.nan if one is None else one for one in found], dtype=np.float64)
        above, below = self.sums(weights)
        return np.asarray(np.divide(above, below, out=np.full(len(weights), np.nan), where=below > 0))

    def sums(self, weights: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return both sides of the figure, shape (draws,) each."""
        above, below = (weights @ self._sums).T
        return above, below
