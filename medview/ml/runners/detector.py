"""Runs detection packs: what the network answers becomes boxes in the patient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise, product

import numpy as np

from medview.core.annotations import BoxAnnotation
from medview.ml.outputs import DetectionOutput
from medview.ml.runners.candidates import Candidates, join_slices, suppress, suppress_in_slices
from medview.ml.runners.decode import Decoder
from medview.ml.runners.job import Findings, RunningJob
from medview.ml.runners.placing import to_turned, voxel_scale
from medview.ml.runners.tile_starts import tile_starts
from medview.ml.runners.tiling import batches, gather, pad_to_tile
from medview.ml.runners.watched import WatchedNetwork
from medview.ml.weights import check_output


def detect(job: RunningJob) -> Findings:
    """Find boxes in the request's volume."""
    output = job.spec.output
    assert isinstance(output, DetectionOutput)
    with job.watched() as network, job.stopwatch.stage("infer"):
        found = list(_tiles(job, network, output))
    with job.stopwatch.stage("finish"):
        every = Candidates.joined(found)
        if output.join_slices:
            # Each slice keeps its own best before they are put together.
            every = join_slices(every[suppress_in_slices(every, output.nms_iou, job.context)], job.context)
        kept = every[suppress(every, output.nms_iou, output.max_boxes, job.context)]
        boxes = tuple(_annotation(job, kept, n) for n in range(len(kept.scores)))
    return Findings(boxes=boxes)


def _tiles(job: RunningJob, network: WatchedNetwork, output: DetectionOutput) -> Iterator[Candidates]:
    """Yield each tile's own candidates, in voxels of the model's grid."""
    tiling, prepared = job.spec.tiling, job.prepared
    assert tiling is not None
    decoder = Decoder(network.network, prepared, output)
    reach = np.asarray(decoder.cell_kji) if job.spec.input.dimensions == 3 else np.asarray((0, *decoder.cell_kji[1:]))
    tile = tiling.tile_kji
    padded, before = pad_to_tile(prepared.values, tile)
    starts = [tile_starts(n, t, tiling.overlap) for n, t in zip(padded.shape[1:], tile, strict=True)]
    # Neighbouring tiles see the same object; the one that has it further from its rim answers for it. About a cell they
    # may differ on where it is, so that much of it both answer for, and suppression keeps one.
    rims = [[-np.inf, *((a + b + t) / 2 for a, b in pairwise(s)), np.inf] for s, t in zip(starts, tile, strict=True)]
    network.plan(len(starts[0]) * len(starts[1]) * len(starts[2]))
    for k in starts[0]:
        for batch in batches(list(product(starts[1], starts[2])), job.plan.batch):
            maps = decoder.check(network.run(gather(padded, [(k, j, i) for j, i in batch], tile)))
            check_output(decoder.classes(maps), job.spec)
            for (j, i), candidates in zip(batch, decoder.boxes(maps), strict=True):
                at = (k, j, i)
                centre = (candidates.low_kji + candidates.high_kji) / 2 + at
                number = [s.index(a) for s, a in zip(starts, at, strict=True)]
                low, high = (np.asarray([rims[axis][n + up] for axis, n in enumerate(number)]) for up in (0, 1))
                own = np.flatnonzero(((centre >= low - reach) & (centre < high + reach)).all(axis=1))
                yield candidates[own].moved(np.subtract(at, before))


def _annotation(job: RunningJob, kept: Candidates, n: int) -> BoxAnnotation:
    """Return a box on the input's grid, cut off at its faces; flat where the model saw one slice."""
    geometry, prepared = job.request.volume.geometry, job.prepared
    output = job.spec.output
    assert isinstance(output, DetectionOutput)
    low = np.clip(to_turned(prepared, kept.low_kji[n]), 0, prepared.turned_shape_kji)
    high = np.clip(to_turned(prepared, kept.high_kji[n]), 0, prepared.turned_shape_kji)
    low, high = prepared.orientation.box_back(low, high, geometry.shape_kji)
    name = output.classes[int(kept.classes[n])].name
    identity = f"{job.source.job_id}-{n + 1}"
    box = BoxAnnotation.on_grid(identity, name, geometry, low, high, float(kept.scores[n]), job.source)
    across = prepared.orientation.axes[0]
    one_slice = job.spec.input.dimensions == 2 and not output.join_slices and voxel_scale(prepared)[0] == 1.0
    if not one_slice:
        return box
    return replace(box, flat_edge=across)
