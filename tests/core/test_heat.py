"""Heat maps as values."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.geometry import Geometry
from medview.core.heat import Heat, to_levels

GRID = Geometry.from_spacing((2, 3, 4), (5.0, 2.0, 1.0), (-3.0, 8.0, 40.0))


def test_strengths_become_levels_between_two_ends_and_what_is_no_number_the_lowest() -> None:
    strengths = np.array([[[-1.0, -0.5, 0.0, 0.5, 1.0, 9.0, np.nan, -9.0]]], dtype=np.float16)
    assert to_levels(strengths, -0.5, 1.0)[0, 0].tolist() == [0, 0, 85, 170, 255, 255, 0, 0]


def test_the_strength_of_a_place_is_that_of_the_voxel_around_it() -> None:
    levels = np.zeros((2, 3, 4), dtype=np.uint8)
    levels[1, 2, 3] = 51
    heat = Heat(levels, GRID, "Nodule", low=0.0, high=10.0)
    there = GRID.point_lps_mm((1, 2, 3))
    assert heat.strength_at(there + np.array((0.4, 0.9, -2.4))) == pytest.approx(2.0)
    assert heat.strength_at(there - np.array((1.0, 0.0, 0.0))) == 0.0
    assert heat.strength_at(there + np.array((0.6, 0.0, 0.0))) is None


def test_levels_have_to_fill_their_grid_and_nobody_writes_them() -> None:
    with pytest.raises(ValueError, match="do not fill"):
        Heat(np.zeros((3, 2, 4), dtype=np.uint8), GRID, "x")
    with pytest.raises(ValueError, match="strengths from"):
        Heat(np.zeros((2, 3, 4), dtype=np.uint8), GRID, "x", low=1.0, high=1.0)
    with pytest.raises(ValueError, match="read-only"):
        Heat(np.zeros((2, 3, 4), dtype=np.uint8), GRID, "x").levels[0] = 1
