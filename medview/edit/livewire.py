"""A line that holds on to edges between two points of a picture (intelligent scissors).

Mortensen and Barrett, "Interactive segmentation with intelligent scissors", 1998: the way between two pixels that costs
least, where a step is cheap on a strong edge and along it. All slopes and lengths are in millimetres, so that pixels need
not be square.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Picture = npt.NDArray[np.float32]
Place = tuple[float, float]

_WINDOW = 80
"""Pixels from the starting point to each side of the first window."""
_MARGIN = 24
"""Pixels by which a window reaches beyond the point it was made larger for."""
_MOST_PIXELS = 320 * 320
"""A window with more would make the hand wait."""
_SMOOTHING = 0.8
"""Width of the Gaussian, in pixels of the finer side."""
_QUANTILES = (0.9, 0.99)
"""Shares of the pixels of a window with less slope than the least, and the most, that may count as a full edge."""
_NEAR = 2
"""Pixels around a starting point in which the edge is looked for that it lies on."""
_FLOOR = 0.02
"""Cost of a step along the best edge, per finer side: of two edges as good the shorter way is taken."""
_ACROSS = 0.25
"""Cost of a step straight across an edge, beside what the edge itself costs."""
_RIDGE = 0.5
"""Share of a step's cost that says whether it is on the top of a slope; the rest says how steep that is."""
_FURTHEST_SHIFT = 0.75
"""Pixels by which a point of the way may be moved onto the ridge of the slope."""
_KEPT = 6

