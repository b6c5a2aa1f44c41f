"""A mask to closed contours.

Contours run half way between the centre of a voxel inside and that of its neighbour outside (marching squares at one half):
every centre lies 0.35 voxels or more from every line, so that rounding to text moves none across, and a single voxel is a
diamond around its centre. Voxels that touch only by a corner are drawn apart.

Holes become keyholes: the outer contour goes in along a line, round the hole, and back along the same line. In no other
form do readers that unite contours (plastimatch) and readers that combine them by exclusive or (dicompyler) both keep the
hole. The lines run between two rows of voxels, through no centre.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Positions count half voxels, so that they are whole numbers: voxel (j, i) stands at (2 j, 2 i).
_TOP, _RIGHT, _BOTTOM, _LEFT = (0, 1), (1, 2), (2, 1), (1, 0)
"""Middles of the sides of a square between four voxel centres, from the first of these."""

_LINES = {
    1: ((_LEFT, _TOP),),
    2: ((_TOP, _RIGHT),),
    3: ((_LEFT, _RIGHT),),
    4: ((_RIGHT, _BOTTOM),),
    5: ((_LEFT, _TOP), (_RIGHT, _BOTTOM)),
    6: ((_TOP, _BOTTOM),),
    7: ((_LEFT, _BOTTOM),),
    8: ((_BOTTOM, _LEFT),),
    9: ((_BOTTOM, _TOP),),
    10: ((_TOP, _RIGHT), (_BOTTOM, _LEFT)),
    11: ((_BOTTOM, _RIGHT),),
    12: ((_RIGHT, _LEFT),),
    13: ((_RIGHT, _TOP),),
    14: ((_TOP, _LEFT),),
}
"""What is drawn in a square whose corners are inside: 1 the first, 2 that to its right, 4 the one opposite, 8 below."""

FEWEST_POINTS = 64
"""Contours are not cut into smaller ones than this."""


def contours_of(mask: BoolArray, most_points: int) -> list[FloatArray]:
    """Return closed contours around the voxels of a slice; each piece is one contour unless it has too many points.

    Parameters
    ----------
    mask : ndarray of bool, shape (j, i)
    most_points : int
        A piece whose contour has more is cut into two that meet between two rows or columns.

    Returns
    -------
    list of ndarray of float64, shape (points, 2)
        Rows and columns (j, i), whole numbers being centres of voxels; the first point is not repeated at the end.
    """
    from scipy import ndimage

    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return []
    corner = np.array((rows[0], columns[0]))
    # A margin, so that everything has an outside.
    inner = np.pad(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)
    labels, count = ndimage.label(inner)
    rings: list[list[list[int]]] = [[] for _ in range(count + 1)]
    width = 2 * inner.shape[1] + 1
    for ring in _rings(inner, width):
        rings[labels[_voxel_inside(ring[0], inner, width)]].append(ring)
    found: list[FloatArray] = []
    for number in range(1, count + 1):
        bends = _bends(_joined(rings[number], inner, width), width)
        if len(bends) <= max(most_points, FEWEST_POINTS):
            found.append(np.stack(np.divmod(bends, width), axis=1) / 2.0 - 1.0 + corner)
            continue
        for half in _halves(labels[1:-1, 1:-1] == number):
            found += [contour + corner for contour in contours_of(half, most_points)]
    return found


def _halves(mask: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Return a mask in two, cut across its longer side."""
    spans = [np.flatnonzero(mask.any(axis=1 - axis))[[0, -1]] for axis in (0, 1)]
    axis = int(np.argmax([last - first for first, last in spans]))
    middle = int(spans[axis].mean()) + 1
    one, other = mask.copy(), mask.copy()
    if axis == 0:
        one[middle:], other[:middle] = False, False
    else:
        one[:, middle:], other[:, :middle] = False, False
    return one, other


