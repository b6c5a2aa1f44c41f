"""Samples drawn from stored examples, and batches of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from medview.ml.spec import Shape3, Vector3
from medview.ml.training.augment import augment_sample
from medview.ml.training.segmentation.stored import Labels, StoredExample

FOREGROUND = 0.5
"""Share of samples that are drawn around a voxel of a class, where they do not show the whole example anyway."""

AROUND = 0.25
"""How far from the middle of a sample such a voxel may be, as a share of its sides."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What the network is shown once, and the truth.

    Attributes
    ----------
    values : ndarray of float32, shape (channels, k, j, i)
    labels : ndarray of uint8, shape (layers, k, j, i)
        As of ``StoredExample``.
    open_classes : tuple of int
    """

    values: npt.NDArray[np.float32]
    labels: Labels
    open_classes: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Samples as tensors.

    Attributes
    ----------
    values : Tensor of float32, shape (N, channels, [k,] j, i)
    labels : Tensor of uint8, shape (N, layers, [k,] j, i)
    open_classes : tuple of tuple of int
        Per sample.
    """

    values: torch.Tensor
    labels: torch.Tensor
    open_classes: tuple[tuple[int, ...], ...]


def draw_sample(
    examples: Sequence[StoredExample],
    tile_kji: Shape3,
    strengths: Mapping[str, float],
    foreground: float,
    rng: np.random.Generator,
) -> Sample:
    """Draw an example, a place in it and a sample there."""
    example = _picked(examples, foreground, rng)
    values, labels = example.values(), example.labels()
    centre = _centre(example, values.shape[1:], tile_kji, foreground, rng)
    found = augment_sample(
        values, labels, None, strengths, rng, tile_kji, centre_kji=centre, spacing_kji=example.spacing_kji
    )
    assert found.labels is not None
    return Sample(found.values, found.labels, example.open_classes)


def _picked(examples: Sequence[StoredExample], foreground: float, rng: np.random.Generator) -> StoredExample:
    """Return an example, drawn evenly.

    Where some say nothing of a class, which was added later, say, a share ``foreground`` is drawn by class: each class as
    often as the others, then an example that shows it. Those few that know a new class would hardly be seen otherwise.
    """
    if any(example.open_classes for example in examples) and rng.random() < foreground:
        numbers = sorted({number for example in examples for number in example.shown})
        if numbers:
            wanted = numbers[int(rng.integers(len(numbers)))]
            examples = [example for example in examples if wanted in example.shown]
    return examples[int(rng.integers(len(examples)))]


def _centre(
    example: StoredExample, shape: tuple[int, ...], tile: Shape3, foreground: float, rng: np.random.Generator
) -> Vector3:
    sides, half = np.array(shape, dtype=np.float64), np.array(tile) / 2.0
    on_class, anywhere = rng.random() < foreground, rng.random(3)
    lowest, highest = np.minimum(half, sides / 2), np.maximum(sides - half, sides / 2)
    if on_class and (sides > tile).any() and len(places := example.places()):
        numbers = np.unique(places[:, 0])
        own = places[places[:, 0] == numbers[rng.integers(len(numbers))]]
        wanted = own[rng.integers(len(own)), 1:] + 0.5 + (anywhere * 2 - 1) * AROUND * (np.array(tile) - 1)
    else:
        wanted = lowest + anywhere * (highest - lowest)
    centre = np.clip(wanted, lowest, highest)
    # Whole voxels: what is not moved by the augmentation is not blurred by a half voxel either.
    k, j, i = (np.floor(centre - half + 0.5) + half).tolist()
    return k, j, i


def collate_samples(samples: Sequence[Sample]) -> Batch:
    """Return a batch; the axis k is left out where samples are single slices."""
    values = torch.from_numpy(np.stack([sample.values for sample in samples]))
    labels = torch.from_numpy(np.stack([sample.labels for sample in samples]))
    if values.shape[2] == 1:
        values, labels = values.squeeze(2), labels.squeeze(2)
    return Batch(values, labels, tuple(sample.open_classes for sample in samples))
