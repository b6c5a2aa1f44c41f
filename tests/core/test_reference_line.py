from __future__ import annotations

import numpy as np
import pytest

from medview.core.reference_line import reference_line
from medview.core.screen_grid import ScreenGrid
from tests.helpers.dicom_series import oblique

Ends = tuple[tuple[float, float], tuple[float, float]]

# 100 rows of 0.6 mm down the patient's back, 80 columns of 0.9 mm to the left, at z = 10 mm.
AXIAL = ScreenGrid((5.0, -20.0, 10.0), (0.0, 0.6, 0.0), (0.9, 0.0, 0.0), (100, 80))


def coronal(y: float, x: float = -100.0, columns: int = 300, top: float = 60.0, rows: int = 50) -> ScreenGrid:
    """Columns of 1 mm to the left, rows of 2 mm to the feet."""
    return ScreenGrid((x, y, top), (0.0, 0.0, -2.0), (1.0, 0.0, 0.0), (rows, columns))


def in_order(line: Ends | None) -> list[tuple[float, float]]:
    assert line is not None
    return sorted(line)


def test_a_larger_picture_across_cuts_from_edge_to_edge() -> None:
    # y = 4 mm is 24 mm below the first row: row 40, from the outer edge of column 0 to that of column 79.
    assert in_order(reference_line(AXIAL, coronal(4.0))) == [pytest.approx((40.0, -0.5)), pytest.approx((40.0, 79.5))]


def test_a_smaller_picture_cuts_as_far_as_its_own_outer_edges() -> None:
    # Ten columns from x = 23 mm (column 20) to 32 mm (column 30), half a millimetre more at both ends.
    ends = in_order(reference_line(AXIAL, coronal(4.0, x=23.0, columns=10)))
    assert ends == [pytest.approx((40.0, 20 - 0.5 / 0.9)), pytest.approx((40.0, 30 + 0.5 / 0.9))]


def test_a_picture_that_ends_before_the_other_or_lies_beside_it_cuts_nothing() -> None:
    # Rows from z = 60 mm; the outer edge of the last lies at 60 - 2 * (rows - 0.5).
    assert reference_line(AXIAL, coronal(4.0, rows=26)) is not None
    assert reference_line(AXIAL, coronal(4.0, rows=25)) is None
    assert reference_line(AXIAL, coronal(-20.0 - 0.29)) is not None
    assert reference_line(AXIAL, coronal(-20.0 - 0.31)) is None
    assert reference_line(AXIAL, coronal(4.0, x=5.0 + 79.6 * 0.9 + 0.5)) is None


def test_parallel_pictures_cut_nothing_even_in_the_same_place() -> None:
    assert reference_line(AXIAL, AXIAL) is None
    assert reference_line(AXIAL, AXIAL.moved((0.0, 0.0, 5.0))) is None
    turned = ScreenGrid(AXIAL.corner_lps_mm, (0.6, 0.6, 0.0), (0.6, -0.6, 0.0), (30, 30))
    assert reference_line(AXIAL, turned) is None


def test_a_picture_on_edge_at_45_degrees_cuts_a_diagonal() -> None:
    square = ScreenGrid((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (11, 11))
    half = float(np.sqrt(0.5))
    of = ScreenGrid((-50 * half, -50 * half, 20.0), (0.0, 0.0, -1.0), (half, half, 0.0), (50, 200))
    assert in_order(reference_line(square, of)) == [pytest.approx((-0.5, -0.5)), pytest.approx((10.5, 10.5))]


def test_a_tilted_picture_cuts_where_it_comes_through() -> None:
    # 3 mm down to 4 mm towards the feet: from z = 26 mm it comes through z = 10 mm after 20 mm, 12 mm further back.
    of = ScreenGrid((-100.0, -8.0, 26.0), (0.0, 0.6, -0.8), (1.0, 0.0, 0.0), (40, 300))
    assert in_order(reference_line(AXIAL, of)) == [pytest.approx((40.0, -0.5)), pytest.approx((40.0, 79.5))]


@pytest.mark.parametrize("seed", range(12))
def test_every_point_of_a_line_lies_on_both_pictures_and_its_ends_on_an_edge(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pictures = []
    for n in range(2):
        down, right, _ = oblique(2 * seed + n)
        # Steps of a sheared grid are not at right angles.
        down, right = down * 0.6 + 0.1 * n * right, right * 0.9
        corner = rng.normal(0, 1, 3) - 25 * down - 20 * right
        pictures.append(ScreenGrid(tuple(corner), tuple(down), tuple(right), (51, 41)))
    on, of = pictures
    line = reference_line(on, of)
    assert line is not None
    points = [on.point_lps_mm(*end) for end in line]
    again = reference_line(of, on)
    assert again is not None
    seen_from_there = [of.point_lps_mm(*end) for end in again]
    np.testing.assert_allclose(sorted(map(tuple, points)), sorted(map(tuple, seen_from_there)), atol=1e-8)
    for point in points:
        edges = 0
        for picture in pictures:
            steps = np.stack([picture.row_step_lps_mm, picture.column_step_lps_mm, picture.normal_lps], axis=1)
            row, column, height = np.linalg.solve(steps, point - picture.corner_lps_mm)
            assert abs(height) < 1e-8
            assert -0.5 - 1e-8 <= row <= 50.5 + 1e-8
            assert -0.5 - 1e-8 <= column <= 40.5 + 1e-8
            edges += min(abs(row + 0.5), abs(row - 50.5), abs(column + 0.5), abs(column - 40.5)) < 1e-8
        assert edges >= 1