def _rings(mask: BoolArray, width: int) -> list[list[int]]:
    """Return closed rings of positions, each ``row * width + column`` in half voxels; the inside lies on the same hand."""
    code = mask[:-1, :-1] + 2 * mask[:-1, 1:] + 4 * mask[1:, 1:] + 8 * mask[1:, :-1]
    rows, columns = np.nonzero((code > 0) & (code < 15))
    codes = code[rows, columns]
    first = 2 * rows * width + 2 * columns
    starts: list[IntArray] = []
    ends: list[IntArray] = []
    for kind, lines in _LINES.items():
        here = first[codes == kind]
        for (from_j, from_i), (to_j, to_i) in lines:
            starts.append(here + from_j * width + from_i)
            ends.append(here + to_j * width + to_i)
    following = dict(zip(np.concatenate(starts).tolist(), np.concatenate(ends).tolist(), strict=True))
    rings = []
    while following:
        begin, at = following.popitem()
        ring = [begin]
        while at != begin:
            ring.append(at)
            at = following.pop(at)
        rings.append(ring)
    return rings


def _voxel_inside(position: int, mask: BoolArray, width: int) -> tuple[int, int]:
    """Return the voxel of the mask beside a position on its edge."""
    j2, i2 = divmod(position, width)
    j, i = j2 // 2, i2 // 2
    return (j, i) if mask[j, i] else (j + j2 % 2, i + i2 % 2)


def _joined(rings: list[list[int]], mask: BoolArray, width: int) -> IntArray:
    """Return the rings of one piece as one ring, its holes as keyholes."""
    # The outer ring reaches further to the left than any hole does; a hole can only meet what does so too.
    outer, *holes = sorted(rings, key=lambda ring: min(position % width for position in ring))
    if not holes:
        return np.asarray(outer)
    path = _Path(outer)
    flat, columns = mask.tobytes(), mask.shape[1]
    for hole in holes:
        # The uppermost of its leftmost voxels: what is above it and to the left of both belongs to the piece.
        i2, j2 = min((position % width, position // width) for position in hole)
        begin = (j2 - 1) * width + i2 + 1
        path.take_in(hole, begin, *_met(begin, flat, columns, width))
    return path.walked()


def _met(begin: int, flat: bytes, columns: int, width: int) -> tuple[int, tuple[int, int] | None]:
    """Return where a line to the left meets a ring, and the ends of the edge where that is the middle of one."""
    j2, i2 = divmod(begin, width)
    above, below = (j2 - 1) // 2 * columns, (j2 + 1) // 2 * columns
    for i in range(i2 // 2 - 2, -1, -1):
        if flat[above + i] != flat[below + i]:
            return j2 * width + 2 * i, None
        if not flat[above + i]:
            middle = j2 * width + 2 * i + 1
            return middle, (middle - width, middle + width)
    raise AssertionError("a hole has something around it")


class _Path:
    """A ring that takes in others."""

    def __init__(self, ring: Sequence[int]) -> None:
        self._positions = list(ring)
        self._next = [*range(1, len(ring)), 0]
        self._node = {position: node for node, position in enumerate(ring)}

    def take_in(self, hole: list[int], begin: int, meets: int, edge: tuple[int, int] | None) -> None:
        """Go from ``meets`` to ``begin``, round the hole and back; ``edge`` is the one to be parted at ``meets``."""
        if edge is not None and meets not in self._node:
            one, other = (self._node[end] for end in edge)
            before = one if self._next[one] == other else other
            self._next[before] = self._added(meets, self._next[before])
        at = hole.index(begin)
        door = self._node[meets]
        onwards = self._next[door]
        node = door
        for position in (*hole[at:], *hole[:at], begin, meets):
            self._next[node] = self._added(position, onwards)
            node = self._next[node]

    def _added(self, position: int, following: int) -> int:
        self._positions.append(position)
        self._next.append(following)
        self._node.setdefault(position, len(self._next) - 1)
        return len(self._next) - 1

    def walked(self) -> IntArray:
        """Return the positions in their order."""
        order, node = [self._positions[0]], self._next[0]
        while node:
            order.append(self._positions[node])
            node = self._next[node]
        return np.asarray(order)


def _bends(ring: IntArray, width: int) -> IntArray:
    """Return a ring without the points at which it goes straight on."""
    j, i = np.divmod(ring, width)
    before_j, before_i = j - np.roll(j, 1), i - np.roll(i, 1)
    after_j, after_i = np.roll(before_j, -1), np.roll(before_i, -1)
    straight = (before_j * after_i == before_i * after_j) & (before_j * after_j + before_i * after_i > 0)
    return np.asarray(ring[~straight])
