"""What a network sees in a whole case, in one row of numbers: the mean of its deepest features."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.utils.hooks import RemovableHandle


class Pooled:
    """Watches the convolution with most channels, the last of equals: that of a U-Net's bottom, of a classifier's end.

    Use as a context manager around the runs of one case.

    Parameters
    ----------
    network : torch.nn.Module
        Called once or more for each tile.
    weight : callable, optional
        How much a call counts, above 0, by what the network answered; all alike when not given.
    """

    def __init__(self, network: nn.Module, weight: Callable[[object], float] = lambda _answer: 1.0) -> None:
        self._network = network
        self._weight = weight
        self._hooks: list[RemovableHandle] = []
        self._call: torch.Tensor | None = None
        self._voxels = 0
        self._sum: torch.Tensor | None = None
        self._weights = 0.0

    def __enter__(self) -> Pooled:
        """Begin to watch."""
        convolutions = [m for m in self._network.modules() if isinstance(m, nn.Conv2d | nn.Conv3d)]
        if convolutions:
            most = max(m.out_channels for m in convolutions)
            deepest = [m for m in convolutions if m.out_channels == most][-1]
            self._hooks = [
                deepest.register_forward_hook(self._on_features),
                self._network.register_forward_hook(self._on_answer),
            ]
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    @property
    def features(self) -> npt.NDArray[np.float32]:
        """The mean over all calls, shape (channels,); empty for networks without such layers."""
        if self._sum is None or self._weights <= 0:
            return np.zeros(0, dtype=np.float32)
        return np.nan_to_num((self._sum / self._weights).cpu().numpy().astype(np.float32))

    def _on_features(self, _module: nn.Module, _inputs: object, found: object) -> None:
        # Large layers are called in slabs: what is seen of one call of the network is put together.
        if isinstance(found, torch.Tensor) and found.ndim > 2:
            total = found.detach().double().sum(dim=[0, *range(2, found.ndim)])
            self._call = total if self._call is None else self._call + total
            self._voxels += found.numel() // found.shape[1]

    def _on_answer(self, _module: nn.Module, _inputs: object, answer: object) -> None:
        if self._call is None or not self._voxels:
            return
        weight = self._weight(answer)
        mean = weight * self._call / self._voxels
        self._sum = mean if self._sum is None else self._sum + mean
        self._weights += weight
        self._call, self._voxels = None, 0
