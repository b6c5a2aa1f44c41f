"""What every runner gets and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from medview.core.annotations import BoxAnnotation
from medview.core.box import Box
from medview.core.job import JobContext
from medview.core.prediction import PredictedMask
from medview.core.scores import SliceScores
from medview.core.source import Source
from medview.ml.networks.averaged import mirrored
from medview.ml.predict import PredictRequest
from medview.ml.runners.body import Body
from medview.ml.runners.memory_plan import MemoryPlan
from medview.ml.runners.precision import Precision
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
    precision : Precision
        How the network calculates.
    body : Body or None
        Where the patient is, for models that need not look elsewhere.
    """

    request: PredictRequest
    context: JobContext
    stopwatch: Stopwatch
    source: Source
    plan: MemoryPlan
    network: nn.Module
    prepared: Prepared
    precision: Precision
    body: Body | None = None

    @property
    def spec(self) -> ModelSpec:
        """What the pack says."""
        return self.request.pack.spec

    @property
    def seen(self) -> Box:
        """The part of the model's grid that is looked at."""
        return Box.whole(self.prepared.shape_kji) if self.body is None else self.body.box

    @property
    def near_k(self) -> int:
        """The slice of ``seen`` that is wanted first."""
        near, prepared = self.request.near_kji, self.prepared
        if near is None:
            return 0
        length, model_length = prepared.crop.shape_kji[0], prepared.shape_kji[0]
        turned = prepared.orientation.turned_index(near, self.request.volume.geometry.shape_kji)[0]
        low, high = self.seen.min_kji[0], self.seen.max_kji[0]
        inside = turned - prepared.crop.min_kji[0]
        return min(max(int((inside + 0.5) * model_length / length), low), high - 1) - low

    def watched(self) -> WatchedNetwork:
        """Return the network with Cancel and progress attached."""
        axes = () if self.spec.tiling is None else self.spec.tiling.mirror_axes
        return WatchedNetwork(
            mirrored(self.network, axes),
            self.context,
            Progress(self.context, PREPARED_AT, 1.0),
            self.stopwatch,
            self.precision,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What a runner found; exactly one of mask, boxes and scores says something."""

    mask: PredictedMask | None = None
    further: tuple[PredictedMask, ...] = ()
    boxes: tuple[BoxAnnotation, ...] = ()
    scores: dict[str, float] | None = None
    slice_scores: SliceScores | None = None
    warnings: tuple[str, ...] = ()
