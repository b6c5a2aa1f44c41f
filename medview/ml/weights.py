"""From a pack to a network ready to run, kept in memory between runs."""

from __future__ import annotations

import copy
import importlib
import logging
import threading
from collections import OrderedDict
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import load_file as map_tensors
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from medview.core.errors import ModelError, PackError
from medview.ml.free_memory import free_memory_bytes
from medview.ml.networks.averaged import Ensemble
from medview.ml.networks.in_slabs import cut_large
from medview.ml.networks.planar import SliceBySlice
from medview.ml.networks.table import NETWORKS
from medview.ml.packs import ModelPack, refuse_pickle, sha256_of
from medview.ml.spec import ModelSpec, NetworkSpec, Task

RESIDENT_BYTES = 2 << 30
"""Networks kept ready on each device for the next run; the least recently used goes first."""

MAPPED_FROM = 0.4
"""Part of the free memory from which on the weights of an ensemble are not read in, but looked up in their files."""

_log = logging.getLogger("medview.models")


def build_network(spec: NetworkSpec) -> nn.Module:
    """Build a network of the closed table on the meta device: its shape, without memory or weights.

    Raises
    ------
    PackError
        When the name is not in the table or the keyword arguments do not suit it.
    """
    target = NETWORKS.get(spec.name)
    if target is None:
        raise PackError(f"This MedView has no network {spec.name}; update MedView to use this model.")
    module, _, factory = target.partition(":")
    try:
        with torch.device("meta"):
            network = getattr(importlib.import_module(module), factory)(**spec.kwargs)
    except (TypeError, ValueError, RuntimeError, IndexError, ArithmeticError, AttributeError) as error:
        raise PackError(
            f"The model describes a network {spec.name} that cannot be built; ask its author for a proper pack.",
            detail=repr(error),
        ) from error
    if not isinstance(network, nn.Module):
        raise TypeError(f"{target} made a {type(network).__name__}")
    return network


def load_network(pack: ModelPack) -> nn.Module:
    """Return the pack's network with its weights, on the CPU and in evaluation mode; an ``Ensemble`` where it has several.

    The weights of an ensemble that takes a good part of the free memory stay in their files, mapped.

    Raises
    ------
    PackError
        When the weights are damaged or not those of the described network.
    """
    files = [pack.folder / name for name in pack.spec.ensemble]
    try:
        needed = sum(file.stat().st_size for file in files)
    except OSError as error:
        raise PackError(f"The model {pack.spec.name} lacks weights; install it again.", detail=repr(error)) from error
    mapped = len(files) > 1 and needed > MAPPED_FROM * free_memory_bytes()
    members = [_load_member(pack, file, mapped=mapped) for file in files]
    return Ensemble(members) if len(members) > 1 else members[0]


def _load_member(pack: ModelPack, file: Path, *, mapped: bool) -> nn.Module:
    refuse_pickle(file)
    if sha256_of(file) != pack.spec.files[file.name]:
        raise PackError(f"The weights of {pack.spec.name} have a wrong checksum; install the model again.")
    network = build_network(pack.spec.network)
    try:
        tensors = map_tensors(file) if mapped else load_tensors(file.read_bytes())
        network.load_state_dict(tensors, strict=True, assign=True)
    except (safetensors.SafetensorError, RuntimeError, OSError) as error:
        raise PackError(
            f"The weights of {pack.spec.name} do not belong to the network it describes; ask its author for a proper pack.",
            detail=repr(error),
        ) from error
    wrong = [name for name, tensor in tensors.items() if tensor.is_floating_point() and not torch.isfinite(tensor).all()]
    if wrong:
        raise PackError(f"The weights of {pack.spec.name} hold numbers that are not finite.", detail=", ".join(wrong[:5]))
    # Other layouts would be copies.
    network = network.float().eval().requires_grad_(requires_grad=False) if mapped else ready(network)
    if pack.spec.task in (Task.SEGMENTATION, Task.INTERACTIVE):
        # Explanations want to see whole layers of the others.
        network = cut_large(network)
    return SliceBySlice(network) if pack.spec.input.dimensions == 2 else network


def ready(network: nn.Module) -> nn.Module:
    """Bring a network with weights into the form that runs fastest; its answers stay the same. Changes it in place."""
    network = _fused(network.float().eval().requires_grad_(False))
    for weights in network.parameters():
        if weights.ndim == 5:
            # Convolutions with few channels run twice as fast on CPUs in this layout.
            weights.data = weights.data.contiguous(memory_format=torch.channels_last_3d)
    return network


def copied_to(network: nn.Module, device: torch.device) -> nn.Module:
    """Return a copy of a network on another device; its weights go there one by one, and are never twice where they are."""
    there: dict[int, object] = {
        id(weights): nn.Parameter(weights.detach().to(device), requires_grad=False) for weights in network.parameters()
    }
    there |= {id(buffer): buffer.to(device) for buffer in network.buffers()}
    return copy.deepcopy(network, there)


class ResidentNetworks:
    """Networks that stay loaded, by pack and device, up to a number of bytes on each device."""

    def __init__(self, limit_bytes: int = RESIDENT_BYTES) -> None:
        self._limit = limit_bytes
        self._networks: OrderedDict[tuple[str, str], nn.Module] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, pack: ModelPack, device: torch.device) -> nn.Module:
        """Return the network of a pack on a device, loading it when it is not there.

        Raises
        ------
        PackError
            When the pack cannot be loaded.
        """
        key = (pack.digest, str(device))
        with self._lock:
            network = self._networks.pop(key, None)
            if network is None:
                there = self._networks.get((pack.digest, "cpu"))
                network = load_network(pack).to(device) if there is None else copied_to(there, device)
                _log.info("%s loaded onto %s", pack.spec.key, device)
            self._networks[key] = network
            self._thin_out(str(device))
            return network

    def _thin_out(self, device: str) -> None:
        """Let the least recently used networks of a device go until the others are few enough; the last one stays."""
        here = [key for key in self._networks if key[1] == device]
        sizes = [size_bytes(self._networks[key]) for key in here]
        total = sum(sizes)
        for key, size in zip(here[:-1], sizes[:-1], strict=True):
            if total <= self._limit:
                break
            del self._networks[key]
            total -= size

    def keep_only(self, pack: ModelPack) -> bool:
        """Let the networks of other packs go, and say whether there were any."""
        with self._lock:
            others = [key for key in self._networks if key[0] != pack.digest]
            for key in others:
                del self._networks[key]
            return bool(others)

    def clear(self) -> None:
        """Let all networks go."""
        with self._lock:
            # Networks hold no cycles; collecting in a worker could take pieces of the window apart there.
            self._networks.clear()


RESIDENT = ResidentNetworks()


def size_bytes(network: nn.Module) -> int:
    """Return the memory of a network's weights."""
    return sum(t.numel() * t.element_size() for t in (*network.parameters(), *network.buffers()))


def check_output(channels: int, spec: ModelSpec) -> None:
    """Raise ModelError when a network returned another number of channels than its pack describes."""
    if channels != spec.out_channels:
        raise ModelError(
            f"{spec.name} returned {channels} classes where its description has {spec.out_channels}; ask its author."
        )


def _fused(network: nn.Module) -> nn.Module:
    """Fold each batch normalisation into the convolution before it: the same numbers in fewer passes over memory."""
    for module in network.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for n in range(len(module) - 1):
            convolution, norm = module[n], module[n + 1]
            if isinstance(convolution, nn.Conv3d) and isinstance(norm, nn.BatchNorm3d):
                module[n] = fuse_conv_bn_eval(convolution, norm)
                module[n + 1] = nn.Identity()
    return network
