"""Anchors and the lines between them."""

from __future__ import annotations

import numpy as np
import pytest

from medview.workspace.outline_shape import OutlineShape

Point = np.ndarray


def bent(start: Point, end: Point) -> Point:
    """Two points on the way, which tell which anchors they were made for."""
    return np.stack([start * 0.7 + end * 0.3, start * 0.3 + end * 0.7])


def point(n: float) -> Point:
    return np.array([n, n * n, 5.0])


def fits(shape: OutlineShape) -> None:
    """Every line is the one between its anchors."""
    assert len(shape.lines_kji) == shape.count - (0 if shape.closed else 1)
    for n, line in enumerate(shape.lines_kji):
        start, end = shape.anchors_kji[n], shape.anchors_kji[(n + 1) % shape.count]
        np.testing.assert_allclose(line, bent(start, end))


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_done_every_line_joins_its_two_anchors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = OutlineShape(point(0), bent)
    for _ in range(300):
        what = rng.integers(0, 7)
        if what == 0 and not shape.closed:
            shape.add(rng.normal(0, 9, 3))
        elif what == 1 and shape.count > 2:
            shape.close()
        elif what == 2 and shape.lines_kji:
            number = shape.insert(int(rng.integers(len(shape.lines_kji))), at := rng.normal(0, 9, 3))
            assert (shape.anchors_kji[number] == at).all()
        elif what == 3 and shape.count > 3:
            shape.remove(int(rng.integers(shape.count)))
        elif what == 4:
            shape.move(int(rng.integers(shape.count)), rng.normal(0, 9, 3))
        elif what == 5:
            shape.shift(rng.normal(0, 1, 3))
        elif what == 6:
            shape.back()
        fits(shape)


def test_the_points_run_from_anchor_to_anchor_and_a_closed_outline_does_not_repeat_its_first() -> None:
    shape = OutlineShape(point(1), bent)
    shape.add(point(2), point(3))
    assert len(shape.points_kji()) == 3 + 4
    shape.close()
    points = shape.points_kji()
    assert len(points) == 3 + 6
    assert (points[0] == point(1)).all()
    assert (points[-1] == bent(point(3), point(1))[-1]).all()
    assert (shape.line_points_kji(2)[-1] == point(1)).all()


def test_one_anchor_always_stays() -> None:
    shape = OutlineShape(point(1), bent)
    shape.remove(0)
    shape.back()
    assert shape.count == 1
    assert not shape.closed
