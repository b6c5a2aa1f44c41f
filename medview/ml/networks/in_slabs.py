"""Large convolutions in slabs along their first axis, so that Cancel never waits for a whole layer."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

SLAB_MULTIPLICATIONS = 2e9
"""Work of one call on the CPU: some 80 ms on two cores."""

FAST_FROM = 20480
"""torch gives single inputs with channels x slices x rows up to this to a convolution ten times slower than oneDNN's."""


class InSlabs(nn.Module):
    """A convolution that is computed slab by slab where it is large; its answers are those of the convolution.

    Each slab is one call of a leaf module: whoever watches calls is asked in between. On graphics cards, and where there is
    little to do, the convolution is called once.

    Parameters
    ----------
    conv : torch.nn.Conv3d or torch.nn.ConvTranspose3d
        Such as ``can_be_cut`` allows.
    """

    def __init__(self, conv: nn.Conv3d | nn.ConvTranspose3d) -> None:
        super().__init__()
        self.conv = conv

    @staticmethod
    def can_be_cut(module: nn.Module) -> bool:
        """Whether slabs of a module's output follow from slabs of its input."""
        if isinstance(module, nn.Conv3d):
            return module.padding_mode == "zeros" and not isinstance(module.padding, str)
        # Cells that do not overlap are worked out one by one.
        return (
            isinstance(module, nn.ConvTranspose3d)
            and module.kernel_size[0] == module.stride[0]
            and module.dilation[0] == 1
            and module.padding[0] == module.output_padding[0] == 0
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the convolution of features (N, C, k, j, i)."""
        conv = self.conv
        transposed = isinstance(conv, nn.ConvTranspose3d)
        slices = features.shape[2] if transposed else self._slices(features.shape[2])
        per_slice = self._multiplications(features, slices)
        step = max(1, int(SLAB_MULTIPLICATIONS / per_slice))
        if len(features) == 1:
            step = max(step, math.ceil((FAST_FROM + 1) / (features.shape[1] * features.shape[3])))
        count = math.ceil(slices / step)
        if features.is_cuda or features.is_meta or count == 1:
            whole: torch.Tensor = conv(features)
            return whole
        ends = [slices * n // count for n in range(count + 1)]
        out: torch.Tensor | None = None
        for low, high in pairwise(ends):
            part = conv(features[:, :, low:high]) if transposed else self._part(features, low, high)
            scale = part.shape[2] // (high - low)
            if out is None:
                shape = part.shape[0], part.shape[1], slices * scale, part.shape[3], part.shape[4]
                out = torch.empty(shape, dtype=part.dtype, device=part.device, memory_format=torch.channels_last_3d)
            out[:, :, low * scale : high * scale] = part
        assert out is not None
        return out

    def _slices(self, slices_in: int) -> int:
        conv = self.conv
        reach = conv.dilation[0] * (conv.kernel_size[0] - 1)
        return (slices_in + 2 * int(conv.padding[0]) - reach - 1) // conv.stride[0] + 1

    def _multiplications(self, features: torch.Tensor, slices: int) -> float:
        """Return the work of one slice of the output, or of the input where the output is larger."""
        conv, (count, _, _, rows, columns) = self.conv, features.shape
        cells = rows * columns / (1 if isinstance(conv, nn.ConvTranspose3d) else conv.stride[1] * conv.stride[2])
        return float(conv.weight.numel()) * count * cells

    def _part(self, features: torch.Tensor, low: int, high: int) -> torch.Tensor:
        conv = self.conv
        first = low * conv.stride[0] - int(conv.padding[0])
        last = (high - 1) * conv.stride[0] - int(conv.padding[0]) + conv.dilation[0] * (conv.kernel_size[0] - 1) + 1
        seen = features[:, :, max(0, first) : last]
        outside = max(0, -first), max(0, last - features.shape[2])
        if any(outside):
            seen = functional.pad(seen, (0, 0, 0, 0, *outside))
        padding = conv.padding
        # Only slabs at the faces are padded along the first axis.
        conv.padding = (0, *padding[1:])
        try:
            part: torch.Tensor = conv(seen)
        finally:
            conv.padding = padding
        return part


def cut_large(network: nn.Module) -> nn.Module:
    """Let the convolutions of a network work in slabs; changes it in place. What does so itself stays as it is."""
    if hasattr(network, "leaf_calls"):
        return network
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if not isinstance(module, InSlabs) and InSlabs.can_be_cut(child):
                assert isinstance(child, nn.Conv3d | nn.ConvTranspose3d)
                setattr(module, name, InSlabs(child))
    return network
