"""Polygons of pictures to masks and back. Corners of pixels have whole coordinates, x to the right and y down."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def mask_inside(polygons: Iterable[npt.ArrayLike], size: tuple[int, int]) -> Mask:
    """Return the pixels (rows, columns) whose middle lies inside one of some polygons, each an array (points, 2) of x, y.

    A polygon that cuts itself is filled by turns (even-odd).
    """
    rows, columns = size
    found = np.zeros(size, dtype=np.bool_)
    for polygon in polygons:
        points = np.asarray(polygon, dtype=np.float64)
        low = max(int(np.floor(points[:, 1].min())), 0)
        high = min(int(np.ceil(points[:, 1].max())) + 1, rows)
        if high <= low:
            continue
        # One turn at every crossing of a row through the middles of its pixels; what lies behind an odd number is inside.
        turns = np.zeros((high - low, columns + 1), dtype=np.int32)
        x0, y0 = points.T
        x1, y1 = np.roll(points, -1, axis=0).T
        for ax, ay, bx, by in zip(x0, y0, x1, y1, strict=True):
            if ay == by:
                continue
            top, bottom = min(ay, by), max(ay, by)
            first = max(int(np.ceil(top - 0.5)), low)
            last = min(int(np.ceil(bottom - 0.5)), high)
            if last <= first:
                continue
            middles = np.arange(first, last) + 0.5
            crossing = ax + (middles - ay) * (bx - ax) / (by - ay)
            columns_behind = np.clip(np.ceil(crossing - 0.5), 0, columns).astype(np.intp)
            np.add.at(turns, (np.arange(first, last) - low, columns_behind), 1)
        found[low:high] |= np.cumsum(turns, axis=1)[:, :columns] % 2 == 1
    return found


def outer_outlines(mask: Mask) -> list[FloatArray]:
    """Return the outer outline of each piece of a mask (rows, columns) along the edges of its pixels, (points, 2) of x, y.

    Pixels that only touch at a corner are pieces of their own. ``mask_inside`` of an outline is the piece with its holes
    filled.
    """
    padded = np.pad(mask, 1)
    inside, above = padded[1:, :], padded[:-1, :]
    edges: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def add(starts: Iterable[tuple[int, int]], step: tuple[int, int]) -> None:
        for x, y in starts:
            edges.setdefault((x, y), []).append((x + step[0], y + step[1]))

    # Edges go round with the mask on their right hand; x and y grow to the right and down.
    rows, columns = np.nonzero(inside & ~above)
    add(zip((columns - 1).tolist(), rows.tolist(), strict=True), (1, 0))
    rows, columns = np.nonzero(~inside & above)
    add(zip(columns.tolist(), rows.tolist(), strict=True), (-1, 0))
    right, left = padded[:, 1:], padded[:, :-1]
    rows, columns = np.nonzero(right & ~left)
    add(zip(columns.tolist(), rows.tolist(), strict=True), (0, -1))
    rows, columns = np.nonzero(~right & left)
    add(zip(columns.tolist(), (rows - 1).tolist(), strict=True), (0, 1))
    return [loop for loop in _loops(edges) if _area(loop) > 0]


def _loops(edges: dict[tuple[int, int], list[tuple[int, int]]]) -> list[FloatArray]:
    loops: list[FloatArray] = []
    while edges:
        start = min(edges, key=lambda point: (point[1], point[0]))
        points = [start]
        came = (0, 0)
        here = start
        while True:
            ways = edges[here]
            # Where two pieces touch at a corner the sharper turn to the right stays with the piece.
            way = max(ways, key=lambda to: came[0] * (to[1] - here[1]) - came[1] * (to[0] - here[0]))
            ways.remove(way)
            if not ways:
                del edges[here]
            came = (way[0] - here[0], way[1] - here[1])
            here = way
            if here == start:
                break
            points.append(here)
        loops.append(_corners(np.asarray(points, dtype=np.float64)))
    return loops


def _corners(points: FloatArray) -> FloatArray:
    """Return a loop without the points in the middle of its straight pieces."""
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    turns = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0] != 0
    return np.asarray(points[turns])


def _area(points: FloatArray) -> float:
    """Twice the area; positive where a loop goes round with its inside on the right hand, y down."""
    x, y = points.T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
