"""Runs a pack on a case to see how unsure it is there: nothing is labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from medview.core.errors import ModelError
from medview.ml.networks.looks import Look, Looks, looks_for
from medview.ml.next_cases.case_scores import CaseScores, FloatArray
from medview.ml.next_cases.plain_scores import scores_of_answers, scores_of_boxes
from medview.ml.outputs import ClassificationOutput, DetectionOutput, SegmentationOutput
from medview.ml.packs import ModelPack
from medview.ml.runners.classifier import classify
from medview.ml.runners.detector import detect
from medview.ml.runners.doubts import Doubts
from medview.ml.runners.job import PREPARED_AT, RunningJob
from medview.ml.runners.pooled import Pooled
from medview.ml.runners.preprocess import Prepared
from medview.ml.runners.resampling import nearest
from medview.ml.runners.tiling import logit_slabs
from medview.ml.runners.watched import Progress, WatchedNetwork
from medview.ml.spec import ModelSpec
from medview.ml.weights import check_output

LOWEST_PART = 0.5
"""Boxes are looked at from this part of the score on from which they count."""

LEAST_WEIGHT = 1e-3
"""Of a tile in which nothing is found, in what the case looks like."""


def looks_of(spec: ModelSpec) -> tuple[Look, ...]:
    """Return how the tiles of a model are looked at; more than once only where it makes masks."""
    if not isinstance(spec.output, SegmentationOutput):
        return looks_for(())[:1]
    return looks_for(() if spec.tiling is None else spec.tiling.mirror_axes)


def doubtful(pack: ModelPack) -> ModelPack:
    """Return the pack such that boxes below its threshold are found too."""
    output = pack.spec.output
    if not isinstance(output, DetectionOutput):
        return pack
    lower = replace(output, score_threshold=output.score_threshold * LOWEST_PART)
    return replace(pack, spec=replace(pack.spec, output=lower))


def scores_of(job: RunningJob, looks: Sequence[Look], threshold: float = 0.5) -> CaseScores:
    """Run the model of a job and return how unsure it is.

    Parameters
    ----------
    looks : sequence of Look
        At tiles, of a model that makes masks; the plan of the job has to have room for their answers.
    threshold : float
        Of boxes: the score from which they count.

    Raises
    ------
    ModelError
        For models that wait for a person's clicks.
    """
    output, geometry = job.spec.output, job.request.volume.geometry
    if isinstance(output, SegmentationOutput):
        return _of_masks(job, output, looks)
    if isinstance(output, DetectionOutput):
        with Pooled(job.network) as pooled:
            boxes = detect(job).boxes
        names = [one.name for one in output.classes]
        return scores_of_boxes(boxes, names, threshold, geometry, pooled.features)
    if isinstance(output, ClassificationOutput):
        with Pooled(job.network) as pooled:
            found = classify(job)
        return scores_of_answers(found.scores or {}, found.slice_scores, geometry.shape_kji[0], pooled.features)
    raise ModelError(f"{job.spec.name} waits for clicks, so nothing says what it is unsure of.")


def _of_masks(job: RunningJob, output: SegmentationOutput, looks: Sequence[Look]) -> CaseScores:
    spec, prepared, seen = job.spec, job.prepared, job.seen
    assert spec.tiling is not None
    exclusive = output.activation == "softmax"
    channels = [label.value if exclusive else label.value - 1 for label in output.labels]
    # Slices are counted as the case stores them, whichever of the model's axes that is.
    axis = prepared.orientation.axes.index(0)
    doubts = Doubts(
        channels, len(looks), exclusive, prepared.shape_kji, seen.min_kji, prepared.spacing_kji_mm, axis
    )  # fmt: skip
    values = prepared.values[:, *seen.slices]
    outputs = len(looks) * spec.out_channels
    with (
        Pooled(job.network, partial(_part_found, exclusive=exclusive)) as pooled,
        _watched(job, looks) as network,
        job.stopwatch.stage("infer"),
    ):
        # The air around the patient inside its box is looked at too: what stands in for it is the answer of one look.
        for slab in logit_slabs(network, values, spec.tiling, job.plan, channels=outputs):
            with job.stopwatch.stage("finish"):
                check_output(slab.logits.shape[0] // len(looks), spec)
                doubts.add(slab, job.context)
            del slab
    # Voxels of the case for each of the model's grid.
    each = prepared.crop.size / max(1, int(np.prod(prepared.shape_kji)))
    found = doubts.found.sum(axis=1) * each
    features = np.concatenate([pooled.features, np.log1p(found)])
    return CaseScores(
        classes=tuple(label.name for label in output.labels),
        unit="voxels",
        unsure=_floats(doubts.unsure),
        foreground=_floats(found),
        errors=_floats(doubts.wrong.sum(axis=1) * each),
        unsure_slices=_on_slices(doubts.doubt, prepared, axis),
        foreground_slices=_on_slices(doubts.found, prepared, axis),
        features=_floats(features),
        looks=len(looks),
    )


def _watched(job: RunningJob, looks: Sequence[Look]) -> WatchedNetwork:
    progress = Progress(job.context, PREPARED_AT, 1.0)
    return WatchedNetwork(Looks(job.network, looks), job.context, progress, job.stopwatch, job.precision)


def _part_found(answer: object, *, exclusive: bool) -> float:
    """Return how much a tile counts: the part of logits (N, classes, ...) that is no background."""
    if not isinstance(answer, torch.Tensor) or answer.ndim < 3:
        return LEAST_WEIGHT
    there = answer.argmax(dim=1) > 0 if exclusive else (answer > 0).any(dim=1)
    return LEAST_WEIGHT + float(there.float().mean())


def _on_slices(sums: npt.NDArray[np.float64], prepared: Prepared, axis: int) -> FloatArray:
    """Return sums (classes, slices of the model's grid) by slice of the case, the nearest one for each."""
    first, count = prepared.crop.min_kji[axis], prepared.crop.shape_kji[axis]
    curves = np.zeros((len(sums), prepared.turned_shape_kji[axis]))
    curves[:, first : first + count] = sums[:, nearest(sums.shape[1], count)]
    return _floats(curves[:, ::-1] if prepared.orientation.flipped[axis] else curves)


def _floats(numbers: npt.NDArray[np.float64]) -> FloatArray:
    return np.ascontiguousarray(np.nan_to_num(numbers), dtype=np.float32)