_STEPS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """How steeply a part of a picture rises.

    Attributes
    ----------
    down, right : ndarray of float32
        Per millimetre, of the smoothed picture.
    """

    down: Picture
    right: Picture
    steep: Picture

    @classmethod
    def of(cls, values: Picture, spacing_mm: Place) -> Slopes:
        """Return the slopes of a picture; outside of it it goes on as at its edge."""
        from scipy.ndimage import gaussian_filter

        finest = min(spacing_mm)
        row_sigma, column_sigma = (_SMOOTHING * finest / mm for mm in spacing_mm)
        smooth = gaussian_filter(values.astype(np.float32), (row_sigma, column_sigma), mode="nearest", truncate=3.0)
        padded = np.pad(smooth, 1, mode="edge")
        down = (padded[2:, 1:-1] - padded[:-2, 1:-1]) / np.float32(2 * spacing_mm[0])
        right = (padded[1:-1, 2:] - padded[1:-1, :-2]) / np.float32(2 * spacing_mm[1])
        return cls(down, right, np.hypot(down, right))


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The part of a picture around a starting point in which ways are known.

    Attributes
    ----------
    row, column : int
        Its first row and column.
    before : ndarray of int32
        For every pixel of the window, row by row, the pixel before it on the way from the start; negative at the start.
    """

    row: int
    column: int
    shape: tuple[int, int]
    before: npt.NDArray[np.int32]
    slopes: Slopes

    def holds(self, row: int, column: int) -> bool:
        """Whether a pixel lies in the window."""
        return 0 <= row - self.row < self.shape[0] and 0 <= column - self.column < self.shape[1]

    def way(self, row: int, column: int) -> npt.NDArray[np.int64]:
        """Return the pixels, shape (n, 2), from the start to one of the window."""
        at = (row - self.row) * self.shape[1] + column - self.column
        found = []
        while at >= 0:
            found.append(at)
            at = int(self.before[at])
        rows, columns = np.divmod(np.asarray(found[::-1]), self.shape[1])
        return np.stack([rows + self.row, columns + self.column], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class PartedPicture:
    """A picture of which only the parts that are asked for are worked out.

    Attributes
    ----------
    part : callable
        Takes rows and columns as slices and returns their values.
    """

    shape: tuple[int, int]
    part: Callable[[slice, slice], Picture]


class Livewire:
    """Ways along the edges of one picture. What was worked out for a starting point is kept for the next pointer.

    Parameters
    ----------
    values : ndarray of float32, shape (rows, columns), or PartedPicture
        What the picture shows; numbers that are none count as the lowest around.
    spacing_mm : tuple of float
        Between rows and between columns.
    """

    def __init__(self, values: Picture | PartedPicture, spacing_mm: Place) -> None:
        if isinstance(values, PartedPicture):
            self._shape, self._part = values.shape, values.part
        else:
            self._shape = values.shape[0], values.shape[1]
            self._part = lambda rows, columns: values[rows, columns]
        self._spacing_mm = spacing_mm
        self._windows: OrderedDict[tuple[int, int], Window] = OrderedDict()

    def way(self, start: Place, end: Place) -> FloatArray:
        """Return the line from a place to another along the edges between them.

        Where the end lies further from the start than a window reaches, the rest of the line is straight.

        Parameters
        ----------
        start, end : tuple of float
            Row and column; whole numbers are centres of pixels.

        Returns
        -------
        ndarray of float64, shape (n, 2)
            Rows and columns, between the pixels where the edge is. Neither end is among them.
        """
        first, last = self._pixel(start), self._pixel(end)
        window = self._window(first, last)
        row = min(max(last[0], window.row), window.row + window.shape[0] - 1)
        column = min(max(last[1], window.column), window.column + window.shape[1] - 1)
        pixels = window.way(row, column)[1:-1]
        return _on_ridge(pixels, window, self._spacing_mm)

    def snapped(self, place: Place, radius_mm: float) -> Place:
        """Return the place of the steepest slope within a radius; the place itself where the picture is flat."""
        row, column = self._pixel(place)
        reach = [max(1, min(_MARGIN, int(np.ceil(radius_mm / mm)))) + 3 for mm in self._spacing_mm]
        rows = slice(max(0, row - reach[0]), row + reach[0] + 1)
        columns = slice(max(0, column - reach[1]), column + reach[1] + 1)
        slopes = Slopes.of(self._values(rows, columns), self._spacing_mm)
        down = (np.arange(slopes.steep.shape[0])[:, None] + rows.start - place[0]) * self._spacing_mm[0]
        right = (np.arange(slopes.steep.shape[1])[None, :] + columns.start - place[1]) * self._spacing_mm[1]
        steep = np.where(np.hypot(down, right) <= radius_mm, slopes.steep, np.float32(0))
        best = np.unravel_index(int(np.argmax(steep)), steep.shape)
        if steep[best] <= 0:
            return place
        whole = Window(rows.start, columns.start, steep.shape, np.empty(0, np.int32), slopes)
        at = np.array([[best[0] + rows.start, best[1] + columns.start]])
        (found,) = _on_ridge(at, whole, self._spacing_mm)
        return float(found[0]), float(found[1])

    def _values(self, rows: slice, columns: slice) -> Picture:
        values = self._part(rows, columns)
        seen = np.isfinite(values)
        if seen.all():
            return values
        return np.where(seen, values, values[seen].min() if seen.any() else 0).astype(np.float32)

    def _pixel(self, place: Place) -> tuple[int, int]:
        rows, columns = self._shape
        return min(max(round(place[0]), 0), rows - 1), min(max(round(place[1]), 0), columns - 1)

    def _window(self, first: tuple[int, int], last: tuple[int, int]) -> Window:
        known = self._windows.get(first)
        if known is None or not known.holds(*last):
            wanted = _reach(first, last, self._shape)
            # One that may not be larger stays as it is; the rest of the line is straight.
            if known is None or (known.row, known.column, *known.shape) != wanted:
                known = self._windows[first] = self._worked_out(first, wanted)
            while len(self._windows) > _KEPT:
                self._windows.popitem(last=False)
        self._windows.move_to_end(first)
        return known

    def _worked_out(self, first: tuple[int, int], part: tuple[int, int, int, int]) -> Window:
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import dijkstra

        row, column, rows, columns = part
        slopes = Slopes.of(self._values(slice(row, row + rows), slice(column, column + columns)), self._spacing_mm)
        neighbours, ends = _graph(rows, columns)
        start = first[0] - row, first[1] - column
        costs = _costs(slopes, self._spacing_mm, start)
        graph = csr_matrix((costs, neighbours, ends), shape=(rows * columns, rows * columns))
        _, before = dijkstra(graph, indices=start[0] * columns + start[1], return_predecessors=True)
        return Window(row, column, (rows, columns), before, slopes)


def _reach(first: tuple[int, int], last: tuple[int, int], shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return (row, column, rows, columns) of a window around a start that holds a place, if it may be so large."""
    sides = []
    for here, there, count in zip(first, last, shape, strict=True):
        low, high = max(0, min(here - _WINDOW, there - _MARGIN)), min(count, max(here + _WINDOW, there + _MARGIN) + 1)
        sides.append((low, high))
    (top, bottom), (left, right) = sides
    if (bottom - top) * (right - left) > _MOST_PIXELS:
        half = int(np.sqrt(_MOST_PIXELS)) // 2
        (top, bottom), (left, right) = (
            (max(0, here - half), min(count, here + half)) for here, count in zip(first, shape, strict=True)
        )
    return top, left, bottom - top, right - left


