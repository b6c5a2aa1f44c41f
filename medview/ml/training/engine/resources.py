"""Whether a computer has the room a training takes, asked before it starts."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from torch import nn

from medview.core.errors import DeviceError, DiskFullError
from medview.ml.free_memory import free_memory_bytes
from medview.ml.training.task import TrainingPlan

SPARE_BYTES = 256 << 20
"""Of memory and disk that a training leaves to others."""

_GB = 1e9
_STATES = 5
"""Weights, two averages of an optimiser, the running average and the best one."""
_ON_DISK = 3
"""States: two that are kept and one that is being written."""


def weights_bytes(network: nn.Module) -> int:
    """Return what the weights of a network take as float32."""
    return 4 * int(sum(tensor.numel() for tensor in network.state_dict().values()))


def check_disk(folder: Path, plan: TrainingPlan, network_bytes: int, cached_bytes: int = 0) -> int:
    """Return the bytes a training will still write.

    Parameters
    ----------
    cached_bytes : int
        Of prepared examples that are there already.

    Raises
    ------
    DiskFullError
        When the disk has no room for them.
    """
    wanted = max(0, plan.cache_bytes - cached_bytes) + network_bytes * (_STATES * _ON_DISK + 1)
    free = shutil.disk_usage(folder).free
    if wanted + SPARE_BYTES > free:
        raise DiskFullError(
            f"The training takes {wanted / _GB:.1f} GB and {free / _GB:.1f} GB are free where {folder.name} is; "
            "free some room or choose another folder."
        )
    return wanted


def check_memory(device: torch.device, plan: TrainingPlan, network_bytes: int) -> int:
    """Return the bytes of memory a training will take.

    Raises
    ------
    DeviceError
        When there are fewer.
    """
    wanted = plan.step_bytes + network_bytes * _STATES
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory_bytes()
    if wanted + SPARE_BYTES > free:
        where = "the graphics card has" if device.type == "cuda" else "this computer has"
        raise DeviceError(
            f"The training takes {wanted / _GB:.1f} GB of memory and {where} {free / _GB:.1f} GB free; close other "
            "programs, or use a recipe with a smaller batch."
        )
    return wanted


def folder_bytes(folder: Path) -> int:
    """Return what the files of a folder take."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else 0
