"""What a pane shows, pixel by pixel, on an oblique, anisotropic, asymmetric grid."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medview.core.annotations import BoxAnnotation
from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.plane import Plane
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.source import Source, SourceKind
from medview.gui.layers.slice_strip import WIDTH_PX
from medview.gui.panes.slice_view import SliceView
from medview.workspace.drawn import colour_of
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Camera
from tests.gui.cases import (
    BRIGHT_KJI,
    LABELLED_KJI,
    PANE_PX,
    SEGMENT,
    SHAPE_KJI,
    Painted,
    add_segment,
    at,
    label_voxel,
    make_case,
    make_pane,
    make_workspace,
    pane_of,
    pixels,
    screen_position,
)

PLANES = pytest.mark.parametrize("plane", list(Plane))
LETTERS = {Plane.AXIAL: "RLAP", Plane.CORONAL: "RLHF", Plane.SAGITTAL: "APHF"}
SOURCE = Source(SourceKind.MODEL, "organs", "1.2", job_id="job")


def same_picture(one: SliceView, other: SliceView) -> bool:
    """Whether two panes show the same inside the frame that marks the one with the pointer."""
    return np.array_equal(pixels(one)[2:-2, 2:-2], pixels(other)[2:-2, 2:-2])


def propose(case: OpenCase, **parts: object) -> None:
    prediction = Prediction("segmentation", "Organs", SOURCE, case.volume.geometry, **parts)
    case.labels.proposals["p"] = Proposal("p", prediction)


@PLANES
def test_a_bright_voxel_lies_where_the_patient_has_it(qtbot: QtBot, plane: Plane) -> None:
    shown = pixels(pane_of(qtbot, make_case(), plane))
    x, y, half_width, half_height = screen_position(plane, BRIGHT_KJI)
    assert min(at(shown, x, y)) > 225
    # Four pixels off the lines of the crosshair.
    for dx, dy in ((2, 0), (-2, 0), (0, 2), (0, -2)):
        assert max(at(shown, x + dx * (half_width + 1) + 4, y + dy * (half_height + 1) + 4)) < 60


@PLANES
def test_letters_name_the_patients_sides(qtbot: QtBot, plane: Plane) -> None:
    pane = pane_of(qtbot, make_case(), plane)
    assert "".join(text for text in pane.shown_text() if len(text) == 1 and text.isupper()) == LETTERS[plane]


@PLANES
def test_letters_are_drawn_at_the_middle_of_each_edge(qtbot: QtBot, plane: Plane) -> None:
    shown = pixels(pane_of(qtbot, make_case(voxels=np.full(SHAPE_KJI, -1000, np.int16)), plane)).min(axis=2)
    middle, edge = slice(PANE_PX // 2 - 12, PANE_PX // 2 + 12), 28
    for part in (shown[middle, :edge], shown[middle, -edge:], shown[:edge, middle], shown[-edge:, middle]):
        assert part.max() > 200


@PLANES
def test_a_one_voxel_label_fills_its_voxel_with_a_solid_rim(qtbot: QtBot, plane: Plane) -> None:
    case = make_case()
    label_voxel(case, add_segment(case), LABELLED_KJI)
    case.view.crosshair_kji = LABELLED_KJI
    shown = pixels(pane_of(qtbot, case, plane))
    x, y, half_width, half_height = screen_position(plane, LABELLED_KJI)
    inside = at(shown, x, y)
    np.testing.assert_allclose(inside, np.asarray(SEGMENT.colour) * 0.35, atol=2)
    for dx, dy in ((-half_width + 1, 3), (half_width - 1.5, 3), (3, -half_height + 1), (3, half_height - 1.5)):
        assert at(shown, x + dx, y + dy) == SEGMENT.colour
    for dx, dy in ((-half_width - 2, 3), (half_width + 2, 3), (3, -half_height - 2), (3, half_height + 2)):
        assert max(at(shown, x + dx, y + dy)) < 40


@PLANES
def test_labels_are_on_their_slice_only(qtbot: QtBot, plane: Plane) -> None:
    case = make_case(voxels=np.full(SHAPE_KJI, -1000, np.int16))
    empty = pixels(pane_of(qtbot, case, plane))
    label_voxel(case, add_segment(case), LABELLED_KJI)
    # But in the strip of slices, at the right edge.
    assert np.array_equal(pixels(pane_of(qtbot, case, plane))[:, : -WIDTH_PX - 1], empty[:, : -WIDTH_PX - 1])


def test_hidden_segments_are_not_drawn(qtbot: QtBot) -> None:
    case = make_case()
    case.view.crosshair_kji = LABELLED_KJI
    empty = pixels(pane_of(qtbot, case, Plane.AXIAL))
    label_voxel(case, add_segment(case, visible=False), LABELLED_KJI)
    assert np.array_equal(pixels(pane_of(qtbot, case, Plane.AXIAL)), empty)


def test_a_segment_is_as_opaque_as_it_is_set_to_and_an_outline_has_no_fill(qtbot: QtBot) -> None:
    x, y, half_width, _ = screen_position(Plane.AXIAL, LABELLED_KJI)
    inside, rim = [], []
    for fields in ({}, {"opacity": 0.5}, {"outline_only": True}):
        case = make_case(voxels=np.full(SHAPE_KJI, -1000, np.int16))
        case.view.crosshair_kji = LABELLED_KJI
        label_voxel(case, add_segment(case, **fields), LABELLED_KJI)
        workspace, hands = make_workspace(case)
        workspace.bench.overlay_opacity = 1.0
        shown = pixels(make_pane(qtbot, workspace, hands, Plane.AXIAL))
        inside.append(np.array(at(shown, x, y), dtype=int))
        rim.append(at(shown, x - half_width + 1, y + 3))
    assert tuple(inside[0]) == SEGMENT.colour
    assert np.abs(inside[1] - np.array(SEGMENT.colour) / 2).max() <= 2
    assert inside[2].max() < 10
    assert set(rim) == {SEGMENT.colour}


def test_only_what_is_shown_alone_is_drawn_hidden_or_not(qtbot: QtBot) -> None:
    case = make_case()
    case.view.crosshair_kji = LABELLED_KJI
    segment = add_segment(case, visible=False)
    label_voxel(case, segment, LABELLED_KJI)
    pane = pane_of(qtbot, case, Plane.AXIAL)
    hidden = pixels(pane)
    case.view.solo_segment_ids = (segment.segment_id,)
    assert not np.array_equal(pixels(pane), hidden)
    case.view.solo_segment_ids = ("another",)
    assert np.array_equal(pixels(pane), hidden)


def test_overlay_can_be_switched_off_and_on(qtbot: QtBot) -> None:
    case = make_case()
    label_voxel(case, add_segment(case), LABELLED_KJI)
    case.view.crosshair_kji = LABELLED_KJI
    workspace, hands = make_workspace(case)
    pane = make_pane(qtbot, workspace, hands, Plane.AXIAL)
    with_overlay = pixels(pane)
    workspace.bench.overlay_visible = False
    without = pixels(pane)
    workspace.bench.overlay_visible = True
    assert not np.array_equal(with_overlay, without)
    assert np.array_equal(pixels(pane), with_overlay)


def test_fill_follows_the_opacity_and_the_rim_stays_solid(qtbot: QtBot) -> None:
    case = make_case()
    label_voxel(case, add_segment(case), LABELLED_KJI)
    case.view.crosshair_kji = LABELLED_KJI
    workspace, hands = make_workspace(case)
    pane = make_pane(qtbot, workspace, hands, Plane.AXIAL)
    workspace.bench.overlay_opacity = 0.0
    shown = pixels(pane)
    x, y, half_width, _ = screen_position(Plane.AXIAL, LABELLED_KJI)
    assert max(at(shown, x, y)) < 10
    assert at(shown, x - half_width + 1, y + 3) == SEGMENT.colour


@PLANES
def test_only_the_changed_rectangle_is_drawn_again(qtbot: QtBot, plane: Plane) -> None:
    case = make_case()
    segment = add_segment(case)
    case.view.crosshair_kji = LABELLED_KJI
    # Every slice through the voxel holds labels already: the strip beside the picture has nothing new to say.
    for axis in range(3):
        label_voxel(case, segment, tuple(n if a == axis else n - 1 for a, n in enumerate(LABELLED_KJI)))
    pane = pane_of(qtbot, case, plane)
    painted = Painted(pane)
    label_voxel(case, segment, LABELLED_KJI)
    qtbot.waitUntil(lambda: not painted.region.isEmpty())
    x, y, half_width, half_height = screen_position(plane, LABELLED_KJI)
    voxel = QRect(int(x - half_width), int(y - half_height), int(2 * half_width), int(2 * half_height))
    drawn = painted.region.boundingRect()
    assert drawn.contains(voxel)
    assert voxel.adjusted(-8, -8, 8, 8).contains(drawn)
    assert same_picture(pane, pane_of(qtbot, case, plane))


@PLANES
def test_a_change_on_another_slice_draws_nothing_but_its_mark_in_the_strip(qtbot: QtBot, plane: Plane) -> None:
    case = make_case()
    segment = add_segment(case)
    label_voxel(case, segment, (3, 3, 3))
    pane = pane_of(qtbot, case, plane)
    painted = Painted(pane)
    label_voxel(case, segment, LABELLED_KJI)
    QApplication.processEvents()
    strip = QRect(PANE_PX - WIDTH_PX - 1, 0, WIDTH_PX + 1, PANE_PX)
    assert strip.contains(painted.region.boundingRect())
    painted.forget()
    k, j, i = LABELLED_KJI
    for axis in range(3):
        label_voxel(case, segment, (k - (axis != 0), j - (axis != 1), i - (axis != 2)))
    painted.forget()
    label_voxel(case, segment, (k - 1, j - 1, i - 1))
    QApplication.processEvents()
    assert painted.region.isEmpty(), "its slices are known to hold labels"


@PLANES
def test_millimetres_are_equally_long_in_both_directions(qtbot: QtBot, plane: Plane) -> None:
    geometry = Geometry.from_spacing((11, 60, 45), (5.0, 0.8, 1.1))
    k, j, i = np.indices(geometry.shape_kji)
    middle = (np.asarray(geometry.shape_kji) - 1) / 2
    away_mm = np.sqrt(((k - middle[0]) * 5.0) ** 2 + ((j - middle[1]) * 0.8) ** 2 + ((i - middle[2]) * 1.1) ** 2)
    ball = np.where(away_mm < 18.0, 1000, -1000).astype(np.int16)
    case = make_case(geometry, ball)
    case.view.crosshair_kji = (5, 30, 22)
    workspace, hands = make_workspace(case)
    shown = pixels(make_pane(qtbot, workspace, hands, plane))
    # Bright text and crosshair lines are thin; the ball is wide.
    wide = (shown.min(axis=2) > 128)[:, PANE_PX // 2 - 60 : PANE_PX // 2 + 60].sum(axis=1) > 60
    tall = (shown.min(axis=2) > 128)[PANE_PX // 2 - 60 : PANE_PX // 2 + 60, :].sum(axis=0) > 60
    slice_mm = {Plane.AXIAL: (60 * 0.8, 45 * 1.1), Plane.CORONAL: (55.0, 49.5), Plane.SAGITTAL: (55.0, 48.0)}[plane]
    px_per_mm = PANE_PX / max(slice_mm)
    widest_chord = 2 * np.sqrt(18.0**2 - (30 / px_per_mm) ** 2)
    for measured in (wide.sum() / px_per_mm, tall.sum() / px_per_mm):
        # A voxel along k is 5 mm, so the ball's pole is that coarse.
        assert measured == pytest.approx(widest_chord, abs=5.0 if plane is not Plane.AXIAL else 1.5)


def test_a_proposal_is_dashed_hatched_and_named(qtbot: QtBot) -> None:
    case = make_case(voxels=np.full(SHAPE_KJI, -1000, np.int16))
    labels = np.zeros(SHAPE_KJI, np.uint8)
    labels[1, 5:35, 4:20] = 3
    mask = PredictedMask.trimmed(labels, (PredictedSegment(3, "Liver", (230, 159, 0)),))
    propose(case, mask=mask, scores={"lesion": 0.873})
    workspace, hands = make_workspace(case)
    pane = make_pane(qtbot, workspace, hands, Plane.SAGITTAL)
    workspace.bench.maximised = "sagittal"
    assert "Organs 1.2: not accepted" in pane.shown_text()
    shown = pixels(pane)
    x0, y0, half_width, half_height = screen_position(Plane.SAGITTAL, (1, 5, 4))
    _, y1, *_ = screen_position(Plane.SAGITTAL, (1, 34, 19))
    rim = shown[int(y0) : int(y1), int(x0 - half_width) + 1]
    solid = (rim == (230, 159, 0)).all(axis=1)
    assert 0.4 < solid.mean() < 0.9
    inside = shown[int(y0 + half_height) : int(y1 - half_height), int(x0 + 40)]
    hatches = (inside == (230, 159, 0)).all(axis=1)
    assert 0.05 < hatches.mean() < 0.2
    assert np.array_equal(shown[2, 2], (0, 0, 0))


def test_scores_are_said_once_and_with_two_digits(qtbot: QtBot) -> None:
    case = make_case()
    propose(case, scores={"lesion": 0.873})
    assert "lesion 0.87" in pane_of(qtbot, case, Plane.AXIAL).shown_text()
    assert "lesion 0.87" not in pane_of(qtbot, case, Plane.CORONAL).shown_text()


@PLANES
def test_a_box_is_drawn_on_the_slices_it_cuts_and_on_no_other(qtbot: QtBot, plane: Plane) -> None:
    case = make_case(voxels=np.full(SHAPE_KJI, -1000, np.int16))
    normal = case.slice_plane(plane).normal_axis
    low, high = (3, 10, 5), (5, 20, 12)
    case.labels.annotations["b"] = BoxAnnotation.on_grid("b", "lesion", case.volume.geometry, low, high)
    colour = colour_of("lesion", {})
    for index in range(SHAPE_KJI[normal]):
        case.view.set_slice(normal, index)
        shown = pixels(pane_of(qtbot, case, plane))
        drawn = bool((np.abs(shown.astype(int) - colour).max(axis=2) < 3).sum() > 50)
        assert drawn is (low[normal] <= index < high[normal])
    case.view.set_slice(normal, low[normal])
    shown = pixels(pane_of(qtbot, case, plane))
    first, last = screen_position(plane, low), screen_position(plane, (high[0] - 1, high[1] - 1, high[2] - 1))
    left = min(first[0], last[0]) - first[2]
    middle = (first[1] + last[1]) / 2
    assert any(at(shown, left + d, middle + 2) == colour for d in (-1, 0, 1))


def test_a_moving_crosshair_draws_two_strips_and_not_the_picture(qtbot: QtBot) -> None:
    case = make_case()
    pane = pane_of(qtbot, case, Plane.SAGITTAL)
    painted = Painted(pane)
    k, j, i = BRIGHT_KJI
    case.view.crosshair_kji = (k, j + 3, i - 3)
    qtbot.waitUntil(lambda: not painted.region.isEmpty())
    assert painted.area_px < 0.05 * PANE_PX * PANE_PX
    assert same_picture(pane, pane_of(qtbot, case, Plane.SAGITTAL))


def test_zoom_keeps_what_the_camera_has_in_the_middle(qtbot: QtBot) -> None:
    case = make_case()
    pane = pane_of(qtbot, case, Plane.SAGITTAL)
    x, y, *_ = screen_position(Plane.SAGITTAL, BRIGHT_KJI)
    mm_per_px = max(SHAPE_KJI[1] * 0.7, SHAPE_KJI[2] * 1.3) / PANE_PX
    offset = ((y - PANE_PX / 2) * mm_per_px, (x - PANE_PX / 2) * mm_per_px)
    case.view.set_camera(Plane.SAGITTAL, Camera(offset, 3.0))
    assert min(at(pixels(pane), PANE_PX / 2, PANE_PX / 2)) > 225


def test_a_picture_larger_than_the_pane_is_averaged_and_sharp_again_when_zoomed(qtbot: QtBot) -> None:
    grid = Geometry.from_spacing((1, 2400, 2400), (1.0, 0.1, 0.1))
    voxels = np.where(np.indices(grid.shape_kji).sum(axis=0) % 2, 200, -200).astype(np.int16)
    case = make_case(grid, voxels)
    case.view.crosshair_kji = (0, 100, 100)
    pane = pane_of(qtbot, case, Plane.AXIAL)
    whole = pixels(pane)[200:280, 260:340]
    assert whole.std() < 6
    assert whole.mean() == pytest.approx(127, abs=4)
    case.view.set_camera(Plane.AXIAL, Camera(zoom=40.0))
    assert pixels(pane)[200:280, 260:340].std() > 30


def test_colour_pictures_keep_their_colours(qtbot: QtBot) -> None:
    grid = Geometry.from_spacing((1, 4, 4), (1.0, 1.0, 1.0))
    voxels = np.zeros((1, 4, 4, 3), np.uint8)
    voxels[0, :, :2], voxels[0, :, 2:] = (200, 30, 40), (10, 60, 220)
    case = make_case(grid, voxels)
    case.view.crosshair_kji = (0, 3, 3)
    shown = pixels(pane_of(qtbot, case, Plane.AXIAL))
    assert at(shown, 80, 200) == (200, 30, 40)
    assert at(shown, 330, 200) == (10, 60, 220)


def test_labels_written_over_several_layers_all_show(qtbot: QtBot) -> None:
    case = make_case(voxels=np.full(SHAPE_KJI, -1000, np.int16))
    first = add_segment(case)
    second = add_segment(case, segment_id="s2", name="Tumour", colour=(213, 94, 0), layer_id=1)
    k, j, i = LABELLED_KJI
    case.view.crosshair_kji = LABELLED_KJI
    pane = pane_of(qtbot, case, Plane.SAGITTAL)
    label_voxel(case, first, LABELLED_KJI)
    label_voxel(case, second, (k, j - 3, i))
    assert Box(LABELLED_KJI, (k + 1, j + 1, i + 1)).shape_kji == (1, 1, 1)
    shown = pixels(pane)
    for voxel, segment in ((LABELLED_KJI, first), ((k, j - 3, i), second)):
        x, y, half_width, _ = screen_position(Plane.SAGITTAL, voxel)
        assert at(shown, x - half_width + 1, y + 2) == segment.colour


def test_a_picture_of_wide_columns_is_sharp_again_along_its_rows_when_zoomed(qtbot: QtBot) -> None:
    grid = Geometry.from_spacing((1, 2400, 15), (1.0, 0.1, 16.0))
    voxels = np.where(np.indices(grid.shape_kji)[1] % 2, 200, -200).astype(np.int16)
    case = make_case(grid, voxels)
    case.view.crosshair_kji = (0, 1200, 7)
    pane = pane_of(qtbot, case, Plane.AXIAL)
    assert pixels(pane)[200:280, 260:340].std() < 30
    case.view.set_camera(Plane.AXIAL, Camera(zoom=40.0))
    assert pixels(pane)[200:280, 230:250].std() > 60
