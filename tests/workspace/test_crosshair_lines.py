"""The crosshair's lines: where they go, and turning the planes by them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medview.core.axes import Axes
from medview.core.geometry import Calibration, Geometry
from medview.core.oblique import ObliquePlane
from medview.core.plane import NORMAL_LPS, Plane, SlicePlane
from medview.workspace.actions import action
from medview.workspace.crosshair_lines import crosshair_lines, held_line
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Tool, Turn
from medview.workspace.workspace import Workspace
from tests.helpers.grids import turned_grid
from tests.workspace.gestures import drag

MM_PER_PX = 0.1


def hand(case: OpenCase, plane: Plane, right_mm: float, down_mm: float) -> Pointer:
    """A hand on a pane, so many millimetres on the screen from the middle of the crosshair."""
    layout, geometry = case.slice_plane(plane), case.volume.geometry
    _, row, column = layout.screen(geometry, case.view.at_kji)
    row_mm, column_mm = layout.screen_spacing_mm(geometry)
    return Pointer(
        layout, case.position_on(layout), row + down_mm / row_mm, column + right_mm / column_mm,
        right_mm / MM_PER_PX, down_mm / MM_PER_PX, MM_PER_PX,
    )  # fmt: skip


def pull(hands: Hands, case: OpenCase, plane: Plane, degrees: float, *, start: float = 0.0, let_go: bool = True) -> None:
    """Drag a line by an angle clockwise on the screen; the pane tells its layout anew at every move, as real ones do."""

    def at(angle: float) -> Pointer:
        return hand(case, plane, 6.0 * np.cos(np.radians(angle)), 6.0 * np.sin(np.radians(angle)))

    hands.press(at(start))
    for n in range(1, 6):
        hands.move(at(start + degrees * n / 5))
    if let_go:
        hands.release(at(start + degrees))


def normals(case: OpenCase) -> dict[Plane, np.ndarray]:
    """Unit normals of the three planes as they are now, towards growing positions."""
    found = {}
    for plane in Plane:
        normal = case.slice_plane(plane).grid(case.volume.geometry, 0).normal_lps
        found[plane] = normal * np.sign(normal @ np.asarray(NORMAL_LPS[plane]))
    return found


def degrees_between(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b, -1, 1))))


@pytest.fixture
def turning(workspace: Workspace) -> None:
    set_tool(workspace, Tool.CROSSHAIR)


@pytest.mark.usefixtures("turning")
@pytest.mark.parametrize("turn", [None, Turn(1), Turn(0, True), Turn(3, True)], ids=str)
@pytest.mark.parametrize("degrees", [12.5, -31.0, 75.0])
@pytest.mark.parametrize("plane", list(Plane))
def test_a_dragged_line_turns_the_other_planes_by_the_angle_of_the_hand_and_not_its_own(
    hands: Hands, case: OpenCase, plane: Plane, degrees: float, turn: Turn | None
) -> None:
    if turn is not None:
        case.view.set_turn(plane, turn)
    own, before = case.slice_plane(plane), normals(case)
    lines = {line.plane: line for line in crosshair_lines(case, own)}
    pull(hands, case, plane, degrees)
    after = normals(case)
    assert case.slice_plane(plane) == own
    assert degrees_between(after[plane], before[plane]) == pytest.approx(0.0, abs=1e-5)
    row_mm, column_mm = own.screen_spacing_mm(case.volume.geometry)
    for other in set(Plane) - {plane}:
        assert degrees_between(after[other], before[other]) == pytest.approx(abs(degrees), abs=1e-6)
        # The line follows the hand: clockwise on the screen where that went clockwise.
        line = next(one for one in crosshair_lines(case, own) if one.plane is other)
        was, now = (
            np.arctan2(one.row_step * row_mm, one.column_step * column_mm) for one in (lines[other], line)
        )  # fmt: skip
        turned = (np.degrees(now - was) - degrees + 90) % 180 - 90
        assert turned == pytest.approx(0.0, abs=1e-6)


@pytest.mark.usefixtures("turning")
def test_planes_turned_on_one_pane_are_turned_again_on_another(hands: Hands, case: OpenCase) -> None:
    pull(hands, case, Plane.AXIAL, 20.0)
    before = normals(case)
    assert isinstance(case.slice_plane(Plane.CORONAL), ObliquePlane)
    coronal = case.slice_plane(Plane.CORONAL)
    pull(hands, case, Plane.CORONAL, 25.0, start=180.0)
    after = normals(case)
    assert case.slice_plane(Plane.CORONAL) == coronal
    assert degrees_between(after[Plane.AXIAL], before[Plane.AXIAL]) == pytest.approx(25.0, abs=1e-6)
    assert degrees_between(after[Plane.SAGITTAL], before[Plane.SAGITTAL]) == pytest.approx(25.0, abs=1e-6)
    for a, b in ((Plane.AXIAL, Plane.CORONAL), (Plane.CORONAL, Plane.SAGITTAL)):
        assert float(after[a] @ after[b]) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.usefixtures("turning")
def test_the_place_that_is_looked_at_stays_on_all_planes_while_they_turn(hands: Hands, case: OpenCase) -> None:
    at = case.view.at_kji
    for plane in Plane:
        pull(hands, case, plane, 17.0, start=float(next(n for n in range(0, 360, 10) if held(case, plane, n))))
    assert case.view.at_kji == at
    for plane in Plane:
        layout = case.slice_plane(plane)
        place = layout.index_kji(case.volume.geometry, *layout.screen(case.volume.geometry, at))
        np.testing.assert_allclose(place, at, atol=1e-9)


def held(case: OpenCase, plane: Plane, degrees: float) -> bool:
    angle = np.radians(degrees)
    return held_line(case, hand(case, plane, 6.0 * np.cos(angle), 6.0 * np.sin(angle)))


@pytest.mark.usefixtures("turning")
def test_escape_puts_the_planes_back_as_they_were(hands: Hands, case: OpenCase) -> None:
    pull(hands, case, Plane.AXIAL, 30.0, let_go=False)
    assert case.view.axes is not None
    hands.cancel()
    assert case.view.axes is None
    pull(hands, case, Plane.AXIAL, 30.0)
    turned = case.view.axes
    pull(hands, case, Plane.SAGITTAL, 30.0, start=180.0, let_go=False)
    assert case.view.axes != turned
    hands.cancel()
    assert case.view.axes == turned


@pytest.mark.usefixtures("turning")
def test_near_the_middle_and_off_the_lines_the_hand_moves_the_crosshair(hands: Hands, case: OpenCase) -> None:
    for right_mm, down_mm in ((2.0, 0.0), (5.0, 3.0)):
        before = case.view.crosshair_kji
        drag(hands, hand(case, Plane.AXIAL, right_mm, down_mm), hand(case, Plane.AXIAL, right_mm + 1.5, down_mm + 2.0))
        assert case.view.axes is None
        assert case.view.crosshair_kji != before


@pytest.mark.usefixtures("turning")
def test_a_click_on_a_line_puts_the_crosshair_there(hands: Hands, case: OpenCase) -> None:
    at = hand(case, Plane.AXIAL, 5.0, 0.0)
    assert held_line(case, at)
    wanted = at.voxel_kji(case.volume.geometry)
    drag(hands, at, at)
    assert case.view.crosshair_kji == wanted
    assert case.view.axes is None


def test_lines_turn_with_the_crosshair_tool_only(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    set_tool(workspace, Tool.WINDOW)
    pull(hands, case, Plane.AXIAL, 30.0)
    assert case.view.axes is None


@pytest.mark.usefixtures("turning")
@pytest.mark.parametrize("calibration", [Calibration.IN_PLANE, Calibration.PIXELS])
def test_a_stack_is_not_turned_and_a_hand_that_tries_moves_the_crosshair(
    hands: Hands, workspace: Workspace, case: OpenCase, calibration: Calibration
) -> None:
    old = case.volume.geometry
    geometry = Geometry(old.shape_kji, old.affine_lps, "1.2.3", calibration)
    case.volume = replace(case.volume, geometry=geometry)
    before = case.view.crosshair_kji
    pull(hands, case, Plane.AXIAL, 20.0)
    assert case.view.axes is None
    assert case.view.crosshair_kji != before
    assert isinstance(case.slice_plane(Plane.CORONAL), SlicePlane)
    for name in ("planes.patient", "planes.grid"):
        assert not action(name).enabled(workspace)
    # Axes from elsewhere make no planes either.
    case.view.axes = Axes().turned((0, 0, 1), 0.4)
    assert isinstance(case.slice_plane(Plane.CORONAL), SlicePlane)


@pytest.mark.usefixtures("turning")
def test_on_slices_of_a_tilted_gantry_the_pane_under_the_hand_does_not_turn(hands: Hands, case: OpenCase) -> None:
    geometry = turned_grid((2, -1, 0.5), 9.0, shear=0.3, shape_kji=case.volume.geometry.shape_kji)
    case.volume = replace(case.volume, geometry=geometry)
    straight = Axes.of_grid(geometry)
    for plane in Plane:
        case.view.axes = None
        start = next(n for n in range(360) if held(case, plane, n))
        pull(hands, case, plane, 15.0, start=float(start))
        assert case.view.axes is not None
        turned = case.view.axes.screen(plane)
        np.testing.assert_allclose(turned, straight.screen(plane), atol=1e-9)


def test_planes_of_the_patient_and_of_the_slices_are_one_action_each(workspace: Workspace, case: OpenCase) -> None:
    action("planes.patient").run(workspace)
    for plane, normal in normals(case).items():
        np.testing.assert_allclose(normal, NORMAL_LPS[plane], atol=1e-12)
    action("planes.grid").run(workspace)
    assert all(isinstance(case.slice_plane(plane), SlicePlane) for plane in Plane)
