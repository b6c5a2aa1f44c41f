"""How far a training is: by its steps, and under a time limit by what the clock leaves room for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from medview.ml.training.engine.pace import FINAL_CHECKS, MARGIN, Pace

SETTLE_STEPS = 5
"""The first steps after a start compile kernels and get memory; they say nothing of those to come."""
RECENT_S = 20.0
"""Shortest time from which the pace of steps is taken."""
LEAST_STRIDE, LARGEST_STRIDE = 0.05, 20.0


@dataclass(frozen=True, slots=True)
class Bearing:
    """Where a training is and how fast it goes.

    Attributes
    ----------
    place : float
        Planned steps that lie behind: what the learning rate and the phases go by.
    stride : float
        Planned steps that one made step counts for; 1 where all goes as planned.
    """

    place: float = 0.0
    stride: float = 1.0


class Course:
    """Brings a training with a time limit to the end of its schedule when the time ends, however fast the computer is.

    Without a time limit a made step is a planned step, always. With one, a computer that became slower skips planned steps
    and one that became quicker makes more: the learning rate comes down in either case, which is worth more than steps.

    Parameters
    ----------
    bearing : Bearing
        Where an earlier life left off.
    used : callable
        Returns the seconds the training used so far.
    agreed : callable
        Takes the first process's stride and returns it in every process.
    """

    def __init__(self, pace: Pace, bearing: Bearing, used: Callable[[], float], agreed: Callable[[float], float]) -> None:
        self._pace, self._used, self._agreed = pace, used, agreed
        self._bearing = bearing
        self._made = 0
        self._looks_s, self._look_s = 0.0, pace.check_seconds
        self._since: tuple[int, float] | None = None

    @property
    def bearing(self) -> Bearing:
        """Where it is."""
        return self._bearing

    @property
    def place(self) -> float:
        """Planned steps that lie behind."""
        return self._bearing.place

    @property
    def done(self) -> float:
        """Share of the training that lies behind, 0 to 1."""
        return min(1.0, self._bearing.place / self._pace.steps)

    @property
    def over(self) -> bool:
        """Whether all planned steps lie behind."""
        # A stride is a quotient: its sums are the plan but for rounding.
        return self._bearing.place >= self._pace.steps - 1e-6 * self._bearing.stride

    @property
    def deadline_s(self) -> float | None:
        """Used time at which steps end: as planned, and earlier where looks take longer now, as finishing will then."""
        planned = self._pace.deadline_seconds
        if planned is None:
            return None
        return planned - FINAL_CHECKS * max(0.0, self._look_s - self._pace.check_seconds)

    @property
    def steps_left(self) -> int:
        """How many steps are still to be made, as far as is known."""
        return max(0, round((self._pace.steps - self._bearing.place) / self._bearing.stride))

    def went(self) -> None:
        """Count a step that was made."""
        self._made += 1
        self._bearing = Bearing(self._bearing.place + self._bearing.stride, self._bearing.stride)
        if self._made == SETTLE_STEPS:
            self._begin()

    def looked(self, seconds: float) -> None:
        """Take the time of a look at validation out of that of the steps."""
        self._looks_s += seconds
        self._look_s = seconds

    def correct(self) -> None:
        """Plan what is left anew by the pace of late; every process calls it after the same steps."""
        deadline = self.deadline_s
        if deadline is None:
            return
        stride = self._agreed(self._new_stride(deadline))
        self._bearing = Bearing(self._bearing.place, stride)

    def _new_stride(self, deadline: float) -> float:
        before = self._bearing.stride
        if self._since is None:
            return before
        steps, seconds = self._made - self._since[0], self._used() - self._since[1] - self._looks_s
        if steps < 1 or seconds < RECENT_S:
            return before
        self._begin()
        each = seconds / steps + self._look_s / self._pace.check_every
        # The last look comes after the last step.
        left = max(1.0, (deadline - self._used() - self._look_s) * MARGIN / each)
        stride = (self._pace.steps - self._bearing.place) / left
        return min(max(stride, LEAST_STRIDE), LARGEST_STRIDE)

    def _begin(self) -> None:
        self._since, self._looks_s = (self._made, self._used()), 0.0
