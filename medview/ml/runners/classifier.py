"""Runs classification packs: one answer about a volume, or one for every slice."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from medview.core.errors import ModelError
from medview.core.scores import SliceScores
from medview.ml.outputs import ClassificationOutput, Summary
from medview.ml.runners.job import Findings, RunningJob
from medview.ml.runners.preprocess import Prepared
from medview.ml.runners.resampling import nearest
from medview.ml.runners.watched import WatchedNetwork
from medview.ml.weights import check_output

SLICES_AT_ONCE = 8


def classify(job: RunningJob) -> Findings:
    """Give the request's volume one probability per class; a network of two dimensions gives each slice its own too."""
    output = job.spec.output
    assert isinstance(output, ClassificationOutput)
    by_slice = job.spec.input.dimensions == 2
    with job.watched() as network, job.stopwatch.stage("infer"):
        logits = _of_slices(job, network) if by_slice else checked(network.run(_laid(job.prepared.values[None])), job)
        found = probabilities(logits, output).cpu()
    scores = summary(found, output) if by_slice else found[0]
    named = {name: float(p) for name, p in zip(output.classes, scores.tolist(), strict=True)}
    curves = on_input_slices(found.numpy(), job.prepared) if by_slice else None
    if curves is None:
        return Findings(scores=named)
    axis = job.prepared.orientation.axes[0]
    by_class = dict(zip(output.classes, curves.T, strict=True))
    return Findings(scores=named, slice_scores=SliceScores(axis, by_class))


def probabilities(logits: torch.Tensor, output: ClassificationOutput) -> torch.Tensor:
    """Return calibrated probabilities (n, classes) of logits (n, classes)."""
    calibrated = logits.float() * output.scale + output.shift
    return torch.softmax(calibrated, 1) if output.activation == "softmax" else torch.sigmoid(calibrated)


def summary(found: torch.Tensor, output: ClassificationOutput) -> torch.Tensor:
    """Return the probabilities (classes,) of a series from those of its slices (slices, classes)."""
    if output.summary is Summary.MEAN:
        return found.mean(dim=0)
    if output.activation == "softmax":
        # The slice with most of the last class speaks, so that all of them still come to 1.
        return found[found[:, -1].argmax()]
    return found.amax(dim=0)


def on_input_slices(found: npt.NDArray[np.float32], prepared: Prepared) -> npt.NDArray[np.float32]:
    """Return scores (slices, classes) of the model's slices as those of the input's, the nearest one for each.

    Slices that were cropped away because nothing is on them score 0.
    """
    first, count = prepared.crop.min_kji[0], prepared.crop.shape_kji[0]
    curves = np.zeros((prepared.turned_shape_kji[0], found.shape[1]), dtype=np.float32)
    curves[first : first + count] = found[nearest(len(found), count)]
    return np.ascontiguousarray(curves[::-1] if prepared.orientation.flipped[0] else curves)


def checked(logits: torch.Tensor | dict[str, torch.Tensor], job: RunningJob) -> torch.Tensor:
    """Return logits (n, classes). Raises ModelError where they are none."""
    if not isinstance(logits, torch.Tensor) or logits.ndim != 2:
        raise ModelError("The model did not return scores; ask its author for a proper pack.")
    check_output(logits.shape[1], job.spec)
    return logits


def _of_slices(job: RunningJob, network: WatchedNetwork) -> torch.Tensor:
    values = job.prepared.values
    network.plan(values.shape[1])
    parts = []
    for k in range(0, values.shape[1], SLICES_AT_ONCE):
        slices = values[:, k : k + SLICES_AT_ONCE].transpose(0, 1)[:, :, None]
        parts.append(checked(network.run(slices), job))
    return torch.cat(parts)


def _laid(values: torch.Tensor) -> torch.Tensor:
    return values.contiguous(memory_format=torch.channels_last_3d)
