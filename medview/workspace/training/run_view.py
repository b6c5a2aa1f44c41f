"""A training as somebody who watches it sees it: how far it is, its curves, what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.ml.runs.folder import RunSettings

Document = Mapping[str, Any]


class RunPhase(Enum):
    """Where a training stands."""

    QUEUED = "queued"
    """It begins once no other one trains."""
    STARTING = "starting"
    """Its process was started and has not said anything yet."""
    TRAINING = "training"
    STOPPING = "stopping"
    """It was asked to pause or to end; the step it is at ends first."""
    JUDGING = "judging"
    """The steps are made; its model is judged on the validation cases."""
    PAUSED = "paused"
    """Nobody trains; it can be gone on with."""
    DONE = "done"
    FAILED = "failed"

    @property
    def goes_on(self) -> bool:
        """Whether a process of it runs."""
        return self in (RunPhase.STARTING, RunPhase.TRAINING, RunPhase.STOPPING, RunPhase.JUDGING)

    @property
    def lasting(self) -> bool:
        """Whether nothing changes by itself any more."""
        return self in (RunPhase.PAUSED, RunPhase.DONE, RunPhase.FAILED)


@dataclass(frozen=True, slots=True)
class LookPoint:
    """A look at the validation cases.

    Attributes
    ----------
    best : bool
        Whether the weights were kept.
    figures : dict of str to float
        By name, ``score`` among them.
    """

    step: int
    best: bool
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class LossCurve:
    """The loss over the steps, at most some hundred points; each the mean of what lies between two of them."""

    steps: npt.NDArray[np.float64]
    losses: npt.NDArray[np.float64]


NO_CURVE = LossCurve(np.empty(0), np.empty(0))


@dataclass(frozen=True, slots=True, eq=False)
class RunView:
    """One training of a project at one moment.

    Attributes
    ----------
    name : str
        Of its folder; says nothing of patients.
    settings : RunSettings or None
        None where its folder is damaged.
    stage : str
        ``plan``, ``prepare``, ``train``, ``finish``, ``evaluate``; empty before the first.
    text : str
        What it says it is doing, or why it is where it is; made in English.
    step, steps : int
        Made, and how many there will be as far as is known.
    used_s : float
        Seconds used so far.
    left_s : float or None
        Until the end, as far as is known.
    looks : tuple of LookPoint
    of_line : bool
        Whether its model is to be a version of a project's model line; not that of an experiment, or of a dataset folder.
    guards, result, gate, taken, borrowed : mapping or None
        What was found of its labels before it began; what came out; what the promotion gate says of it; which version of
        the project it became; what became of the parent's weights.
    sample_step : int
        Of the newest samples; 0 for none.
    pace : mapping or None
        Seconds of a step and a look, as tried on the computer it began on.
    batch : int
        Samples of a step; 0 while that is not planned.
    """

    name: str
    path: Path
    phase: RunPhase
    settings: RunSettings | None = None
    stage: str = ""
    text: str = ""
    step: int = 0
    steps: int = 0
    used_s: float = 0.0
    left_s: float | None = None
    looks: tuple[LookPoint, ...] = ()
    loss: LossCurve = NO_CURVE
    of_line: bool = False
    guards: Document | None = None
    result: Document | None = None
    gate: Document | None = None
    taken: Document | None = None
    borrowed: Document | None = None
    sample_step: int = 0
    pace: Document | None = None
    batch: int = 0

    @property
    def best(self) -> LookPoint | None:
        """The look whose weights are kept so far."""
        return next((look for look in reversed(self.looks) if look.best), None)

    @property
    def fraction(self) -> float:
        """How far the whole is, 0 to 1."""
        if self.phase is RunPhase.DONE:
            return 1.0
        minutes = None if self.settings is None else self.settings.minutes
        if minutes:
            return min(1.0, self.used_s / (minutes * 60))
        return 0.9 * self.step / self.steps if self.steps else 0.0

    @property
    def can_pause(self) -> bool:
        """Whether it can be asked for a break."""
        return self.phase in (RunPhase.QUEUED, RunPhase.TRAINING, RunPhase.JUDGING)

    @property
    def can_go_on(self) -> bool:
        """Whether somebody may let it go on."""
        return self.phase in (RunPhase.PAUSED, RunPhase.FAILED) and self.settings is not None

    @property
    def can_stop(self) -> bool:
        """Whether there is something to keep already."""
        return bool(self.looks) and self.phase in (RunPhase.TRAINING, RunPhase.PAUSED) and self.stage == "train"

    @property
    def can_delete(self) -> bool:
        """Whether nobody is at work on it."""
        return self.phase.lasting or self.phase is RunPhase.QUEUED
