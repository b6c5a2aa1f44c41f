"""What of an object a sample shows: where the tile lies, how coarse its voxels are, and what stands in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.prompt_log import HeldVoxels
from medview.ml.examples import UNKNOWN
from medview.ml.spec import Shape3, Vector3
from medview.ml.training.augment import augment_sample
from medview.ml.training.augment_spatial import Way

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]

FITS = 0.8
"""An object that takes no more of a tile's sides is seen whole."""

MOST_VOXELS = 3_000_000
"""Of the finest voxels a sample is made from."""

_ROOM = 0.75
"""A window around a view that turned and stretched samples stay inside of, in sides to each side of its middle."""


@dataclass(frozen=True, slots=True)
class View:
    """A tile about a place of an example.

    Attributes
    ----------
    middle_kji : tuple of float
        At voxel edges, whole voxels: nothing is blurred by half a voxel.
    factors_kji : tuple of int
        Voxels of the example along one of the tile, as of ``PromptRegion``.
    """

    tile_kji: Shape3
    middle_kji: Vector3
    factors_kji: Shape3

    @classmethod
    def about(cls, index_kji: npt.ArrayLike, tile_kji: Shape3, factors_kji: Shape3) -> View:
        """Return the view of ``PromptRegion.at``: about a voxel."""
        size = np.multiply(tile_kji, factors_kji)
        low = np.floor(np.asarray(index_kji, dtype=np.float64) - (size - 1) / 2 + 0.5)
        k, j, i = (low + size / 2).tolist()
        return cls(tile_kji, (k, j, i), factors_kji)

    @property
    def size_kji(self) -> Shape3:
        """Sides in voxels of the example."""
        k, j, i = np.multiply(self.tile_kji, self.factors_kji).tolist()
        return k, j, i


def factors_at(widened: int, tile_kji: Shape3, shape_kji: Shape3) -> Shape3:
    """Return the factors after looking wider so many times: axes whose grid is seen whole stay fine."""
    factors = np.ones(3, dtype=np.int64)
    for _ in range(widened):
        factors = np.where(np.multiply(factors, tile_kji) < shape_kji, factors * 2, factors)
    k, j, i = factors.tolist()
    return k, j, i


def least_widened(box: Box, tile_kji: Shape3, shape_kji: Shape3, most: int) -> int:
    """Return how often has to be looked wider until an object fits into the tile."""
    for widened in range(most):
        sides = np.multiply(factors_at(widened, tile_kji, shape_kji), tile_kji)
        if np.all((box.shape_kji <= FITS * sides) | (np.asarray(shape_kji) <= sides)):
            return widened
    return most


def most_widened(tile_kji: Shape3, shape_kji: Shape3) -> int:
    """Return how often may be looked wider before a sample is made from too many voxels, or sees nothing more."""
    widened = 0
    while True:
        now, then = factors_at(widened, tile_kji, shape_kji), factors_at(widened + 1, tile_kji, shape_kji)
        if now == then or np.prod(np.multiply(then, tile_kji)) > MOST_VOXELS:
            return widened
        widened += 1


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a tile shows.

    Attributes
    ----------
    values : ndarray of float32, shape (channels, k, j, i)
    masks : ndarray of bool, shape (masks, k, j, i)
    unknown : ndarray of bool, shape (k, j, i)
        Outside of the example, or where nobody knows.
    way : Way
        How the sample lies in the window at ``corner_kji`` of the example.
    """

    values: Floats
    masks: Mask
    unknown: Mask
    way: Way
    corner_kji: Doubles
    view: View
    flat: bool

    def places_kji(self, points_kji: Doubles) -> Doubles:
        """Return voxel indices of the example, shape (n, 3), as voxel indices of the tile."""
        view = self.view
        sides = np.asarray(view.size_kji, dtype=np.float64)
        if self.flat:
            sides[0] = 1.0
        away = np.asarray(points_kji) + 0.5 - self.corner_kji - self.way.centre
        places = away @ np.linalg.inv(self.way.matrix).T + sides / 2
        if self.flat:
            places[:, 0] += flat_slice(view.tile_kji)
        return np.asarray(places / view.factors_kji - 0.5)


def flat_slice(tile_kji: Shape3) -> int:
    """Return where in a tile about it the one slice of a picture lies."""
    return (tile_kji[0] - 1) // 2


def seen(
    values: npt.NDArray[np.floating],
    masks: list[HeldVoxels],
    unknown: HeldVoxels,
    view: View,
    spacing_kji: Vector3,
    strengths: Mapping[str, float],
    rng: np.random.Generator,
) -> Seen:
    """Return what a view shows of an example, moved and changed by chance.

    Parameters
    ----------
    values : ndarray, shape (channels, k, j, i)
    """
    shape: Shape3 = values.shape[1:]
    flat = shape[0] == 1
    size = (1, *view.size_kji[1:]) if flat else view.size_kji
    middle = np.array(view.middle_kji)
    reach = np.full(3, _ROOM * max(size)) if strengths else np.asarray(size) / 2
    reach = np.maximum(reach, _ROOM * np.asarray(size)) + 1 if strengths else reach
    if flat:
        middle[0], reach[0] = 0.5, 0.5
    low = np.clip(np.floor(middle - reach), 0, np.asarray(shape) - 1).astype(int)
    high = np.clip(np.ceil(middle + reach), low + 1, shape).astype(int)
    window = Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    labels = np.stack([held.mask(window).view(np.uint8) for held in (*masks, unknown)])
    k, j, i = (middle - low).tolist()
    # Boxes that are none: nothing is bent, so that prompts can be brought along.
    drawn = augment_sample(
        values[(slice(None), *window.slices)],
        labels,
        np.zeros((0, 6), dtype=np.float32),
        strengths,
        rng,
        size,
        centre_kji=(k, j, i),
        spacing_kji=spacing_kji,
        edge=True,
    )
    assert drawn.labels is not None
    outside = drawn.labels[-1] == UNKNOWN
    parts = [drawn.values, drawn.labels[:-1] == 1, (outside | (drawn.labels[-1] == 1))[None]]
    shown, there, nobody = (_as_tile(part.astype(np.float32), view, flat=flat) for part in parts)
    if flat:
        other = np.arange(view.tile_kji[0]) != flat_slice(view.tile_kji)
        there[:, other], nobody[:, other] = 0.0, 1.0
    return Seen(shown, there >= 0.5, nobody[0] >= 0.5, drawn.way, low.astype(np.float64), view, flat)


def _as_tile(numbers: Floats, view: View, *, flat: bool) -> Floats:
    """Return means over the voxels of a tile, shape (channels, k, j, i); a picture stands in all its slices."""
    fk, fj, fi = view.factors_kji
    tk, tj, ti = view.tile_kji
    if flat:
        means = numbers.reshape(len(numbers), 1, tj, fj, ti, fi).mean(axis=(3, 5))
        return np.repeat(means, tk, axis=1)
    return np.asarray(numbers.reshape(len(numbers), tk, fk, tj, fj, ti, fi).mean(axis=(2, 4, 6)), dtype=np.float32)
