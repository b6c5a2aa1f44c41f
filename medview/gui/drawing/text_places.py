"""Where texts go so that they cover neither each other nor what is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in logical pixels."""

GAP_PX = 8.0
"""Between a figure and a text beside it."""
_APART_PX = 2.0
"""Between two texts."""
_HANDLE_PX = 6.0
"""Reach of a handle that has to stay free to be seen and pulled."""
_STEP_PX = 12.0
"""Distance of the points that stand for a line."""
_MOST_POINTS = 2000
"""Points that stand for the lines of all figures together; an outline drawn by hand has hundreds of its own."""
_RINGS = 5
"""How many times its own height a text may be moved away."""
_MARGIN_PX = 2.0
_COVERED = 1e4
"""Cost of covering a text or a handle, beside that of covering a line, both by the area covered."""
_FAR = 0.5
"""Cost of each place that is further down the list."""
_NEAR = 9
"""How many of the places to try lie beside the figure; as many are compared by the lines they cover."""
_LEADER_PX = 20.0
"""A text further than this from its figure is tied to it by a line."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A figure with a text to be placed.

    Attributes
    ----------
    key : str
        What it is known by from one drawing to the next.
    points_px : ndarray, shape (n, 2)
        x and y of its lines and handles.
    handles_px : ndarray, shape (n, 2)
    anchor_px : tuple of float
        x and y of the point that the text stands beside where there is room.
    size_px : tuple of float
        Width and height of the text.
    """

    key: str
    points_px: FloatArray
    handles_px: FloatArray
    anchor_px: tuple[float, float]
    size_px: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands.

    Attributes
    ----------
    left_px, top_px : float
    leader_px : (x, y, x, y), or None
        From the figure to the text, when it had to be moved away.
    """

    left_px: float
    top_px: float
    leader_px: tuple[float, float, float, float] | None = None


class TextPlaces:
    """Places texts one after the other, each at the best place that is left.

    A text stays at the place of the list it was given while the same figures are shown and it is still free there, so that
    it does not jump while the picture is moved or made larger.
    """

    def __init__(self) -> None:
        self._kept: dict[str, int] = {}
        self._pane_px = (0.0, 0.0)

    def of(self, figures: Sequence[Labelled], pane_px: tuple[float, float], free: Sequence[Box] = ()) -> list[Place]:
        """Return a place for the text of every figure, in order.

        Parameters
        ----------
        pane_px : tuple of float
            Width and height of the pane; nothing is put outside.
        free : sequence of Box
            What other texts need.
        """
        if {figure.key for figure in figures} != self._kept.keys() or pane_px != self._pane_px:
            self._kept, self._pane_px = {}, pane_px
        if not figures:
            return []
        lines: FloatArray | None = None
        many = len(figures)
        handles = np.concatenate([f.handles_px for f in figures])
        # Handles of all figures and other texts first, then the texts as they are placed.
        used = len(handles) + len(free)
        taken = np.empty((used + many, 4))
        taken[: len(handles)] = _boxes_around(handles, _HANDLE_PX)
        taken[len(handles) : used] = np.asarray(free).reshape(-1, 4)
        found: list[Place] = []
        for figure in figures:
            if figure.size_px[0] <= 0.0:
                self._kept[figure.key] = 0
                found.append(Place(*figure.anchor_px))
                continue
            boxes = _candidates(figure, pane_px)
            best = self._kept.get(figure.key, -1)
            if best < 0 or _overlap(boxes[best : best + 1], taken[:used])[0] > 0.0:
                lines = _boxes_around(_thinned(figures), 1.0) if lines is None else lines
                best = _best(boxes, taken[:used], lines)
            self._kept[figure.key] = best
            box = boxes[best]
            taken[used] = box
            taken[used, :2] -= _APART_PX
            taken[used, 2:] += _APART_PX
            used += 1
            found.append(Place(float(box[0]), float(box[1]), _leader(figure, box)))
        return found


def _best(boxes: FloatArray, taken: FloatArray, lines: FloatArray) -> int:
    """Return the number of the place that covers least of texts and handles, and then of lines; near places first."""
    covered = _overlap(boxes[:_NEAR], taken)
    if covered.min() > 0.0:
        covered = _overlap(boxes, taken)
    few = np.argsort(covered, kind="stable")[:_NEAR]
    cost = _COVERED * covered[few] + _overlap(boxes[few], lines) + _FAR * few
    return int(few[np.argmin(cost)])


def _boxes_around(points: FloatArray, reach: float) -> FloatArray:
    return np.column_stack([points - reach, points + reach])


def _thinned(figures: Sequence[Labelled]) -> FloatArray:
    """Return points that stand for the lines of all figures."""
    points = [_along(figure.points_px) for figure in figures]
    together = np.concatenate(points) if points else np.empty((0, 2))
    return together[:: 1 + len(together) // _MOST_POINTS]


def _along(points: FloatArray) -> FloatArray:
    """Return points along a line, close enough together that no text fits between them."""
    if len(points) < 2:
        return points
    steps = np.hypot(*np.diff(points, axis=0).T)
    way = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0.0, way[-1], min(_MOST_POINTS, 2 + int(way[-1] / _STEP_PX)))
    return np.column_stack([np.interp(at, way, points[:, axis]) for axis in (0, 1)])


def _candidates(figure: Labelled, pane_px: tuple[float, float]) -> FloatArray:
    """Return boxes to try, the best first, shape (n, 4), all inside the pane."""
    x, y = figure.anchor_px
    width, height = figure.size_px
    left, top = figure.points_px.min(axis=0).tolist()
    right, bottom = figure.points_px.max(axis=0).tolist()
    middle_x, middle_y = (left + right - width) / 2, (top + bottom - height) / 2
    beside, before = right + GAP_PX, left - GAP_PX - width
    under, over = bottom + GAP_PX, top - GAP_PX - height
    tries = [
        (x + GAP_PX, y - height / 2),
        (beside, middle_y),
        (middle_x, under),
        (middle_x, over),
        (before, middle_y),
        (beside, under),
        (beside, over),
        (before, under),
        (before, over),
    ]
    for ring in range(1, _RINGS + 1):
        down, aside = ring * (height + 2 * _APART_PX), ring * width / 2
        tries += [
            (beside, middle_y + down),
            (beside, middle_y - down),
            (middle_x, under + down),
            (middle_x, over - down),
            (before, middle_y + down),
            (before, middle_y - down),
            (beside + aside, middle_y),
            (before - aside, middle_y),
        ]
    boxes = np.empty((len(tries), 4))
    boxes[:, :2] = tries
    # A text larger than the pane begins at its edge.
    boxes[:, :2] = np.maximum(np.minimum(boxes[:, :2], (pane_px[0] - width - 4, pane_px[1] - height - 4)), _MARGIN_PX)
    boxes[:, 2:] = boxes[:, :2] + figure.size_px
    return boxes


def _overlap(boxes: FloatArray, others: FloatArray) -> FloatArray:
    """Return how much of each box the others cover, in square pixels, shape (boxes,)."""
    shared = np.minimum(boxes[:, None, 2:], others[None, :, 2:]) - np.maximum(boxes[:, None, :2], others[None, :, :2])
    np.maximum(shared, 0.0, out=shared)
    return np.asarray(np.einsum("ab,ab->a", shared[..., 0], shared[..., 1]))


def _leader(figure: Labelled, box: FloatArray) -> tuple[float, float, float, float] | None:
    nearest = np.minimum(np.maximum(figure.points_px, box[:2]), box[2:])
    apart = figure.points_px - nearest
    squared = np.einsum("ab,ab->a", apart, apart)
    closest = int(squared.argmin())
    if squared[closest] <= _LEADER_PX**2:
        return None
    (x0, y0), (x1, y1) = figure.points_px[closest], nearest[closest]
    return float(x0), float(y0), float(x1), float(y1)
