"""States of a training on disk: whole or not at all, two kept, a damaged last one gives way to the one before."""

from __future__ import annotations

import hashlib
import io
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from medview.core.atomic import replacing, write_error

MAGIC = b"MVCKPT01"
KEPT = 2
_DIGEST = 32
_log = logging.getLogger("medview.training")

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingState:
    """All that a training needs to go on as if it had not been interrupted.

    Attributes
    ----------
    step : int
        Steps done. Chance hangs on seed, step and place alone, so no state of generators is kept.
    network, average : dict of str to Tensor
        Weights as they are and their running average.
    optimiser : dict
        Of its ``state_dict``.
    best : dict of str to Tensor, or None
        Averaged weights at the best look at the validation examples.
    best_step : int
    best_figures : dict of str to float
        Of that look; empty before the first.
    worse : int
        Looks since.
    reason : str
        Why the training ended; empty while it goes on.
    place, stride : float
        Of the course's bearing.
    """

    step: int
    network: Tensors
    average: Tensors
    optimiser: dict[str, Any]
    best: Tensors | None = None
    best_step: int = 0
    best_figures: dict[str, float] | None = None
    worse: int = 0
    reason: str = ""
    place: float = 0.0
    stride: float = 1.0


def save(folder: Path, state: TrainingState) -> Path:
    """Write a state and remove all but the last two.

    Raises
    ------
    WriteError, DiskFullError
        What was there stays.
    """
    content = {name: getattr(state, name) for name in TrainingState.__slots__}
    packed = io.BytesIO()
    torch.save(content, packed)
    data = packed.getbuffer()
    path = folder / f"step-{state.step:09d}.ckpt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error
    with replacing(path) as file:
        file.write(MAGIC + hashlib.sha256(data).digest())
        file.write(data)
    for old in _files(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def load_last(folder: Path) -> TrainingState | None:
    """Return the last state that is whole, on the CPU; None where there is none."""
    for path in reversed(_files(folder)):
        state = _load(path)
        if state is not None:
            return state
        _log.warning("the checkpoint %s is damaged; an earlier one is taken", path.name)
    return None


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*.ckpt"))


def _load(path: Path) -> TrainingState | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    head = len(MAGIC) + _DIGEST
    if data[: len(MAGIC)] != MAGIC or hashlib.sha256(data[head:]).digest() != data[len(MAGIC) : head]:
        return None
    # Never more than tensors and plain values: a pickle could run code.
    content = torch.load(io.BytesIO(data[head:]), map_location="cpu", weights_only=True)
    return TrainingState(**content)
