from __future__ import annotations

import time

import numpy as np
from pytestqt.qtbot import QtBot

from medview.core.geometry import Geometry
from medview.gui.panes.cine_player import CinePlayer
from medview.workspace.actions import action
from medview.workspace.open_case import OpenCase
from tests.gui.cases import make_case, make_workspace


def series_of(slices: int) -> OpenCase:
    return make_case(Geometry.from_spacing((slices, 8, 8), (1.0, 1.0, 1.0)), np.zeros((slices, 8, 8), np.int16))


def test_playing_keeps_its_rate_by_the_clock(qtbot: QtBot) -> None:
    case = series_of(200)
    workspace, _ = make_workspace(case)
    player = CinePlayer(workspace)
    case.view.crosshair_kji = (0, 4, 4)
    workspace.bench.pointed = "axial"
    workspace.bench.cine_rate_hz = 50.0
    began = time.perf_counter()
    action("cine.play").run(workspace)
    qtbot.waitUntil(lambda: case.view.crosshair_kji[0] >= 20)
    passed = time.perf_counter() - began
    # Whatever the computer was doing, the slice is the one that belongs to the time.
    assert abs(case.view.crosshair_kji[0] - passed * 50.0) <= 3
    action("cine.play").run(workspace)
    stood = case.view.crosshair_kji[0]
    qtbot.wait(60)
    assert case.view.crosshair_kji[0] == stood
    player.deleteLater()


def test_a_hand_on_the_wheel_stops_it_and_one_slice_is_not_played(qtbot: QtBot) -> None:
    case = series_of(50)
    workspace, _ = make_workspace(case)
    player = CinePlayer(workspace)
    case.view.crosshair_kji = (0, 4, 4)
    workspace.bench.pointed, workspace.bench.cine_rate_hz = "axial", 20.0
    workspace.bench.cine_on = True
    case.view.set_slice(0, 33)
    qtbot.waitUntil(lambda: not workspace.bench.cine_on)
    assert case.view.crosshair_kji[0] == 33
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    workspace.add_case(series_of(1))
    workspace.bench.cine_on = True
    assert not workspace.bench.cine_on
    assert said == ["There is one slice; nothing can be played."]
    player.deleteLater()
