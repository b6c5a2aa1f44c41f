"""The region of a model's grid around a prompt, and what a network sees of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.prompt import Prompt
from medview.core.prompt_shape import voxels_of
from medview.ml.outputs import InteractiveOutput
from medview.ml.spec import Shape3

_ROOM = 0.7
"""A prompt takes at most this part of a region's side."""
_WIDER = 2
_CHANGED = 0.002
"""Part of a side's voxels that have to change before the object is said to go on outside."""


@dataclass(frozen=True, slots=True)
class PromptRegion:
    """A box of the model's grid, which may reach over its edge, seen as one tile.

    Attributes
    ----------
    box : Box
        ``factors_kji`` times the tile.
    factors_kji : tuple of int
        Voxels of the grid along one voxel of the tile, for each axis.
    """

    box: Box
    factors_kji: Shape3 = (1, 1, 1)

    @classmethod
    def around(cls, prompt: Prompt, geometry: Geometry, tile_kji: Shape3) -> PromptRegion:
        """Return the smallest region that shows a prompt with some room around it."""
        points = prompt.points_kji(geometry)
        low, high = points.min(axis=0), points.max(axis=0)
        factors = (1, 1, 1)
        while np.any(wide := high - low > _ROOM * np.multiply(factors, tile_kji)):
            factors = _coarser(factors, wide | (np.multiply(factors, tile_kji) < geometry.shape_kji))
        return cls.at((low + high) / 2, tile_kji, factors)

    @classmethod
    def at(cls, middle_kji: npt.ArrayLike, tile_kji: Shape3, factors_kji: Shape3 = (1, 1, 1)) -> PromptRegion:
        """Return the region about a place."""
        size = np.multiply(tile_kji, factors_kji)
        low = np.floor(np.asarray(middle_kji, dtype=np.float64) - (size - 1) / 2 + 0.5).astype(int)
        (k0, j0, i0), (k1, j1, i1) = low.tolist(), (low + size).tolist()
        return cls(Box((k0, j0, i0), (k1, j1, i1)), factors_kji)

    @property
    def tile_kji(self) -> Shape3:
        """Shape of the tile it is seen as."""
        k, j, i = (side // factor for side, factor in zip(self.box.shape_kji, self.factors_kji, strict=True))
        return k, j, i

    def wider(self, shape_kji: Shape3) -> PromptRegion:
        """Return a region about the same place that reaches further, on coarser voxels.

        Along an axis on which all of the grid is seen, nothing is made coarser: pictures and thin stacks keep their slices.
        """
        middle = (np.add(self.box.min_kji, self.box.max_kji) - 1) / 2
        hidden = (np.asarray(self.box.min_kji) > 0) | (np.asarray(self.box.max_kji) < shape_kji)
        return PromptRegion.at(middle, self.tile_kji, _coarser(self.factors_kji, hidden))

    def covers(self, whole: Box) -> bool:
        """Whether nothing of a grid lies outside."""
        return self.box.intersection(whole) == whole

    def geometry(self, grid: Geometry) -> Geometry:
        """Return where the voxels of the tile lie."""
        affine = np.array(grid.affine_lps)
        factors = np.asarray(self.factors_kji)
        affine[:3, 3] = grid.point_lps_mm(np.asarray(self.box.min_kji) + (factors - 1) / 2)
        affine[:3, :3] *= factors
        return Geometry(self.tile_kji, affine, grid.frame_of_reference_uid)

    def goes_on(self, found: torch.Tensor, before: torch.Tensor) -> bool:
        """Whether what was found reaches a side of the region inside the grid at which nothing was before."""
        return bool(self.sides_reached(found, before))

    def sides_reached(self, found: torch.Tensor, before: torch.Tensor) -> list[tuple[int, int]]:
        """Return the sides (axis, -1 or 1) inside the grid that what was found reaches anew."""
        part = self.box.clipped((before.shape[0], before.shape[1], before.shape[2]))
        if part.empty:
            return []
        # What is said of voxels outside of the grid means nothing.
        cells = self._cells(part, margin=0).slices
        new = ((found[cells] >= 0.5) & (self.cut(before)[cells] < 0.5)).cpu().numpy()
        reached = []
        for axis in range(3):
            for side, inside in ((-1, self.box.min_kji[axis] > 0), (1, self.box.max_kji[axis] < before.shape[axis])):
                face = new.take(0 if side < 0 else -1, axis=axis)
                if inside and face.sum() > max(1, _CHANGED * face.size):
                    reached.append((axis, side))
        return reached

    def beside(self, axis: int, side: int) -> PromptRegion:
        """Return the region half a side further along an axis."""
        by = [0, 0, 0]
        by[axis] = side * (self.box.shape_kji[axis] // 2)
        return PromptRegion(self.box.shifted((by[0], by[1], by[2])), self.factors_kji)

    def cut(self, values: torch.Tensor, *, edge: bool = False) -> torch.Tensor:
        """Return the tile of numbers (..., k, j, i): means of voxels; outside the grid 0, or with ``edge`` the nearest."""
        shape = (values.shape[-3], values.shape[-2], values.shape[-1])
        part = self.box.clipped(shape)
        if part.empty:
            return torch.zeros((*values.shape[:-3], *self.tile_kji), device=values.device)
        cells = self._cells(part)
        near = self._voxels(cells)
        mode = "replicate" if edge else "constant"
        found = values[(..., *part.slices)].float().reshape(1, -1, *part.shape_kji)
        found = functional.pad(found, _pads(part, near), mode=mode)
        if max(self.factors_kji) > 1:
            found = functional.avg_pool3d(found, self.factors_kji)
        found = functional.pad(found, _pads(cells, Box.whole(self.tile_kji)), mode=mode)
        return found.reshape(*values.shape[:-3], *self.tile_kji)

    def paste(self, found: torch.Tensor, into: torch.Tensor, *, inner: bool = False) -> Box:
        """Write what was found on a tile into numbers of the grid (k, j, i); with ``inner`` its middle half only.

        Along an axis on which all of the grid is seen, there is nothing beyond that could be known better: all is written.

        Returns
        -------
        Box
            What of the grid was written.
        """
        box = self.box
        if inner:
            ends = zip(box.min_kji, box.max_kji, box.shape_kji, into.shape, strict=True)
            quarter = [0 if low <= 0 and high >= whole else side // 4 for low, high, side, whole in ends]
            low = [n + q for n, q in zip(box.min_kji, quarter, strict=True)]
            high = [n - q for n, q in zip(box.max_kji, quarter, strict=True)]
            box = Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
        part = box.clipped((into.shape[0], into.shape[1], into.shape[2]))
        if not part.empty:
            cells = self._cells(part)
            near = self._voxels(cells)
            values = found[cells.slices]
            if max(self.factors_kji) > 1:
                values = functional.interpolate(values[None, None], near.shape_kji, mode="trilinear", align_corners=False)[
                    0, 0
                ]
            into[part.slices] = values[part.within(near).slices].to(into.dtype)
        return part

    def _cells(self, part: Box, margin: int = 1) -> Box:
        """Return the voxels of the tile that a part of the box meets, with some more to each side where there are.

        A wide region may be many times as large as the grid; nothing is worked out where there is none.
        """
        inside = part.within(self.box)
        low = np.maximum(0, np.floor_divide(inside.min_kji, self.factors_kji) - margin)
        high = np.minimum(self.tile_kji, -np.floor_divide(np.negative(inside.max_kji), self.factors_kji) + margin)
        (k0, j0, i0), (k1, j1, i1) = low.tolist(), high.tolist()
        return Box((k0, j0, i0), (k1, j1, i1))

    def _voxels(self, cells: Box) -> Box:
        """Return the voxels of the grid that voxels of the tile cover."""
        (k0, j0, i0), (k1, j1, i1) = (
            np.add(np.multiply(corner, self.factors_kji), self.box.min_kji).tolist()
            for corner in (cells.min_kji, cells.max_kji)
        )
        return Box((k0, j0, i0), (k1, j1, i1))


def _coarser(factors_kji: Shape3, which: npt.NDArray[np.bool_]) -> Shape3:
    """Return the factors, larger along some axes."""
    k, j, i = np.where(which, np.multiply(factors_kji, _WIDER), factors_kji).tolist()
    return k, j, i


def _pads(inner: Box, outer: Box) -> list[int]:
    """Return what is missing around the inner box to make the outer one, in torch's order."""
    sides = zip(inner.min_kji, outer.min_kji, inner.max_kji, outer.max_kji, strict=True)
    return [n for low, first, high, last in reversed(list(sides)) for n in (low - first, last - high)]


def looked_at(
    image: torch.Tensor,
    chance: torch.Tensor,
    prompts: Sequence[Prompt],
    grid: Geometry,
    region: PromptRegion,
    output: InteractiveOutput,
    grown: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return what a network sees of a region, shape (channels, k, j, i): image, mask so far, what was grown, prompts.

    Each prompt makes those before it weaker by ``decay``; where two of a kind meet, the newer one counts.
    """
    parts = [region.cut(image, edge=True)]
    if output.previous:
        parts.append((region.cut(chance) >= 0.5).float()[None])
    if output.grown:
        tile = torch.zeros(region.tile_kji, device=image.device) if grown is None else region.cut(grown)
        parts.append((tile >= 0.5).float()[None])
    parts.append(torch.from_numpy(prompt_channels(prompts, region.geometry(grid), output)).to(image.device))
    return torch.cat(parts)


def prompt_channels(prompts: Sequence[Prompt], tile: Geometry, output: InteractiveOutput) -> npt.NDArray[np.float32]:
    """Return the channels of prompts on the grid of a tile, shape (prompts of the output, k, j, i)."""
    drawn = np.zeros((len(output.prompts), *tile.shape_kji), dtype=np.float32)
    for prompt in prompts:
        draw_prompt(drawn, prompt, tile, output)
    return drawn


def draw_prompt(drawn: npt.NDArray[np.float32], prompt: Prompt, tile: Geometry, output: InteractiveOutput) -> None:
    """Add one more prompt to channels of prompts."""
    order = [(channel.kind, channel.positive) for channel in output.prompts]
    drawn *= output.decay
    box, mask = voxels_of(prompt, tile, output.radius_voxels)
    if not box.empty:
        drawn[order.index((prompt.kind.value, prompt.positive))][box.slices][mask] = 1.0
