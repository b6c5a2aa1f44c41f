"""MONAI's ``SwinUNETR``: a Swin transformer looks, a decoder of convolutions answers.

Hatamizadeh 2022 (arXiv 2201.01266), with MONAI's parameter names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn
from torch.nn import functional

from medview.ml.networks.monai_dynunet import DynBlock, OutBlock, UpBlock
from medview.ml.networks.monai_layers import MOST_BLOCKS, Layers, Sides
from medview.ml.networks.monai_swin import MERGED, Stage

STAGES = 4


class PatchEmbed(nn.Module):
    """Blocks of two voxels along each axis to features."""

    def __init__(self, layers: Layers, before: int, after: int) -> None:
        super().__init__()
        self.proj = layers.plain(before, after, 2, 2, padding=0)

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Return (N, after, ...) at half the size."""
        odd = [side for n in reversed(volume.shape[2:]) for side in (0, n % 2)]
        found: torch.Tensor = self.proj(functional.pad(volume, odd))
        return found


class Residual(nn.Module):
    """A residual block called ``layer``."""

    def __init__(self, layers: Layers, before: int, after: int) -> None:
        super().__init__()
        self.layer = DynBlock(layers, before, after, 3, 1, residual=True)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features (N, after, ...)."""
        found: torch.Tensor = self.layer(features)
        return found


class SwinTransformer(nn.Module):
    """Features of five resolutions."""

    def __init__(
        self,
        layers: Layers,
        before: int,
        features: int,
        depths: Sequence[int],
        heads: Sequence[int],
        window: Sequence[int],
        ratio: float,
        order: str,
        *,
        bias: bool,
        second: bool,
    ) -> None:
        super().__init__()
        self.second = second
        self.patch_embed = PatchEmbed(layers, before, features)
        for n in range(STAGES):
            wide = features << n
            stage = Stage(wide, depths[n], heads[n], window, ratio, order, bias=bias)
            self.add_module(f"layers{n + 1}", nn.ModuleList([stage]))
            if second:
                plain = replace(layers, norm="instance", affine=False)
                self.add_module(f"layers{n + 1}c", nn.ModuleList([Residual(plain, wide, wide)]))

    def forward(self, volume: torch.Tensor) -> list[torch.Tensor]:
        """Return the features of each resolution, finest first."""
        features = self.patch_embed(volume)
        found = [features]
        for n in range(1, STAGES + 1):
            if self.second:
                features = self.get_submodule(f"layers{n}c.0")(features)
            features = self.get_submodule(f"layers{n}.0")(features)
            found.append(features)
        return found


class SwinUNETR(nn.Module):
    """Sides have to be multiples of 32."""

    def __init__(self, layers: Layers, in_channels: int, classes: int, features: int, swin: SwinTransformer) -> None:
        super().__init__()
        self.swinViT = swin
        self.normalised = True
        self.encoder1 = Residual(layers, in_channels, features)
        for n, wide in ((2, 1), (3, 2), (4, 4), (10, 16)):
            self.add_module(f"encoder{n}", Residual(layers, wide * features, wide * features))
        for n, (deep, fine) in ((5, (16, 8)), (4, (8, 4)), (3, (4, 2)), (2, (2, 1)), (1, (1, 1))):
            up = UpBlock(layers, deep * features, fine * features, 3, 2, bias=False, residual=True)
            self.add_module(f"decoder{n}", up)
        self.out = OutBlock(layers, features, classes)

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes, ...) of a volume (N, C, ...)."""
        hidden = self.swinViT(volume)
        if self.normalised:
            hidden = [functional.layer_norm(h.movedim(1, -1), h.shape[1:2]).movedim(-1, 1) for h in hidden]
        skips = [self.encoder1(volume)]
        skips += [self.get_submodule(f"encoder{n}")(h) for n, h in zip((2, 3, 4), hidden, strict=False)]
        skips.append(hidden[3])
        features = self.get_submodule("encoder10")(hidden[4])
        for n in range(5, 0, -1):
            features = self.get_submodule(f"decoder{n}")(features, skips.pop())
        logits: torch.Tensor = self.out(features)
        return logits


def swin_unetr(
    in_channels: int,
    classes: int,
    features: int = 24,
    depths: Sequence[int] = (2, 2, 2, 2),
    heads: Sequence[int] = (3, 6, 12, 24),
    window: Sides = 7,
    ratio: float = 4.0,
    qkv_bias: bool = True,
    normalised: bool = True,
    second: bool = False,
    merging: str = "first",
    dims: int = 3,
    norm: str = "instance",
    affine: bool = False,
    groups: int = 8,
) -> SwinUNETR:
    """Return the network ``monai_swinunetr`` of a pack.

    Parameters
    ----------
    merging : str
        Order in which voxels are merged: ``old`` (MONAI before 1.5), ``first``, ``second`` (its "mergingv2").
    second : bool
        Whether each stage begins with a residual block (SwinUNETR-V2).

    Raises
    ------
    ValueError
        When the numbers do not fit each other.
    """
    fitting = len(depths) == len(heads) == STAGES and all(1 <= depth <= MOST_BLOCKS for depth in depths)
    if not fitting or merging not in MERGED or any(heads[n] < 1 or (features << n) % heads[n] for n in range(STAGES)):
        raise ValueError(f"depths {depths}, heads {heads}, {features} features, merging {merging}")
    layers = Layers(dims, norm, affine, groups, "leakyrelu", 0.01)
    sides = layers.sides(window)
    if not all(2 <= side <= 32 for side in sides):
        raise ValueError(f"window {window}")
    swin = SwinTransformer(
        layers, in_channels, features, depths, heads, sides, ratio, merging, bias=qkv_bias, second=second
    )
    network = SwinUNETR(layers, in_channels, classes, features, swin)
    network.normalised = normalised
    return network
