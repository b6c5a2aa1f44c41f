"""How the regions of one drawn slice go over into those of the next."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from medview.edit.drawn_regions import Field, Mask2, Region, matched, radius_mm, regions_of

_MARGIN = 2
"""Pixels around two regions on which their depths are known, so that moving them by parts of a pixel needs no edge."""

_SMALL_PIXELS = 1 << 14
"""Up to here the pixels of a passage are counted, since single ones matter."""

_Slice = tuple[list[Region], npt.NDArray[np.int32]]
Point = npt.NDArray[np.float64]


class Passage:
    """One region between two slices, on its way from one region to another, or from or to nothing.

    Both are laid centre on centre, and the depths of their pixels are interpolated there; the centre moves on a line.

    Parameters
    ----------
    low, high : Region or None
        What it is on either slice; not both None.
    low_middle, high_middle : ndarray, (row, column)
        What is laid upon each other.
    spacing_mm : tuple of float
        Between rows, between columns.
    """

    def __init__(
        self,
        low: Region | None,
        high: Region | None,
        low_middle: Point,
        high_middle: Point,
        spacing_mm: tuple[float, float],
    ) -> None:
        self._spacing_mm = spacing_mm
        self._regions = (low, high)
        self._follows = low is not None and high is not None and low_middle is low.middle and high_middle is high.middle
        # Everything is laid out on the pixels of the low slice; a pixel of the high one lies ``way`` further.
        self._way = high_middle - low_middle
        corners = []
        for region, offset in ((low, np.zeros(2)), (high, self._way)):
            if region is not None:
                near = region.corner - offset
                corners += [near, near + region.mask.shape]
        self._start = np.floor(np.min(corners, axis=0)).astype(int) - _MARGIN
        self._stop = np.ceil(np.max(corners, axis=0)).astype(int) + _MARGIN
        for region, offset in ((low, np.zeros(2)), (high, self._way)):
            if region is not None:
                region.want(*self._window(offset))
        self._depths: tuple[Field, Field] | None = None

    def draw(self, part: float, onto: Field) -> None:
        """Lay the region as it is at ``part`` of the way (0 is low, 1 is high) over a slice; the greater depth stays."""
        if self._depths is None:
            self._depths = self._laid_out()
        low, high = self._depths
        gone = self._way * part
        whole = np.floor(gone).astype(int)
        depth = _moved(low * np.float32(1.0 - part) + high * np.float32(part), gone - whole)
        if depth.size <= _SMALL_PIXELS:
            depth -= self._thinned_by_mm(depth, part)
        start = self._start + whole
        top, left = np.maximum(start, 0)
        bottom, right = np.minimum(start + depth.shape, onto.shape)
        if top < bottom and left < right:
            place = onto[top:bottom, left:right]
            np.maximum(place, depth[top - start[0] : bottom - start[0], left - start[1] : right - start[1]], out=place)

    def _thinned_by_mm(self, depth: Field, part: float) -> np.float32:
        """Return by how much (at most half a pixel) depths are short of the area between those of both slices.

        Depths of a shape that is only a few pixels wide lose their tops between the pixels. What branches has no such area.
        """
        low, high = self._regions
        if low is None or high is None or not self._follows:
            return np.float32(0.0)
        width = (1.0 - part) * np.sqrt(np.count_nonzero(low.mask)) + part * np.sqrt(np.count_nonzero(high.mask))
        last = depth.size - min(depth.size, max(1, round(width**2)))
        level = np.partition(depth, last, axis=None)[last]
        half = np.float32(min(self._spacing_mm) / 2)
        return np.float32(np.clip(np.nextafter(level, np.float32(-np.inf)), -half, half))

    def _window(self, offset: Point) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the rows and columns of a slice that lie at an offset; one more than needed on the far sides."""
        whole = np.floor(offset).astype(int)
        start, stop = self._start + whole, self._stop + whole + 1
        return (int(start[0]), int(stop[0])), (int(start[1]), int(stop[1]))

    def _laid_out(self) -> tuple[Field, Field]:
        found = []
        for region, offset in zip(self._regions, (np.zeros(2), self._way), strict=True):
            if region is not None:
                depth = region.depth(*self._window(offset), self._spacing_mm)
                found.append(_sampled(depth, offset - np.floor(offset)))
        if len(found) == 1:
            # It ends half way: there its deepest place comes to 0.
            nothing = np.full_like(found[0], -found[0].max())
            found = [found[0], nothing] if self._regions[1] is None else [nothing, found[0]]
        return found[0], found[1]


