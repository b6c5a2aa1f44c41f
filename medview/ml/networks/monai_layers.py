"""The layers MONAI's networks are made of, with its parameter names, for slices and for volumes.

Written from MONAI's documentation of its blocks; the tests compare with MONAI itself. Dropout has no weights and does
nothing when a network answers, so there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

Sides = int | Sequence[int]
"""One number for all axes, or one per axis."""

MOST_LEVELS = 12
"""Of resolution; a volume can hardly be halved more often."""

MOST_BLOCKS = 64
"""In a row on one level. What a foreign description asks for is built, so it may not ask for a million."""

_CONV: Mapping[int, Callable[..., nn.Module]] = {2: nn.Conv2d, 3: nn.Conv3d}
_TRANSPOSED: Mapping[int, Callable[..., nn.Module]] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
_INSTANCE: Mapping[int, type[nn.Module]] = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}
_BATCH: Mapping[int, type[nn.Module]] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}

_ACTIVATIONS: Mapping[str, Callable[[float], nn.Module]] = {
    "celu": lambda slope: nn.CELU(slope),
    "elu": lambda slope: nn.ELU(slope),
    "gelu": lambda _: nn.GELU(),
    "leakyrelu": lambda slope: nn.LeakyReLU(slope),
    "mish": lambda _: nn.Mish(),
    "none": lambda _: nn.Identity(),
    "prelu": lambda _: nn.PReLU(),
    "relu": lambda _: nn.ReLU(),
    "relu6": lambda _: nn.ReLU6(),
    "selu": lambda _: nn.SELU(),
    "sigmoid": lambda _: nn.Sigmoid(),
    "swish": lambda _: nn.SiLU(),
    "tanh": lambda _: nn.Tanh(),
}


@dataclass(frozen=True, slots=True)
class Layers:
    """What kind of layers a network has.

    Attributes
    ----------
    dims : int
        2 or 3.
    norm : str
        ``instance``, ``batch``, ``group`` or ``none``.
    affine : bool
        Whether normalisation has weights.
    groups : int
        For ``group``.
    act : str
        Name of the activation.
    slope : float
        Of ``leakyrelu``; alpha of ``elu`` and ``celu``.
    order : str
        Order of normalisation (N), dropout (D) and activation (A) after a convolution; what it leaves out is left out.

    Raises
    ------
    ValueError
        When a name is unknown.
    """

    dims: int = 3
    norm: str = "instance"
    affine: bool = False
    groups: int = 8
    act: str = "prelu"
    slope: float = 0.01
    order: str = "NDA"

    def __post_init__(self) -> None:
        known = self.dims in _CONV and self.norm in ("instance", "batch", "group", "none") and self.act in _ACTIVATIONS
        if not known or not set(self.order) <= set("NDA") or len(set(self.order)) != len(self.order):
            raise ValueError(f"layers of kind {self}")

    def activation(self) -> nn.Module:
        """Return a new activation."""
        return _ACTIVATIONS[self.act](self.slope)

    def normalisation(self, channels: int) -> nn.Module:
        """Return a new normalisation of so many channels."""
        if self.norm == "group":
            return nn.GroupNorm(self.groups, channels, affine=self.affine)
        if self.norm == "none":
            return nn.Identity()
        kinds = _INSTANCE if self.norm == "instance" else _BATCH
        return kinds[self.dims](channels, affine=self.affine)

    def plain(
        self,
        before: int,
        after: int,
        kernel: Sides = 3,
        stride: Sides = 1,
        *,
        bias: bool = True,
        padding: Sides | None = None,
    ) -> nn.Module:
        """Return a convolution that keeps the size but for its stride."""
        sides, steps = self.sides(kernel), self.sides(stride)
        around = tuple((side - 1) // 2 for side in sides) if padding is None else self.sides(padding)
        if any(side % 2 == 0 for side in sides) and padding is None:
            raise ValueError(f"kernel {kernel} has no middle")
        return _CONV[self.dims](before, after, sides, steps, around, bias=bias)

    def transposed(
        self,
        before: int,
        after: int,
        kernel: Sides,
        stride: Sides,
        *,
        bias: bool = True,
        padding: Sides | None = None,
        extra: Sides | None = None,
    ) -> nn.Module:
        """Return a transposed convolution that enlarges by its stride; ``extra`` is added behind."""
        sides, steps = self.sides(kernel), self.sides(stride)
        around = tuple((side - 1) // 2 for side in sides) if padding is None else self.sides(padding)
        behind = tuple(step - 1 for step in steps) if extra is None else self.sides(extra)
        return _TRANSPOSED[self.dims](before, after, sides, steps, around, behind, bias=bias)

    def upsampling(self, scale: int, *, aligned: bool) -> nn.Upsample:
        """Return linear interpolation; ``aligned`` keeps the corners' centres where they are."""
        mode = "bilinear" if self.dims == 2 else "trilinear"
        return nn.Upsample(scale_factor=float(scale), mode=mode, align_corners=aligned)

    def pooling(self) -> nn.Module:
        """Return the largest of two along each axis."""
        return nn.MaxPool2d(2) if self.dims == 2 else nn.MaxPool3d(2)

    def sides(self, given: Sides) -> tuple[int, ...]:
        """Return one number per axis.

        Raises
        ------
        ValueError
            When there is another number of them.
        """
        found = (given,) * self.dims if isinstance(given, int) else tuple(given)
        if len(found) != self.dims or any(side < 0 for side in found):
            raise ValueError(f"{given} for {self.dims} axes")
        return found


class Unit(nn.Sequential):
    """A convolution (``conv``) and what follows it (``adn``); only the convolution where ``bare``."""

    def __init__(
        self,
        layers: Layers,
        before: int,
        after: int,
        kernel: Sides = 3,
        stride: Sides = 1,
        *,
        bias: bool = True,
        bare: bool = False,
        transposed: bool = False,
    ) -> None:
        super().__init__()
        make = layers.transposed if transposed else layers.plain
        self.add_module("conv", make(before, after, kernel, stride, bias=bias))
        if not bare:
            self.add_module("adn", following(layers, after))


class Bare(nn.Sequential):
    """One layer that is called ``conv``, as MONAI wraps single convolutions."""

    def __init__(self, convolution: nn.Module) -> None:
        super().__init__()
        self.add_module("conv", convolution)


class Beside(nn.Module):
    """Puts the channels of the input before those a module (``submodule``) makes of it."""

    def __init__(self, submodule: nn.Module) -> None:
        super().__init__()
        self.submodule = submodule

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of both."""
        return torch.cat((features, self.submodule(features)), dim=1)


def following(layers: Layers, channels: int) -> nn.Sequential:
    """Return normalisation (``N``) and activation (``A``) in the order of the layers."""
    found = nn.Sequential()
    for letter in layers.order:
        if letter == "N" and layers.norm != "none":
            found.add_module("N", layers.normalisation(channels))
        elif letter == "A" and layers.act != "none":
            found.add_module("A", layers.activation())
    return found


class Levels(nn.Module):
    """A network of levels inside each other, called ``model``."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Return logits of a volume (N, C, ...) whose sides are multiples of all strides together."""
        logits: torch.Tensor = self.model(volume)
        return logits
