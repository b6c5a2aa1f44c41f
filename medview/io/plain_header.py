"""What the header of a plain image file says."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.errors import RefusedError
from medview.core.geometry import Geometry
from medview.core.study import Reason
from medview.core.volume import Rescale

MAX_VOLUME_BYTES = 64 << 30
"""Largest volume a header may claim; memory is asked for only when the volume is opened."""


@dataclass(frozen=True, slots=True)
class PlainHeader:
    """Grid and numbers of one file; ``geometry.shape_kji`` leaves time points out."""

    geometry: Geometry
    dtype: str
    colour: bool = False
    time_points: int = 1
    rescale: Rescale = Rescale()
    reasons: tuple[Reason, ...] = ()


def check_size(voxels: int, name: str) -> None:
    """Refuse a header that claims more bytes than any computer here has. Raises RefusedError."""
    if voxels > MAX_VOLUME_BYTES:
        raise RefusedError(f"{name} claims to hold {voxels >> 30} GB; it was not opened.")
