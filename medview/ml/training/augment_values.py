"""What scanners, doses and coils do to values: contrast, brightness, noise, blur, resolution."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

Floats = npt.NDArray[np.float32]

LEAST_SPREAD = 1e-6


def change_values(
    values: Floats, strengths: Mapping[str, float], rng: np.random.Generator, chance: float, *, flat: bool
) -> None:
    """Change the values (channels, k, j, i) of a sample, in place; each channel by itself.

    Every change of ``CHANGES`` whose strength is given is made with this chance, in that order.
    """
    for name, change in CHANGES.items():
        strength = strengths.get(name, 0.0)
        if not strength:
            continue
        for channel in values:
            wanted, drawn = rng.random() < chance, rng.uniform(-1.0, 1.0)
            if wanted:
                change(channel, strength, drawn, rng, flat)


def _blur(channel: Floats, strength: float, drawn: float, _rng: np.random.Generator, flat: bool) -> None:
    deviation = strength * abs(drawn)
    radius = math.ceil(3 * deviation)
    if radius == 0:
        return
    away = torch.arange(-radius, radius + 1, dtype=torch.float32)
    bell = torch.exp(-0.5 * (away / deviation) ** 2)
    bell /= bell.sum()
    blurred = torch.from_numpy(channel)
    for axis in range(1 if flat else 0, 3):
        blurred = _along(blurred, axis, bell, radius)
    channel[:] = blurred.numpy()


def _along(volume: torch.Tensor, axis: int, bell: torch.Tensor, radius: int) -> torch.Tensor:
    """Return a volume weighed along an axis; the outermost voxels go on outside."""
    length = volume.shape[axis]
    places = torch.arange(-radius, length + radius).clamp_(0, length - 1)
    wide = volume.index_select(axis, places)
    found = torch.zeros_like(volume)
    for n, weight in enumerate(bell.tolist()):
        found.add_(wide.narrow(axis, n, length), alpha=weight)
    return found


def _low_res(channel: Floats, strength: float, drawn: float, _rng: np.random.Generator, flat: bool) -> None:
    share = 1.0 - strength * abs(drawn)
    sides = [side if flat and axis == 0 else max(1, round(side * share)) for axis, side in enumerate(channel.shape)]
    coarse = functional.interpolate(torch.from_numpy(channel)[None, None], sides, mode="nearest-exact")
    fine = functional.interpolate(coarse, channel.shape, mode="trilinear", align_corners=False)
    channel[:] = fine[0, 0].numpy()


def _gain(channel: Floats, strength: float, drawn: float, _rng: np.random.Generator, _flat: bool) -> None:
    mean = channel.mean()
    channel -= mean
    channel *= np.float32(math.exp(drawn * math.log1p(strength)))
    channel += mean


def _offset(channel: Floats, strength: float, drawn: float, _rng: np.random.Generator, _flat: bool) -> None:
    channel += np.float32(strength * drawn) * channel.std()


def _gamma(channel: Floats, strength: float, drawn: float, _rng: np.random.Generator, _flat: bool) -> None:
    low, high = channel.min(), channel.max()
    if high - low < LEAST_SPREAD:
        return
    mean, spread = channel.mean(), channel.std()
    channel -= low
    channel /= high - low
    np.power(channel, np.float32(math.exp(drawn * math.log1p(strength))), out=channel)
    # Only the shape of the histogram changes: brightness and contrast are changed by others.
    channel -= channel.mean()
    channel *= spread / max(channel.std(), np.float32(LEAST_SPREAD))
    channel += mean


def _noise(channel: Floats, strength: float, drawn: float, rng: np.random.Generator, _flat: bool) -> None:
    deviation = np.float32(strength * abs(drawn)) * channel.std()
    channel += rng.standard_normal(channel.shape, dtype=np.float32) * deviation


CHANGES: Mapping[str, Callable[[Floats, float, float, np.random.Generator, bool], None]] = {
    "blur": _blur,
    "low_res": _low_res,
    "gain": _gain,
    "gamma": _gamma,
    "offset": _offset,
    "noise": _noise,
}
"""In-place changes of one channel (k, j, i): strength, a number from -1 to 1, where more chance comes from, and whether the
sample is one slice. Noise comes last: the picture is blurred, the detector is not."""
