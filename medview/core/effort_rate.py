"""How long correcting what a model proposes takes, learnt from what was noted, and guessed where nothing was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

import numpy as np

from medview.core.effort import Effort

SECONDS_PER_SEGMENT = 45.0
"""Looking over one segment from end to end: the guess while nothing was noted."""

SECONDS_PER_VOXEL = 0.01
"""Of each voxel that is added or taken away, with brush and eraser: the guess while nothing was noted."""

SECONDS_PER_BOX = 20.0
SECONDS_PER_ANSWER = 15.0

LEAST_FITTED = 4
"""Cases from which two numbers are learnt; from fewer only one."""


class Grounds(StrEnum):
    """What a rate was taken from."""

    CORRECTIONS = "corrections"
    """Corrections that were noted in this project."""
    FINISHED = "finished cases"
    """How long finished cases of this project took; nothing a model proposed was corrected yet."""
    GUESS = "guess"
    """Nothing was noted in this project yet."""


@dataclass(frozen=True, slots=True)
class EffortRate:
    """Seconds of work.

    Attributes
    ----------
    per_segment_s, per_voxel_s : float
        For looking over a segment, and for each voxel that is corrected in it.
    whole_s : float
        For a case, whatever is in it; the other two are 0 then.
    cases : int
        From how many it was learnt.
    """

    per_segment_s: float
    per_voxel_s: float
    whole_s: float = 0.0
    grounds: Grounds = Grounds.GUESS
    cases: int = 0

    def seconds(self, segments: int, voxels: float) -> float:
        """Return how long a case with so many segments takes in which so many voxels are wrong."""
        return self.whole_s + self.per_segment_s * segments + self.per_voxel_s * voxels


GUESS = EffortRate(SECONDS_PER_SEGMENT, SECONDS_PER_VOXEL)


def effort_rate(cases: Iterable[Mapping[str, Effort]], finished_s: Sequence[float] = ()) -> EffortRate:
    """Return how long work takes in a project.

    Parameters
    ----------
    cases : iterable of mapping
        Of each reading of a case that is done: its efforts by segment id. Those without time or measure say nothing.
    finished_s : sequence of float
        How long finished cases took, for a project in which nothing was corrected.
    """
    seen = [row for efforts in cases if (row := _row(list(efforts.values()))) is not None]
    if seen:
        return _fitted(seen) if len(seen) >= LEAST_FITTED else _scaled(seen)
    taken = [one for one in finished_s if one > 0]
    if taken:
        return EffortRate(0.0, 0.0, float(median(taken)), Grounds.FINISHED, len(taken))
    return GUESS


_Row = tuple[int, float, float]
"""Segments, corrected voxels, seconds of one case."""


def _row(efforts: Sequence[Effort]) -> _Row | None:
    measured = [one for one in efforts if one.agreement is not None]
    # The clock runs for all segments of a case that are not done: the longest is the case's.
    seconds = max((one.active_s for one in efforts), default=0.0)
    if not measured or seconds <= 0:
        return None
    changed = sum(one.agreement.added + one.agreement.removed for one in measured if one.agreement is not None)
    return len(measured), float(changed), seconds


def _scaled(rows: Sequence[_Row]) -> EffortRate:
    """Return the guess, made faster or slower as a whole."""
    guessed = sum(GUESS.seconds(segments, voxels) for segments, voxels, _ in rows)
    factor = sum(seconds for _, _, seconds in rows) / guessed
    return EffortRate(
        SECONDS_PER_SEGMENT * factor, SECONDS_PER_VOXEL * factor, grounds=Grounds.CORRECTIONS, cases=len(rows)
    )


def _fitted(rows: Sequence[_Row]) -> EffortRate:
    """Return the two rates of least squares, none below 0."""
    found = np.asarray(rows, dtype=np.float64)
    sides, seconds = found[:, :2], found[:, 2]
    per, *_rest = np.linalg.lstsq(sides, seconds, rcond=None)
    if per.min() < 0:
        # Only one of the two explains the time: the one that does so better.
        alone = [float(side @ seconds / (side @ side)) if side.any() else 0.0 for side in sides.T]
        left = [float(((seconds - rate * side) ** 2).sum()) for rate, side in zip(alone, sides.T, strict=True)]
        per = np.asarray([alone[0], 0.0] if left[0] <= left[1] else [0.0, alone[1]])
    return EffortRate(float(per[0]), float(per[1]), grounds=Grounds.CORRECTIONS, cases=len(rows))
