from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as judge
from scipy import ndimage

from medview.io.datasets.polygon_masks import mask_inside, outer_outlines
from tests.io.datasets.pictures import holed_mask

# The judge's own arrays are of an older numpy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")


def test_a_polygon_holds_the_pixels_whose_middle_it_holds() -> None:
    found = mask_inside([[(1.0, 1.0), (4.0, 1.0), (4.0, 3.0), (1.0, 3.0)]], (5, 6))
    wanted = np.zeros((5, 6), dtype=np.bool_)
    wanted[1:3, 1:4] = True
    np.testing.assert_array_equal(found, wanted)
    assert not mask_inside([[(1.6, 1.6), (2.4, 1.6), (2.4, 2.4), (1.6, 2.4)]], (5, 6)).any()


def test_large_polygons_are_filled_as_pycocotools_fills_them() -> None:
    random = np.random.default_rng(4)
    angles = np.sort(random.uniform(0, 2 * np.pi, 17))
    radii = random.uniform(60, 140, 17)
    polygon = np.stack([170 + radii * np.cos(angles), 160 + radii * np.sin(angles)], axis=1)
    ours = mask_inside([polygon], (320, 350))
    theirs = judge.decode(judge.merge(judge.frPyObjects([polygon.ravel().tolist()], 320, 350))).astype(bool)
    assert 2 * (ours & theirs).sum() / (ours.sum() + theirs.sum()) > 0.985


def test_a_polygon_beyond_the_picture_is_cut() -> None:
    found = mask_inside([[(-10, -10), (3, -10), (3, 2), (-10, 2)], [(5, 3), (99, 3), (99, 99), (5, 99)]], (5, 6))
    wanted = np.zeros((5, 6), dtype=np.bool_)
    wanted[:2, :3] = wanted[3:, 5:] = True
    np.testing.assert_array_equal(found, wanted)


@given(st.integers(1, 14), st.integers(1, 14), st.integers(0, 2**32 - 1), st.floats(0.2, 0.8))
def test_outlines_hold_their_pieces_with_holes_filled(rows: int, columns: int, seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((rows, columns)) < share
    outlines = outer_outlines(mask)
    pieces, count = ndimage.label(mask)
    assert len(outlines) == count
    filled = [mask_inside([outline], mask.shape) for outline in outlines]
    wanted = [ndimage.binary_fill_holes(pieces == n, np.ones((3, 3))) for n in range(1, count + 1)]
    for piece in wanted:
        assert any(np.array_equal(piece, one) for one in filled)


def test_an_outline_has_no_points_on_its_straight_pieces() -> None:
    outlines = outer_outlines(holed_mask())
    assert sorted(len(outline) for outline in outlines) == [4, 4, 4, 4]
    assert [0.0, 22.0] in np.concatenate(outlines).tolist()


@pytest.mark.parametrize("mask", [np.zeros((3, 4), dtype=np.bool_), np.zeros((1, 1), dtype=np.bool_)])
def test_an_empty_mask_has_no_outline(mask: np.ndarray) -> None:  # type: ignore[type-arg]
    assert outer_outlines(mask) == []
