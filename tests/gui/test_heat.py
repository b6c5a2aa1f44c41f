"""The heat map on the pixels of a pane, in the side column and by key."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from medview.core.heat import Heat
from medview.core.plane import Plane
from medview.gui.main_window import MainWindow
from medview.gui.panes.pane_frames import PaneFrames
from medview.workspace.actions import action
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace
from tests.gui.cases import (
    BRIGHT_KJI,
    PANE_PX,
    SERIES,
    SHAPE_KJI,
    at,
    make_case,
    make_pane,
    make_workspace,
    pixels,
    screen_position,
)

HOT_KJI = (1, 15, 5)
"""On the slice of the bright voxel in the sagittal plane only."""


def hot_heat(case: OpenCase) -> Heat:
    levels = np.zeros(SHAPE_KJI, dtype=np.uint8)
    levels[HOT_KJI] = 255
    return Heat(levels, case.volume.geometry, "Nodule: where the model looked", note="Cooler than chance.")


def test_a_heat_map_is_drawn_where_the_patient_has_it_with_its_legend_and_goes_away_by_key(qtbot: QtBot) -> None:
    case = make_case()
    workspace, hands = make_workspace(case)
    pane = make_pane(qtbot, workspace, hands, Plane.SAGITTAL)
    before = pixels(pane)
    case.view.heat_opacity = 1.0
    case.view.heat = hot_heat(case)
    x, y, _, _ = screen_position(Plane.SAGITTAL, HOT_KJI)
    assert at(pixels(pane), x, y) == pytest.approx((252, 255, 164), abs=8)
    assert "Nodule: where the model looked" in pane.shown_text()
    # The legend stands at the right edge.
    assert at(pixels(pane), PANE_PX - 35, PANE_PX * 0.42) == pytest.approx((252, 255, 164), abs=20)
    x, y, _, _ = screen_position(Plane.SAGITTAL, BRIGHT_KJI)
    assert at(pixels(pane), x, y) == at(before, x, y)
    case.view.heat_opacity = 0.5
    x, y, _, _ = screen_position(Plane.SAGITTAL, HOT_KJI)
    assert at(pixels(pane), x, y) == pytest.approx((126, 128, 82), abs=8)
    action("heat.toggle").run(workspace)
    assert np.array_equal(pixels(pane), before)
    action("heat.toggle").run(workspace)
    assert not np.array_equal(pixels(pane), before)
    action("heat.remove").run(workspace)
    assert np.array_equal(pixels(pane), before)


def test_films_show_the_heat_map(qtbot: QtBot) -> None:
    case = make_case()
    workspace, _hands = make_workspace(case)
    case.view.heat, case.view.heat_opacity = hot_heat(case), 1.0
    frames = PaneFrames(case, workspace.bench, "sagittal", (PANE_PX, PANE_PX), cases=workspace.cases)
    x, y, _, _ = screen_position(Plane.SAGITTAL, HOT_KJI)
    assert at(frames.draw(case.slice_plane(Plane.SAGITTAL), BRIGHT_KJI[0]), x, y) == pytest.approx((252, 255, 164), abs=8)


def test_the_heat_part_stands_only_where_there_is_one_and_shows_and_changes_it(
    qtbot: QtBot, window: MainWindow, workspace: Workspace
) -> None:
    case = make_case()
    workspace.add_case(case)
    section, panel = window.side.sections["heat"], window.side.heat
    assert section.isHidden()
    case.view.heat = hot_heat(case)
    assert not section.isHidden()
    assert (panel.name.text(), panel.note.text()) == ("Nodule: where the model looked", "Cooler than chance.")
    assert panel.opacity.value() == 55
    panel.opacity.setValue(80)
    assert case.view.heat_opacity == pytest.approx(0.8)
    qtbot.waitUntil(lambda: window.actions_table["heat.toggle"].isEnabled())
    qtbot.keyClick(window, Qt.Key.Key_E, Qt.KeyboardModifier.ShiftModifier)
    assert not case.view.heat_visible
    assert panel.note.text().startswith("Hidden.")
    # Who pulls the slider wants to see something.
    panel.opacity.setValue(40)
    assert case.view.heat_visible
    case.view.heat = replace(hot_heat(case), time_index=2)
    assert panel.note.text().startswith("Made at time 3")
    action("heat.remove").run(workspace)
    assert section.isHidden()


def test_the_buttons_of_the_heat_part_act_on_the_series_it_shows(
    qtbot: QtBot, window: MainWindow, workspace: Workspace
) -> None:
    shown, beside = (make_case(series=replace(SERIES, series_uid=f"1.2.3.{n}")) for n in (1, 2))
    for case in (shown, beside):
        workspace.add_case(case)
        case.view.heat = hot_heat(case)
    workspace.show(shown.key)
    action("layout.2x2").run(workspace)
    pane_id = next(one.pane_id for one in workspace.bench.layout.slices if workspace.case_in(one.pane_id) is beside)
    workspace.bench.pointed = pane_id
    assert workspace.looked_at is beside
    assert workspace.active is shown
    # On its way to the button the pointer enters the column.
    place = QPointF(5, 5)
    QApplication.sendEvent(window.side, QEnterEvent(place, place, QPointF(window.side.mapToGlobal(place))))
    remove = next(
        b for b in window.side.heat.findChildren(QToolButton) if b.defaultAction() == window.actions_table["heat.remove"]
    )
    remove.click()
    assert shown.view.heat is None
    assert beside.view.heat is not None
