"""Runs detection packs: what the network answers becomes boxes in the patient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise, product
from math import prod

import numpy as np
import torch

from medview.core.annotations import BoxAnnotation
from medview.core.job import JobContext
from medview.ml.outputs import DetectionOutput
from medview.ml.runners.candidates import Candidates, join_slices, suppress, suppress_in_slices
from medview.ml.runners.decode import Decoder, Maps
from medview.ml.runners.job import Findings, RunningJob
from medview.ml.runners.placing import to_turned, voxel_scale
from medview.ml.runners.tile_starts import tile_starts
from medview.ml.runners.tiling import batches, gather, pad_to_tile
from medview.ml.runners.watched import WatchedNetwork
from medview.ml.spec import Shape3, Tiling
from medview.ml.weights import check_output


def detect(job: RunningJob) -> Findings:
    """Find boxes in the request's volume."""
    output = job.spec.output
    assert isinstance(output, DetectionOutput)
    with job.watched() as network, job.stopwatch.stage("infer"):
        found = list(_tiles(job, network, output))
    with job.stopwatch.stage("finish"):
        kept = thinned(Candidates.joined(found), output, job.context)
        boxes = tuple(_annotation(job, kept, n) for n in range(len(kept.scores)))
    return Findings(boxes=boxes)


def thinned(every: Candidates, output: DetectionOutput, context: JobContext) -> Candidates:
    """Return the candidates that stay, best first, joined through slices where the pack says so."""
    if output.join_slices:
        # Each slice keeps its own best before they are put together.
        every = join_slices(every[suppress_in_slices(every, output.nms_iou, context)], context)
    return every[suppress(every, output.nms_iou, output.max_boxes, context)]


def _tiles(job: RunningJob, network: WatchedNetwork, output: DetectionOutput) -> Iterator[Candidates]:
    """Yield each tile's own candidates, in voxels of the model's grid."""
    tiling, prepared = job.spec.tiling, job.prepared
    assert tiling is not None
    decoder = Decoder(network.network, prepared.spacing_kji_mm, output)

    def run(tiles: torch.Tensor) -> Maps:
        maps = decoder.check(network.run(tiles))
        check_output(decoder.classes(maps), job.spec)
        return maps

    network.plan(tile_count(prepared.shape_kji, tiling))
    yield from tile_candidates(prepared.values, tiling, job.spec.input.dimensions, decoder, run, job.plan.batch)


def tile_count(shape_kji: Shape3, tiling: Tiling) -> int:
    """Return how many tiles are looked at."""
    return prod(len(tile_starts(n, t, tiling.overlap)) for n, t in zip(shape_kji, tiling.tile_kji, strict=True))


def tile_candidates(
    values: torch.Tensor,
    tiling: Tiling,
    dimensions: int,
    decoder: Decoder,
    run: Callable[[torch.Tensor], Maps],
    batch: int,
) -> Iterator[Candidates]:
    """Look at tiles of ``values`` (channels, k, j, i) and yield each one's own candidates, in voxels of ``values``.

    Parameters
    ----------
    run : callable
        Answers to tiles (N, channels, k, j, i).
    batch : int
        Tiles that are run together.
    """
    reach = np.asarray(decoder.cell_kji) if dimensions == 3 else np.asarray((0, *decoder.cell_kji[1:]))
    tile = tiling.tile_kji
    padded, before = pad_to_tile(values, tile)
    starts = [tile_starts(n, t, tiling.overlap) for n, t in zip(padded.shape[1:], tile, strict=True)]
    # Neighbouring tiles see the same object; the one that has it further from its rim answers for it. About a cell they
    # may differ on where it is, so that much of it both answer for, and suppression keeps one.
    rims = [[-np.inf, *((a + b + t) / 2 for a, b in pairwise(s)), np.inf] for s, t in zip(starts, tile, strict=True)]
    for k in starts[0]:
        for some in batches(list(product(starts[1], starts[2])), batch):
            maps = run(gather(padded, [(k, j, i) for j, i in some], tile))
            for (j, i), candidates in zip(some, decoder.boxes(maps), strict=True):
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
