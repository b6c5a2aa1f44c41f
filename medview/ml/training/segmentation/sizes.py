"""From spacing and size of the training examples to the sizes of network, tile and batch: arithmetic, no data set by name.

The rules are nnU-Net's in the main (Isensee 2021, doi 10.1038/s41592-020-01008-z), with budgets a processor can pay.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medview.core.errors import ModelError
from medview.core.geometry import Calibration
from medview.ml.recipes.options import count_in, number_in
from medview.ml.recipes.recipe import Recipe
from medview.ml.spec import Literal, NetworkSpec, Shape3, Vector3
from medview.ml.training.segmentation.fingerprint import Fingerprint
from medview.ml.training.segmentation.first_weights import parameter_count
from medview.ml.training.survey import NO_VOLUMES

TILE_VOXELS = {2: 65_536, 3: 110_592}
"""Most of a tile, by dimensions: 256 x 256, or 48 x 48 x 48; times the option ``room`` of a recipe."""

STEP_TILES = {2: 4, 3: 2}
"""A step sees as many voxels as so many of the largest tiles."""

LARGEST_BATCH = 16
LEAST_BATCH = 2

FEW_SLICES = 5
"""Stacks of fewer slices are looked at slice by slice."""

ANISOTROPIC = 3.0
"""Where one axis is this much coarser than the finest, the finer of its spacings are aimed at (10th percentile)."""

LEAST_SIDE = 4
"""Of the deepest stage, in voxels."""

LEAST_TILE = 8

MOST_STAGES = 6

FEATURES = 16
"""Of the finest stage; each stage has twice those of the one before, up to a limit that keeps the weights few."""

MOST_WEIGHTS = 4.5
"""Millions: 9 MB in half precision."""

LEAST_SPACING_MM, LARGEST_SPACING_MM = 0.05, 50.0

NETWORKS: Mapping[str, str] = {
    "residual_unet": "nnunet_residual",
    "plain_unet": "nnunet_plain",
    "attention_unet": "attention_unet",
    "fcn": "fcn",
}
"""A recipe's name of a family -> its name in the table of networks."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is trained.

    Attributes
    ----------
    spacing_kji_mm : tuple of float or None
        As of ``InputSpec``.
    tile_kji : tuple of int
        One slice where ``dimensions`` is 2.
    median_kji : tuple of int
        Of the examples on the network's grid.
    voxel_kji : tuple of float
        Size of a voxel of that grid, in millimetres where there are any.
    """

    dimensions: int
    spacing_kji_mm: Vector3 | None
    tile_kji: Shape3
    median_kji: Shape3
    voxel_kji: Vector3
    network: NetworkSpec
    batch: int

    @property
    def sides(self) -> tuple[int, ...]:
        """Return the sides of the tile that the network sees: two or three."""
        return self.tile_kji[3 - self.dimensions :]


def choose_sizes(looked: Fingerprint, recipe: Recipe, classes: int, in_channels: int) -> Sizes:
    """Choose sizes; ``classes`` are the channels of the network's answer.

    Raises
    ------
    ModelError
        When volumes are wanted and these are none.
    PackError
        When the recipe's options do not suit its network.
    """
    if recipe.dimensions == 3 and looked.calibration is not Calibration.VOLUME:
        raise ModelError(NO_VOLUMES)
    dimensions = recipe.dimensions or _dimensions(looked)
    spacing = _spacing(looked, dimensions)
    usual = looked.median_spacing()
    k, j, i = (want or have for want, have in zip(spacing or (0.0,) * 3, usual, strict=True))
    voxel = (k, j, i)
    shapes = [
        [n * have / want for n, have, want in zip(shape, spacings, voxel, strict=True)] if spacing else list(shape)
        for shape, spacings in zip(looked.shapes_kji, looked.spacings_kji_mm, strict=True)
    ]
    median = [max(1, math.ceil(side - 1e-6)) for side in np.median(np.array(shapes), axis=0).tolist()]
    sides, voxels = (median[1:], voxel[1:]) if dimensions == 2 else (median, voxel)
    budget = round(TILE_VOXELS[dimensions] * number_in(recipe.options, "room", 1.0))
    tile = _within(sides, budget)
    strides, kernels = stages_of(tile, voxels)
    steps = np.prod(strides, axis=0)
    tile = [_fitting(side, int(step)) for side, step in zip(tile, steps, strict=True)]
    network = _network(recipe, strides, kernels, classes, in_channels)
    count = round(STEP_TILES[dimensions] * budget / math.prod(tile))
    batch = recipe.batch or min(max(count, LEAST_BATCH), LARGEST_BATCH)
    whole = [1, *tile] if dimensions == 2 else tile
    return Sizes(
        dimensions,
        spacing,
        (whole[0], whole[1], whole[2]),
        (median[0], median[1], median[2]),
        voxel,
        network,
        batch,
    )


def _dimensions(looked: Fingerprint) -> int:
    slices = float(np.median([shape[0] for shape in looked.shapes_kji]))
    return 2 if looked.calibration is not Calibration.VOLUME or slices < FEW_SLICES else 3


def _spacing(looked: Fingerprint, dimensions: int) -> Vector3 | None:
    """Return the spacing to work at; None for the grid as it is."""
    if looked.calibration is Calibration.PIXELS:
        return None
    spacings, median = np.array(looked.spacings_kji_mm), np.array(looked.median_spacing())
    coarsest = int(median.argmax())
    others = np.delete(median, coarsest)
    if dimensions == 3 and median[coarsest] > ANISOTROPIC * others.max():
        median[coarsest] = max(float(np.percentile(spacings[:, coarsest], 10)), float(others.max()))
    if dimensions == 2:
        median[0] = 0.0
    counted = median[1:] if dimensions == 2 else median
    if counted.min() < LEAST_SPACING_MM or counted.max() > LARGEST_SPACING_MM:
        return None
    k, j, i = (round(float(side), 4) for side in median)
    return k, j, i


def _within(sides: Sequence[int], budget: int) -> list[int]:
    """Return a tile of at most ``budget`` voxels: whole examples where they are small, else less of the longest sides."""
    tile = [max(side, LEAST_TILE) for side in sides]
    while math.prod(tile) > budget and max(tile) > LEAST_TILE:
        longest = tile.index(max(tile))
        tile[longest] = max(LEAST_TILE, min(tile[longest] - 1, int(tile[longest] * 0.97)))
    return tile


def _fitting(side: int, multiple: int) -> int:
    """Return the side rounded up to a multiple."""
    return max(LEAST_TILE, -(-side // multiple) * multiple)


def stages_of(tile: Sequence[int], voxel: Sequence[float]) -> tuple[list[list[int]], list[list[int]]]:
    """Return strides and kernels of each stage, finest first.

    An axis is halved while it has voxels enough, and not before finer ones have caught up; kernels reach along an axis once
    its voxels are less than twice as long as the finest.
    """
    sides, size = list(tile), [float(side) for side in voxel]
    strides, kernels = [[1] * len(sides)], [_kernel(size, [1] * len(sides))]
    while len(strides) < MOST_STAGES:
        able = [axis for axis, side in enumerate(sides) if side >= 2 * LEAST_SIDE]
        if not able:
            break
        finest = min(size[axis] for axis in able)
        halved = [axis for axis in able if size[axis] < 2 * finest]
        stride = [2 if axis in halved else 1 for axis in range(len(sides))]
        sides = [math.ceil(side / step) for side, step in zip(sides, stride, strict=True)]
        size = [length * step for length, step in zip(size, stride, strict=True)]
        strides.append(stride)
        kernels.append(_kernel(size, kernels[-1]))
    return strides, kernels


def _kernel(size: Sequence[float], before: Sequence[int]) -> list[int]:
    return [3 if have == 3 or length < 2 * min(size) else 1 for length, have in zip(size, before, strict=True)]


def _network(
    recipe: Recipe, strides: list[list[int]], kernels: list[list[int]], classes: int, in_channels: int
) -> NetworkSpec:
    """Return the network of a family with as many features as its weights may be."""
    given = recipe.network_options
    features = count_in(given, "features", FEATURES)
    most = number_in(given, "millions", MOST_WEIGHTS) * 1e6
    options = {key: value for key, value in given.items() if key not in ("features", "millions")}
    count = len(strides)
    if count == 1:
        # Too small to be halved: a U-Net of one stage is none.
        strides, kernels, count = [*strides, [1] * len(strides[0])], [*kernels, kernels[0]], 2
    wide = features * 2 ** (count - 1)
    while True:
        channels: list[Literal] = [min(features * 2**n, wide) for n in range(count)]
        kwargs: dict[str, Literal] = {
            "in_channels": in_channels,
            "classes": classes,
            "channels": channels,
            "kernels": [list(kernel) for kernel in kernels],
            "strides": [list(stride) for stride in strides],
            **_units(recipe.network, count),
            **options,
        }
        spec = NetworkSpec(NETWORKS[recipe.network], kwargs)
        if parameter_count(spec) <= most or wide <= features:
            return spec
        # Processors calculate in blocks of eight channels or more.
        wide = max(features, int(min(wide - 1, wide * 0.9)) // 8 * 8)


def _units(family: str, count: int) -> dict[str, Literal]:
    if family == "plain_unet":
        return {"encoder_units": [2] * count, "decoder_units": [2] * (count - 1)}
    encoder: dict[str, Literal] = {"encoder_units": [1, *[2] * (count - 1)]}
    return encoder if family == "fcn" else {**encoder, "decoder_units": [1] * (count - 1)}
