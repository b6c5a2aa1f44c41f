"""What augmentation makes of an example, to look at before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.ml.examples import Example
from medview.ml.recipes.recipe import Recipe
from medview.ml.spec import Shape3
from medview.ml.training.augment import Augmented, augment_sample

MOST_VOXELS = 160
"""Of a side of a preview."""


@dataclass(frozen=True, slots=True, eq=False)
class AugmentPreview:
    """An example before and after.

    Attributes
    ----------
    before : ndarray of float32, shape (channels, k, j, i)
        The middle of the example, in deviations from its mean.
    labels : ndarray of uint8, shape (layers, k, j, i), or None
        On the same grid.
    after : Augmented
        Of the same shape.
    corner_kji : tuple of int
        Where ``before`` begins in the example.
    """

    before: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8] | None
    after: Augmented
    corner_kji: Shape3 = (0, 0, 0)


def preview(example: Example, recipe: Recipe, seed: int) -> AugmentPreview:
    """Return what a recipe's augmentation makes of an example with a seed. The example's voxels are loaded for it.

    Raises
    ------
    MedViewError
        Where the example cannot be read.
    """
    volumes, truth = example.volumes(), example.truth()
    geometry = volumes[0].geometry
    sides = tuple(1 if recipe.dimensions == 2 and n == 0 else min(s, MOST_VOXELS) for n, s in enumerate(geometry.shape_kji))
    corner = [(s - n) // 2 for s, n in zip(geometry.shape_kji, sides, strict=True)]
    window = tuple(slice(c, c + n) for c, n in zip(corner, sides, strict=True))
    channels = [one for volume in volumes for one in _channels(volume.voxels[window])]
    before = np.stack([(one - one.mean()) / max(float(one.std()), 1e-6) for one in channels])
    labels = None if truth.layers is None else np.ascontiguousarray(truth.layers[:, *window])
    boxes = np.array([[*box.min_kji, *box.max_kji] for box in truth.boxes], dtype=np.float32).reshape(-1, 6)
    boxes -= np.array([*corner, *corner], dtype=np.float32)
    k, j, i = sides
    after = augment_sample(
        before,
        labels,
        boxes if len(boxes) else None,
        recipe.augment,
        np.random.default_rng(seed),
        (k, j, i),
        spacing_kji=geometry.spacing_kji_mm,
    )
    return AugmentPreview(before, labels, after, (corner[0], corner[1], corner[2]))


def _channels(voxels: npt.NDArray[np.generic]) -> list[npt.NDArray[np.float32]]:
    """Return the planes of stored values (k, j, i), or (k, j, i, 3) for colours."""
    numbers = voxels.astype(np.float32)
    return [numbers] if numbers.ndim == 3 else list(np.moveaxis(numbers, -1, 0))
