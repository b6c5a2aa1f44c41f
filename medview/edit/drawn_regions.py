"""Connected regions of drawn slices, how far every pixel lies inside them, and which belong together across a gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Mask2 = npt.NDArray[np.bool_]
Field = npt.NDArray[np.float32]

_LEAST_SHARE = 0.2
"""Two regions that overlap by less than this share of the smaller one belong together only if neither has a better one."""


@dataclass(eq=False)
class Region:
    """One connected region of one slice.

    Attributes
    ----------
    corner : tuple of int
        (row, column) of ``mask[0, 0]`` on the slice.
    mask : ndarray of bool
        Cut to the region.
    """

    corner: tuple[int, int]
    mask: Mask2
    area_mm2: float
    middle: npt.NDArray[np.float64]
    """Centre of gravity, (row, column) on the slice."""
    _reach: tuple[int, int, int, int] | None = field(default=None, init=False)
    _depth: Field | None = field(default=None, init=False)

    def want(self, rows: tuple[int, int], columns: tuple[int, int]) -> None:
        """Ask for depths on these rows and columns of the slice (half-open); they may lie outside of it."""
        wanted = (rows[0], rows[1], columns[0], columns[1])
        if self._reach is not None:
            known = self._reach
            wanted = (min(known[0], rows[0]), max(known[1], rows[1]), min(known[2], columns[0]), max(known[3], columns[1]))
        if wanted != self._reach:
            self._reach, self._depth = wanted, None

    def depth(self, rows: tuple[int, int], columns: tuple[int, int], spacing_mm: tuple[float, float]) -> Field:
        """Return how deep in the region each pixel lies, in mm; negative outside of it. ``want`` it first."""
        assert self._reach is not None
        top, bottom, left, right = self._reach
        if self._depth is None:
            canvas = np.zeros((bottom - top, right - left), dtype=np.bool_)
            row, column = self.corner[0] - top, self.corner[1] - left
            canvas[row : row + self.mask.shape[0], column : column + self.mask.shape[1]] = self.mask
            self._depth = depth_mm(canvas, spacing_mm)
        return self._depth[rows[0] - top : rows[1] - top, columns[0] - left : columns[1] - left]

    def forget(self) -> None:
        """Let the depths go; they are worked out again when they are asked for."""
        self._depth = None


def depth_mm(mask: Mask2, spacing_mm: tuple[float, float]) -> Field:
    """Return how far inside a mask each pixel lies.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, columns)
        Neither all true nor all false.
    spacing_mm : tuple of float
        Between rows, between columns.

    Returns
    -------
    ndarray of float32
        Millimetres to the edge that runs between the pixels; positive inside, negative outside.
    """
    # The filter measures to the middles of the outermost pixels of the mask; the edge is half a pixel further out. Where
    # that differs between directions, what it says of the background is needed too: it lies as much on the other side.
    row_mm, column_mm = spacing_mm
    if abs(row_mm - column_mm) <= 1e-3 * row_mm:
        return np.asarray(_to_outermost(mask, spacing_mm) + np.float32(row_mm / 2))
    return np.asarray((_to_outermost(mask, spacing_mm) - _to_outermost(~mask, spacing_mm)) * np.float32(0.5))


def _to_outermost(mask: Mask2, spacing_mm: tuple[float, float]) -> Field:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(mask.view(np.uint8))
    image.SetSpacing((spacing_mm[1], spacing_mm[0]))
    distance = sitk.SignedMaurerDistanceMap(image, True, False, True, 0)
    return np.asarray(sitk.GetArrayFromImage(distance), dtype=np.float32)


def regions_of(mask: Mask2, spacing_mm: tuple[float, float]) -> tuple[list[Region], npt.NDArray[np.int32]]:
    """Return the regions of a slice, joined also across corners, and an array of the slice with their numbers from 1."""
    from scipy import ndimage

    numbers, count = ndimage.label(mask, structure=np.ones((3, 3)), output=np.int32)
    found = []
    for number, place in enumerate(ndimage.find_objects(numbers), start=1):
        part = numbers[place] == number
        rows, columns = np.nonzero(part)
        corner = (place[0].start, place[1].start)
        middle = np.array([rows.mean() + corner[0], columns.mean() + corner[1]])
        found.append(Region(corner, part, rows.size * spacing_mm[0] * spacing_mm[1], middle))
    assert len(found) == count
    return found, numbers


def matched(
    low: Sequence[Region],
    high: Sequence[Region],
    shared: npt.NDArray[np.int64],
    spacing_mm: tuple[float, float],
    gap_mm: float,
) -> list[tuple[int, int]]:
    """Return which regions of the two slices beside a gap are the same thing.

    Parameters
    ----------
    shared : ndarray of int, shape (len(low), len(high))
        Pixels that lie in both.
    gap_mm : float
        From one slice to the other.

    Returns
    -------
    list of (index in low, index in high)
        A region stands in several where it branches, in none where it ends.
    """
    pairs: set[tuple[int, int]] = set()
    pixel = spacing_mm[0] * spacing_mm[1]
    for a, b in np.argwhere(shared > 0):
        smaller = min(low[a].area_mm2, high[b].area_mm2)
        best = shared[a, b] == shared[a].max() or shared[a, b] == shared[:, b].max()
        if best or shared[a, b] * pixel >= _LEAST_SHARE * smaller:
            pairs.add((int(a), int(b)))
    # Those that touch nothing belong to what is nearest: first to each other, then to one that has a partner already.
    distances = sorted(
        (float(np.hypot(*((low[a].middle - high[b].middle) * spacing_mm))), a, b)
        for a in range(len(low))
        for b in range(len(high))
        if not shared[a, b]
    )
    for allowed_gaps, both_alone in ((1.5, True), (0.25, False)):
        with_partner_low, with_partner_high = {a for a, _ in pairs}, {b for _, b in pairs}
        for distance, a, b in distances:
            alone_low, alone_high = a not in with_partner_low, b not in with_partner_high
            near = radius_mm(low[a]) + radius_mm(high[b]) + allowed_gaps * gap_mm
            if distance <= near and ((alone_low and alone_high) if both_alone else (alone_low or alone_high)):
                pairs.add((a, b))
                with_partner_low.add(a)
                with_partner_high.add(b)
    return sorted(pairs)


def radius_mm(region: Region) -> float:
    """Return the radius of the disc of the same area."""
    return float(np.sqrt(region.area_mm2 / np.pi))
