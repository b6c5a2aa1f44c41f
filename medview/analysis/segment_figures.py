"""What the voxels of one segment come to: volume, values, diameters, and the same for each of its pieces."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.analysis.extent import Extent, extent_of
from medview.core.box import Box
from medview.core.geometry import Calibration, Geometry
from medview.core.job import JobContext
from medview.core.volume import Volume

MOST_COMPONENTS = 500
"""More pieces than this are counted, not listed: nobody reads them one by one."""

_SLAB_VOXELS = 1 << 22

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Values of voxels in the unit of the volume; padding, numbers that are none and damaged slices left out.

    Attributes
    ----------
    sd : float
        Standard deviation of the sample; 0 for a single voxel.
    """

    mean: float
    sd: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Component:
    """One piece of a segment: voxels that touch at faces, edges or corners.

    Attributes
    ----------
    number : int
        From 1, the largest first.
    centre_kji : tuple of int
        A voxel of the piece, as near to its middle as there is one.
    mean : float or None
        None for colour, or where all of it is padding or on damaged slices.
    """

    number: int
    voxels: int
    box: Box
    centre_kji: tuple[int, int, int]
    extent: Extent
    mean: float | None


@dataclass(frozen=True, slots=True)
class SegmentFigures:
    """Everything that is told of a segment.

    Attributes
    ----------
    statistics : Statistics or None
        None for colour, for no voxels, or where all of them are padding or on damaged slices.
    extent : Extent or None
        That of the piece with the longest diameter.
    components : tuple of Component
        At most MOST_COMPONENTS of ``component_count``.
    """

    voxels: int
    statistics: Statistics | None
    extent: Extent | None
    components: tuple[Component, ...]
    component_count: int


def volume_ml(voxels: int, geometry: Geometry) -> float | None:
    """Return the volume of so many voxels; None where the grid has no millimetres along all axes."""
    whole = geometry.calibration is Calibration.VOLUME
    return voxels * geometry.voxel_volume_mm3 / 1000.0 if whole else None


def segment_figures(
    mask: Mask, box: Box, volume: Volume, context: JobContext, damaged: Collection[int] = ()
) -> SegmentFigures:
    """Measure a segment inside its box.

    Parameters
    ----------
    mask : ndarray of bool, shape ``box.shape_kji``
    volume : Volume
        On the grid of the segment.
    damaged : collection of int
        Slices k that could not be read: their voxels count, their values do not, for nobody has seen them.
    """
    import cc3d  # late: the window imports this module at start

    if not mask.any():
        return SegmentFigures(0, None, None, (), 0)
    pieces = cc3d.connected_components(mask, connectivity=26)
    context.raise_if_cancelled()
    found = cc3d.statistics(pieces)
    counts = np.asarray(found["voxel_counts"], dtype=np.int64)
    counts[0] = 0
    order = np.argsort(-counts, kind="stable")[: min(MOST_COMPONENTS, len(counts) - 1)]
    statistics, means = _values(pieces, len(counts), box, volume, context, damaged)
    components: list[Component] = []
    for number, n in enumerate(order, start=1):
        context.raise_if_cancelled()
        context.progress(0.5 + 0.5 * number / len(order), "")
        ks, js, ends = inner = found["bounding_boxes"][n]
        place = Box((ks.start, js.start, ends.start), (ks.stop, js.stop, ends.stop)).shifted(box.min_kji)
        piece = pieces[inner] == n
        extent = extent_of(piece, place, volume.geometry)
        assert extent is not None
        centre = centre_of(piece, np.asarray(found["centroids"][n]) - (ks.start, js.start, ends.start), place)
        mean = float(means[n]) if means is not None and np.isfinite(means[n]) else None
        components.append(Component(number, int(counts[n]), place, centre, extent, mean))
    longest = max((c.extent for c in components), key=lambda e: e.long, default=None)
    return SegmentFigures(int(counts.sum()), statistics, longest, tuple(components), len(counts) - 1)


def _values(
    pieces: npt.NDArray[np.unsignedinteger],
    count: int,
    box: Box,
    volume: Volume,
    context: JobContext,
    damaged: Collection[int],
) -> tuple[Statistics | None, npt.NDArray[np.float64] | None]:
    """Return statistics of all pieces together and the mean of each, by number; slab by slab, for the memory."""
    if volume.colour:
        return None, None
    sums, seen = np.zeros(count), np.zeros(count)
    shift: float | None = None
    squares, low, high = 0.0, np.inf, -np.inf
    step = max(1, _SLAB_VOXELS // max(1, box.shape_kji[1] * box.shape_kji[2]))
    for k in range(0, box.shape_kji[0], step):
        context.raise_if_cancelled()
        context.progress(0.5 * k / box.shape_kji[0], "")
        part = pieces[k : k + step]
        k0, (_, js, ks) = box.min_kji[0] + k, box.slices
        stored = volume.voxels[k0 : k0 + len(part), js, ks]
        values = volume.values_of(stored)
        inside = (part != 0) & np.isfinite(values) & ~volume.is_padding(stored)
        inside[[k - k0 for k in damaged if k0 <= k < k0 + len(part)]] = False
        held = values[inside].astype(np.float64)
        if not held.size:
            continue
        # Squares of numbers near zero: those of the values themselves lose their last digits.
        shift = float(held[0]) if shift is None else shift
        low, high = min(low, float(held.min())), max(high, float(held.max()))
        held -= shift
        squares += float(held @ held)
        if count == 2:
            sums[1] += held.sum()
            seen[1] += held.size
            continue
        sums += np.bincount(part[inside], weights=held, minlength=count)
        seen += np.bincount(part[inside], minlength=count)
    total = float(seen.sum())
    if shift is None:
        return None, None
    offset = float(sums.sum()) / total
    spread = np.sqrt(max(0.0, squares - total * offset**2) / (total - 1)) if total > 1 else 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        means = shift + sums / seen
    return Statistics(shift + offset, float(spread), low, high), means


def centre_of(piece: Mask, middle_kji: npt.NDArray[np.float64], place: Box) -> tuple[int, int, int]:
    """Return a voxel of a piece near its middle, on the grid: on the slice next to it, the nearest one."""
    held = np.flatnonzero(piece.any(axis=(1, 2)))
    k = int(held[np.argmin(np.abs(held - middle_kji[0]))])
    at = np.argwhere(piece[k])
    j, i = at[np.argmin(((at - middle_kji[1:]) ** 2).sum(axis=1))]
    k0, j0, i0 = place.min_kji
    return k0 + k, j0 + int(j), i0 + int(i)
