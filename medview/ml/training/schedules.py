"""The closed table of how the learning rate goes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from medview.ml.recipes.recipe import ScheduleChoice

POLY_POWER = 0.9
"""As nnU-Net."""


def _constant(_done: float) -> float:
    return 1.0


def _cosine(done: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * done))


def _poly(done: float) -> float:
    return float((1 - done) ** POLY_POWER)


SHAPES: Mapping[str, Callable[[float], float]] = {"constant": _constant, "cosine": _cosine, "poly": _poly}
"""Name -> height (0 to 1) at a share (0 to 1) of the steps after the warm-up."""


def rate_at(step: float, steps: int, rate: float, choice: ScheduleChoice) -> float:
    """Return the learning rate of a step.

    Parameters
    ----------
    step : float
        From 0; between two planned ones where a clock sets the course.
    steps : int
        How many are planned; later steps have the rate of the last.
    rate : float
        At its full height.
    """
    warm = round(steps * choice.warm_up)
    if step < warm:
        return rate * min(1.0, (step + 1) / warm)
    done = (step - warm) / max(1, steps - warm)
    return rate * SHAPES[choice.name](min(max(done, 0.0), 1.0))
