"""MeshNet: a stack of dilated convolutions at full resolution (Fedorov 2017), evaluated slab by slab."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

SLAB_MULTIPLICATIONS = 5e8
"""Work of one convolution call: some 20 ms on two idle CPU cores, so that Cancel never waits for a whole layer."""

FAST_FROM = 20480
"""torch gives single inputs with channels x slices x rows up to this to a convolution ten times slower than oneDNN's."""

NORM_EPSILON = 1e-5
"""As in torch's GroupNorm."""


class MeshNet(nn.Module):
    """Label every voxel; the input may have any size.

    Each layer is computed in slabs along k, written into one buffer. At any time two layers' features are in memory
    and nothing else of the volume's size. Zeros are padded at the volume's faces only, so slabs change no number.

    Parameters
    ----------
    in_channels, out_channels : int
    channels : int
        Features of every layer.
    dilations : sequence of int
        One 3 x 3 x 3 convolution each; a 1 x 1 x 1 convolution follows the last.
    activation : str
        ``relu`` or ``gelu``.
    norm : str
        ``none``, or ``instance``: each feature gets mean 0 and variance 1 over the whole volume before the activation.
    bias : bool
        Whether the dilated convolutions have one.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        channels: int,
        dilations: Sequence[int],
        activation: str = "relu",
        norm: str = "none",
        bias: bool = True,
    ) -> None:
        super().__init__()
        if not dilations or min(dilations) < 1 or norm not in ("none", "instance"):
            raise ValueError(f"MeshNet cannot have dilations {dilations} with norm {norm}")
        self.normalised = norm == "instance"
        self.channels = channels
        self.out_channels = out_channels
        self.dilations = tuple(dilations)
        self.activation = {"relu": nn.ReLU(inplace=True), "gelu": nn.GELU()}[activation]
        inputs = (in_channels, *[channels] * (len(dilations) - 1))
        self.layers = nn.ModuleList(
            nn.Conv3d(n, channels, 3, padding=(0, d, d), dilation=d, bias=bias)
            for n, d in zip(inputs, dilations, strict=True)
        )
        self.head = nn.Conv3d(channels, out_channels, 1)

    @property
    def receptive_radius(self) -> int | None:
        """Voxels a result depends on to each side; None where it depends on the whole volume."""
        return None if self.normalised else sum(self.dilations)

    def leaf_calls(self, shape_kji: tuple[int, int, int]) -> int:
        """How many calls of leaf modules a forward pass on a volume of this shape makes."""
        slabs = [len(list(self._slabs(conv, shape_kji))) for conv in self._convolutions()]
        return 2 * sum(slabs) + math.ceil(shape_kji[0] / self._head_slab(shape_kji))

    def working_bytes(self, shape_kji: tuple[int, int, int]) -> int:
        """Memory a forward pass takes on top of its input: two layers' features, or one and the logits, and a slab."""
        voxels = math.prod(shape_kji)
        slab = 0
        for conv in self._convolutions():
            slices = max(high - low for low, high in self._slabs(conv, shape_kji))
            # What a convolution sees may be copied twice (faces padded, halves batched), what it returns once.
            seen = min(shape_kji[0], slices) + 2 * conv.dilation[0]
            slab = max(slab, 2 * (seen * conv.in_channels + slices * self.channels))
        features = voxels * (self.channels + max(self.channels, self.out_channels))
        return 4 * (features + slab * shape_kji[1] * shape_kji[2])

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Return logits (1, out_channels, k, j, i) of a volume (1, in_channels, k, j, i)."""
        features = volume
        for conv in self._convolutions():
            features = self._layer(conv, features)
        logits = features.new_empty((1, self.out_channels, *features.shape[2:]))
        step = self._head_slab(features.shape[2:])
        for k in range(0, features.shape[2], step):
            logits[:, :, k : k + step] = self.head(features[:, :, k : k + step])
        return logits

    def _layer(self, conv: nn.Conv3d, features: torch.Tensor) -> torch.Tensor:
        shape = features.shape[2:]
        reach = conv.dilation[0]
        # Channels last: twice as fast on CPUs for so few channels, and a slab is one block of memory.
        out = torch.empty(
            (1, self.channels, *shape), dtype=features.dtype, device=features.device, memory_format=torch.channels_last_3d
        )
        moments = Moments(self.channels)
        for low, high in self._slabs(conv, shape):
            seen = features[:, :, max(0, low - reach) : high + reach]
            outside = max(0, reach - low), max(0, high + reach - shape[0])
            if any(outside):
                seen = functional.pad(seen, (0, 0, 0, 0, *outside))
            slab = _convolve(conv, seen)
            if self.normalised:
                moments.add(slab)
                out[:, :, low:high] = slab
            else:
                out[:, :, low:high] = self.activation(slab)
        if self.normalised:
            mean, scale = moments.mean_and_scale(out)
            for low, high in self._slabs(conv, shape):
                out[:, :, low:high] = self.activation(out[:, :, low:high].sub_(mean).mul_(scale))
        return out

    def _convolutions(self) -> Iterator[nn.Conv3d]:
        for layer in self.layers:
            assert isinstance(layer, nn.Conv3d)
            yield layer

    def _slabs(self, conv: nn.Conv3d, shape_kji: Sequence[int]) -> Iterator[tuple[int, int]]:
        # One input channel takes as long as five: oneDNN has no layout for it.
        per_slice = 27 * max(5, conv.in_channels) * conv.out_channels * shape_kji[1] * shape_kji[2]
        count = math.ceil(shape_kji[0] / max(2, int(SLAB_MULTIPLICATIONS / per_slice)))
        ends = [shape_kji[0] * n // count for n in range(count + 1)]
        yield from pairwise(ends)

    def _head_slab(self, shape_kji: Sequence[int]) -> int:
        return max(1, int(SLAB_MULTIPLICATIONS / (27 * self.channels * shape_kji[1] * shape_kji[2])))


def _convolve(conv: nn.Conv3d, seen: torch.Tensor) -> torch.Tensor:
    """Return the slices whose neighbours along k are all in ``seen``, (1, C, k, j, i); one call of ``conv``."""
    rim = 2 * conv.dilation[0]
    slices = seen.shape[2] - rim
    if seen.is_cuda or slices < 2 or seen.shape[1] * seen.shape[2] * seen.shape[3] > FAST_FROM:
        out: torch.Tensor = conv(seen)
        return out
    # A batch of two halves is never given to the slow convolution.
    half = math.ceil(slices / 2)
    halves = conv(torch.cat([seen[:, :, : half + rim], seen[:, :, slices - half :]]))
    return torch.cat([halves[:1], halves[1:, :, 2 * half - slices :]], dim=2)


class Moments:
    """Mean and variance per channel, slab by slab (Chan 1979)."""

    def __init__(self, channels: int) -> None:
        self._count = 0.0
        self._mean = torch.zeros(channels, dtype=torch.float64)
        self._squares = torch.zeros(channels, dtype=torch.float64)

    def add(self, slab: torch.Tensor) -> None:
        """Take in (1, C, k, j, i)."""
        variance, mean = torch.var_mean(slab, dim=(0, 2, 3, 4), correction=0)
        variance, mean = variance.cpu().double(), mean.cpu().double()
        count = slab.numel() / slab.shape[1]
        total = self._count + count
        apart = mean - self._mean
        self._squares += variance * count + apart * apart * (self._count * count / total)
        self._mean += apart * (count / total)
        self._count = total

    def mean_and_scale(self, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and reciprocal standard deviation, shape (1, C, 1, 1, 1), in the type and place of ``like``."""
        scale = (self._squares / self._count + NORM_EPSILON).rsqrt()
        mean, scale = (t.view(1, -1, 1, 1, 1).to(like.device, like.dtype) for t in (self._mean, scale))
        return mean, scale


def meshnet(
    in_channels: int,
    out_channels: int,
    channels: int,
    dilations: list[int],
    activation: str = "relu",
    norm: str = "none",
    bias: bool = True,
) -> MeshNet:
    """Build a MeshNet; the factory of the network table."""
    return MeshNet(in_channels, out_channels, channels, dilations, activation, norm, bias)