class Passages:
    """All of one mask, slice by slice.

    Parameters
    ----------
    slice_of : callable
        Returns the mask of a slice, shape (rows, columns).
    spacing_mm : tuple of float
        Between rows, between columns.
    step_mm : float
        Between slices.
    """

    def __init__(self, slice_of: Callable[[int], Mask2], spacing_mm: tuple[float, float], step_mm: float) -> None:
        self._slice_of = slice_of
        self._spacing_mm = spacing_mm
        self._step_mm = step_mm
        self._slices: dict[int, _Slice] = {}
        self._passages: dict[tuple[int, int], list[Passage]] = {}

    def depth_between(self, low: int, high: int, n: int) -> Field:
        """Return how deep inside the mask the pixels of slice ``n`` lie, in mm, 0 outside.

        Parameters
        ----------
        low, high : int
            The drawn slices on both sides.
        """
        if (low, high) not in self._passages:
            self._passages[low, high] = self._between(low, high)
        found = np.zeros(self._slice(low)[1].shape, dtype=np.float32)
        for passage in self._passages[low, high]:
            passage.draw((n - low) / (high - low), found)
        return found

    def forget_before(self, n: int) -> None:
        """Let go of what slices after ``n`` do not need."""
        for low, high in [ends for ends in self._passages if ends[1] <= n + 1]:
            del self._passages[low, high]
        for drawn in [drawn for drawn in self._slices if drawn < n and all(low != drawn for low, _ in self._passages)]:
            del self._slices[drawn]

    def _slice(self, n: int) -> _Slice:
        if n not in self._slices:
            self._slices[n] = regions_of(self._slice_of(n), self._spacing_mm)
        return self._slices[n]

    def _between(self, low_n: int, high_n: int) -> list[Passage]:
        (low, low_numbers), (high, high_numbers) = self._slice(low_n), self._slice(high_n)
        both = (low_numbers > 0) & (high_numbers > 0)
        seen = low_numbers[both].astype(np.int64) * (len(high) + 1) + high_numbers[both]
        shared = np.bincount(seen, minlength=(len(low) + 1) * (len(high) + 1)).reshape(len(low) + 1, -1)[1:, 1:]
        pairs = matched(low, high, shared, self._spacing_mm, (high_n - low_n) * self._step_mm)
        passages = []
        for a, b in pairs:
            of_a, of_b = [high[n] for m, n in pairs if m == a], [low[m] for m, n in pairs if n == b]
            middles = self._middle(low[a], high[b], of_a), self._middle(high[b], low[a], of_b)
            passages.append(Passage(low[a], high[b], *middles, self._spacing_mm))
        ending = [r for n, r in enumerate(low) if all(a != n for a, _ in pairs)]
        beginning = [r for n, r in enumerate(high) if all(b != n for _, b in pairs)]
        passages += [Passage(r, None, r.middle, r.middle, self._spacing_mm) for r in ending]
        passages += [Passage(None, r, r.middle, r.middle, self._spacing_mm) for r in beginning]
        return passages

    def _middle(self, region: Region, partner: Region, partners: list[Region]) -> Point:
        """Return the centre of that part of a region that is nearer to a partner than to the others it branches to."""
        if len(partners) < 2:
            return region.middle
        places = np.argwhere(region.mask) + region.corner
        far = [
            np.hypot(*((places - other.middle) * self._spacing_mm).T) - radius_mm(other)
            for other in (partner, *(p for p in partners if p is not partner))
        ]
        mine = far[0] <= np.min(far[1:], axis=0)
        return np.asarray(places[mine].mean(axis=0)) if mine.any() else region.middle


def _sampled(depth: Field, by: Point) -> Field:
    """Return a picture between its pixels, ``by`` (0 to 1) of a pixel further down and right; one row and column fewer."""
    if not by.any():
        return depth[:-1, :-1]
    down, right = np.float32(by[0]), np.float32(by[1])
    rows = depth[:-1] * (1 - down) + depth[1:] * down
    return np.asarray(rows[:, :-1] * (1 - right) + rows[:, 1:] * right)


def _moved(depth: Field, by: Point) -> Field:
    """Return a picture moved down and right ``by`` parts (0 to 1) of a pixel."""
    if not by.any():
        return depth
    padded = np.pad(depth, ((1, 0), (1, 0)), mode="edge")
    return _sampled(padded, 1.0 - by)
