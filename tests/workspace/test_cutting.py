"""Cuts over the picture in three dimensions, judged voxel by voxel where the picture shows them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medview.core.changes import Command, SegmentChange
from medview.scene.camera import SIDES, Orbit, Shot
from medview.scene.camera import Stage as Place
from medview.workspace.cutting import cut_in_picture, seen_in
from medview.workspace.open_case import OpenCase
from medview.workspace.stage import Stage
from medview.workspace.workspace import Workspace
from tests.workspace.test_outline_tools import drawn, inside, whole_segment

ORBITS = {**SIDES, "askew": Orbit(37.0, -21.0, 1.7, (6.0, -3.5))}
CORNERS_PX = np.array([(120.3, 100.2), (210.7, 120.4), (150.2, 160.9), (230.1, 240.6), (110.4, 210.3)])


def shot_of(case: OpenCase, orbit: Orbit) -> Shot:
    geometry = case.volume.geometry
    return Shot(orbit, Place.of(geometry.shape_kji, geometry.affine_lps), (360, 300))


@pytest.mark.parametrize("orbit", ORBITS.values(), ids=ORBITS)
def test_voxels_lie_where_the_picture_shows_them(case: OpenCase, orbit: Orbit) -> None:
    shot = shot_of(case, orbit)
    index = np.random.default_rng(3).uniform(0, 12, (20, 3))
    for at, point in zip(seen_in(shot, case.volume.geometry).screen(index), index, strict=True):
        x, y, eye = shot.pixel(case.volume.geometry.point_lps_mm(point))
        np.testing.assert_allclose(at, (eye, y, x), atol=1e-9)


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("orbit", ORBITS.values(), ids=ORBITS)
def test_what_is_seen_inside_the_line_is_cut_away_all_the_way_through(
    workspace: Workspace, case: OpenCase, orbit: Orbit, outside: bool
) -> None:
    whole_segment(case)
    workspace.bench.cut_outside = outside
    shot = shot_of(case, orbit)
    assert cut_in_picture(Stage(workspace.bench, case, workspace.say), shot, CORNERS_PX)
    index = np.argwhere(np.ones(case.volume.geometry.shape_kji, dtype=bool))
    points = case.volume.geometry.point_lps_mm(index)
    x, y, _ = np.array([shot.pixel(point) for point in points]).T
    seen = inside(CORNERS_PX, x, y).reshape(case.volume.geometry.shape_kji)
    assert 200 < seen.sum() < seen.size - 200
    assert (drawn(case) == (seen if outside else ~seen)).all()
    case.undo()
    assert drawn(case).all()


def test_a_locked_segment_is_not_cut(workspace: Workspace, case: OpenCase, said: list[str]) -> None:
    whole_segment(case)
    (segment,) = case.labels.segmentation.segments
    assert case.do(Command("Lock", (SegmentChange(segment, replace(segment, locked=True), 0),)))
    assert not cut_in_picture(Stage(workspace.bench, case, workspace.say), shot_of(case, Orbit()), CORNERS_PX)
    assert "locked" in said[-1]
    assert drawn(case).all()
