"""Time in the window: panes follow it, cine plays it, the curve shows it."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from medview.core.changes import AnnotationChange, Command
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.plane import Plane
from medview.core.study import Frame, Verdict
from medview.core.window import Window
from medview.gui.dialogs.time_curve import TimeCurveDialog
from medview.gui.main_window import MainWindow
from medview.gui.panes.cine_player import CinePlayer
from medview.gui.parts.theme import apply_theme
from medview.gui.parts.theme_tokens import DARK, LIGHT
from medview.workspace.actions import action
from medview.workspace.load_state import LoadState
from medview.workspace.open_case import OpenCase
from medview.workspace.time_axis import go_to, take_time
from medview.workspace.time_points import TimePoint
from medview.workspace.workspace import Workspace
from tests.gui.cases import BRIGHT_KJI, SHAPE_KJI, add_segment, at, label_voxel, make_case, make_workspace, pane_of, pixels

TIMES_S = (0.0, 1.0, 2.5, 4.5, 9.0, 20.0)


def case_in_time(times: int = len(TIMES_S)) -> OpenCase:
    """Return a case whose bright voxel gets brighter in time, by 100 at each time point."""
    case = make_case()
    case.entry = replace(case.entry, time_points=times, times_s=TIMES_S[:times])
    for n in range(1, times):
        voxels = case.volume.voxels.copy()
        voxels[BRIGHT_KJI] = 1000 - 100 * n
        load = LoadState(SHAPE_KJI[0])
        load.mark_all_ready()
        take_time(case, TimePoint(replace(case.anchor.volume, voxels=voxels), load))
    return case


@pytest.fixture
def shown(qtbot: QtBot) -> tuple[Workspace, OpenCase, TimeCurveDialog]:
    case = case_in_time()
    workspace, _ = make_workspace(case)
    dialog = TimeCurveDialog(workspace)
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    return workspace, case, dialog


def test_a_pane_shows_the_time_that_is_chosen(qtbot: QtBot) -> None:
    case = case_in_time()
    case.view.window = Window(500.0, 1000.0)
    pane = pane_of(qtbot, case, Plane.SAGITTAL)
    case.view.crosshair_kji = (BRIGHT_KJI[0], 3, 3)
    rect = pane.picture_rect
    x = rect.x() + (BRIGHT_KJI[2] + 0.5) * rect.width() / SHAPE_KJI[2]
    y = rect.y() + (BRIGHT_KJI[1] + 0.5) * rect.height() / SHAPE_KJI[1]
    whole = at(pixels(pane), x, y)[0]
    assert whole > 200
    for n in (3, 5, 0, 1):
        go_to(case, n)
        level = at(pixels(pane), x, y)[0]
        assert level / whole == pytest.approx((1000 - 100 * n) / 1000, abs=0.01)
        text = f"Time {n + 1}/6, {TIMES_S[n]:.1f} s" if n != 1 else "Time 2/6, 1.00 s"
        assert text in pane.shown_text()


def test_playing_goes_through_time_at_its_rate_and_a_hand_stops_it(qtbot: QtBot) -> None:
    case = case_in_time()
    workspace, _ = make_workspace(case)
    player = CinePlayer(workspace)
    workspace.bench.cine_rate_hz = 40.0
    k = case.view.crosshair_kji
    seen: list[int] = []
    case.view.events.time_index.connect(seen.append)
    began = time.perf_counter()
    action("cine.play").run(workspace)
    qtbot.waitUntil(lambda: len(seen) >= 8)
    steps = round((time.perf_counter() - began) * 40.0)
    # Whatever the computer was doing, the time point is the one that belongs to the clock.
    assert min((case.view.time_index - steps) % 6, (steps - case.view.time_index) % 6) <= 2
    assert case.view.crosshair_kji == k
    go_to(case, (case.view.time_index + 3) % 6)
    qtbot.waitUntil(lambda: not workspace.bench.cine_on)
    action("cine.time").run(workspace)
    stood = case.view.time_index
    action("cine.play").run(workspace)
    qtbot.waitUntil(lambda: case.view.crosshair_kji != k)
    assert case.view.time_index == stood
    workspace.bench.cine_on = False
    player.deleteLater()


def test_the_curve_follows_crosshair_and_chosen_measurement(
    qtbot: QtBot, shown: tuple[Workspace, OpenCase, TimeCurveDialog]
) -> None:
    _, case, dialog = shown
    k, j, i = BRIGHT_KJI
    assert dialog.title.text() == f"Voxel {i}, {j}, {k}"
    assert dialog.curve is not None
    np.testing.assert_array_equal(dialog.curve.mean, [1000, 900, 800, 700, 600, 500])
    case.view.crosshair_kji = (k, j + 3, i)
    qtbot.waitUntil(lambda: dialog.title.text() == f"Voxel {i}, {j + 3}, {k}")
    np.testing.assert_array_equal(dialog.curve.mean, -1000)
    corners = np.asarray([(k, j - 1.5, i - 0.5), (k, j - 1.5, i + 0.5), (k, j + 0.5, i + 0.5), (k, j + 0.5, i - 0.5)])
    points = tuple((float(x), float(y), float(z)) for x, y, z in case.volume.geometry.point_lps_mm(corners))
    figure = Measurement("m", MeasurementKind.RECTANGLE, points, "Aorta")
    case.do(Command("Draw", (AnnotationChange(None, figure),), "measure"))
    case.view.active_annotation_id = "m"
    qtbot.waitUntil(lambda: dialog.title.text().startswith("Aorta"))
    np.testing.assert_allclose(dialog.curve.mean, [0, -50, -100, -150, -200, -250])
    go_to(case, 4)
    assert dialog.note.text() == "9.0 s: Value \u2212200.0 HU, SD 1131, 2 voxels"
    assert dialog.plot.now.value() == 9.0


def test_a_click_on_the_curve_goes_to_the_nearest_time(
    qtbot: QtBot, shown: tuple[Workspace, OpenCase, TimeCurveDialog]
) -> None:
    _, case, dialog = shown
    box = dialog.plot.plot.getPlotItem().getViewBox()
    for x, index in ((4.0, 3), (16.0, 5), (1.6, 1)):
        place = dialog.plot.plot.mapFromScene(box.mapViewToScene(QPointF(x, 750.0)))
        QTest.mouseClick(dialog.plot.plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert case.view.time_index == index
    QTest.keyClick(dialog, Qt.Key.Key_Right)
    assert case.view.time_index == 2
    QTest.keyClick(dialog, Qt.Key.Key_Left)
    assert case.view.time_index == 1


def test_segments_are_offered_and_the_table_is_what_is_seen(
    qtbot: QtBot, shown: tuple[Workspace, OpenCase, TimeCurveDialog]
) -> None:
    workspace, case, dialog = shown
    assert not dialog.of.isVisible()
    segment = add_segment(case)
    label_voxel(case, segment, BRIGHT_KJI)
    workspace.active_changed.emit()
    assert dialog.of.isVisible()
    dialog.of.setCurrentIndex(1)
    qtbot.waitUntil(lambda: dialog.title.text() == "Liver")
    dialog.copy_table.click()
    rows = [row.split("\t") for row in QGuiApplication.clipboard().text().splitlines()]
    assert rows[0] == ["Time (s)", "Value mean (HU)", "Value SD (HU)", "Voxels", "Liver"]
    assert rows[3] == ["2.5", "800", "", "1"]


def test_the_curve_of_a_loop_moves_its_mark_with_the_slices(qtbot: QtBot) -> None:
    case = make_case()
    frames = tuple(Frame("/a", n) for n in range(SHAPE_KJI[0]))
    case.entry = replace(case.entry, verdict=Verdict.STACK, frames=frames, frame_rate_hz=20.0)
    workspace, _ = make_workspace(case)
    dialog = TimeCurveDialog(workspace)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.title.text() == f"Pixel {BRIGHT_KJI[2]}, {BRIGHT_KJI[1]}"
    curve = dialog.curve
    assert curve is not None
    np.testing.assert_array_equal(curve.mean, [1000 if k == BRIGHT_KJI[0] else -1000 for k in range(SHAPE_KJI[0])])
    case.view.set_slice(0, 4)
    assert dialog.plot.now.value() == pytest.approx(0.2)
    assert dialog.note.text() == "0.20 s: Value \u22121000 HU"
    dialog.refresh()
    # Another frame is another time of the same curve.
    assert dialog.curve is curve


def test_a_large_region_is_gathered_by_a_job(
    qtbot: QtBot, shown: tuple[Workspace, OpenCase, TimeCurveDialog], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, case, dialog = shown
    monkeypatch.setattr("medview.gui.dialogs.time_curve.AT_ONCE_VOXELS", 3)
    case.view.crosshair_kji = (0, 0, 0)
    dialog.refresh()
    assert [job.title for job in workspace.runner.jobs] == ["Making the time curve"]  # type: ignore[attr-defined]
    assert dialog.curve is not None
    np.testing.assert_array_equal(dialog.curve.mean, -1000)


def test_colours_follow_the_theme(qtbot: QtBot, shown: tuple[Workspace, OpenCase, TimeCurveDialog]) -> None:
    _, _, dialog = shown
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    sheet, palette, font = app.styleSheet(), app.palette(), app.font()
    try:
        for tokens in (LIGHT, DARK):
            apply_theme(app, tokens.name)
            seen = pixels(dialog.plot)
            assert "#" + bytes(seen[3, 3]).hex() == tokens.panel
            accent = np.asarray(list(bytes.fromhex(tokens.accent[1:])))
            assert (np.abs(seen.astype(int) - accent).max(axis=2) < 12).sum() > 40
    finally:
        app.setStyleSheet(sheet)
        app.setPalette(palette)
        app.setFont(font)


def test_the_window_opens_one_curve_and_says_why_there_is_none(window: MainWindow, qtbot: QtBot) -> None:
    workspace = window.workspace
    workspace.add_case(make_case())
    window.actions_table.refresh()
    assert not window.actions_table["time.curve"].isEnabled()
    workspace.close_case(workspace.active.key if workspace.active else "")
    workspace.add_case(case_in_time())
    window.actions_table.refresh()
    assert window.side.planes._what.isVisibleTo(window.side.planes)
    for _ in range(2):
        window.actions_table.run("time.curve")
    qtbot.waitUntil(lambda: len(window.findChildren(QWidget, "time curve")) == 1)
    window.findChild(QWidget, "time curve").close()


def test_the_window_stands_without_the_plotting_library() -> None:
    code = "import sys, medview.gui.app, medview.gui.main_window; print('pyqtgraph' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
