"""Patches drawn from cases, balanced on what is rare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from medview.ml.training.cases import TrainingCase

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PatchPlan:
    """How patches are drawn.

    Attributes
    ----------
    size_kji : tuple of int
    batch : int
    on_box : float
        Share of patches that hold the centre of a box, where the case has one.
    on_label, label : float, int
        Share of patches centred on a voxel of ``label``.
    flips : bool
        Mirror along each axis by chance; wrong where left and right differ.
    jitter : float
        Largest shift of all values, and largest deviation of added noise.
    """

    size_kji: tuple[int, int, int]
    batch: int
    on_box: float = 0.5
    on_label: float = 0.3
    label: int = 1
    flips: bool = False
    jitter: float = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class PatchBatch:
    """Patches and their truth.

    Attributes
    ----------
    values : Tensor of float32, shape (N, 1, k, j, i)
    labels : Tensor of int64, shape (N, k, j, i)
    boxes : tuple of ndarray, shape (n, 6)
        Per patch, in patch voxels; also those whose centre lies outside.
    """

    values: torch.Tensor
    labels: torch.Tensor
    boxes: tuple[Floats, ...]

    def holds_a_box(self) -> torch.Tensor:
        """Return 1 for patches that hold the centre of a box, else 0; float32, shape (N, 1)."""
        sides = np.array(self.values.shape[2:])
        held = [bool(((b[:, :3] >= 0) & (b[:, :3] < sides)).all(axis=1).any()) for b in self.boxes]
        return torch.tensor(held, dtype=torch.float32)[:, None]


def draw_patches(cases: Sequence[TrainingCase], plan: PatchPlan, rng: np.random.Generator) -> Iterator[PatchBatch]:
    """Yield batches without end; the same ``rng`` gives the same ones."""
    while True:
        drawn = [_draw(cases[int(rng.integers(len(cases)))], plan, rng) for _ in range(plan.batch)]
        values = torch.from_numpy(np.stack([values for values, _, _ in drawn])[:, None])
        labels = torch.from_numpy(np.stack([labels for _, labels, _ in drawn]).astype(np.int64))
        yield PatchBatch(values, labels, tuple(boxes for _, _, boxes in drawn))


def _draw(case: TrainingCase, plan: PatchPlan, rng: np.random.Generator) -> tuple[Floats, npt.NDArray[np.uint8], Floats]:
    size, sides = np.array(plan.size_kji), np.array(case.values.shape)
    corner = np.clip(_corner(case, plan, rng), 0, np.maximum(sides - size, 0))
    window = tuple(slice(int(c), int(c + n)) for c, n in zip(corner, size, strict=True))
    values, labels = case.values[window].astype(np.float32), case.labels[window]
    missing = [(0, int(n - m)) for n, m in zip(size, values.shape, strict=True)]
    values, labels = np.pad(values, missing), np.pad(labels, missing)
    boxes = case.boxes.copy()
    boxes[:, :3] -= corner.astype(np.float32)
    if plan.flips:
        for axis in np.flatnonzero(rng.random(3) < 0.5).tolist():
            values, labels = np.flip(values, axis), np.flip(labels, axis)
            boxes[:, axis] = size[axis] - boxes[:, axis]
    if plan.jitter:
        values = values + np.float32(rng.uniform(-plan.jitter, plan.jitter))
        values += rng.standard_normal(values.shape, dtype=np.float32) * np.float32(rng.uniform(0, plan.jitter))
    return np.ascontiguousarray(values), np.ascontiguousarray(labels), boxes


def _corner(case: TrainingCase, plan: PatchPlan, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    size, sides = np.array(plan.size_kji), np.array(case.values.shape)
    kind = rng.random()
    if kind < plan.on_box and len(case.boxes):
        centre = case.boxes[rng.integers(len(case.boxes)), :3]
        return np.asarray(np.floor(centre - rng.uniform(0.1, 0.9, 3) * size), dtype=np.int64)
    if kind < plan.on_box + plan.on_label:
        for _ in range(50):
            voxel = rng.integers(0, sides)
            if case.labels[tuple(voxel)] == plan.label:
                return np.asarray(voxel - size // 2, dtype=np.int64)
    return np.asarray(rng.integers(0, np.maximum(sides - size, 0) + 1), dtype=np.int64)
