"""A one-stage detector with a pyramid of features: objects from a few voxels to half a picture, in slices or volumes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from medview.ml.networks.units import conv, padded, stage, unit

RARE = -4.6
"""First bias of the class scores: one cell in a hundred (Lin 2017, focal loss)."""

LARGEST_LOG = 4.0
"""Sizes stay below e^4 cells, whatever an untrained network answers."""


class FpnDetector(nn.Module):
    """Find objects without anchors, each cell of each level answering for what has its middle there.

    A convolutional trunk halves the picture from level to level; a top-down way (Lin 2017, FPN) gives every level the
    context of the coarser ones; one head, shared by all levels, answers per cell which class is there, how near the middle
    of its object the cell lies (centerness, Tian 2019, FCOS), where the middle is and how large the object.

    Parameters
    ----------
    in_channels, classes : int
    dimensions : int
        3, or 2 for slices (N, channels, j, i).
    channels : sequence of int
        Features of the trunk at 1/2, 1/4, 1/8 ... of the resolution.
    width : int
        Features of the pyramid and the head.
    first_level : int
        The finest level that answers: its cells are ``2 ** first_level`` voxels wide, times ``shrink``; the last is
        ``len(channels)``.
    shrink : int
        Pictures are averaged over so many voxels along each axis first, where objects are large in them.
    norm : bool
        Whether pyramid and head normalise their features too, each level by itself; learns faster from nothing.

    Attributes
    ----------
    levels : tuple of tuple of int
        Voxels per cell along k, j, i of every level that answers; 1 along k for slices.
    """

    def __init__(
        self,
        in_channels: int = 1,
        classes: int = 1,
        dimensions: int = 3,
        channels: Sequence[int] = (16, 32, 64, 96, 128),
        width: int = 64,
        first_level: int = 2,
        *,
        shrink: int = 1,
        norm: bool = False,
    ) -> None:
        super().__init__()
        if dimensions not in (2, 3) or not 1 <= first_level <= len(channels) or shrink < 1:
            raise ValueError(f"{dimensions} dimensions, levels {first_level} to {len(channels)}, {shrink} times smaller")
        self.dimensions, self.first_level, self.shrink = dimensions, first_level, shrink
        sides = [shrink * 2**level for level in range(first_level, len(channels) + 1)]
        self.levels = tuple((side if dimensions == 3 else 1, side, side) for side in sides)
        self.multiple = sides[-1]
        self.stem = unit(dimensions, in_channels, channels[0], stride=2)
        self.down = nn.ModuleList(stage(dimensions, before, after) for before, after in pairwise(channels))
        answering = channels[first_level - 1 :]
        self.lateral = nn.ModuleList(conv(dimensions, count, width, 1) for count in answering)
        self.smooth = nn.ModuleList(conv(dimensions, width, width, 3) for _ in answering)
        counted = len(answering) if norm else 0
        self.smooth_norms = _norms(dimensions, width, counted)
        self.class_tower = nn.Sequential(conv(dimensions, width, width, 3), nn.ReLU(inplace=True))
        self.box_tower = nn.Sequential(conv(dimensions, width, width, 3), nn.ReLU(inplace=True))
        # The layers of the head are shared; what is normal differs from level to level.
        self.class_norms = _norms(dimensions, width, counted)
        self.box_norms = _norms(dimensions, width, counted)
        self.logits = conv(dimensions, width, classes, 1)
        self.centre = conv(dimensions, width, 1, 1)
        self.offset = conv(dimensions, width, dimensions, 1)
        self.size = conv(dimensions, width, dimensions, 1)
        # What is large in cells differs from level to level.
        self.scale = nn.Parameter(torch.zeros(len(answering)))
        assert self.logits.bias is not None
        nn.init.constant_(self.logits.bias, RARE)

    def forward(self, volume: torch.Tensor) -> dict[str, torch.Tensor]:
        """Look for objects in volumes (N, in_channels, k, j, i), or slices (N, in_channels, j, i).

        Returns
        -------
        dict of Tensor
            For every level n from 0: ``logits_n`` (N, classes, ...) of the classes; ``centre_n`` (N, 1, ...) logits of the
            centerness; ``offset_n`` (N, dimensions, ...) middle of the object from that of the cell, in cells; ``size_n``
            (N, dimensions, ...) edge lengths in voxels of the input, positive. Cells are counted from the first voxel;
            the last ones may reach over the end.
        """
        seen = padded(volume, self.multiple)
        if self.shrink > 1:
            seen = (functional.avg_pool3d if self.dimensions == 3 else functional.avg_pool2d)(seen, self.shrink)
        features = self.stem(seen)
        found = [features]
        for down in self.down:
            features = down(features)
            found.append(features)
        found = found[self.first_level - 1 :]
        pyramid = [lateral(one) for lateral, one in zip(self.lateral, found, strict=True)]
        for n in range(len(pyramid) - 2, -1, -1):
            pyramid[n] = pyramid[n] + functional.interpolate(pyramid[n + 1], scale_factor=2.0, mode="nearest")
        answer: dict[str, torch.Tensor] = {}
        for n, (smooth, one, cell) in enumerate(zip(self.smooth, pyramid, self.levels, strict=True)):
            level = functional.relu(self._normal(self.smooth_norms, n, smooth(one)))
            # Cells that lie wholly beside the volume answer for nothing.
            kept = [-(-side // step) for side, step in zip(volume.shape[2:], cell[-self.dimensions :], strict=True)]
            here = (slice(None), slice(None), *(slice(0, count) for count in kept))
            classes = self.class_tower[1](self._normal(self.class_norms, n, self.class_tower[0](level)))
            boxes = self.box_tower[1](self._normal(self.box_norms, n, self.box_tower[0](level)))
            steps = torch.tensor(cell[-self.dimensions :], dtype=level.dtype, device=level.device)
            steps = steps.view(1, -1, *([1] * self.dimensions))
            logged = (self.size(boxes) + self.scale[n]).clamp(-LARGEST_LOG, LARGEST_LOG)
            answer[f"logits_{n}"] = self.logits(classes)[here]
            answer[f"centre_{n}"] = self.centre(boxes)[here]
            answer[f"offset_{n}"] = self.offset(boxes)[here]
            answer[f"size_{n}"] = (2.0 * steps * logged.exp())[here]
        return answer

    @staticmethod
    def _normal(norms: nn.ModuleList, level: int, features: torch.Tensor) -> torch.Tensor:
        return norms[level](features) if norms else features


def _norms(dimensions: int, width: int, count: int) -> nn.ModuleList:
    made = nn.BatchNorm3d if dimensions == 3 else nn.BatchNorm2d
    return nn.ModuleList(made(width) for _ in range(count))


def fpn_detector(
    in_channels: int,
    classes: int,
    dimensions: int,
    channels: Sequence[int],
    width: int,
    first_level: int,
    norm: bool = False,
    shrink: int = 1,
) -> FpnDetector:
    """Return the network ``fpn_detector`` of a pack."""
    return FpnDetector(in_channels, classes, dimensions, channels, width, first_level, norm=norm, shrink=shrink)
