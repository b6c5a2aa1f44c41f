"""What is kept of a volume while prompts follow each other on it."""

from __future__ import annotations

import math
import threading
import weakref
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from medview.core.box import Box
from medview.core.volume import Volume
from medview.ml.packs import ModelPack
from medview.ml.runners.model_grid import ModelGrid
from medview.ml.runners.preprocess import Prepared
from medview.ml.spec import Shape3

MOST_STATES = 24
"""Answers to the prompts so far that are kept: taking the last one back, or another in its place, costs one look."""

LEAST_STATES = 2
"""Those that are kept however large they are: of the last prompt and of the one before."""

KEPT_BYTES = 1 << 29
"""Memory for further ones."""

_IMAGE, _STATE, _FLAG, _REGION = 4, 2, 1, 4
"""Bytes of a voxel: in the image, in a state, in a mask, in a region that is cut out of the image."""


@dataclass(frozen=True, slots=True, eq=False)
class PromptState:
    """What is known after some prompts.

    Attributes
    ----------
    chance : Tensor of float16, shape (k, j, i)
        How likely each voxel of the model's grid belongs to the object.
    touched : tuple of Box
        What of the model's grid was written since the beginning; between them is what the object held before.
    """

    chance: torch.Tensor
    touched: tuple[Box, ...] = ()


@dataclass(eq=False)
class PromptSession:
    """One prepared volume for one pack on one device, and what was found on it.

    Attributes
    ----------
    digest : str
        Of the pack.
    states : OrderedDict
        By what their prompts are known by, the least recently used first.
    grown : tuple of (str, Tensor or None), optional
        What the first prompt is known by, and what was grown from it, uint8 (k, j, i); None where nothing was.
    """

    digest: str
    device: torch.device
    voxels: weakref.ref[npt.NDArray[np.generic]]
    prepared: Prepared
    grid: ModelGrid
    states: OrderedDict[str, PromptState] = field(default_factory=OrderedDict)
    grown: tuple[str, torch.Tensor | None] | None = None

    def state(self, key: str) -> PromptState:
        """Return a state that is kept, and keep it longest."""
        self.states.move_to_end(key)
        return self.states[key]

    def keep(self, key: str, state: PromptState) -> None:
        """Keep a state, and let go of those that are too many."""
        self.states[key] = state
        most = min(MOST_STATES, max(LEAST_STATES, KEPT_BYTES // max(1, state.chance.nbytes)))
        while len(self.states) > most:
            self.states.popitem(last=False)


class KeptSession:
    """The session of the last volume; letting it go costs time, never a result. It ends with the volume's voxels."""

    def __init__(self) -> None:
        # Voxels may go while the lock is held by the same thread.
        self._lock = threading.RLock()
        self._session: PromptSession | None = None

    def going_on(self, pack: ModelPack, volume: Volume, wanted: str) -> PromptSession | None:
        """Return the session of this volume with this pack; None, and no other is left, where there is none.

        Parameters
        ----------
        wanted : str
            ``auto`` takes it on any device, ``cpu`` and ``cuda`` on that one.
        """
        with self._lock:
            found = self._session
            same = found is not None and found.digest == pack.digest and found.voxels() is volume.voxels
            if found is not None and same and wanted in ("auto", found.device.type):
                return found
            # Before another is made: both might not fit into memory.
            self._session = None
            return None

    def begin(self, pack: ModelPack, volume: Volume, prepared: Prepared, device: torch.device) -> PromptSession:
        """Return a new session, which is kept from now on."""
        grid = ModelGrid.of(prepared, volume.geometry)
        with self._lock:
            self._session = PromptSession(pack.digest, device, weakref.ref(volume.voxels, self._gone), prepared, grid)
            return self._session

    def clear(self) -> bool:
        """Let the session go, and say whether there was one."""
        with self._lock:
            there, self._session = self._session is not None, None
            return there

    def _gone(self, voxels: weakref.ref[npt.NDArray[np.generic]]) -> None:
        with self._lock:
            if self._session is not None and self._session.voxels is voxels:
                self._session = None


KEPT = KeptSession()


def session_bytes(shape_kji: Shape3) -> int:
    """Return the memory that finding an object takes on a model's grid, beside the network and what it works with.

    That is the image, what was grown, the least states and the one being made, what was found on coarser voxels beside
    it, and a region around all of it, cut out and made coarser.
    """
    states = LEAST_STATES + 1 + 2
    return math.prod(shape_kji) * (_IMAGE + _STATE * states + 2 * _FLAG + 4 * _REGION)
