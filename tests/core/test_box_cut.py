"""Where pictures cut boxes, on grids and planes at any angle; scipy judges the outlines."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from medview.core.annotations import BoxAnnotation
from medview.core.axes import Axes
from medview.core.box_cut import cut_of
from medview.core.oblique import ObliquePlane
from medview.core.plane import Plane, SlicePlane
from tests.workspace.conftest import oblique_geometry

GRID = oblique_geometry()


def box(flat_edge: int | None = None) -> BoxAnnotation:
    return BoxAnnotation.on_grid("b", "Nodule", GRID, (3, 4, 8), (8, 12, 21), flat_edge=flat_edge)


@pytest.mark.parametrize("plane", list(Plane))
def test_along_the_grid_a_cut_is_the_rectangle_between_the_voxel_edges(plane: Plane) -> None:
    layout = SlicePlane.of(plane, GRID)
    low, high = (3, 4, 8), (8, 12, 21)
    for index in range(layout.count(GRID)):
        cut = cut_of(box(), layout, GRID, index)
        if not low[layout.normal_axis] <= index < high[layout.normal_axis]:
            assert cut is None
            continue
        assert cut is not None
        # Voxel edges as the screen has them, whichever way it is flipped.
        ends = [layout.screen(GRID, np.asarray(at) - 0.5)[1:] for at in (low, high)]
        rows, columns = sorted(e[0] for e in ends), sorted(e[1] for e in ends)
        assert sorted(round(r, 6) for r, _ in cut.corners) == pytest.approx([rows[0]] * 2 + [rows[1]] * 2)
        assert sorted(round(c, 6) for _, c in cut.corners) == pytest.approx([columns[0]] * 2 + [columns[1]] * 2)
        assert all(face[0] != layout.normal_axis for face in cut.sides)


@pytest.mark.parametrize("plane", list(Plane))
def test_at_any_angle_a_cut_is_the_hull_of_where_the_edges_cross(plane: Plane) -> None:
    axes = Axes.of_grid(GRID).turned((0.3, 1.0, -0.2), 0.7)
    layout = ObliquePlane.of(plane, axes, GRID)
    corners = np.asarray([layout.screen(GRID, GRID.index_kji(c)) for c in box().corners_lps_mm()])
    seen = 0
    for index in np.linspace(corners[:, 0].min() + 0.3, corners[:, 0].max() - 0.3, 9):
        cut = cut_of(box(), layout, GRID, index)
        assert cut is not None
        crossings = []
        for a in range(8):
            for b in range(a + 1, 8):
                if (a ^ b).bit_count() == 1 and (corners[a, 0] - index) * (corners[b, 0] - index) < 0:
                    part = (index - corners[a, 0]) / (corners[b, 0] - corners[a, 0])
                    crossings.append(corners[a, 1:] + part * (corners[b, 1:] - corners[a, 1:]))
        hull = ConvexHull(np.asarray(crossings))
        ring = np.asarray(cut.corners)
        following = np.roll(ring, -1, axis=0)
        area = abs(np.sum(ring[:, 0] * following[:, 1] - ring[:, 1] * following[:, 0])) / 2
        # For outlines in a plane the volume of a hull is its area.
        assert area == pytest.approx(hull.volume)
        assert len(cut.corners) == len(hull.vertices)
        seen = max(seen, len(cut.corners))
    assert seen >= 4


def test_every_side_lies_in_the_face_it_is_said_to_lie_in() -> None:
    layout = ObliquePlane.of(Plane.CORONAL, Axes.of_grid(GRID).turned((1.0, 0.4, 0.1), 0.5), GRID)
    middle = layout.screen(GRID, GRID.index_kji(box().middle_lps_mm()))[0]
    cut = cut_of(box(), layout, GRID, middle)
    assert cut is not None
    for start, end, (edge, side) in zip(cut.corners, (*cut.corners[1:], cut.corners[0]), cut.sides, strict=True):
        for row, column in (start, end):
            parts = box().parts(GRID.point_lps_mm(layout.index_kji(GRID, middle, row, column)))
            assert parts[edge] == pytest.approx(side, abs=1e-9)


def test_near_a_box_its_outline_comes_with_how_far_away_it_is() -> None:
    layout = SlicePlane.of(Plane.AXIAL, GRID)
    cut = cut_of(box(), layout, GRID, 9, near=2.0)
    assert cut is not None
    assert cut.away == pytest.approx(1.5)
    inside = cut_of(box(), layout, GRID, 5)
    assert inside is not None
    np.testing.assert_allclose(sorted(cut.corners), sorted(inside.corners))
    assert cut_of(box(), layout, GRID, 10, near=2.0) is None


def test_a_picture_exactly_through_a_corner_still_has_an_outline() -> None:
    layout = ObliquePlane.of(Plane.AXIAL, Axes.of_grid(GRID).turned((1.0, 1.0, 0.2), 0.6), GRID)
    for corner in box().corners_lps_mm():
        index = layout.screen(GRID, GRID.index_kji(corner))[0]
        steps = [layout.screen(GRID, GRID.index_kji(c))[0] for c in box().corners_lps_mm()]
        if min(steps) + 1e-3 < index < max(steps) - 1e-3:
            assert cut_of(box(), layout, GRID, index) is not None
