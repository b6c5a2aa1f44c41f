"""What a pane shows of a case that is still being read, damaged, without millimetres, hidden or gone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medview.core.geometry import Calibration, Geometry
from medview.core.plane import Plane
from tests.gui.cases import (
    BRIGHT_KJI,
    SERIES,
    SHAPE_KJI,
    Painted,
    at,
    make_case,
    make_pane,
    make_workspace,
    pane_of,
    pixels,
    screen_position,
)


def test_hidden_identity_is_nowhere_in_the_pane(qtbot: QtBot) -> None:
    case = make_case()
    someone = replace(case.series, patient_name="Doe^Jane", patient_id="MRN-77", study_date="20240131")
    else_ = replace(case.series, patient_name="Roe^Richard^Quentin", patient_id="0815", study_date="19991231")
    shown = []
    for series in (someone, else_):
        workspace, hands = make_workspace(make_case(series=series))
        pane = make_pane(qtbot, workspace, hands, Plane.AXIAL)
        assert any(series.patient_id in text for text in pane.shown_text())
        workspace.bench.identity_hidden = True
        shown.append(pixels(pane))
        text = " ".join(pane.shown_text())
        for secret in ("Doe", "Jane", "MRN-77", "2024", "Roe", "Richard", "0815", "1999"):
            assert secret not in text
    assert np.array_equal(*shown)


def test_a_damaged_slice_says_so_in_words(qtbot: QtBot) -> None:
    case = make_case()
    case.view.crosshair_kji = (2, 9, 17)
    case.load.mark(2, ok=False, reason="It ends early.")
    text = pane_of(qtbot, case, Plane.SAGITTAL).shown_text()
    assert "Slice 3 is damaged" in text
    assert "It ends early." in text


def test_a_slice_still_being_read_says_so_and_appears_when_it_arrives(qtbot: QtBot) -> None:
    case = make_case()
    case.load = type(case.load)(SHAPE_KJI[0])
    workspace, hands = make_workspace(case)
    pane = make_pane(qtbot, workspace, hands, Plane.SAGITTAL)
    x, y, *_ = screen_position(Plane.SAGITTAL, BRIGHT_KJI)
    assert "Slice 2 is being read" in pane.shown_text()
    assert max(at(pixels(pane), x, y)) < 60
    case.load.mark(BRIGHT_KJI[0], ok=True)
    workspace.load_changed.emit()
    assert min(at(pixels(pane), x, y)) > 225
    assert "Slice 2 is being read" not in pane.shown_text()
    assert any("1 of 7 slices" in text for text in pane.shown_text())


def test_slices_that_arrive_in_quick_succession_are_shown_together(qtbot: QtBot) -> None:
    case = make_case(voxels=np.full(SHAPE_KJI, -1000, np.int16))
    case.load = type(case.load)(SHAPE_KJI[0])
    workspace, hands = make_workspace(case)
    pane = make_pane(qtbot, workspace, hands, Plane.AXIAL)
    painted = Painted(pane)
    for k in range(SHAPE_KJI[0]):
        case.load.mark(k, ok=True)
        workspace.load_changed.emit()
        QApplication.processEvents()
    assert painted.region.isEmpty()
    qtbot.waitUntil(lambda: not painted.region.isEmpty())
    assert not any("Reading" in text for text in pane.shown_text())


def test_missing_slices_are_not_shown_as_air_where_other_planes_cut_them(qtbot: QtBot) -> None:
    case = make_case(voxels=np.full(SHAPE_KJI, -1000, np.int16))
    case.load.mark(4, ok=False, reason="It ends early.")
    shown = pixels(pane_of(qtbot, case, Plane.AXIAL))
    x, y, *_ = screen_position(Plane.AXIAL, (4, 9, 14))
    healthy, *_ = screen_position(Plane.AXIAL, (2, 9, 14))
    assert 15 < min(at(shown, x + 5, y)) < 60
    assert max(at(shown, healthy + 5, y)) < 5


def test_a_stack_says_that_it_has_no_millimetres_along_the_stack(qtbot: QtBot) -> None:
    grid = Geometry((9, 30, 30), np.diag([1.0, 0.7, 0.7, 1.0])[[2, 1, 0, 3]], calibration=Calibration.IN_PLANE)
    case = make_case(grid, np.zeros(grid.shape_kji, np.int16))
    case.view.crosshair_kji = (4, 15, 15)
    coronal = pane_of(qtbot, case, Plane.CORONAL).shown_text()
    assert "Stack: no millimetres along the stack" in coronal
    axial = pane_of(qtbot, case, Plane.AXIAL).shown_text()
    assert not any("Spacing" in text for text in axial)


def test_the_pane_follows_another_case(qtbot: QtBot) -> None:
    dark = make_case(voxels=np.full(SHAPE_KJI, -1000, np.int16), series=replace(SERIES, series_uid="1.9"))
    bright = make_case()
    workspace, hands = make_workspace(dark, bright)
    pane = make_pane(qtbot, workspace, hands, Plane.AXIAL)
    x, y, *_ = screen_position(Plane.AXIAL, BRIGHT_KJI)
    assert min(at(pixels(pane), x, y)) > 225
    workspace.show("1.9")
    assert max(at(pixels(pane), x, y)) < 10
    # The case that is no longer shown may change without a trace.
    painted = Painted(pane)
    bright.view.crosshair_kji = (0, 0, 0)
    QApplication.processEvents()
    assert painted.region.isEmpty()


def test_a_pane_without_a_case_is_black(qtbot: QtBot) -> None:
    workspace, hands = make_workspace()
    pane = make_pane(qtbot, workspace, hands, Plane.AXIAL)
    assert pixels(pane).max() == 0
    qtbot.mouseClick(pane, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
