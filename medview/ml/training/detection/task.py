"""Detection as the training engine sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from medview.core.job import JobContext
from medview.ml.examples import Example, ExampleSet
from medview.ml.networks.planar import SliceBySlice
from medview.ml.outputs import DetectionOutput
from medview.ml.recipes.options import number_in
from medview.ml.recipes.recipe import Recipe
from medview.ml.runners.candidates import Candidates
from medview.ml.runners.decode import Decoder
from medview.ml.runners.detector import thinned, tile_candidates
from medview.ml.runners.preprocess import prepare
from medview.ml.spec import ModelSpec, Shape3
from medview.ml.training.augment import augment_sample
from medview.ml.training.build import laid_out, trainable_network
from medview.ml.training.detection.average_precision import Hits, hits_of, mean_average_precision
from medview.ml.training.detection.box_examples import BoxExamples
from medview.ml.training.detection.boxes import model_box
from medview.ml.training.detection.losses import detection_loss
from medview.ml.training.detection.planning import detection_plan
from medview.ml.training.detection.targets import batch_targets
from medview.ml.training.stored import is_stored, store_example
from medview.ml.training.task import TrainingPlan, TrainingTask

SEEN_WHOLE, SEEN_AT_ALL = 0.4, 0.1
"""An object cut off by the sample's edge of which more than this is left is looked for; one of less is ignored, or gone."""

LEAST_SCORE = 0.05
"""Boxes below this are not looked at on validation."""

MOST_IN_TILE, MOST_IN_SLICE = 400, 60
"""Candidates of a tile that are looked at on validation, best first; a network that just began finds much."""

NMS_IOUS = (0.3, 0.4, 0.5, 0.6, 0.7)

TOGETHER = 4

Sample = dict[str, Any]
Batch = dict[str, torch.Tensor]


