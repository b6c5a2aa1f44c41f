from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medview.core.axes import Axes
from medview.core.plane import Plane
from medview.workspace.cine import FASTEST_HZ, USUAL_HZ, Cine, begin, rate_of, show_slice, slice_shown
from medview.workspace.open_case import OpenCase


def test_slices_follow_the_clock_and_are_left_out_where_drawing_is_slow() -> None:
    run = Cine(Plane.AXIAL, 10, 4, 100.0, 20.0)
    assert [run.slice_at(100.0 + n / 20) for n in range(8)] == [4, 5, 6, 7, 8, 9, 0, 1]
    # Half a second late: ten slices further, not one.
    assert run.slice_at(100.5) == 4
    assert run.slice_at(100.26) == 9


def test_the_next_slice_is_waited_for_until_its_own_time() -> None:
    run = Cine(Plane.AXIAL, 10, 0, 0.0, 10.0)
    assert run.next_s(0.0) == pytest.approx(0.1)
    assert run.next_s(0.13) == pytest.approx(0.07)
    assert 0.0 < run.next_s(12.34) <= 0.1


def test_a_run_begins_where_the_pane_stands_and_goes_towards_the_head(case: OpenCase) -> None:
    layout = case.slice_plane(Plane.AXIAL)
    case.view.set_slice(layout.normal_axis, 3)
    run = begin(case, Plane.AXIAL, 12.0, 7.0)
    assert run is not None
    assert (run.start_slice, run.count, run.step) == (
        3,
        layout.count(case.volume.geometry),
        -1 if layout.normal_flip else 1,
    )


def test_the_file_says_how_fast_within_what_a_screen_can_show(case: OpenCase) -> None:
    assert rate_of(case) == USUAL_HZ
    for stated, rate in ((25.0, 25.0), (1000.0, FASTEST_HZ), (0.01, 0.5)):
        case.entry = replace(case.entry, frame_rate_hz=stated)
        assert rate_of(case) == rate


@pytest.mark.parametrize("plane", list(Plane))
def test_every_step_of_a_plane_at_an_angle_is_played_once_and_round_again(case: OpenCase, plane: Plane) -> None:
    case.view.axes = Axes().turned((0.3, -1.0, 0.4), 0.5)
    run = begin(case, plane, 10.0, 0.0)
    assert run is not None
    assert run.count == case.slice_plane(plane).count(case.volume.geometry) > 5
    seen = []
    for n in range(run.count + 1):
        show_slice(case, plane, run.slice_at(n / 10))
        seen.append(slice_shown(case, plane))
    assert sorted(seen[:-1]) == list(range(run.count))
    assert seen[-1] == run.start_slice == seen[0]


def test_playing_stays_inside_the_volume_at_every_angle(case: OpenCase) -> None:
    shape = case.volume.geometry.shape_kji
    for n in range(20):
        case.view.axes = Axes().turned((np.sin(n), np.cos(3 * n), 0.4), 0.3 * n + 0.1)
        for index in (0, case.slice_plane(Plane.CORONAL).count(case.volume.geometry) - 1):
            show_slice(case, Plane.CORONAL, index)
            assert slice_shown(case, Plane.CORONAL) == index
            assert all(0 <= at <= count - 1 for at, count in zip(case.view.at_kji, shape, strict=True))
