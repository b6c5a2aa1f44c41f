from __future__ import annotations

import itertools

import numpy as np
import pytest

from medview.core.plane import Plane, SlicePlane
from medview.workspace.actions import action
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Tool, Turn
from medview.workspace.workspace import Workspace
from tests.workspace.conftest import oblique_geometry
from tests.workspace.gestures import drag, pointer

GEOMETRY = oblique_geometry()
VOXELS = np.arange(np.prod(GEOMETRY.shape_kji)).reshape(GEOMETRY.shape_kji)


@pytest.mark.parametrize("plane", list(Plane))
@pytest.mark.parametrize(("quarters", "mirrored"), list(itertools.product(range(4), (False, True))))
def test_a_turned_slice_is_the_picture_turned_and_keeps_its_voxels(plane: Plane, quarters: int, mirrored: bool) -> None:
    plain = SlicePlane.of(plane, GEOMETRY)
    turned = Turn(quarters, mirrored).of(plain)
    picture = plain.extract(VOXELS, 3)
    wanted = np.rot90(picture[:, ::-1] if mirrored else picture, -quarters)
    np.testing.assert_array_equal(turned.extract(VOXELS, 3), wanted)
    row, column = 2.0, 5.0
    index = turned.index_kji(GEOMETRY, 3, row, column)
    np.testing.assert_allclose(turned.screen(GEOMETRY, index), (3, row, column))
    k, j, i = (int(n) for n in index)
    assert VOXELS[k, j, i] == wanted[2, 5]


def test_the_letters_go_round_with_the_picture() -> None:
    plain = SlicePlane.of(Plane.AXIAL, GEOMETRY)
    left, right, top, bottom = plain.edge_letters(GEOMETRY)
    assert plain.rotated().edge_letters(GEOMETRY) == (bottom, top, left, right)
    assert plain.mirrored().edge_letters(GEOMETRY) == (right, left, top, bottom)


def test_turns_and_mirrors_on_top_of_each_other_are_what_a_hand_would_do() -> None:
    plain = SlicePlane.of(Plane.CORONAL, GEOMETRY)
    for steps in itertools.product("RM", repeat=4):
        turn, layout = Turn(), plain
        for step in steps:
            turn = turn.rotated() if step == "R" else turn.flipped()
            layout = layout.rotated() if step == "R" else layout.mirrored()
        assert turn.of(plain) == layout, steps


def test_the_pointed_pane_is_turned_and_reset_brings_everything_back(workspace: Workspace, case: OpenCase) -> None:
    before = case.view.window
    workspace.bench.pointed = "sagittal"
    plain = case.slice_plane(Plane.SAGITTAL)
    action("view.rotate").run(workspace)
    action("view.mirror").run(workspace)
    assert case.slice_plane(Plane.SAGITTAL) == plain.rotated().mirrored()
    assert case.slice_plane(Plane.AXIAL) == SlicePlane.of(Plane.AXIAL, case.volume.geometry)
    action("window.invert").run(workspace)
    action("view.reset").run(workspace)
    assert case.slice_plane(Plane.SAGITTAL) == plain
    assert not case.view.inverted
    assert case.view.window.width == before.width


def test_a_stroke_on_a_turned_picture_lands_under_the_hand(workspace: Workspace, hands: Hands, case: OpenCase) -> None:
    workspace.bench.pointed = "axial"
    action("view.rotate").run(workspace)
    action("tool.brush").run(workspace)
    workspace.bench.brush_radius_mm = 0.5
    at = pointer(case, 7, 4)
    drag(hands, at, at)
    layer = case.labels.segmentation.layer(0).voxels
    k, j, i = (int(n) for n in at.index_kji(case.volume.geometry))
    assert layer[k, j, i] == 1
    assert workspace.bench.tool is Tool.BRUSH
