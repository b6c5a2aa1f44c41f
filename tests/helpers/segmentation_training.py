"""Tiny labelled sets for training: a bright and a dark ellipsoid that do not lie the same way twice."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from medview.core.geometry import Calibration, Geometry
from medview.core.volume import Volume
from medview.ml.examples import Example, ExampleSet, TrainingClass, Truth
from medview.ml.recipes.recipe import OptimiserChoice, Recipe
from medview.ml.spec import Shape3, Task, Vector3

CLASSES = (TrainingClass("bright", (200, 40, 40)), TrainingClass("dark", (40, 40, 200)))


def phantom_case(
    seed: int,
    shape_kji: Shape3 = (10, 18, 22),
    spacing_kji_mm: Vector3 = (2.0, 1.0, 1.0),
    calibration: Calibration = Calibration.VOLUME,
) -> tuple[Volume, Truth]:
    """Return a volume and its truth."""
    rng = np.random.default_rng(seed)
    sides = np.array(shape_kji)
    places = np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in shape_kji), indexing="ij"), axis=-1)
    labels = np.zeros(shape_kji, dtype=np.uint8)
    for number, share in ((1, 0.3), (2, 0.7)):
        middle = sides * (0.5, 0.5 + rng.uniform(-0.1, 0.1), share + rng.uniform(-0.05, 0.05))
        radii = np.maximum(sides * rng.uniform(0.17, 0.22, 3), 1.0)
        labels[(((places - middle) / radii) ** 2).sum(axis=-1) < 1] = number
    values = np.choose(labels, (100.0, 180.0, 20.0)) + rng.normal(0, 12, shape_kji)
    geometry = Geometry.from_spacing(shape_kji, spacing_kji_mm, calibration=calibration)
    return Volume(values.astype(np.int16), geometry, modality="MR"), Truth(labels[None])


def stored_otherwise(volume: Volume, truth: Truth) -> tuple[Volume, Truth]:
    """Return the same patient stored with columns as slices, and from the other side."""
    assert truth.layers is not None
    affine = np.array(volume.geometry.affine_lps)
    # i, j, k become slices, rows, columns, and the new slices run backwards.
    last = volume.geometry.shape_kji[2] - 1
    turned = affine[:, [2, 1, 0, 3]]
    turned[:3, 3] += turned[:3, 0] * last
    turned[:3, 0] *= -1
    voxels, layers = (np.ascontiguousarray(one.swapaxes(-1, -3)[..., ::-1, :, :]) for one in (volume.voxels, truth.layers))
    k, j, i = voxels.shape
    return Volume(voxels, Geometry((k, j, i), turned), modality=volume.modality), Truth(layers, truth.open_classes)


def example_of(name: str, volume: Volume, truth: Truth, split: str = "train") -> Example:
    """Return an example whose voxels are there already."""
    return Example(name, name, split, lambda: (volume,), lambda: truth)


def phantom_set(count: int = 8, **how: Any) -> ExampleSet:
    """Return a set of phantoms, a quarter of them for validation."""

    def volumes(seed: int) -> tuple[Volume, ...]:
        return (phantom_case(seed, **how)[0],)

    def truth(seed: int) -> Truth:
        return phantom_case(seed, **how)[1]

    examples = tuple(
        Example(
            f"case-{n}",
            f"patient-{n}",
            "val" if n % 4 == 3 else "train",
            functools.partial(volumes, n),
            functools.partial(truth, n),
        )
        for n in range(count)
    )
    return ExampleSet(Task.SEGMENTATION, CLASSES, ("MR",), examples)


def tiny_recipe(**changes: Any) -> Recipe:
    """Return a recipe whose networks are small."""
    settings: dict[str, Any] = {
        "network": "residual_unet",
        "network_options": {"features": 6},
        "batch": 2,
        "optimiser": OptimiserChoice("adamw", 1e-2),
        "loss": "dice_ce",
        "augment": {"rotate": 10.0, "scale": 0.1, "noise": 0.1},
        **changes,
    }
    return Recipe("tiny", Task.SEGMENTATION, "", **settings)
