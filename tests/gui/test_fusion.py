"""A second series and labels of another one, on the pixels of a pane and in the Fusion part."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from medview.core.geometry import Geometry
from medview.core.plane import Plane
from medview.core.registration import Registration
from medview.core.study import Series
from medview.core.window import Window
from medview.gui.main_window import MainWindow
from medview.gui.panes.pane_frames import PaneFrames
from medview.gui.panes.slice_view import SliceView
from medview.workspace.actions import action
from medview.workspace.fusion import Fusion, with_fusion
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import fusion as fusing
from medview.workspace.operations import segments as segment_ops
from medview.workspace.time_points import TimePoint
from medview.workspace.workspace import Workspace
from tests.gui.cases import (
    BRIGHT_KJI,
    PANE_PX,
    SHAPE_KJI,
    Painted,
    add_segment,
    at,
    label_voxel,
    make_case,
    make_pane,
    make_workspace,
    pixels,
    sagittal_geometry,
    screen_position,
)

HOT_KJI = (1, 15, 5)
"""On the slice of the bright voxel in the sagittal plane only."""
PET = Series("1.2.3.9", "1.2.3", modality="PT", description="Uptake")


def pet_case(geometry: Geometry | None = None) -> OpenCase:
    """Return an upper series with three hot voxels along k around HOT_KJI, nothing elsewhere."""
    k, j, i = HOT_KJI
    voxels = np.zeros(SHAPE_KJI, dtype=np.int16)
    voxels[k - 1 : k + 2, j - 1 : j + 2, i - 1 : i + 2] = 1000
    case = make_case(geometry, voxels, PET)
    case.view.window = Window.from_range(0.0, 1000.0)
    return case


def elsewhere() -> Geometry:
    geometry = sagittal_geometry()
    return Geometry(geometry.shape_kji, geometry.affine_lps, "9.9.9")


@pytest.fixture
def base() -> OpenCase:
    return make_case()


@pytest.fixture
def pet() -> OpenCase:
    return pet_case()


@pytest.fixture
def shown(base: OpenCase, pet: OpenCase) -> Workspace:
    workspace, _hands = make_workspace(pet, base)
    return workspace


def sagittal_pane(qtbot: QtBot, base: OpenCase, pet: OpenCase) -> tuple[SliceView, Workspace]:
    workspace, hands = make_workspace(pet, base)
    return make_pane(qtbot, workspace, hands, Plane.SAGITTAL), workspace


def hot_pixel(pane: SliceView) -> tuple[int, ...]:
    x, y, _, _ = screen_position(Plane.SAGITTAL, HOT_KJI)
    return at(pixels(pane), x, y)


def test_the_upper_series_is_drawn_where_the_patient_has_it_and_goes_away(
    qtbot: QtBot, base: OpenCase, pet: OpenCase
) -> None:
    pane, workspace = sagittal_pane(qtbot, base, pet)
    before = pixels(pane)
    fusing.fuse(workspace, base, pet)
    fusing.change(workspace, base, lambda now: replace(now, opacity=1.0, colour_map="hot"))
    assert hot_pixel(pane) == (255, 255, 255)
    fusing.change(workspace, base, lambda now: replace(now, opacity=0.5))
    assert hot_pixel(pane) == pytest.approx((128, 128, 128), abs=2)
    assert "PET over CT, same frame of reference" in pane.shown_text()
    # Away from it only the words and the bar are new.
    x, y, _, _ = screen_position(Plane.SAGITTAL, BRIGHT_KJI)
    assert at(pixels(pane), x, y) == at(before, x, y)
    fusing.end(workspace, base)
    assert np.array_equal(pixels(pane), before)


def test_window_and_colours_of_the_upper_series_reach_the_picture(qtbot: QtBot, base: OpenCase, pet: OpenCase) -> None:
    pane, workspace = sagittal_pane(qtbot, base, pet)
    fusing.fuse(workspace, base, pet)
    fusing.change(workspace, base, lambda now: replace(now, opacity=1.0, colour_map="hot"))
    pet.view.window = Window.from_range(0.0, 2666.7)
    assert hot_pixel(pane) == pytest.approx((255, 0, 0), abs=4)
    fusing.change(workspace, base, lambda now: replace(now, colour_map="cool"))
    assert hot_pixel(pane) == pytest.approx((0, 60, 151), abs=6)
    pet.view.window = Window.from_range(1500.0, 2000.0)
    assert max(hot_pixel(pane)) < 5


def test_different_frames_draw_nothing_until_registered_and_then_say_so(qtbot: QtBot, base: OpenCase) -> None:
    pet = pet_case(elsewhere())
    pane, workspace = sagittal_pane(qtbot, base, pet)
    fusing.fuse(workspace, base, pet)
    assert max(hot_pixel(pane)) < 5
    assert any("not shown until registered" in line for line in pane.shown_text())
    fusing.change(
        workspace, base, lambda now: replace(now, registration=Registration("1.2.3", "9.9.9", np.eye(4)), opacity=1.0)
    )
    assert min(hot_pixel(pane)) > 250
    assert "PET over CT, registered (rigid)" in pane.shown_text()


def test_closing_the_upper_series_clears_the_picture(qtbot: QtBot, base: OpenCase, pet: OpenCase) -> None:
    pane, workspace = sagittal_pane(qtbot, base, pet)
    before = pixels(pane)
    fusing.fuse(workspace, base, pet)
    assert not np.array_equal(pixels(pane), before)
    workspace.close_case(pet.key)
    assert np.array_equal(pixels(pane), before)


def test_panning_moves_the_upper_series_with_the_picture(qtbot: QtBot, base: OpenCase, pet: OpenCase) -> None:
    pane, workspace = sagittal_pane(qtbot, base, pet)
    fusing.fuse(workspace, base, pet)
    fusing.change(workspace, base, lambda now: replace(now, opacity=1.0))
    viewport = pane._picture.viewport
    assert viewport is not None
    base.view.set_camera(Plane.SAGITTAL, base.view.cameras[Plane.SAGITTAL].panned(0.0, 40 * viewport.mm_per_px))
    x, y, _, _ = screen_position(Plane.SAGITTAL, HOT_KJI)
    assert min(at(pixels(pane), x + 40, y)) > 250
    assert max(at(pixels(pane), x, y)) < 250


def test_labels_of_the_other_series_are_outlines_here_and_follow_every_change(
    qtbot: QtBot, base: OpenCase, pet: OpenCase
) -> None:
    pane, workspace = sagittal_pane(qtbot, base, pet)
    segment = add_segment(pet)
    before = pixels(pane)
    label_voxel(pet, segment, HOT_KJI)
    x, y, half_width, _ = screen_position(Plane.SAGITTAL, HOT_KJI)
    after = pixels(pane)
    assert at(after, x - half_width + 1, y) == segment.colour
    # No fill: what cannot be changed here is lighter than what can.
    assert at(after, x, y) == at(before, x, y)
    assert "Outlines: labels of PET" in pane.shown_text()
    action("view.foreign_labels").run(workspace)
    assert np.array_equal(pixels(pane), before)
    action("view.foreign_labels").run(workspace)
    assert np.array_equal(pixels(pane), after)
    segment_ops.set_visible(pet, [segment.segment_id], visible=False)
    assert np.array_equal(pixels(pane), before)


def test_labels_of_another_frame_of_reference_are_not_drawn(qtbot: QtBot, base: OpenCase) -> None:
    pet = pet_case(elsewhere())
    pane, _ = sagittal_pane(qtbot, base, pet)
    before = pixels(pane)
    label_voxel(pet, add_segment(pet), HOT_KJI)
    assert np.array_equal(pixels(pane), before)


def test_a_fusion_over_another_series_paints_nothing_anew_here(qtbot: QtBot, base: OpenCase, pet: OpenCase) -> None:
    pane, workspace = sagittal_pane(qtbot, base, pet)
    painted = Painted(pane)
    workspace.bench.fusions = with_fusion(workspace.bench.fusions, Fusion(pet.key, "none"))
    painted.forget()
    workspace.bench.fusions = with_fusion(workspace.bench.fusions, Fusion(pet.key, "none", 0.1))
    assert painted.area_px == 0


def test_the_fusion_part_shows_and_changes_the_value(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, base: OpenCase, pet: OpenCase
) -> None:
    for case in (pet, base):
        workspace.add_case(case)
    panel = window.side.fusion
    assert [panel.overlay.itemText(n) for n in range(panel.overlay.count())] == ["Nothing over it", "PT Uptake"]
    assert not panel.opacity.isVisibleTo(panel)
    panel.overlay.setCurrentIndex(1)
    panel.overlay.activated.emit(1)
    assert workspace.bench.fusions[base.key].overlay_key == pet.key
    assert panel.note.text() == "Same frame of reference."
    panel.opacity.setValue(80)
    assert workspace.bench.fusions[base.key].opacity == pytest.approx(0.8)
    qtbot.waitUntil(lambda: window.actions_table["fusion.more"].isEnabled())
    qtbot.keyClick(window, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    assert panel.opacity.value() == 90
    fusing.change(workspace, base, lambda now: replace(now, colour_map="viridis"))
    assert panel.colours.currentData() == "viridis"
    workspace.close_case(pet.key)
    assert panel.overlay.count() == 1
    assert not panel.opacity.isVisibleTo(panel)


def test_the_fusion_part_offers_to_register_other_frames(
    window: MainWindow, workspace: Workspace, base: OpenCase, qtbot: QtBot
) -> None:
    pet = pet_case(elsewhere())
    for case in (pet, base):
        workspace.add_case(case)
    panel = window.side.fusion
    fusing.fuse(workspace, base, pet)
    assert panel.register.isVisibleTo(panel)
    assert "nothing is drawn until it is registered" in panel.note.text()
    fusing.change(workspace, base, lambda now: replace(now, registering=True))
    assert not panel.register.isEnabled()
    found = replace(Registration("1.2.3", "9.9.9", np.eye(4)), note="90 % overlap.")
    fusing.change(workspace, base, lambda now: replace(now, registering=False, registration=found))
    assert panel.note.text() == "Registered (rigid). 90 % overlap."


def test_a_closed_upper_series_is_freed_even_where_its_pane_is_hidden(qtbot: QtBot, base: OpenCase) -> None:
    pane, workspace = sagittal_pane(qtbot, base, upper := pet_case())
    fusing.fuse(workspace, base, upper)
    assert min(hot_pixel(pane)) > 100
    gone = weakref.ref(upper.volume.voxels.base)
    pane.hide()
    workspace.close_case(upper.key)
    del upper
    gc.collect()
    assert gone() is None


def test_films_and_key_images_show_what_lies_over_the_picture(qtbot: QtBot, base: OpenCase, pet: OpenCase) -> None:
    pane, workspace = sagittal_pane(qtbot, base, pet)
    fusing.fuse(workspace, base, pet)
    fusing.change(workspace, base, lambda now: replace(now, opacity=1.0))
    frames = PaneFrames(base, workspace.bench, pane.pane_id, (PANE_PX, PANE_PX), cases=workspace.cases)
    x, y, _, _ = screen_position(Plane.SAGITTAL, HOT_KJI)
    assert min(at(frames.draw(base.slice_plane(Plane.SAGITTAL), BRIGHT_KJI[0]), x, y)) > 250


def test_another_time_of_the_upper_series_reaches_the_picture(qtbot: QtBot, base: OpenCase, pet: OpenCase) -> None:
    later = replace(pet.volume, voxels=np.zeros_like(pet.volume.voxels))
    pet.times.append(TimePoint(later, pet.load))
    pane, workspace = sagittal_pane(qtbot, base, pet)
    fusing.fuse(workspace, base, pet)
    fusing.change(workspace, base, lambda now: replace(now, opacity=1.0, colour_map="hot"))
    assert max(hot_pixel(pane)) > 200
    pet.view.time_index = 1
    assert max(hot_pixel(pane)) < 5
