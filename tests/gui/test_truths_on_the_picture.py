"""What a pane says about millimetres, directions and graphics: never more than the files do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from medview.core.geometry import Calibration, Geometry
from medview.core.orientation import UNKNOWN
from medview.core.overlay_plane import GRAPHICS_COLOUR, OverlayPlane
from medview.core.plane import Plane
from medview.core.spacing import SpacingSource, UltrasoundRegion
from medview.core.suv import SuvKind, SuvScale
from medview.core.voi_table import VoiTable
from medview.core.window import Window
from medview.gui.chrome.status_line import check_summary, pointed_text
from medview.gui.panes.pointed_at import PointedAt
from medview.workspace.actions import action
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer
from tests.gui.cases import PANE_PX, SHAPE_KJI, SPACING_KJI_MM, make_case, make_pane, make_workspace, pane_of, pixels

ROWS, COLUMNS = 40, 24


def picture(calibration: Calibration = Calibration.IN_PLANE, **of_volume: object) -> OpenCase:
    """A radiograph: one slice that lies nowhere in the patient."""
    grid = Geometry.from_spacing((1, ROWS, COLUMNS), (1.0, 0.5, 0.5), calibration=calibration)
    case = make_case(grid, np.full((1, ROWS, COLUMNS), -1000, np.int16))
    case.view.crosshair_kji = (0, 20, 12)
    case.volume = replace(case.volume, **{"patient_orientation": UNKNOWN, **of_volume})
    return case


def drawn(case: OpenCase) -> OpenCase:
    mask = np.zeros((ROWS, COLUMNS), dtype=np.bool_)
    mask[2:12, 1:11] = True
    case.graphics = {0: (OverlayPlane.of(mask, "Ruler"),)}
    return case


def graphics_shown(pane: object) -> int:
    shown = pixels(pane)  # type: ignore[arg-type]
    return int((np.abs(shown.astype(int) - GRAPHICS_COLOUR).max(axis=2) < 12).sum())


def test_graphics_of_the_file_lie_where_it_put_them_and_go_with_one_key(qtbot: QtBot) -> None:
    workspace, hands = make_workspace(drawn(picture()))
    pane = make_pane(qtbot, workspace, hands, Plane.AXIAL)
    shown = pixels(pane)
    # 40 rows fill 480 pixels: 12 a row. The picture is 24 x 12 = 288 wide, in the middle.
    left = (480 - 288) // 2
    assert tuple(shown[12 * 7, left + 12 * 6]) == GRAPHICS_COLOUR
    assert tuple(shown[12 * 30, left + 12 * 6]) != GRAPHICS_COLOUR
    assert graphics_shown(pane) == pytest.approx(10 * 10 * 144, rel=0.2)
    action("view.graphics").run(workspace)
    assert graphics_shown(pane) == 0


def test_graphics_may_write_names_and_go_with_the_identity(qtbot: QtBot) -> None:
    workspace, hands = make_workspace(drawn(picture()))
    pane = make_pane(qtbot, workspace, hands, Plane.AXIAL)
    assert graphics_shown(pane) > 0
    workspace.bench.identity_hidden = True
    assert graphics_shown(pane) == 0


def test_graphics_lie_on_the_slices_they_were_acquired_with_only(qtbot: QtBot) -> None:
    pane = pane_of(qtbot, drawn(picture()), Plane.CORONAL)
    assert graphics_shown(pane) == 0


def test_a_picture_that_says_nothing_of_its_directions_gets_no_letters_and_no_plane(qtbot: QtBot) -> None:
    text = pane_of(qtbot, picture(), Plane.AXIAL).shown_text()
    assert not {"R", "L", "A", "P", "H", "F"} & set(text)
    assert "Image 1/1" in text
    assert not any("Axial" in line for line in text)


def test_a_radiograph_gets_the_letters_its_header_states(qtbot: QtBot) -> None:
    text = pane_of(qtbot, picture(patient_orientation=("L", "F")), Plane.AXIAL).shown_text()
    assert {"R", "L", "H", "F"} <= set(text)
    assert "A" not in text
    across = pane_of(qtbot, picture(patient_orientation=("L", "F")), Plane.SAGITTAL).shown_text()
    assert not {"R", "L", "H", "F", "A", "P"} & set(across)


@pytest.mark.parametrize(
    ("source", "note"),
    [
        (SpacingSource.DETECTOR, "Millimetres at detector"),
        (SpacingSource.ESTIMATED, "Millimetres estimated"),
        (SpacingSource.CALIBRATED, "Millimetres calibrated"),
        (SpacingSource.PATIENT, None),
    ],
)
def test_millimetres_that_are_not_simply_the_patients_say_so(qtbot: QtBot, source: SpacingSource, note: str | None) -> None:
    text = pane_of(qtbot, picture(spacing_source=source), Plane.AXIAL).shown_text()
    assert [line for line in text if line.startswith("Millimetres")] == ([note] if note else [])
    assert not any("Stack" in line for line in text)


def test_an_ultrasound_picture_says_where_its_millimetres_hold(qtbot: QtBot) -> None:
    regions = (UltrasoundRegion((0, 0), (9, 9), (0.2, 0.2)), UltrasoundRegion((10, 0), (19, 9), (0.4, 0.4)))
    case = picture(Calibration.PIXELS, spacing_source=SpacingSource.NONE, regions=regions)
    notes = [line for line in pane_of(qtbot, case, Plane.AXIAL).shown_text() if "illimetres" in line]
    assert notes == ["Millimetres hold inside the regions of the picture only"]


def test_a_table_of_the_file_is_named_where_a_window_would_be(qtbot: QtBot) -> None:
    case = picture()
    case.view.window = VoiTable(-1000.0, np.asarray([0, 4095], "<u2").tobytes(), 12, "NORMAL")
    text = pane_of(qtbot, case, Plane.AXIAL).shown_text()
    assert "NORMAL" in text
    assert not any(line.startswith("W ") for line in text)


def test_the_pointer_tells_uptake_beside_activity() -> None:
    case = picture()
    case.volume = replace(case.volume, unit="Bq/mL", suv=SuvScale(((SuvKind.BODY_WEIGHT, 0.002),)))
    pointed = PointedAt.under(case, Pointer(case.slice_plane(Plane.AXIAL), 0, 20.0, 12.0))
    assert pointed is not None
    assert "SUVbw \u22122.00 g/mL   \u22121000 Bq/mL" in pointed_text(pointed)


def test_a_single_picture_is_no_faulty_stack() -> None:
    assert check_summary(picture()) == ("Series is sound", "flat")


def test_a_colour_map_colours_the_picture_and_brings_its_bar(qtbot: QtBot) -> None:
    case = make_case()
    pane = pane_of(qtbot, case, Plane.AXIAL)
    grey = pixels(pane)
    case.view.colour_map = "hot"
    coloured = pixels(pane)
    height, width = coloured.shape[:2]
    bar = coloured[round(height * 0.32) : round(height * 0.68), width - 36]
    # From white at the top through yellow and red to black.
    assert bar[0].min() > 200
    assert (bar[-1] < 60).all()
    assert any(red > 200 and green < 60 for red, green, _blue in bar.tolist())
    case.view.colour_map = "grey"
    np.testing.assert_array_equal(pixels(pane), grey)


def test_the_window_of_a_pet_is_told_in_uptake(qtbot: QtBot) -> None:
    case = picture()
    case.volume = replace(case.volume, unit="Bq/mL", suv=SuvScale(((SuvKind.BODY_WEIGHT, 0.002),)))
    case.view.window = Window.from_range(0.0, 2500.0)
    assert "0.0 to 5.0 SUVbw" in pane_of(qtbot, case, Plane.AXIAL).shown_text()


def test_no_length_stands_beside_a_refused_plane_although_its_columns_have_millimetres(qtbot: QtBot) -> None:
    affine = Geometry.from_spacing(SHAPE_KJI, SPACING_KJI_MM).affine_lps
    case = make_case(Geometry(SHAPE_KJI, affine, "1.2.3", Calibration.IN_PLANE))
    assert case.acquired_plane is Plane.AXIAL
    pane = pane_of(qtbot, case, Plane.CORONAL)
    assert "Only the pictures themselves can be shown" in pane.shown_text()
    assert pixels(pane)[-40:, PANE_PX // 2 - 6].max() < 40
