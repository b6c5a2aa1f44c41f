"""What a run will take, as a value. No torch here: a worker finds it out, the window shows it."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from medview.core.geometry import Geometry
from medview.ml.runners.orientation import Orientation
from medview.ml.spec import ModelSpec

SHARE = 0.8
"""Part of the free memory a run may take, as its plan has it."""


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """Time and memory of a run on one series.

    Attributes
    ----------
    seconds : float
        From start to proposal, without waiting; 0 where it cannot run.
    memory_bytes : int
        On the device; 0 where it is not known.
    free_bytes : int
        What the device has left; 0 where it was not asked.
    device : str
        ``cpu`` or ``cuda``.
    measured : bool
        From earlier runs on this computer, and not from one tile.
    problem : str
        Why this computer cannot run it and what to do, or empty.
    """

    seconds: float
    memory_bytes: int = 0
    free_bytes: int = 0
    device: str = "cpu"
    measured: bool = False
    problem: str = ""

    @property
    def too_large(self) -> bool:
        """Whether less memory is free than the run may take."""
        return bool(self.free_bytes) and self.memory_bytes > SHARE * self.free_bytes


def work_voxels(spec: ModelSpec, geometry: Geometry) -> float:
    """Return how many voxels of its own grid a model looks at on a series, nearly: what time and memory grow with."""
    wanted = spec.input
    shape = geometry.shape_kji
    turn = Orientation.towards(geometry, wanted.orientation, wanted.axes)
    if wanted.shape_kji is not None:
        # A network of two dimensions looks at every slice.
        slices = turn.turned_shape(shape)[0] if wanted.dimensions == 2 else 1
        return float(slices * prod(wanted.shape_kji))
    if wanted.spacing_kji_mm is None:
        return float(prod(shape))
    have = turn.turned_numbers(geometry.spacing_kji_mm)
    # No millimetre is stated where the series' own is kept.
    want = [there or here for there, here in zip(wanted.spacing_kji_mm, have, strict=True)]
    return prod(n * mm / there for n, mm, there in zip(turn.turned_shape(shape), have, want, strict=True))
