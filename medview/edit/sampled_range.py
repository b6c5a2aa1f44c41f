"""Ranges of values learned from a place in the picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.oblique import PlaneLayout
from medview.core.volume import Volume
from medview.edit.paint import stroke_mask

Range = tuple[float, float]
"""Lowest and highest value that belongs to it, in the unit of a volume."""

_FLAT = 0.5
"""Half the width of a range around voxels that are all alike, in steps of the stored numbers."""


def range_around(
    volume: Volume, index_kji: npt.ArrayLike, radius_mm: float, spread: float, plane: PlaneLayout | None = None
) -> Range | None:
    """Return mean - spread * SD to mean + spread * SD of the values around a place; None where there are none.

    Padding and numbers that are none do not count. Colour has no values to speak of.

    Parameters
    ----------
    plane : PlaneLayout, optional
        Look at a disc on it instead of a ball.
    """
    found = None if volume.colour else stroke_mask(volume.geometry, np.atleast_2d(index_kji), radius_mm, plane)
    if found is None:
        return None
    box, mask = found
    stored = volume.voxels[box.slices]
    values = volume.values_of(stored)
    seen = values[mask & np.isfinite(values) & ~volume.is_padding(stored)].astype(np.float64)
    if not seen.size:
        return None
    half = max(spread * float(seen.std()), _FLAT * abs(volume.rescale.slope))
    return float(seen.mean()) - half, float(seen.mean()) + half


def common(one: Range | None, other: Range | None) -> Range | None:
    """Return what lies in both ranges; None is everything, and a range that holds nothing has its ends exchanged."""
    if one is None or other is None:
        return one or other
    return max(one[0], other[0]), min(one[1], other[1])
