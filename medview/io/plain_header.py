"""What the header of a plain image file says."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.errors import RefusedError
from medview.core.geometry import Geometry
from medview.core.study import Reason
from medview.core.volume import Rescale
from medview.io.shared_block import available_memory


@dataclass(frozen=True, slots=True)
class PlainHeader:
    """Grid and numbers of one file; ``geometry.shape_kji`` leaves time points out.

    Attributes
    ----------
    times_s : tuple of float
        As in VolumeEntry.
    """

    geometry: Geometry
    dtype: str
    colour: bool = False
    time_points: int = 1
    times_s: tuple[float, ...] = ()
    rescale: Rescale = Rescale()
    reasons: tuple[Reason, ...] = ()


def check_size(claimed_bytes: int, name: str) -> None:
    """Refuse a header that claims more bytes than this computer has memory for. Raises RefusedError."""
    if claimed_bytes > available_memory():
        raise RefusedError(f"{name} claims to hold {claimed_bytes / 1e9:.0f} GB, more than this computer has memory for.")
