"""Several neighbouring slices looked at as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Calibration, Geometry
from medview.core.language import _
from medview.core.plane import SlicePlane
from medview.core.volume import Volume


class SlabMode(Enum):
    """What is shown of the voxels behind one another."""

    OFF = "off"
    MAXIMUM = "maximum"
    """Maximum intensity projection."""
    MINIMUM = "minimum"
    """Minimum intensity projection."""
    MEAN = "mean"

    @property
    def title(self) -> str:
        """Short name on the picture."""
        return {"off": "", "maximum": "MIP", "minimum": "MinIP", "mean": _("Mean")}[self.value]


def stored_mode(mode: SlabMode, volume: Volume) -> SlabMode:
    """Return what a projection of values is one of stored numbers: where the slope falls, the largest is the least."""
    if volume.rescale.slope >= 0:
        return mode
    return {SlabMode.MAXIMUM: SlabMode.MINIMUM, SlabMode.MINIMUM: SlabMode.MAXIMUM}.get(mode, mode)


@dataclass(frozen=True, slots=True)
class Slab:
    """A projection through slices.

    Attributes
    ----------
    thickness_mm : float
        From the outer edge of the first slice to that of the last, rounded to whole slices.
    """

    mode: SlabMode = SlabMode.OFF
    thickness_mm: float = 10.0

    def slices(self, plane: SlicePlane, geometry: Geometry, index: int) -> range:
        """Return the slices around ``index`` that the slab takes in; only that one where it has no millimetres."""
        if self.mode is SlabMode.OFF or geometry.calibration is not Calibration.VOLUME:
            return range(index, index + 1)
        count = max(1, round(self.thickness_mm / plane.spacing_mm(geometry)))
        first = index - (count - 1) // 2
        return range(max(first, 0), min(first + count, plane.count(geometry)))


def project(volume: Volume, plane: SlicePlane, slices: Sequence[int], mode: SlabMode) -> npt.NDArray[np.generic]:
    """Return the projection of slices as a screen view (row, column), in the volume's own stored numbers.

    Padding, and numbers that are none, hide nothing behind them and lower no mean; where all is padding it stays. The mean
    of integers is rounded. Largest and least are those of the values, whichever way the stored numbers run.

    Parameters
    ----------
    slices : sequence of int
        Neighbours in any order; at least one. Colour is never projected: the middle one is returned.
    """
    if len(slices) == 1 or volume.colour:
        return plane.extract(volume.voxels, slices[len(slices) // 2])
    selector: list[slice | list[int]] = [slice(None)] * 3
    selector[plane.normal_axis] = slice(min(slices), max(slices) + 1) if _consecutive(slices) else sorted(slices)
    part: npt.NDArray[np.generic] = volume.voxels[tuple(selector)]
    unseen = volume.is_padding(part) if volume.padding is not None else None
    if part.dtype.kind == "f":
        numbers: npt.NDArray[np.float64] = part  # type: ignore[assignment]  # any floating dtype
        unseen = ~np.isfinite(numbers) if unseen is None else unseen | ~np.isfinite(numbers)
    return plane.upright(_reduced(part, unseen, plane.normal_axis, stored_mode(mode, volume)))


def _consecutive(slices: Sequence[int]) -> bool:
    return max(slices) - min(slices) + 1 == len(slices)


def _reduced(
    part: npt.NDArray[np.generic], padded: npt.NDArray[np.bool_] | None, axis: int, mode: SlabMode
) -> npt.NDArray[np.generic]:
    numbers: npt.NDArray[np.float64] = part  # type: ignore[assignment]  # any real dtype
    if padded is None or not padded.any():
        if mode is SlabMode.MEAN:
            return _rounded(numbers.mean(axis=axis, dtype=np.float64), part.dtype)
        return _extreme(part, axis, np.maximum if mode is SlabMode.MAXIMUM else np.minimum)
    nothing = padded.all(axis=axis)
    if mode is SlabMode.MEAN:
        seen = np.maximum((~padded).sum(axis=axis), 1)
        found = _rounded(np.where(padded, 0, numbers).sum(axis=axis, dtype=np.float64) / seen, part.dtype)
    elif mode is SlabMode.MAXIMUM:
        found = np.asarray(numbers.max(axis=axis, where=~padded, initial=_lowest(part.dtype)))
    else:
        found = np.asarray(numbers.min(axis=axis, where=~padded, initial=_highest(part.dtype)))
    return np.where(nothing, part.take(0, axis=axis), found)


def _extreme(part: npt.NDArray[np.generic], axis: int, better: np.ufunc) -> npt.NDArray[np.generic]:
    """Return the maximum or minimum along an axis by comparing halves.

    Along the last axis numpy compares a few neighbours at a time, which takes five times as long for some places in memory.
    """
    if axis != part.ndim - 1:
        return np.asarray(better.reduce(part, axis=axis))
    rest = part
    while (count := rest.shape[-1]) > 1:
        half = count // 2
        shorter = better(rest[..., :half], rest[..., half : 2 * half])
        if count % 2:
            better(shorter[..., 0], rest[..., -1], out=shorter[..., 0])
        rest = shorter
    return np.asarray(rest[..., 0])


def _rounded(values: npt.NDArray[np.float64], dtype: np.dtype[np.generic]) -> npt.NDArray[np.generic]:
    return np.asarray((np.rint(values) if dtype.kind in "iu" else values).astype(dtype))


def _lowest(dtype: Any) -> float:
    return float(np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf)


def _highest(dtype: Any) -> float:
    return float(np.iinfo(dtype).max if dtype.kind in "iu" else np.inf)
