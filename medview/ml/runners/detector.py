"""Runs detection packs: peaks of a heatmap become boxes in the patient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from medview.core.annotations import BoxAnnotation
from medview.core.errors import ModelError
from medview.ml.runners.job import Findings, RunningJob
from medview.ml.runners.preprocess import Prepared
from medview.ml.runners.tiling import batches, gather, pad_to_tile, tile_starts
from medview.ml.runners.watched import WatchedNetwork
from medview.ml.spec import DetectionOutput
from medview.ml.weights import check_output

MOST_CANDIDATES = 1000
"""Peaks of one tile that are looked at, best first; a broken model must not stall the suppression."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Boxes before suppression, in voxels of the model's grid, half-open at voxel edges.

    Attributes
    ----------
    low_kji, high_kji : ndarray of float64, shape (n, 3)
    scores : ndarray of float64, shape (n,)
    classes : ndarray of int64, shape (n,)
    """

    low_kji: FloatArray
    high_kji: FloatArray
    scores: FloatArray
    classes: npt.NDArray[np.int64]

    def __getitem__(self, which: npt.NDArray[np.int64]) -> Candidates:
        """Return some of them, in the given order."""
        return Candidates(self.low_kji[which], self.high_kji[which], self.scores[which], self.classes[which])


def detect(job: RunningJob) -> Findings:
    """Find boxes in the request's volume."""
    output = job.spec.output
    assert isinstance(output, DetectionOutput)
    with job.watched() as network, job.stopwatch.stage("infer"):
        found = list(_tiles(job, network, output))
    with job.stopwatch.stage("finish"):
        every = Candidates(
            np.concatenate([c.low_kji for c in found]),
            np.concatenate([c.high_kji for c in found]),
            np.concatenate([c.scores for c in found]),
            np.concatenate([c.classes for c in found]),
        )
        kept = every[suppress(every, output.nms_iou, output.max_boxes)]
        boxes = tuple(_annotation(job, kept, n) for n in range(len(kept.scores)))
    return Findings(boxes=boxes)


def suppress(candidates: Candidates, iou: float, most: int) -> npt.NDArray[np.int64]:
    """Return the indices that stay, best first: of two boxes of one class that overlap by more than ``iou``, the better."""
    order = np.argsort(-candidates.scores, kind="stable")
    sizes = np.prod(candidates.high_kji - candidates.low_kji, axis=1)
    kept: list[int] = []
    for n in order:
        if len(kept) == most:
            break
        rivals = [m for m in kept if candidates.classes[m] == candidates.classes[n]]
        low = np.maximum(candidates.low_kji[rivals], candidates.low_kji[n])
        high = np.minimum(candidates.high_kji[rivals], candidates.high_kji[n])
        common = np.prod(np.clip(high - low, 0.0, None), axis=1)
        if not (common > iou * (sizes[rivals] + sizes[n] - common)).any():
            kept.append(int(n))
    return np.asarray(kept, dtype=np.int64)


def decode(found: dict[str, torch.Tensor], stride: int, prepared: Prepared, output: DetectionOutput) -> list[Candidates]:
    """Turn the maps of a batch of tiles (see ``medview.ml.networks.table``) into candidates in voxels, tile by tile."""
    scores = torch.sigmoid(found["heatmap"].float())
    peaks = (scores >= output.score_threshold) & (scores == functional.max_pool3d(scores, 3, stride=1, padding=1))
    tiles = []
    for n in range(len(scores)):
        places = torch.nonzero(peaks[n])
        values = scores[n][peaks[n]]
        best = torch.argsort(values, descending=True, stable=True)[:MOST_CANDIDATES]
        places, values = places[best], values[best]
        classes, k, j, i = places.unbind(1)
        cell = places[:, 1:].double()
        offset = found["offset"][n][:, k, j, i].T.double()
        size = found["size_mm"][n][:, k, j, i].T.double() / cell.new_tensor(prepared.spacing_kji_mm)
        centre = (cell + 0.5 + offset) * stride
        low, high = (centre - size / 2).cpu().numpy(), (centre + size / 2).cpu().numpy()
        tiles.append(Candidates(low, high, values.double().cpu().numpy(), classes.cpu().numpy()))
    return tiles


def _tiles(job: RunningJob, network: WatchedNetwork, output: DetectionOutput) -> Iterator[Candidates]:
    """Yield each tile's own candidates, in voxels of the model's grid."""
    tiling, prepared = job.spec.tiling, job.prepared
    assert tiling is not None
    stride = getattr(network.network, "stride", None)
    if not isinstance(stride, int) or stride < 1:
        raise ModelError("The model does not say the size of its cells; ask its author for a proper pack.")
    tile = tiling.tile_kji
    padded, before = pad_to_tile(prepared.values, tile)
    starts = [tile_starts(n, t, tiling.overlap) for n, t in zip(padded.shape[1:], tile, strict=True)]
    # Neighbouring tiles see the same object; the one that has it further from its rim answers for it.
    rims = [[-np.inf, *((a + b + t) / 2 for a, b in pairwise(s)), np.inf] for s, t in zip(starts, tile, strict=True)]
    network.plan(len(starts[0]) * len(starts[1]) * len(starts[2]))
    for k in starts[0]:
        for batch in batches(list(product(starts[1], starts[2])), job.plan.batch):
            found = network.run(gather(padded, k, batch, tile))
            for (j, i), candidates in zip(batch, decode(_maps(found, job), stride, prepared, output), strict=True):
                at = (k, j, i)
                centre = (candidates.low_kji + candidates.high_kji) / 2 + at
                number = [s.index(a) for s, a in zip(starts, at, strict=True)]
                low, high = ([rims[axis][n + up] for axis, n in enumerate(number)] for up in (0, 1))
                own = np.flatnonzero(((centre >= low) & (centre < high)).all(axis=1))
                moved = np.subtract(at, before)
                yield Candidates(
                    candidates.low_kji[own] + moved,
                    candidates.high_kji[own] + moved,
                    candidates.scores[own],
                    candidates.classes[own],
                )


def _maps(found: torch.Tensor | dict[str, torch.Tensor], job: RunningJob) -> dict[str, torch.Tensor]:
    if not isinstance(found, dict) or not {"heatmap", "size_mm", "offset"} <= set(found):
        raise ModelError("The model did not return maps of boxes; ask its author for a proper pack.")
    check_output(found["heatmap"].shape[1], job.spec)
    return found


def _annotation(job: RunningJob, kept: Candidates, n: int) -> BoxAnnotation:
    """Return a box on the input's grid, cut off at its faces."""
    geometry, prepared = job.request.volume.geometry, job.prepared
    output = job.spec.output
    assert isinstance(output, DetectionOutput)
    scale = np.divide(prepared.turned_shape_kji, prepared.shape_kji)
    low = np.clip(kept.low_kji[n] * scale, 0, prepared.turned_shape_kji)
    high = np.clip(kept.high_kji[n] * scale, 0, prepared.turned_shape_kji)
    low, high = prepared.orientation.box_back(low, high, geometry.shape_kji)
    name = output.classes[int(kept.classes[n])].name
    identity = f"{job.source.job_id}-{n + 1}"
    return BoxAnnotation.on_grid(identity, name, geometry, low, high, float(kept.scores[n]), job.source)
