"""Where a slice lies in its pane."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medview.gui.drawing.viewport import Viewport
from medview.workspace.view_state import Camera


def test_a_fitted_slice_touches_two_edges_and_is_centred() -> None:
    viewport = Viewport.looking((400, 300), (100, 50), (2.0, 3.0), Camera())
    assert (viewport.slice_px.top(), viewport.slice_px.bottom()) == pytest.approx((0, 300))
    assert viewport.slice_px.center().x() == pytest.approx(200)
    assert viewport.mm_per_px == pytest.approx(200 / 300)


def test_pixels_follow_the_spacing() -> None:
    viewport = Viewport.looking((400, 300), (100, 50), (2.0, 3.0), Camera(zoom=2.0))
    assert viewport.column_px / viewport.row_px == pytest.approx(1.5)


def test_the_camera_has_its_point_in_the_middle_of_the_pane() -> None:
    viewport = Viewport.looking((400, 300), (100, 50), (2.0, 3.0), Camera((40.0, -30.0), 3.0))
    row, column = viewport.row_column(200, 150)
    assert row == pytest.approx(99 / 2 + 20)
    assert column == pytest.approx(49 / 2 - 10)


@given(
    st.tuples(st.integers(1, 2000), st.integers(1, 2000)),
    st.tuples(st.integers(1, 600), st.integers(1, 600)),
    st.tuples(st.floats(0.05, 10), st.floats(0.05, 10)),
    st.floats(0.25, 40),
    st.tuples(st.floats(-300, 300), st.floats(-300, 300)),
    st.tuples(st.floats(-10, 700), st.floats(-10, 700)),
)
def test_pixels_and_rows_map_back_and_forth(
    size: tuple[int, int],
    shape: tuple[int, int],
    spacing: tuple[float, float],
    zoom: float,
    offset: tuple[float, float],
    at: tuple[float, float],
) -> None:
    viewport = Viewport.looking(size, shape, spacing, Camera(offset, zoom))
    point = viewport.point_px(*at)
    assert viewport.row_column(point.x(), point.y()) == pytest.approx(at, abs=1e-6)


def test_rectangles_of_voxels_cover_them_and_stay_in_the_pane() -> None:
    viewport = Viewport.looking((300, 300), (30, 30), (1.0, 1.0), Camera((7.0, 0.0), 2.0))
    rect = viewport.voxels_px(0, 30, 10, 11)
    assert rect.top() == 0
    assert rect.bottom() <= 299
    assert rect.left() <= viewport.x_px(9.5)
    assert rect.right() + 1 >= viewport.x_px(10.5)
