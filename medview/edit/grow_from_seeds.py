"""Grow from seeds: strokes in several segments become segments that fill what is between them, along edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.job import JobContext
from medview.core.language import _
from medview.edit.seed_forest import Grey, Labels, Mask, SeedForest

EXACT_VOXELS = 32_000_000
"""Larger grids are looked at on coarser voxels first, and then again along the borders that were found."""
_BAND = 5
"""Coarse voxels across which a border is looked at again."""
_UNEVEN = 1.5
"""Directions with voxels longer than this many times the finest are not made coarser yet."""

_Kind = TypeVar("_Kind", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    grey: Grey
    closed: Mask | None
    steps_lps_mm: npt.NDArray[np.float64]
    coarser_kji: tuple[int, int, int]
    """Than the finest level."""
    halved_kji: tuple[int, int, int]
    """How many voxels of the next finer level one of this holds along k, j, i; 1 each on the finest."""


class SeedGrowth:
    """A picture on which seeds grow, again and again as more of them are drawn.

    What ``grow`` returns depends on the seeds it is given only, never on what was grown before; but it takes less time
    where seeds were merely added.

    Parameters
    ----------
    grey : ndarray of int16, shape (k, j, i)
        From ``grey_of``.
    geometry : Geometry
        Of the grid; it may be sheared.
    closed : ndarray of bool, shape (k, j, i), optional
        Voxels that are nobody's, and that nothing grows through.
    exact_voxels : int
        See ``EXACT_VOXELS``.
    """

    def __init__(
        self,
        grey: Grey,
        geometry: Geometry,
        closed: Mask | None = None,
        exact_voxels: int = EXACT_VOXELS,
    ) -> None:
        self._unit_mm = _least_step_mm(geometry.affine_lps[:3, :3].T)
        self._levels = [_Level(grey, closed, geometry.affine_lps[:3, :3].T, (1, 1, 1), (1, 1, 1))]
        while self._levels[-1].grey.size > exact_voxels and max(self._levels[-1].grey.shape) > 2 * _BAND:
            self._levels.append(_halved(self._levels[-1]))
        self._forest: SeedForest | None = None
        self._seeds: Labels | None = None

    def grow(self, seeds: Labels, context: JobContext, share: tuple[float, float] = (0.0, 1.0)) -> Labels:
        """Return which seed each voxel belongs to; 0 where none comes.

        Parameters
        ----------
        seeds : ndarray of uint8, shape (k, j, i)
            Numbers from 1 to 250; 0 is none. They are kept exactly.
        share : tuple of float
            Progress at the beginning and at the end.

        Raises
        ------
        CancelledError
            When the person pressed Cancel, asked for several times a second.
        """
        drawn, mixed = [seeds], [np.zeros(0, dtype=np.bool_)]
        for level in self._levels[1:]:
            least, most = _least(drawn[-1], level.halved_kji), _blocks(drawn[-1], level.halved_kji).max(axis=(1, 3, 5))
            drawn.append(least)
            mixed.append(least != most)
        text = _("Growing from seeds")
        parts = np.linspace(*share, len(self._levels) + 1)
        labels, costs = self._on_coarsest(drawn[-1], context, text, (float(parts[0]), float(parts[1])))
        for n in range(len(self._levels) - 2, -1, -1):
            context.raise_if_cancelled()
            begun = len(self._levels) - 1 - n
            of = (float(parts[begun]), float(parts[begun + 1]))
            labels, costs = self._refined(n, labels, costs, drawn[n], mixed[n + 1], context, text, of)
        labels[seeds > 0] = seeds[seeds > 0]
        if self._levels[0].closed is not None:
            labels[self._levels[0].closed] = 0
        return labels

    def _on_coarsest(
        self, seeds: Labels, context: JobContext, text: str, share: tuple[float, float]
    ) -> tuple[Labels, npt.NDArray[np.uint32]]:
        before, level = self._seeds, self._levels[-1]
        if self._forest is None or before is None or np.any((before > 0) & ((seeds == 0) | (seeds > before))):
            self._forest = SeedForest(level.grey, level.steps_lps_mm, level.closed, self._unit_mm, level.coarser_kji)
        self._seeds = seeds.copy()
        self._forest.add(seeds)
        self._forest.spread(context, text, share)
        return self._forest.labels(), self._forest.costs() if len(self._levels) > 1 else np.zeros(0, dtype=np.uint32)

    def _refined(
        self,
        n: int,
        labels: Labels,
        costs: npt.NDArray[np.uint32],
        seeds: Labels,
        mixed: Mask,
        context: JobContext,
        text: str,
        share: tuple[float, float],
    ) -> tuple[Labels, npt.NDArray[np.uint32]]:
        """Return labels and costs of level ``n`` from those of the next coarser one."""
        level, shape = self._levels[n], self._levels[n].grey.shape
        halved = self._levels[n + 1].halved_kji
        band = _finer(_borders(labels, mixed), halved, shape)
        if level.closed is not None:
            band &= ~level.closed
        context.raise_if_cancelled()
        found, found_costs = _finer(labels, halved, shape), _finer(costs, halved, shape)
        forest = SeedForest(level.grey, level.steps_lps_mm, ~band, self._unit_mm, level.coarser_kji)
        forest.add(np.where(band, seeds, np.uint8(0)))
        context.raise_if_cancelled()
        near = band.copy()
        for axis in range(3):
            before, after = (slice(None),) * axis + (slice(0, -1),), (slice(None),) * axis + (slice(1, None),)
            wider = near.copy()
            wider[before] |= near[after]
            wider[after] |= near[before]
            near = wider
        places = np.flatnonzero(near & ~band & (found > 0))
        forest.enter(places, found.reshape(-1).take(places), found_costs.reshape(-1).take(places))
        forest.spread(context, text, share)
        np.copyto(found, forest.labels(), where=band)
        if n > 0:
            np.copyto(found_costs, forest.costs(), where=band)
        return found, found_costs


def _least_step_mm(steps_lps_mm: npt.NDArray[np.float64]) -> float:
    """Return the length of the shortest step to a neighbour by a face or an edge: on sheared grids that may be an edge."""
    by = np.array([step for step in np.ndindex(3, 3, 3) if 1 <= np.abs(np.subtract(step, 1)).sum() <= 2]) - 1
    return float(np.linalg.norm(by @ steps_lps_mm, axis=1).min())


def _borders(labels: Labels, mixed: Mask) -> Mask:
    """Return the voxels near which more than one label lies, or several seeds lie in one voxel, or nothing came."""
    from scipy import ndimage

    most = ndimage.maximum_filter(labels, _BAND)
    least = ndimage.minimum_filter(np.where(labels == 0, np.uint8(255), labels), _BAND)
    both = (most > 0) & (least < 255) & (most != least)
    return np.asarray(both | (labels == 0) | ndimage.maximum_filter(mixed, 3))


def _halved(level: _Level) -> _Level:
    """Return a level of half as many voxels along the directions in which they are fine."""
    spacing, shape = np.linalg.norm(level.steps_lps_mm, axis=1), level.grey.shape
    halved = tuple(2 if mm <= _UNEVEN * min(spacing) and n > 1 else 1 for mm, n in zip(spacing, shape, strict=True))
    k, j, i = halved
    coarser = level.coarser_kji
    closed = None if level.closed is None else np.asarray(_blocks(level.closed, (k, j, i)).all(axis=(1, 3, 5)))
    grey = _blocks(level.grey, (k, j, i)).mean(axis=(1, 3, 5), dtype=np.float32)
    return _Level(
        np.rint(grey).astype(np.int16),
        closed,
        level.steps_lps_mm * np.array(halved)[:, None],
        (coarser[0] * k, coarser[1] * j, coarser[2] * i),
        (k, j, i),
    )


def _blocks(array: npt.NDArray[np.generic], by_kji: tuple[int, int, int]) -> npt.NDArray[np.generic]:
    """Return an array as blocks, shape (k, of k, j, of j, i, of i); the last ones are filled up from the edge."""
    over = [(0, -n % by) for n, by in zip(array.shape, by_kji, strict=True)]
    if any(after for _before, after in over):
        array = np.pad(array, over, mode="edge")
    k, j, i = (n // by for n, by in zip(array.shape, by_kji, strict=True))
    return array.reshape(k, by_kji[0], j, by_kji[1], i, by_kji[2])


def _least(seeds: Labels, by_kji: tuple[int, int, int]) -> Labels:
    """Return the lowest seed in each block, 0 where there is none."""
    # One less than 0 is 255: the highest.
    return np.asarray(_blocks(seeds - np.uint8(1), by_kji).min(axis=(1, 3, 5)) + np.uint8(1))


def _finer(array: npt.NDArray[_Kind], by_kji: tuple[int, int, int], shape: tuple[int, ...]) -> npt.NDArray[_Kind]:
    """Return an array in which each voxel stands as often as a block holds voxels, cut to a shape."""
    k, j, i = array.shape
    blocks = np.empty((k, by_kji[0], j, by_kji[1], i, by_kji[2]), dtype=array.dtype)
    # Assigned rather than repeated: that would hold the interpreter's lock, and the window, for a second.
    blocks[...] = array[:, None, :, None, :, None]
    whole = blocks.reshape(k * by_kji[0], j * by_kji[1], i * by_kji[2])
    return whole[: shape[0], : shape[1], : shape[2]]
