"""The processes that train together: alone, or as torchrun starts them on one or many computers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import distributed

PATIENCE = timedelta(hours=24)
"""Longest one waits for the others: while the first looks at validation, prepares examples or finishes."""


@dataclass(frozen=True, slots=True)
class Processes:
    """Which of the processes this is.

    Attributes
    ----------
    rank, count : int
    local_rank, local_count : int
        On this computer.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    local_count: int = 1

    @classmethod
    def of_environment(cls) -> Processes:
        """Return what torchrun says in the environment; one process where it says nothing."""
        if "TORCHELASTIC_RUN_ID" not in os.environ:
            return cls()
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
        rank, count, local_rank, local_count = (int(os.environ[name]) for name in names)
        return cls(rank, count, local_rank, local_count)

    @property
    def first(self) -> bool:
        """Whether this one writes."""
        return self.rank == 0

    @property
    def several(self) -> bool:
        """Whether there are others."""
        return self.count > 1

    def meet(self, device: torch.device) -> None:
        """Make the device the one in use, and connect the processes where there are several."""
        if device.type == "cuda":
            # What processes tell each other goes by the card that is current, the first one unless it is said.
            torch.cuda.set_device(device)
        if self.several and not distributed.is_initialized():
            distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)

    def wait(self) -> None:
        """Wait until all are here."""
        if self.several:
            distributed.barrier()

    def told(self, value: Any) -> Any:
        """Return what the first process gives."""
        if not self.several:
            return value
        held = [value]
        distributed.broadcast_object_list(held, src=0)
        return held[0]

    def part(self) -> None:
        """Leave the others."""
        if self.several and distributed.is_initialized():
            distributed.destroy_process_group()
