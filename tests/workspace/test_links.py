"""Panes that move together."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from medview.core.case_labels import CaseLabels
from medview.core.geometry import Calibration, Geometry
from medview.core.plane import Plane
from medview.core.study import Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.core.window import Window
from medview.workspace.actions import action
from medview.workspace.events import Message
from medview.workspace.jobs import InlineRunner
from medview.workspace.layout import grid
from medview.workspace.layout_actions import look_along, use_layout
from medview.workspace.link_actions import join
from medview.workspace.links import Linker, same_place
from medview.workspace.load_state import LoadState
from medview.workspace.open_case import OpenCase
from medview.workspace.reference_lines import lines_on
from medview.workspace.services import Services
from medview.workspace.view_state import CaseView, Links
from medview.workspace.workspace import Workspace
from tests.workspace.conftest import oblique_geometry

AXIAL_1MM = Geometry.from_spacing((60, 40, 50), (2.0, 1.0, 1.0), (-25.0, -20.0, -60.0), "1.2.3")
"""In the frame of ``oblique_geometry``, with other slices."""


def case_of(uid: str, geometry: Geometry, modality: str = "MR", unit: str = "") -> OpenCase:
    voxels = np.zeros(geometry.shape_kji, dtype=np.int16)
    load = LoadState(geometry.shape_kji[0])
    load.mark_all_ready()
    return OpenCase(
        Series(uid, "1.2", modality=modality),
        VolumeEntry(Verdict.VOLUME, (), geometry, geometry.shape_kji, ()),
        Volume(voxels, geometry, modality=modality, unit=unit, series_uid=uid),
        load,
        CaseLabels.empty(geometry),
        CaseView((geometry.shape_kji[0] // 2, 10, 15), Window(0, 100)),
    )


def beside(*cases: OpenCase) -> tuple[Workspace, Linker]:
    workspace = Workspace(InlineRunner(), cast(Services, None))
    for case in cases:
        workspace.add_case(case)
    use_layout(workspace, grid(1, max(2, len(cases))).holding(case.key for case in cases))
    workspace.bench.layout = grid(1, max(2, len(cases))).holding(case.key for case in cases)
    return workspace, Linker(workspace)


def near(case: OpenCase, point_lps_mm: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """Return how far a case looks from a place, in the spacing of its coarsest axis."""
    away = case.volume.geometry.point_lps_mm(case.view.at_kji) - point_lps_mm
    return float(np.linalg.norm(away) / max(case.volume.geometry.spacing_kji_mm))


def test_series_of_one_frame_show_the_same_place_whatever_their_grids() -> None:
    one = case_of("1", Geometry.from_spacing((30, 40, 50), (5.0, 1.0, 1.0), (-25.0, -20.0, -75.0), "1.2.3"))
    other = case_of("2", AXIAL_1MM)
    workspace, _linker = beside(one, other)
    assert same_place(one, other)
    one.view.crosshair_kji = (20, 31, 7)
    place = one.volume.geometry.point_lps_mm((20, 31, 7))
    np.testing.assert_allclose(other.volume.geometry.point_lps_mm(other.view.at_kji), place, atol=1e-9)
    # And the other way round.
    other.view.crosshair_kji = (30, 3, 4)
    place = other.volume.geometry.point_lps_mm((30, 3, 4))
    np.testing.assert_allclose(one.volume.geometry.point_lps_mm(one.view.at_kji), place, atol=1e-9)
    assert workspace.shown_cases == [one, other]


def test_an_oblique_series_is_followed_exactly() -> None:
    other = case_of("2", oblique_geometry())
    place = other.volume.geometry.point_lps_mm((6.3, 10.4, 15.2))
    x, y, z = (float(n) for n in place - np.array([20.0, 20.0, 60.0]))
    one = case_of("1", Geometry.from_spacing((60, 40, 50), (2.0, 1.0, 1.0), (x, y, z), "1.2.3"))
    beside(one, other)
    one.view.crosshair_kji = (30, 20, 20)
    assert near(other, place) < 1e-9


@pytest.mark.parametrize("frame", ["9.9.9", ""])
def test_another_or_no_frame_of_reference_is_left_alone_until_it_is_linked_by_hand(frame: str) -> None:
    one = case_of("1", AXIAL_1MM)
    far = Geometry.from_spacing((60, 40, 50), (2.0, 1.0, 1.0), (100.0, 100.0, 100.0), frame)
    other = case_of("2", far)
    workspace, _linker = beside(one, other)
    before = other.view.crosshair_kji
    one.view.set_slice(0, 40)
    assert other.view.crosshair_kji == before
    workspace.bench.links = Links(offset=True)
    one.view.set_slice(0, 45)
    assert other.view.crosshair_kji == (before[0] + 5, *before[1:])


def test_linked_by_hand_each_goes_as_many_millimetres() -> None:
    one = case_of("1", AXIAL_1MM)
    coarse = Geometry.from_spacing((20, 40, 50), (5.0, 1.0, 1.0), (7.0, -50.0, 400.0), "another")
    other = case_of("2", coarse)
    workspace, _linker = beside(one, other)
    workspace.bench.links = Links(offset=True)
    start = coarse.point_lps_mm(other.view.at_kji)
    one.view.crosshair_kji = (one.view.crosshair_kji[0] + 10, 14, 12)
    moved = coarse.point_lps_mm(other.view.at_kji) - start
    np.testing.assert_allclose(moved, (-3.0, 4.0, 20.0), atol=1e-9)


def test_stacks_go_slice_by_slice() -> None:
    stack = replace_calibration(AXIAL_1MM)
    one, other = case_of("1", stack), case_of("2", replace_calibration(AXIAL_1MM, "other"))
    workspace, _linker = beside(one, other)
    workspace.bench.links = Links(offset=True)
    one.view.set_slice(0, 33)
    one.view.set_slice(0, 36)
    assert other.view.crosshair_kji[0] == 36


def replace_calibration(geometry: Geometry, frame: str = "1.2.3") -> Geometry:
    return Geometry(geometry.shape_kji, geometry.affine_lps, frame, Calibration.IN_PLANE)


def test_the_end_of_the_shorter_series_is_not_passed() -> None:
    one, other = case_of("1", AXIAL_1MM), case_of("2", Geometry.from_spacing((5, 40, 50), (2.0, 1.0, 1.0), (0, 0, 0), "x"))
    workspace, _linker = beside(one, other)
    workspace.bench.links = Links(offset=True)
    one.view.set_slice(0, 59)
    assert other.view.crosshair_kji[0] == 4
    one.view.set_slice(0, 0)
    assert other.view.crosshair_kji[0] == 0


def test_a_pane_taken_out_of_the_links_stays() -> None:
    one, other = case_of("1", AXIAL_1MM), case_of("2", AXIAL_1MM)
    workspace, _linker = beside(one, other)
    workspace.bench.pointed = "2"
    action("link.pane").run(workspace)
    before = other.view.crosshair_kji
    one.view.set_slice(0, 3)
    assert other.view.crosshair_kji == before
    action("link.pane").run(workspace)
    one.view.set_slice(0, 4)
    assert other.view.crosshair_kji[0] == 4


def test_each_group_goes_its_own_way() -> None:
    cases = [case_of(str(n), AXIAL_1MM) for n in range(1, 5)]
    workspace, _linker = beside(*cases)
    for pane_id in ("3", "4"):
        join(workspace, pane_id, 2)
    workspace.bench.links = Links(window=True)
    cases[0].view.set_slice(0, 7)
    cases[3].view.set_slice(0, 55)
    assert [case.view.crosshair_kji[0] for case in cases] == [7, 7, 55, 55]
    cases[2].view.window = Window(5, 50)
    assert [case.view.window == Window(5, 50) for case in cases] == [False, False, True, True]


def test_zoom_and_pan_go_together_only_when_asked() -> None:
    one, other = case_of("1", AXIAL_1MM), case_of("2", oblique_geometry())
    workspace, _linker = beside(one, other)
    acquired = other.acquired_plane
    one.view.set_camera(Plane.AXIAL, one.view.cameras[Plane.AXIAL].zoomed(2.0))
    assert other.view.cameras[acquired].zoom == 1.0
    workspace.bench.links = Links(zoom=True, pan=True)
    one.view.set_camera(Plane.AXIAL, one.view.cameras[Plane.AXIAL].zoomed(1.5).panned(4.0, -7.0))
    assert other.view.cameras[acquired].zoom == pytest.approx(1.5)
    assert other.view.cameras[acquired].center_offset_mm == pytest.approx((-4.0, 7.0))


def test_windows_are_shared_within_one_modality_and_unit() -> None:
    one, other, ct = case_of("1", AXIAL_1MM), case_of("2", AXIAL_1MM), case_of("3", AXIAL_1MM, "CT", "HU")
    workspace, _linker = beside(one, other, ct)
    workspace.bench.links = Links(window=True)
    one.view.window = Window(77, 333)
    assert other.view.window == Window(77, 333)
    assert ct.view.window == Window(0, 100)


def test_closing_a_linked_series_leaves_nothing_that_listens() -> None:
    one, other = case_of("1", AXIAL_1MM), case_of("2", AXIAL_1MM)
    workspace, _linker = beside(one, other)
    workspace.close_case("2")
    one.view.set_slice(0, 9)
    assert len(other.view.events["crosshair_kji"]) == 0


def test_an_axial_slice_is_a_level_line_on_the_coronal_one_of_another_series() -> None:
    one, other = case_of("1", AXIAL_1MM), case_of("2", AXIAL_1MM)
    workspace, _linker = beside(one, other)
    look_along(workspace, "2", Plane.CORONAL)
    one.view.set_slice(0, 10)
    (line,) = lines_on(workspace, "2")
    # Rows of a coronal picture go from head to feet: slice 10 of 60 lies in row 49.
    assert line.start[0] == pytest.approx(49.0)
    assert line.end[0] == pytest.approx(49.0)
    assert sorted((line.start[1], line.end[1])) == pytest.approx([-0.5, 49.5])
    assert lines_on(workspace, "1")
    workspace.bench.reference_lines = False
    assert lines_on(workspace, "1") == ()


def test_series_of_other_frames_draw_no_lines() -> None:
    one = case_of("1", AXIAL_1MM)
    other = case_of("2", _moved_frame())
    workspace, _linker = beside(one, other)
    look_along(workspace, "2", Plane.CORONAL)
    assert lines_on(workspace, "2") == ()


def _moved_frame() -> Geometry:
    return Geometry(AXIAL_1MM.shape_kji, AXIAL_1MM.affine_lps, "else")


def test_scrolling_by_hand_ends_when_another_series_is_shown() -> None:
    one, other, third = case_of("1", AXIAL_1MM), case_of("2", _moved_frame()), case_of("3", _moved_frame())
    workspace, _linker = beside(one, other)
    said: list[str] = []

    def hear(message: Message) -> None:
        said.append(message.text)

    workspace.message.connect(hear)
    workspace.bench.links = Links(offset=True)
    workspace.add_case(third, "2")
    assert not workspace.bench.links.offset
    assert "no longer scroll together" in said[-1]
    before = third.view.crosshair_kji
    one.view.set_slice(0, 3)
    assert third.view.crosshair_kji == before
