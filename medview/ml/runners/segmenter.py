"""Runs segmentation packs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.prediction import PredictedMask
from medview.ml.outputs import SegmentationOutput
from medview.ml.runners.carried import as_carried, label_grid
from medview.ml.runners.finish import GridLabels, postprocess
from medview.ml.runners.job import Findings, RunningJob
from medview.ml.runners.tiling import logit_slabs
from medview.ml.weights import check_output


def segment(job: RunningJob) -> Findings:
    """Label the voxels of the request's volume on its own grid.

    While somebody looks at a place, slices are handed over as they are ready, those there first: as a ``PredictedMask`` of
    the labels before postprocessing.
    """
    spec, geometry = job.spec, job.request.volume.geometry
    assert isinstance(spec.output, SegmentationOutput)
    assert spec.tiling is not None
    prepared = job.prepared
    seen = job.seen
    grid = label_grid(spec.output, geometry.shape_kji, prepared, job.context, seen)
    values = prepared.values[:, *seen.slices]
    body = None if job.body is None else job.body.seen_from(seen.min_kji)
    with job.watched() as network, job.stopwatch.stage("infer"):
        for slab in logit_slabs(network, values, spec.tiling, job.plan, job.near_k, body, spec.out_channels):
            with job.stopwatch.stage("finish"):
                check_output(slab.logits.shape[0], spec)
                written = grid.add(as_carried(slab, spec.output))
                if job.request.near_kji is not None and isinstance(grid, GridLabels):
                    _show(job, grid, written, spec.output)
            del slab
    with job.stopwatch.stage("finish"):
        masks = [_mask(labels, job, spec.output) for labels in grid.maps()]
    # Of maps that postprocessing emptied only the first is kept, and it only where nothing else was found.
    first, *further = [mask for mask in masks if mask.segments] or masks[:1]
    return Findings(mask=first, further=tuple(further))


def _show(job: RunningJob, grid: GridLabels, written: object, output: SegmentationOutput) -> None:
    assert isinstance(written, tuple)
    box = grid.written(written)
    if not box.empty:
        job.context.partial(PredictedMask(box, grid.labels[box.slices].copy(), output.labels))


def _mask(labels: npt.NDArray[np.uint8], job: RunningJob, output: SegmentationOutput) -> PredictedMask:
    postprocess(labels, job.spec.postprocess, job.request.volume.geometry.voxel_volume_mm3, job.context)
    whole = PredictedMask.trimmed(labels, output.labels)
    counts = whole.counts()
    found = tuple(label for label in output.labels if counts[label.value])
    return PredictedMask(whole.box, whole.voxels, found)
