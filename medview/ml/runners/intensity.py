"""The steps that bring a channel's values to what a network was trained on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from medview.core.job import JobContext
from medview.ml.spec import Step

SAMPLE_VOXELS = 1 << 24
"""torch.quantile takes no more values; larger volumes are thinned out regularly."""

LOCAL = {"clip", "scale", "shift_scale"}
"""Steps that do the same to every voxel, whatever the others are."""


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """What of a grid counts.

    Attributes
    ----------
    seen : Tensor of bool or None
        Voxels where something was measured; None where that is all of them.
    inside : Tensor of bool or None
        Voxels inside the outline of what is not 0 in any channel, holes included; None where no step asks for it.
    """

    seen: torch.Tensor | None = None
    inside: torch.Tensor | None = None

    def counted(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values that statistics count."""
        return values if self.seen is None else values[self.seen]


def apply_steps(values: torch.Tensor, steps: Sequence[Step], masks: Masks, context: JobContext) -> None:
    """Apply steps to a channel (k, j, i), in place.

    Raises
    ------
    CancelledError
        Between steps.
    """
    for step in steps:
        context.raise_if_cancelled()
        INTENSITY[step.op](values, step, masks)


def _clip(values: torch.Tensor, step: Step, _masks: Masks) -> None:
    values.clamp_(step.numbers["low"], step.numbers["high"])


def _scale(values: torch.Tensor, step: Step, _masks: Masks) -> None:
    _to_unit(values, step.numbers["low"], step.numbers["high"])


def _shift_scale(values: torch.Tensor, step: Step, _masks: Masks) -> None:
    values.sub_(step.numbers["subtract"]).div_(step.numbers["divide"])


def _zscore(values: torch.Tensor, _step: Step, masks: Masks) -> None:
    spread, mean = torch.std_mean(masks.counted(values), correction=0)
    values.sub_(float(mean)).div_(max(float(spread), 1e-8))


def _zscore_nonzero(values: torch.Tensor, _step: Step, masks: Masks) -> None:
    """Count only what is not 0, and leave 0 as it is: the air of stripped brains says nothing about tissue.

    Padding says nothing either, whatever takes its place, and becomes 0.
    """
    there = values != 0
    if masks.seen is not None:
        there &= masks.seen
    if there.any():
        spread, mean = torch.std_mean(values[there], correction=0)
        values.sub_(float(mean)).div_(max(float(spread), 1e-8))
    values.masked_fill_(~there, 0.0)


def _zscore_inside(values: torch.Tensor, _step: Step, masks: Masks) -> None:
    """Change what lies inside the outline of everything that is not 0, whatever it is itself; padding does not count."""
    assert masks.inside is not None
    counted = values[masks.inside if masks.seen is None else masks.inside & masks.seen]
    if counted.numel():
        spread, mean = torch.std_mean(counted, correction=0)
        values[masks.inside] = values[masks.inside].sub_(float(mean)).div_(max(float(spread), 1e-8))


def _minmax(values: torch.Tensor, _step: Step, masks: Masks) -> None:
    low, high = torch.aminmax(masks.counted(values))
    _to_unit(values, float(low), float(high))


def _quantile(values: torch.Tensor, step: Step, masks: Masks) -> None:
    flat = masks.counted(values).flatten()
    flat = flat[:: math.ceil(flat.numel() / SAMPLE_VOXELS)]
    fractions = torch.tensor([step.numbers["low"], step.numbers["high"]], device=values.device)
    low, high = torch.quantile(flat, fractions).tolist()
    _to_unit(values, low, high)


def _to_unit(values: torch.Tensor, low: float, high: float) -> None:
    values.sub_(low).div_(high - low if high > low else 1.0)


INTENSITY: Mapping[str, Callable[[torch.Tensor, Step, Masks], None]] = {
    "clip": _clip,
    "scale": _scale,
    "shift_scale": _shift_scale,
    "zscore": _zscore,
    "zscore_nonzero": _zscore_nonzero,
    "zscore_inside": _zscore_inside,
    "minmax": _minmax,
    "quantile": _quantile,
}
"""In-place steps on the values of one channel."""
