"""How exactly a network calculates: graphics cards with tensor cores are quicker with half the digits."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch

from medview.ml.networks.averaged import Maps, in_full

TENSOR_CORES = (7, 0)
"""Compute capability of the first cards that gain from it."""

_log = logging.getLogger("medview.models")


class Precision:
    """Calls a network in half precision where that is quicker, and in full where it is not or its numbers do not allow it.

    Processors always calculate in full: bfloat16 gains little there, and computers would disagree about voxels. What a
    network answers is float32 either way, so that everything after it is the same.

    Parameters
    ----------
    device : torch.device
        The network's.
    half : torch.dtype or None
        What to calculate in; None for full precision.
    """

    def __init__(self, device: torch.device, half: torch.dtype | None) -> None:
        self.device = device
        self.half = half

    @classmethod
    def of(cls, device: torch.device, *, full: bool = False) -> Precision:
        """Return what suits a device; ``full`` insists on full precision."""
        return cls(device, None if full else quicker_on(device))

    def call(self, network: Callable[[torch.Tensor], Maps], tiles: torch.Tensor) -> Maps:
        """Return what a network makes of tiles, as float32.

        Where half precision overflows, these tiles and all further ones are calculated in full.
        """
        if self.half is None:
            return network(tiles)
        with torch.autocast(self.device.type, dtype=self.half):
            found = in_full(network(tiles))
        if all(bool(torch.isfinite(maps).all()) for maps in (found.values() if isinstance(found, dict) else (found,))):
            return found
        _log.warning("half precision overflows in this network; it goes on in full")
        self.half = None
        return network(tiles)


def quicker_on(device: torch.device) -> torch.dtype | None:
    """Return the half precision a device is quicker with, or None."""
    if device.type != "cuda" or torch.cuda.get_device_capability(device) < TENSOR_CORES:
        return None
    return torch.float16
