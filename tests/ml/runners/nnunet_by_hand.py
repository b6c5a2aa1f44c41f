"""What nnU-Net documents that it does with a case, done again the plain way: whole arrays, one step after the other.

A judge for the runner, so nothing of the runner is used here; it takes networks and the plans' own words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
import torch
from scipy import ndimage

Array = np.ndarray[Any, np.dtype[Any]]
Range = tuple[slice, ...]


def crop_to_nonzero(data: Array) -> tuple[Array, Array, Range]:
    """Return (c, z, y, x) cut to what is not 0 in any channel, its mask with holes filled, and where that was."""
    mask = ndimage.binary_fill_holes((data != 0).any(axis=0))
    where = tuple(slice(hit.min(), hit.max() + 1) for hit in np.nonzero(mask))
    return data[(slice(None), *where)], mask[where], where


def normalised(channel: Array, mask: Array, scheme: str, properties: dict[str, float], *, use_mask: bool) -> Array:
    """Return one channel as its normalisation scheme leaves it."""
    channel = channel.astype(np.float64).copy()
    if scheme == "CTNormalization":
        channel = channel.clip(properties["percentile_00_5"], properties["percentile_99_5"])
        return (channel - properties["mean"]) / max(properties["std"], 1e-8)
    if scheme == "ZScoreNormalization":
        counted = mask if use_mask else np.ones_like(mask)
        mean, std = channel[counted].mean(), channel[counted].std()
        channel[counted] = (channel[counted] - mean) / max(std, 1e-8)
        return channel
    if scheme == "RescaleTo01Normalization":
        channel -= channel.min()
        return channel / max(channel.max(), 1e-8)
    return channel


def resized(image: Array, shape: Sequence[int], order: int) -> Array:
    """Resize as skimage does without anti-aliasing: edges aligned and repeated, no value beyond what there was."""
    factors = [new / old for new, old in zip(shape, image.shape, strict=True)]
    found = ndimage.zoom(image, factors, order=order, mode="nearest", grid_mode=True)
    assert found.shape == tuple(shape)
    return found.clip(image.min(), image.max())


def resampled(image: Array, shape: Sequence[int], now: Sequence[float], wanted: Sequence[float], order: int) -> Array:
    """Resample one channel; where one axis is three times as coarse, slice by slice and then the nearest of them."""
    if image.shape == tuple(shape):
        return image
    axis = None
    for spacing in (now, wanted):
        if max(spacing) / min(spacing) > 3:
            coarse = [n for n in range(3) if spacing[n] == max(spacing)]
            axis = coarse[0] if len(coarse) == 1 else None
            break
    if axis is None:
        return resized(image, shape, order)
    plane = [n for a, n in enumerate(shape) if a != axis]
    slices = [resized(image.take(n, axis), plane, order) for n in range(image.shape[axis])]
    stacked = np.stack(slices, axis)
    places = (np.arange(shape[axis]) + 0.5) * image.shape[axis] / shape[axis] - 0.5
    return stacked.take(np.floor(places + 0.5).astype(int).clip(0, image.shape[axis] - 1), axis)


def steps(length: int, tile: int, share: float = 0.5) -> list[int]:
    """Return where tiles start on an axis: as few as a step of a share of the tile allows, at even distances."""
    count = math.ceil((length - tile) / (tile * share)) + 1
    return [0] if count == 1 else [int(np.round((length - tile) / (count - 1) * n)) for n in range(count)]


def importance(tile: Sequence[int]) -> Array:
    """Return the weight of a tile's voxels: a Gaussian of an eighth of its sides around the middle voxel."""
    weight = np.zeros(tile)
    weight[tuple(n // 2 for n in tile)] = 1.0
    weight = ndimage.gaussian_filter(weight, [n / 8 for n in tile], 0, mode="constant", cval=0)
    weight /= weight.max()
    weight[weight == 0] = weight[weight != 0].min()
    return weight


def tiled(network: torch.nn.Module, data: Array, tile: Sequence[int], mirror: Sequence[int], channels: int) -> Array:
    """Return logits (channels, z, y, x) of one network; two-dimensional tiles see every slice by itself."""
    dims = len(tile)
    missing = [max(0, t - n) for t, n in zip(tile, data.shape[-dims:], strict=True)]
    sides = [(0, 0)] * (data.ndim - dims) + [(m // 2, m // 2 + m % 2) for m in missing]
    padded = np.pad(data, sides)
    sums, weights = np.zeros((channels, *padded.shape[1:])), np.zeros(padded.shape[1:])
    weight = importance(tile)
    places = [steps(n, t) for n, t in zip(padded.shape[-dims:], tile, strict=True)]
    for k in range(padded.shape[1] if dims == 2 else 1):
        for start in product(*places):
            here = tuple(slice(s, s + t) for s, t in zip(start, tile, strict=True))
            here = (k, *here) if dims == 2 else here
            seen = torch.from_numpy(padded[(slice(None), *here)].astype(np.float32))[None]
            with torch.no_grad():
                looks = [
                    network(seen.flip([a + 2 for a in turn])).flip([a + 2 for a in turn])
                    for n in range(len(mirror) + 1)
                    for turn in combinations(mirror, n)
                ]
            sums[(slice(None), *here)] += torch.stack(looks).mean(0)[0].double().numpy() * weight
            weights[here] += weight
    inner = tuple(slice(low, n - high) for (low, high), n in zip(sides[1:], padded.shape[1:], strict=True))
    return (sums / weights)[(slice(None), *inner)]


def logits_of(
    networks: Sequence[torch.nn.Module],
    volumes: Sequence[Array],
    spacing: Sequence[float],
    plans: dict[str, Any],
    name: str,
    mirror: Sequence[int],
    channels: int,
) -> tuple[Array, Array]:
    """Return the mean logits of all folds on the grid of the input, and where the input was looked at.

    ``volumes`` (z, y, x) and ``spacing`` are as the reader gives them; what was cropped away has logits of 0.
    """
    given = plans["configurations"][name]
    axes = plans["transpose_forward"]
    turned = np.stack([volume.transpose(axes) for volume in volumes]).astype(np.float32)
    own = [spacing[axis] for axis in axes]
    data, mask, where = crop_to_nonzero(turned)
    target = own[: 3 - len(given["spacing"])] + list(given["spacing"])
    shape = [round(have / want * n) for have, want, n in zip(own, target, data.shape[1:], strict=True)]
    properties = plans["foreground_intensity_properties_per_channel"]
    seen = []
    for n, channel in enumerate(data):
        scheme, use_mask = given["normalization_schemes"][n], given["use_mask_for_norm"][n]
        normal = normalised(channel, mask, scheme, properties[str(n)], use_mask=use_mask)
        seen.append(resampled(normal, shape, own, target, 3))
    logits = np.mean(
        [tiled(network, np.stack(seen), given["patch_size"], mirror, channels) for network in networks], axis=0
    )
    back = np.stack([resampled(one, data.shape[1:], target, own, 1) for one in logits])
    found, looked_at = np.zeros((channels, *turned.shape[1:])), np.zeros(turned.shape[1:], dtype=bool)
    found[(slice(None), *where)] = back
    looked_at[where] = True
    undone = [axes.index(n) for n in range(3)]
    return found.transpose([0, *[n + 1 for n in undone]]), looked_at.transpose(undone)