class DetectionTask(TrainingTask):
    """Boxes around objects in pictures and volumes, by a pyramid of features without anchors."""

    def plan(self, examples: ExampleSet, recipe: Recipe, context: JobContext) -> TrainingPlan:
        """Choose spacing, tile and levels from the training boxes. Raises ModelError where they cannot be trained on."""
        return detection_plan(examples, recipe, context)

    def store(self, example: Example, plan: TrainingPlan, folder: Path, context: JobContext) -> None:
        """Write the picture as the network will see it, and its boxes there; nothing where they are there already."""
        if is_stored(folder, example.key):
            return
        volumes = example.volumes()
        prepared = prepare(volumes, plan.spec.input, context)
        shape = volumes[0].geometry.shape_kji
        truth = example.truth()
        boxes = [[box.number - 1, *model_box(box, prepared, shape), int(box.difficult)] for box in truth.boxes]
        facts = {
            "boxes": boxes,
            "open": sorted(number - 1 for number in truth.open_classes),
            "spacing": [float(side) for side in prepared.spacing_kji_mm],
        }
        store_example(folder, example.key, prepared.values.numpy(), facts)

    def open(self, folder: Path, keys: Sequence[str], plan: TrainingPlan) -> BoxExamples:
        """Return all examples; one without boxes shows what is none."""
        return BoxExamples.read(folder, keys, plan.spec.out_channels)

    def network(self, plan: TrainingPlan) -> nn.Module:
        """Return the network with its first weights."""
        return trainable_network(plan.spec.network)

    def draw(self, data: BoxExamples, plan: TrainingPlan, recipe: Recipe, rng: np.random.Generator) -> Sample:
        """Return one tile with its boxes; a share ``foreground`` of them hold a box of a class drawn evenly."""
        tiling = plan.spec.tiling
        assert tiling is not None
        tile = tiling.tile_kji
        foreground = number_in(recipe.options, "foreground", 0.7)
        n, box = data.pick(foreground, rng)
        values, every = data.values(n), data.boxes[n]
        centre = _centre(values.shape[1:], tile, box, rng)
        if plan.spec.input.dimensions == 2:
            k = int(np.clip(centre[0], 0, values.shape[1] - 1))
            values, every = values[:, k : k + 1], _in_slice(every, k)
            centre = (0.5, centre[1], centre[2])
        drawn = augment_sample(
            values,
            None,
            every[:, 1:7].astype(np.float32),
            recipe.augment,
            rng,
            tile,
            centre_kji=centre,
            spacing_kji=data.stored.spacing_kji(n),
        )
        boxes, ignored, kept = cut_off(drawn.boxes, tile)
        return {
            "values": drawn.values,
            "boxes": boxes,
            "classes": every[kept, 0].astype(np.int64),
            "ignored": ignored | (every[kept, 7] > 0),
            "known": np.asarray([float(c not in data.open[n]) for c in range(plan.spec.out_channels)], np.float32),
            "levels": plan.settings["levels"],
            "dimensions": plan.spec.input.dimensions,
        }

    def collate(self, samples: Sequence[Sample]) -> Batch:
        """Return ``values`` (N, channels, k, j, i), ``known`` (N, classes), ``classes_n`` and ``boxes_n`` of levels."""
        values = np.stack([sample["values"] for sample in samples])
        truths = [(sample["boxes"], sample["classes"], sample["ignored"]) for sample in samples]
        levels = [(k, j, i) for k, j, i in samples[0]["levels"]]
        known = np.stack([sample["known"] for sample in samples])
        batch = {"values": torch.from_numpy(values), "known": torch.from_numpy(known)}
        shape: Shape3 = values.shape[2:]
        for n, (classes, boxes) in enumerate(batch_targets(truths, shape, levels, samples[0]["dimensions"])):
            batch[f"classes_{n}"], batch[f"boxes_{n}"] = torch.from_numpy(classes), torch.from_numpy(boxes)
        return batch

    def loss(self, network: nn.Module, batch: Batch, plan: TrainingPlan, recipe: Recipe) -> dict[str, torch.Tensor]:
        """Return the loss and its parts: classes, boxes, corners, quality."""
        dimensions = plan.spec.input.dimensions
        answer = network(laid_out(batch["values"], dimensions))
        levels = [(k, j, i) for k, j, i in plan.settings["levels"]]
        return detection_loss(answer, batch, levels, dimensions)

    def phase(self, network: nn.Module, done: float, recipe: Recipe) -> None:
        """All of the network learns all the time."""

    def check(self, network: nn.Module, data: BoxExamples, plan: TrainingPlan, context: JobContext) -> dict[str, float]:
        """Return mAP50 as the score, AP50 of each class, and the best mean F1."""
        output = plan.spec.output
        assert isinstance(output, DetectionOutput)
        found = candidates(network, data, plan, context)
        hits = _hits(found, data, output, context)
        figures = {"score": mean_average_precision(hits), "map50": mean_average_precision(hits)}
        for one, of_class in zip(output.classes, hits, strict=True):
            ap = of_class.average_precision()
            if ap is not None:
                figures[f"ap50 {one.name}"] = ap
        return {**figures, "f1": _best_threshold(hits)[1]}

    def finish(self, network: nn.Module, data: BoxExamples, plan: TrainingPlan, context: JobContext) -> ModelSpec:
        """Return the description with the suppression of the best mAP50 and the score threshold of the best mean F1."""
        output = plan.spec.output
        assert isinstance(output, DetectionOutput)
        found = candidates(network, data, plan, context)
        tried = [replace(output, nms_iou=iou) for iou in NMS_IOUS]
        hits = [_hits(found, data, one, context) for one in tried]
        best = max(range(len(tried)), key=lambda n: round(mean_average_precision(hits[n]), 4))
        output = replace(tried[best], score_threshold=_best_threshold(hits[best])[0])
        return replace(plan.spec, output=output)


def candidates(network: nn.Module, data: BoxExamples, plan: TrainingPlan, context: JobContext) -> list[Candidates]:
    """Return what the network finds in every example, by the runner's own tiles, before boxes are thinned out."""
    output, tiling = plan.spec.output, plan.spec.tiling
    assert isinstance(output, DetectionOutput)
    assert tiling is not None
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    run = SliceBySlice(network) if plan.spec.input.dimensions == 2 else network
    decoder = Decoder(run, (1.0, 1.0, 1.0), replace(output, score_threshold=LEAST_SCORE))
    found = []
    with torch.no_grad():
        for n in range(len(data)):
            context.raise_if_cancelled()
            values = torch.from_numpy(np.array(data.values(n), dtype=np.float32)).to(device)
            tiles = tile_candidates(
                values, tiling, plan.spec.input.dimensions, decoder, lambda some: decoder.check(run(some)), TOGETHER
            )
            most = MOST_IN_SLICE if output.join_slices else MOST_IN_TILE
            found.append(Candidates.joined([tile[np.argsort(-tile.scores, kind="stable")[:most]] for tile in tiles]))
    network.train(was_training)
    return found


