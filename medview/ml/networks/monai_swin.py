"""The Swin transformer inside MONAI's ``SwinUNETR``: attention within windows, shifted every other time.

Liu 2021 (arXiv 2103.14030), with MONAI's parameter names; for slices and volumes. Features have their channels last here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import torch
from torch import nn
from torch.nn import functional

FAR = -100.0
"""Added to the attention between voxels that only shifting made neighbours."""

MERGED = {
    # Until MONAI 1.4 two of the eight voxels were taken twice and two never; weights are of one order or another.
    "old": ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 0), (0, 0, 1), (1, 1, 1)),
    "first": ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)),
    "second": tuple(product(range(2), repeat=3)),
}
"""In which order the voxels of a block of two are put together, by axis."""

MERGED_FLAT = ((0, 0), (1, 0), (0, 1), (1, 1))


class Attention(nn.Module):
    """Attention between all voxels of a window, with a learned bias by how they lie to each other."""

    def __init__(self, channels: int, heads: int, window: Sequence[int], *, bias: bool) -> None:
        super().__init__()
        self.window = tuple(window)
        self.heads = heads
        places = math.prod(2 * side - 1 for side in window)
        self.relative_position_bias_table = nn.Parameter(torch.zeros(places, heads))
        self.qkv = nn.Linear(channels, 3 * channels, bias=bias)
        self.proj = nn.Linear(channels, channels)

    def forward(self, windows: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Return (windows, voxels, channels) of the same; ``mask`` (windows of one volume, voxels, voxels) is added."""
        count, voxels, channels = windows.shape
        parts = self.qkv(windows).reshape(count, voxels, 3, self.heads, channels // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = parts[0], parts[1], parts[2]
        scores = (query * (channels // self.heads) ** -0.5) @ key.transpose(-2, -1)
        scores = scores + self._bias(voxels)
        if mask is not None:
            split = scores.view(-1, len(mask), self.heads, voxels, voxels) + mask[:, None]
            scores = split.view(count, self.heads, voxels, voxels)
        found: torch.Tensor = self.proj((scores.softmax(-1) @ value).transpose(1, 2).reshape(count, voxels, channels))
        return found

    def _bias(self, voxels: int) -> torch.Tensor:
        """Return the bias (heads, voxels, voxels); of smaller windows MONAI takes the first rows of the whole one's."""
        index = self._index(self.relative_position_bias_table.device)[:voxels, :voxels]
        found = self.relative_position_bias_table[index.reshape(-1)].view(voxels, voxels, self.heads)
        return found.permute(2, 0, 1)

    def _index(self, device: torch.device) -> torch.Tensor:
        axes = [torch.arange(side, device=device) for side in self.window]
        places = torch.stack(torch.meshgrid(*axes, indexing="ij")).flatten(1)
        away = places[:, :, None] - places[:, None, :]
        index = torch.zeros_like(away[0])
        for along, side in zip(away, self.window, strict=True):
            index = index * (2 * side - 1) + along + side - 1
        return index


class Perceptron(nn.Module):
    """Two linear layers."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(channels, inner)
        self.linear2 = nn.Linear(inner, channels)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        found: torch.Tensor = self.linear2(functional.gelu(self.linear1(features)))
        return found


class Block(nn.Module):
    """Attention, then the perceptron, each added to what came."""

    def __init__(
        self, channels: int, heads: int, window: Sequence[int], ratio: float, *, bias: bool, shifted: bool
    ) -> None:
        super().__init__()
        self.shifted = shifted
        self.norm1 = nn.LayerNorm(channels)
        self.attn = Attention(channels, heads, window, bias=bias)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = Perceptron(channels, int(channels * ratio))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features (N, ..., channels) of the same shape."""
        features = features + self._attended(self.norm1(features))
        found: torch.Tensor = features + self.mlp(self.norm2(features))
        return found

    def _attended(self, features: torch.Tensor) -> torch.Tensor:
        sides = features.shape[1:-1]
        window = [min(w, n) for w, n in zip(self.attn.window, sides, strict=True)]
        whole = [n <= w for w, n in zip(self.attn.window, sides, strict=True)]
        shift = [0 if all_of or not self.shifted else w // 2 for w, all_of in zip(self.attn.window, whole, strict=True)]
        missing = [-n % w for n, w in zip(sides, window, strict=True)]
        padded = functional.pad(features, [0, 0, *(side for m in reversed(missing) for side in (0, m))])
        axes = list(range(1, len(sides) + 1))
        moved = any(shift)
        if moved:
            padded = torch.roll(padded, [-s for s in shift], axes)
        mask = _mask(padded.shape[1:-1], window, shift, features.device) if moved else None
        found = _joined(self.attn(_windows(padded, window), mask), padded.shape, window)
        if moved:
            found = torch.roll(found, shift, axes)
        return found[(slice(None), *(slice(0, n) for n in sides))]


class Merging(nn.Module):
    """Half the size: blocks of two along each axis become one voxel."""

    def __init__(self, channels: int, dims: int, order: str) -> None:
        super().__init__()
        self.offsets = MERGED_FLAT if dims == 2 else MERGED[order]
        self.reduction = nn.Linear(2**dims * channels, 2 * channels, bias=False)
        self.norm = nn.LayerNorm(2**dims * channels)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return (N, ..., 2 channels)."""
        odd = [side for n in reversed(features.shape[1:-1]) for side in (0, n % 2)]
        padded = functional.pad(features, [0, 0, *odd])
        parts = [padded[(slice(None), *(slice(o, None, 2) for o in offset))] for offset in self.offsets]
        found: torch.Tensor = self.reduction(self.norm(torch.cat(parts, dim=-1)))
        return found


class Stage(nn.Module):
    """Some blocks, then half the size; channels come first and go first."""

    def __init__(
        self,
        channels: int,
        depth: int,
        heads: int,
        window: Sequence[int],
        ratio: float,
        order: str,
        *,
        bias: bool,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            Block(channels, heads, window, ratio, bias=bias, shifted=n % 2 == 1) for n in range(depth)
        )
        self.downsample = Merging(channels, len(window), order)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return (N, 2 channels, ...)."""
        last = features.movedim(1, -1)
        for block in self.blocks:
            last = block(last)
        found: torch.Tensor = self.downsample(last).movedim(-1, 1)
        return found


def _windows(features: torch.Tensor, window: Sequence[int]) -> torch.Tensor:
    """Cut (N, ..., C) into (windows, voxels, C)."""
    dims, sides = len(window), features.shape[1:-1]
    split = [part for n, w in zip(sides, window, strict=True) for part in (n // w, w)]
    cut = features.reshape(features.shape[0], *split, features.shape[-1])
    order = [0, *range(1, 2 * dims, 2), *range(2, 2 * dims + 1, 2), 2 * dims + 1]
    return cut.permute(order).reshape(-1, math.prod(window), features.shape[-1])


def _joined(windows: torch.Tensor, shape: Sequence[int], window: Sequence[int]) -> torch.Tensor:
    """Put (windows, voxels, C) together again to a shape (N, ..., C)."""
    dims, sides = len(window), shape[1:-1]
    counts = [n // w for n, w in zip(sides, window, strict=True)]
    cut = windows.reshape(shape[0], *counts, *window, shape[-1])
    order = [0, *(axis for n in range(dims) for axis in (1 + n, 1 + dims + n)), 2 * dims + 1]
    return cut.permute(order).reshape(tuple(shape))


def _mask(sides: Sequence[int], window: Sequence[int], shift: Sequence[int], device: torch.device) -> torch.Tensor:
    """Return what is added between voxels of a window, ``FAR`` where rolling brought them together."""
    numbers = torch.zeros(tuple(sides), device=device)
    for axis, (w, s) in enumerate(zip(window, shift, strict=True)):
        if s:
            along = torch.zeros(sides[axis], device=device)
            along[-w:-s], along[-s:] = 1.0, 2.0
            numbers = numbers * 3 + along.view([-1 if a == axis else 1 for a in range(len(sides))])
    regions = _windows(numbers[None, ..., None], window).squeeze(-1)
    return torch.where(regions[:, None] != regions[:, :, None], FAR, 0.0)
