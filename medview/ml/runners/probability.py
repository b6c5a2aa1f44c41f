"""How probable one class is at every voxel, of a model that makes masks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.errors import ModelError
from medview.ml.outputs import SegmentationOutput
from medview.ml.runners.carried import level_grid, probability_of
from medview.ml.runners.job import RunningJob
from medview.ml.runners.tiling import logit_slabs
from medview.ml.weights import check_output


def class_levels(job: RunningJob, value: int) -> npt.NDArray[np.uint8]:
    """Run the model and return the probability of one class on the input's grid, shape (k, j, i), 255 for 1.

    Slab by slab: beside the logits of a slab one channel is held, and one byte for each voxel of the input.

    Raises
    ------
    ModelError
        When the model makes no masks, or none of this class.
    """
    spec, geometry = job.spec, job.request.volume.geometry
    output = spec.output
    if not isinstance(output, SegmentationOutput) or spec.tiling is None:
        raise ModelError(f"{spec.name} makes no masks, so there are no probabilities of its segments.")
    if not any(label.value == value for label in output.labels):
        raise ModelError(f"{spec.name} has no such segment; run it again.")
    seen = job.seen
    grid = level_grid(geometry.shape_kji, job.prepared, job.context, seen)
    values = job.prepared.values[:, *seen.slices]
    body = None if job.body is None else job.body.seen_from(seen.min_kji)
    with job.watched() as network, job.stopwatch.stage("infer"):
        for slab in logit_slabs(network, values, spec.tiling, job.plan, job.near_k, body, spec.out_channels):
            with job.stopwatch.stage("finish"):
                check_output(slab.logits.shape[0], spec)
                grid.add(probability_of(slab, output, value))
            del slab
    return grid.labels
