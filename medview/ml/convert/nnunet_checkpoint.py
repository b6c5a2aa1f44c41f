"""Weights out of nnU-Net's checkpoints, without running what a pickle could run."""

from __future__ import annotations

import _codecs
import pickle
import re
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy._core.multiarray import scalar

from medview.core.errors import PackError
from medview.ml.convert.foreign_weights import LARGEST_WEIGHTS_BYTES, ZIP_SIGN

ALLOWED: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    scalar,
    (scalar, "numpy.core.multiarray.scalar"),
    np.dtype,
    type(np.dtype(np.float64)),
    type(np.dtype(np.float32)),
    type(np.dtype(np.int64)),
    _codecs.encode,
]
"""Beside tensors and plain containers, what the losses a checkpoint logs are made of: numbers of numpy."""

_PREFIXES = ("_orig_mod.", "module.")
"""Put before names by compiling and by training on several cards."""

_DAMAGE = (
    zipfile.BadZipFile,
    struct.error,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    OSError,
)
"""What reading a broken file ends in."""

_GLOBAL = re.compile(r"(?:GLOBAL |but got <class '|Unsupported (?:global: )?(?:class|operand) )'?([\w.]+)")


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """What of a checkpoint counts.

    Attributes
    ----------
    weights : dict of str to Tensor
        Each once, under the names of ``medview.ml.networks.nnunet``; float32.
    configuration : str
        ``2d``, ``3d_fullres``...; empty where it does not say.
    trainer : str
    mirror_axes : tuple of int
        Axes of the model along which the training mirrored.
    """

    weights: dict[str, torch.Tensor]
    configuration: str
    trainer: str
    mirror_axes: tuple[int, ...]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read one checkpoint.

    Raises
    ------
    PackError
        When it is damaged, holds anything that could run code, or is no checkpoint of nnU-Net.
    """
    name = f"{path.name} of {path.parent.name}"
    content = _loaded(path, name)
    found = content.get("network_weights") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(found, dict) or not found:
        raise PackError(f"{name} has no network_weights; it is no checkpoint of nnU-Net v2.")
    arguments = content.get("init_args")
    configuration = arguments.get("configuration") if isinstance(arguments, dict) else None
    trainer = content.get("trainer_name")
    return Checkpoint(
        weights=_cleaned(found, name),
        configuration=configuration if isinstance(configuration, str) else "",
        trainer=trainer if isinstance(trainer, str) else "",
        mirror_axes=_axes(content.get("inference_allowed_mirroring_axes"), name),
    )


def _loaded(path: Path, name: str) -> object:
    try:
        size = path.stat().st_size
        with path.open("rb") as opened:
            zipped = opened.read(4) == ZIP_SIGN
        if not 0 < size <= LARGEST_WEIGHTS_BYTES:
            raise PackError(f"{name} is empty or larger than {LARGEST_WEIGHTS_BYTES >> 30} GB.")
        if zipped:
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > LARGEST_WEIGHTS_BYTES:
                raise PackError(f"{name} would unpack to more than {LARGEST_WEIGHTS_BYTES >> 30} GB.")
        with torch.serialization.safe_globals(ALLOWED):
            # The states of the optimiser are never touched, so that a map of the file needs no memory for them.
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except pickle.UnpicklingError as error:
        wanted = _GLOBAL.search(str(error))
        what = f"needs {wanted.group(1)}" if wanted else "holds more than numbers"
        raise PackError(
            f"{name} {what}, which could run code, so it was not read; ask for a checkpoint as nnU-Net saves it.",
            detail=repr(error),
        ) from error
    except _DAMAGE as error:
        raise PackError(f"{name} is damaged; copy it again.", detail=repr(error)) from error


def _cleaned(found: dict[object, object], name: str) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = {}
    for key, tensor in found.items():
        if not isinstance(key, str) or not isinstance(tensor, torch.Tensor):
            raise PackError(f"{name} holds something that is no tensor among its network_weights: {str(key)[:60]}.")
        short = key
        while short.startswith(_PREFIXES):
            short = short.partition(".")[2]
        # nnU-Net's modules hold their layers twice, and its decoder holds the encoder.
        if ".all_modules." not in short and not short.startswith("decoder.encoder."):
            weights[short] = tensor.detach().float().contiguous()
    return weights


def _axes(found: object, name: str) -> tuple[int, ...]:
    if found is None:
        return ()
    axes = tuple(axis for axis in found if axis in (0, 1, 2)) if isinstance(found, list | tuple) else ()
    if not isinstance(found, list | tuple) or len(set(axes)) != len(found):
        raise PackError(f"{name} has nothing usable at inference_allowed_mirroring_axes; it has to be axes of 0, 1, 2.")
    return tuple(int(axis) for axis in axes)
