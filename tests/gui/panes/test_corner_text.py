"""Words around a picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medview.core.geometry import Calibration, Geometry
from medview.core.plane import Plane, SlicePlane
from medview.core.window import Window
from medview.gui.panes.corner_lines import iso_date, number, slice_position
from medview.gui.panes.corner_text import corner_texts
from medview.workspace.view_state import Bench, Camera
from tests.gui.cases import SERIES, make_case, sagittal_geometry


def test_dates_are_iso_when_they_are_dates() -> None:
    assert iso_date("20041231") == "2004-12-31"
    assert iso_date("about 2004") == "about 2004"


def test_windows_have_a_real_minus_and_no_needless_digits() -> None:
    assert [number(v) for v in (-600.0, 1500.0, 40.4, 0.25, 0.0123)] == ["\u2212600", "1500", "40", "0.25", "0.0123"]


def test_slice_positions_name_the_side_of_the_patient() -> None:
    grid = Geometry.from_spacing((10, 20, 30), (5.0, 1.0, 1.0), (-15.0, 30.0, -100.0))
    assert slice_position(SlicePlane.of(Plane.AXIAL, grid), grid, 2) == "F 90.0 mm"
    assert slice_position(SlicePlane.of(Plane.CORONAL, grid), grid, 0) == "P 30.0 mm"
    assert slice_position(SlicePlane.of(Plane.SAGITTAL, grid), grid, 20) == "L 5.0 mm"


def test_corners_read_names_as_the_person_said() -> None:
    series = replace(SERIES, patient_id="17", patient_name="王^小东".encode("gb18030").decode("latin-1"))
    case, bench = make_case(series=series), Bench()
    plane = case.slice_plane(Plane.AXIAL)
    bench.read_names_as(series, "gb18030")
    assert corner_texts(case, bench, plane, 0).top_left[0].text == "王, 小东"
    bench.read_names_as(series, "")
    assert corner_texts(case, bench, plane, 0).top_left[0].text != "王, 小东"


def test_corners_say_patient_study_slice_and_window() -> None:
    series = replace(
        SERIES,
        patient_name="Doe^John",
        patient_id="17",
        study_date="20240229",
        study_description="Thorax",
        description="Lung 2.5",
        series_number=3,
    )
    case = make_case(series=series)
    case.view.window = Window(-600, 1500, name="Lung")
    case.view.set_camera(Plane.CORONAL, Camera(zoom=1.5))
    texts = corner_texts(case, Bench(), case.slice_plane(Plane.CORONAL), 17)
    words = {name: [line.text for line in getattr(texts, name)] for name in texts.__dataclass_fields__}
    assert words["top_left"] == ["Doe, John", "17", "2024-02-29"]
    assert words["top_right"] == ["Thorax", "CT series 3", "Lung 2.5"]
    assert words["bottom_left"][0] == "Coronal 18/24"
    assert words["bottom_left"][2] == "Spacing 1.30 mm"
    assert words["bottom_right"] == ["Lung", "W 1500  L \u2212600", "Zoom 150 %"]
    assert words["notes"] == words["middle"] == []


def test_grids_without_millimetres_claim_none() -> None:
    grid = Geometry((3, 4, 5), np.eye(4), calibration=Calibration.PIXELS)
    case = make_case(grid, np.zeros((3, 4, 5), np.int16))
    texts = corner_texts(case, Bench(), case.slice_plane(Plane.AXIAL), 0)
    said = [line.text for name in texts.__dataclass_fields__ for line in getattr(texts, name)]
    assert not any(text.endswith(" mm") for text in said)
    assert "No millimetres: sizes are in pixels" in said


@pytest.mark.parametrize(
    ("tilted_to_lps", "slanting"), [((0.0, 1.0, 0.0), Plane.SAGITTAL), ((1.0, 0.0, 0.0), Plane.CORONAL)]
)
def test_a_tilted_gantry_is_told_in_the_plane_that_is_drawn_untrue_and_in_no_other(
    tilted_to_lps: tuple[float, float, float], slanting: Plane
) -> None:
    angle = np.deg2rad(20.0)
    affine = np.array(Geometry.from_spacing((3, 4, 5), (5.0, 0.9, 0.6)).affine_lps)
    affine[:3, 0] = 5.0 * (np.cos(angle) * np.array((0.0, 0.0, 1.0)) + np.sin(angle) * np.array(tilted_to_lps))
    turn = np.eye(4)
    turn[:3, :3] = sagittal_geometry().directions_kji.T @ np.array([[-1, 0, 0], [0, 0, -1], [0, 1, 0]])
    for placed in (affine, turn @ affine):
        grid = Geometry((3, 4, 5), placed)
        case = make_case(grid, np.zeros((3, 4, 5), np.int16))
        said = {p: [line.text for line in corner_texts(case, Bench(), case.slice_plane(p), 0).notes] for p in Plane}
        note = "Tilted gantry: angles and slanting lengths are not true in this plane."
        assert said == {plane: [note] if plane is slanting else [] for plane in Plane}


def test_an_oblique_grid_at_right_angles_is_true_in_every_plane() -> None:
    case = make_case()
    assert [corner_texts(case, Bench(), case.slice_plane(plane), 0).notes for plane in Plane] == [(), (), ()]
