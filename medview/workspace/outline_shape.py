"""The anchors of an outline under way, and the lines between them, in voxels of the grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

Join = Callable[[FloatArray, FloatArray], FloatArray]
"""Takes two places and gives the points between them, shape (n, 3), without the two; none where the line is straight."""


def straight(_start_kji: FloatArray, _end_kji: FloatArray) -> FloatArray:
    """Join two places by a straight line."""
    return np.empty((0, 3))


class OutlineShape:
    """Anchors that can be put, moved, inserted and removed before and after the outline is closed.

    Attributes
    ----------
    anchors_kji : list of ndarray of float64, shape (3,)
        Fractional voxel indices.
    join : callable
        What joins an anchor to the next.
    lines_kji : list of ndarray of float64, shape (n, 3)
        Points between an anchor and the next; one line fewer than anchors while it is open, as many once it is closed.
    """

    def __init__(self, first_kji: FloatArray, join: Join = straight) -> None:
        self.join = join
        self.anchors_kji = [first_kji]
        self.lines_kji: list[FloatArray] = []

    @property
    def closed(self) -> bool:
        """Whether the last anchor is joined to the first."""
        return len(self.lines_kji) == len(self.anchors_kji)

    @property
    def count(self) -> int:
        """Number of anchors."""
        return len(self.anchors_kji)

    def add(self, *places_kji: FloatArray) -> None:
        """Put anchors after the last one."""
        for place in places_kji:
            self.lines_kji.append(self.join(self.anchors_kji[-1], place))
            self.anchors_kji.append(place)

    def close(self) -> None:
        """Join the last anchor to the first."""
        if not self.closed:
            self.lines_kji.append(self.join(self.anchors_kji[-1], self.anchors_kji[0]))

    def back(self) -> None:
        """Open a closed outline, or remove the last anchor; one always stays."""
        if self.closed:
            self.lines_kji.pop()
        elif self.count > 1:
            self.lines_kji.pop()
            self.anchors_kji.pop()

    def move(self, number: int, to_kji: FloatArray) -> None:
        """Move one anchor; the lines to its neighbours follow."""
        self.anchors_kji[number] = to_kji
        if self.closed or number > 0:
            # From the neighbour that stays: what was worked out for it serves every move.
            self.lines_kji[number - 1] = self.join(self.anchors_kji[number - 1], to_kji)
        if self.closed or number < self.count - 1:
            after = self.anchors_kji[(number + 1) % self.count]
            self.lines_kji[number] = self.join(after, to_kji)[::-1]

    def shift(self, by_kji: FloatArray) -> None:
        """Move everything."""
        self.anchors_kji = [anchor + by_kji for anchor in self.anchors_kji]
        self.lines_kji = [line + by_kji for line in self.lines_kji]

    def insert(self, line: int, at_kji: FloatArray) -> int:
        """Put an anchor on a line, count it and return its number."""
        self.anchors_kji.insert(line + 1, at_kji)
        self.lines_kji.insert(line, np.empty((0, 3)))
        self.move(line + 1, at_kji)
        return line + 1

    def remove(self, number: int) -> None:
        """Remove an anchor; its neighbours are joined. One always stays."""
        if self.count == 1:
            return
        closed = self.closed
        del self.anchors_kji[number]
        if not closed and number == 0:
            del self.lines_kji[0]
        elif not closed and number == self.count:
            del self.lines_kji[-1]
        else:
            del self.lines_kji[number]
            before = (number - 1) % self.count
            self.lines_kji[before] = self.join(self.anchors_kji[before], self.anchors_kji[number % self.count])

    def points_kji(self) -> FloatArray:
        """Return all points in their order, shape (n, 3); of a closed outline the first is not repeated."""
        parts = []
        for number, anchor in enumerate(self.anchors_kji):
            parts.append(anchor[None])
            if number < len(self.lines_kji):
                parts.append(self.lines_kji[number])
        return np.concatenate(parts)

    def line_points_kji(self, line: int) -> FloatArray:
        """Return the points of one line with the anchors at its ends, shape (n, 3)."""
        ends = self.anchors_kji[line][None], self.anchors_kji[(line + 1) % self.count][None]
        return np.concatenate([ends[0], self.lines_kji[line], ends[1]])
