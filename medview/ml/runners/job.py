"""What every runner gets and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from medview.core.annotations import BoxAnnotation
from medview.core.job import JobContext
from medview.core.prediction import PredictedMask
from medview.core.source import Source
from medview.ml.predict import PredictRequest
from medview.ml.runners.memory_plan import MemoryPlan
from medview.ml.runners.preprocess import Prepared
from medview.ml.runners.watched import Progress, Stopwatch, WatchedNetwork
from medview.ml.spec import ModelSpec

PREPARED_AT = 0.04
"""Fraction of a job that reading the weights and resampling usually take."""


@dataclass(frozen=True, slots=True, eq=False)
class RunningJob:
    """One prediction under way.

    Attributes
    ----------
    plan : MemoryPlan
    network : torch.nn.Module
        With its weights, on the plan's device.
    prepared : Prepared
        What it will see, on the plan's device.
    """

    request: PredictRequest
    context: JobContext
    stopwatch: Stopwatch
    source: Source
    plan: MemoryPlan
    network: nn.Module
    prepared: Prepared

    @property
    def spec(self) -> ModelSpec:
        """What the pack says."""
        return self.request.pack.spec

    def watched(self) -> WatchedNetwork:
        """Return the network with Cancel and progress attached."""
        return WatchedNetwork(self.network, self.context, Progress(self.context, PREPARED_AT, 1.0), self.stopwatch)


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What a runner found; exactly one of the three says something."""

    mask: PredictedMask | None = None
    boxes: tuple[BoxAnnotation, ...] = ()
    scores: dict[str, float] | None = None
    warnings: tuple[str, ...] = ()
