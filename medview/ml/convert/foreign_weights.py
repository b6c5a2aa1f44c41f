"""Tensors out of weight files of other programs. Only ever called in the converting child process."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Sequence
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load as load_safetensors

from medview.core.errors import PackError

LARGEST_WEIGHTS_BYTES = 8 << 30

ZIP_SIGN = b"PK\x03\x04"

_DAMAGE = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    # torch reads what ends in .safetensors by that library, whatever it is.
    safetensors.SafetensorError,
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
"""What reading a broken or hostile file ends in."""


def read_tensors(path: Path, keys: Sequence[str] = ()) -> dict[str, torch.Tensor]:
    """Read a state dict, by what the file is and not by what it is called.

    Parameters
    ----------
    keys : sequence of str
        Where a checkpoint may hold the state dict, besides ``state_dict``.

    Returns
    -------
    dict of str to Tensor
        On the CPU, in the file's order.

    Raises
    ------
    PackError
        When the file is none of the known kinds or holds anything but tensors.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as opened:
            start = opened.read(9)
    except OSError as error:
        raise PackError(f"The weights {path.name} cannot be read; check the file.", detail=repr(error)) from error
    if not 0 < size <= LARGEST_WEIGHTS_BYTES:
        raise PackError(f"The weights {path.name} are empty or larger than {LARGEST_WEIGHTS_BYTES >> 30} GB.")
    header = int.from_bytes(start[:8], "little")
    if start[8:] == b"{" and header + 8 <= size:
        try:
            return dict(load_safetensors(path.read_bytes()))
        except safetensors.SafetensorError as error:
            raise PackError(f"The weights {path.name} are damaged; copy them again.", detail=repr(error)) from error
    return _read_checkpoint(path, keys, zipped=start.startswith(ZIP_SIGN))


def _read_checkpoint(path: Path, keys: Sequence[str], *, zipped: bool) -> dict[str, torch.Tensor]:
    try:
        if zipped:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
            if sum(m.file_size for m in members) > LARGEST_WEIGHTS_BYTES:
                raise PackError(f"The weights {path.name} would unpack to more than {LARGEST_WEIGHTS_BYTES >> 30} GB.")
            if any(m.filename.endswith("/constants.pkl") for m in members):
                raise PackError(f"{path.name} is a TorchScript program, not plain tensors; ask the author for safetensors.")
        # weights_only keeps the unpickler to tensors and plain containers; anything else raises.
        content = torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGE as error:
        raise PackError(
            f"The weights {path.name} are not plain tensors, and the rest could run code; ask for safetensors.",
            detail=repr(error),
        ) from error
    for key in ("state_dict", *keys):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
            break
    if not isinstance(content, dict) or not all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in content.items()
    ):
        raise PackError(f"The weights {path.name} are not a state dict; ask the author for safetensors.")
    return dict(content)