@lru_cache(maxsize=4)
def _graph(rows: int, columns: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the eight neighbours of every pixel, itself for those outside, and where each pixel's begin."""
    own = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    found = np.empty((rows, columns, len(_STEPS)), dtype=np.int32)
    for n, (down, right) in enumerate(_STEPS):
        found[..., n] = own
        here, there = _overlap(rows, columns, down, right)
        found[(*here, n)] = own[there]
    ends = np.arange(0, found.size + 1, len(_STEPS), dtype=np.int32)
    return found.reshape(-1), ends


def _costs(slopes: Slopes, spacing_mm: Place, start: tuple[int, int]) -> FloatArray:
    """Return what the step from every pixel to each of its neighbours costs, in the order of ``_graph``."""
    from scipy.ndimage import maximum_filter

    rows, columns = slopes.steep.shape
    usual, strong = np.quantile(slopes.steep[::3, ::3], _QUANTILES)
    around = slopes.steep[max(0, start[0] - _NEAR) : start[0] + _NEAR + 1, max(0, start[1] - _NEAR) : start[1] + _NEAR + 1]
    # An edge as steep as the one it starts on is a full one: bone beside an organ is no better than the organ's own edge.
    full = float(min(max(usual, around.max()), strong)) or 1.0
    flat = 1.0 - np.minimum(slopes.steep / np.float32(full), 1.0)
    # Beside the top of a slope a step costs more than on it, however gentle the slope is next to others in the window.
    beside = 1.0 - slopes.steep / np.maximum(maximum_filter(slopes.steep, 3, mode="nearest"), np.float32(1e-12))
    on_edge = (1 - _RIDGE) * flat * flat + _RIDGE * beside
    steep = np.maximum(slopes.steep, np.float32(1e-12))
    up_hill, aside = slopes.down / steep, slopes.right / steep
    strength = 1.0 - flat
    costs = np.full((rows, columns, len(_STEPS)), 1e9)
    finest = min(spacing_mm)
    for n, (down, right) in enumerate(_STEPS):
        length_mm = float(np.hypot(down * spacing_mm[0], right * spacing_mm[1]))
        across = strength * np.abs(
            up_hill * (down * spacing_mm[0] / length_mm) + aside * (right * spacing_mm[1] / length_mm)
        )
        cost = on_edge + np.float32(_ACROSS) * across
        here, there = _overlap(rows, columns, down, right)
        costs[(*here, n)] = (length_mm / finest) * (_FLOOR + (cost[here] + cost[there]) / 2)
    return costs.reshape(-1)


def _overlap(rows: int, columns: int, down: int, right: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return which pixels have a neighbour in a direction, and those neighbours."""
    here = slice(max(0, -down), rows - max(0, down)), slice(max(0, -right), columns - max(0, right))
    there = slice(max(0, down), rows - max(0, -down)), slice(max(0, right), columns - max(0, -right))
    return here, there


def _on_ridge(pixels: npt.NDArray[np.int64], window: Window, spacing_mm: Place) -> FloatArray:
    """Move pixels up the slope's own hill by less than one: an edge lies between pixels more often than on them."""
    from scipy.ndimage import map_coordinates

    if not len(pixels):
        return np.empty((0, 2))
    slopes = window.slopes
    at = (pixels - (window.row, window.column)).astype(np.float64)
    rows, columns = at.T.astype(np.int64)
    steep = np.maximum(slopes.steep[rows, columns].astype(np.float64), 1e-12)
    finest = min(spacing_mm)
    # One finer side along the slope, in pixels.
    step = np.stack([slopes.down[rows, columns] / steep * finest / spacing_mm[0],
                     slopes.right[rows, columns] / steep * finest / spacing_mm[1]], axis=1)  # fmt: skip
    behind, here, before = (
        map_coordinates(slopes.steep, (at + n * step).T, order=1, mode="nearest").astype(np.float64) for n in (-1, 0, 1)
    )
    bend = behind - 2 * here + before
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(bend < 0, (behind - before) / (2 * bend), 0.0)
    shift = np.clip(np.nan_to_num(shift), -_FURTHEST_SHIFT, _FURTHEST_SHIFT)
    return np.asarray(pixels + shift[:, None] * step)
