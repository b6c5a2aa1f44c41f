from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from medview.core.box import Box

_CORNERS = st.tuples(*(st.integers(-4, 12),) * 6)


def _box(n: tuple[int, ...]) -> Box:
    return Box((n[0], n[1], n[2]), (n[0] + abs(n[3]), n[1] + abs(n[4]), n[2] + abs(n[5])))


def _voxels(box: Box) -> set[tuple[int, int, int]]:
    k0, j0, i0 = box.min_kji
    return {(k0 + k, j0 + j, i0 + i) for k, j, i in np.ndindex(*box.shape_kji)}


@given(_CORNERS, _CORNERS)
def test_an_intersection_holds_the_voxels_that_are_in_both(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    assert _voxels(_box(a).intersection(_box(b))) == _voxels(_box(a)) & _voxels(_box(b))


@given(_CORNERS, _CORNERS)
def test_a_union_is_the_smallest_box_that_holds_both(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    both = _voxels(_box(a)) | _voxels(_box(b))
    union = Box.union_of([_box(a), _box(b)])
    if not both:
        assert union is None
        return
    assert union is not None
    corners = np.array(sorted(both))
    assert union.min_kji == tuple(corners.min(axis=0))
    assert union.max_kji == tuple(corners.max(axis=0) + 1)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6), st.integers(0, 7)), max_size=6))
def test_the_box_around_a_mask_is_the_smallest(points: list[tuple[int, int, int]]) -> None:
    mask = np.zeros((6, 7, 8), dtype=bool)
    for point in points:
        mask[point] = True
    box = Box.around(mask)
    if not points:
        assert box is None
        return
    assert box is not None
    at = np.argwhere(mask)
    assert box == Box(tuple(at.min(axis=0)), tuple(at.max(axis=0) + 1))


@given(_CORNERS, _CORNERS)
def test_a_box_within_another_is_counted_from_its_corner(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    inner, outer = _box(a), _box(b)
    assert inner.within(outer).shifted(outer.min_kji) == inner


def test_a_box_beside_the_grid_is_empty_after_clipping() -> None:
    assert Box((7, 0, 0), (9, 3, 3)).clipped((5, 5, 5)).empty
    assert Box((-9, 0, 0), (-2, 3, 3)).clipped((5, 5, 5)).empty
    assert Box((-2, -1, 0), (9, 3, 3)).clipped((5, 5, 5)) == Box((0, 0, 0), (5, 3, 3))


def test_pieces_of_a_box_cover_it_once_and_lie_on_one_lattice() -> None:
    box = Box((3, 0, 7), (17, 5, 29))
    hits = np.zeros((20, 20, 40), dtype=int)
    for piece in box.pieces((8, 4, 16)):
        hits[piece.slices] += 1
        assert all(
            low // step == (high - 1) // step
            for low, high, step in zip(piece.min_kji, piece.max_kji, (8, 4, 16), strict=True)
        )
    expected = np.zeros_like(hits)
    expected[box.slices] = 1
    assert np.array_equal(hits, expected)
    assert box.size == expected.sum()
    assert list(Box((0, 0, 0), (0, 0, 0)).pieces((8, 8, 8))) == []