def cut_off(
    boxes: np.ndarray[Any, Any], shape_kji: Shape3
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Cut boxes (n, 6) off at a sample's edges.

    Returns
    -------
    boxes : ndarray of float32, shape (m, 6)
        Those of which something worth mentioning is left.
    ignored : ndarray of bool, shape (m,)
        Of which too little is left to be looked for.
    kept : ndarray of int, shape (m,)
        Which ones they are.
    """
    low, high = np.clip(boxes[:, :3], 0, shape_kji), np.clip(boxes[:, 3:], 0, shape_kji)
    sizes = np.maximum((boxes[:, 3:] - boxes[:, :3]).prod(axis=1), 1e-6)
    left = (high - low).prod(axis=1) / sizes
    kept = np.flatnonzero(left > SEEN_AT_ALL)
    inside = np.concatenate([low, high], axis=1)[kept].astype(np.float32)
    return inside, left[kept] < SEEN_WHOLE, kept


def _centre(
    shape: tuple[int, ...], tile: Shape3, box: np.ndarray[Any, Any] | None, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return where a tile's middle lies: so that it holds the middle of a box, or anywhere, inside where it is smaller."""
    part = rng.uniform(-0.4, 0.4, 3)
    free = rng.random(3)
    centre = []
    for axis in range(3):
        half = tile[axis] / 2
        if shape[axis] <= tile[axis]:
            # Pictures smaller than a tile lie in its middle.
            centre.append(shape[axis] / 2)
            continue
        if tile[axis] == 1:
            # A slice of a volume: the one that holds a place of the box, or any, the last one too.
            low, high = (0.0, shape[axis]) if box is None else (box[1 + axis], box[4 + axis])
            share = free[axis] if box is None else part[axis] / 0.8 + 0.5
            centre.append(float(np.clip(np.floor(low + share * (high - low)), 0, shape[axis] - 1)) + half)
            continue
        at = half + free[axis] * (shape[axis] - tile[axis])
        if box is not None:
            at = (box[1 + axis] + box[4 + axis]) / 2 + part[axis] * tile[axis]
        # Whole voxels, so that a plain cut stays exact.
        at = float(np.clip(at, half, shape[axis] - half))
        centre.append(np.floor(at - half) + half)
    return float(centre[0]), float(centre[1]), float(centre[2])


def _in_slice(boxes: np.ndarray[Any, Any], k: int) -> np.ndarray[Any, Any]:
    """Return the boxes that a slice goes through, one voxel thick."""
    through = boxes[(boxes[:, 1] <= k + 0.5) & (boxes[:, 4] > k + 0.5)].copy()
    through[:, 1], through[:, 4] = 0.0, 1.0
    return through


def _hits(found: Sequence[Candidates], data: BoxExamples, output: DetectionOutput, context: JobContext) -> list[Hits]:
    kept = [thinned(one, output, context) for one in found]
    true = [data.truth(n) for n in range(len(data))]
    hits = []
    for number in range(len(output.classes)):
        # Where nobody looked for a class, what is found of it is neither right nor wrong.
        known = [n for n in range(len(data)) if number not in data.open[n]]
        hits.append(hits_of([kept[n] for n in known], [true[n] for n in known], number))
    return hits


def _best_threshold(hits: Sequence[Hits]) -> tuple[float, float]:
    """Return the score threshold at which the mean F1 of the classes is largest, and that F1; the middle of equals."""
    tried = np.arange(0.05, 0.96, 0.01)
    counted = [one.f1_at(tried) for one in hits if one.truths]
    if not counted:
        return 0.3, 0.0
    f1 = np.mean(counted, axis=0)
    best = np.flatnonzero(np.isclose(f1, f1.max()))
    return round(float(np.median(tried[best])), 2), float(f1.max())
