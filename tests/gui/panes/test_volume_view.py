from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medview.core.study import Reason, Verdict
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.panes.scene_follower import PREPARING
from medview.gui.panes.volume_view import VolumeView
from medview.scene.camera import Orbit, Shot
from medview.scene.messages import Picture
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.segments import set_visible_3d
from medview.workspace.owners import owner_strip
from medview.workspace.time_points import TimePoint
from medview.workspace.workspace import Workspace
from tests.gui.cases import SERIES, add_segment, at, label_voxel, make_case, make_workspace, pixels
from tests.gui.windows import bare_workspace
from tests.helpers.timing import allowed_s
from tests.scene.drawing import BALL_MM, ball_centre, ball_volume, turned_affine
from tests.scene.test_process import hide_drivers

PATIENCE_MS = 60_000


def ball_case() -> OpenCase:
    geometry = turned_affine((2.5, 0.9, 0.7), 0.2)
    return make_case(geometry, ball_volume(geometry).voxels)


def view_of(qtbot: QtBot, workspace: Workspace) -> VolumeView:
    view = VolumeView(workspace)
    qtbot.addWidget(view)
    view.resize(360, 300)
    with qtbot.waitExposed(view):
        view.show()
    return view


def wait_fine(qtbot: QtBot, view: VolumeView) -> Picture:
    """The picture of how things are now."""
    serial = view.follower.serial

    def there() -> bool:
        shown = view.canvas.shown
        return shown is not None and shown.look.serial >= serial and not shown.look.quick

    qtbot.waitUntil(there, timeout=PATIENCE_MS)
    assert view.canvas.shown is not None
    return view.canvas.shown


def scene_processes() -> list[str]:
    return [p.name for p in multiprocessing.active_children() if p.name == "medview-scene"]


@pytest.fixture
def case() -> OpenCase:
    return ball_case()


@pytest.fixture
def workspace(case: OpenCase) -> Workspace:
    return make_workspace(case)[0]


@pytest.fixture
def view(qtbot: QtBot, workspace: Workspace) -> Iterator[VolumeView]:
    made = view_of(qtbot, workspace)
    yield made
    made.shut()


def drag(view: VolumeView, button: Qt.MouseButton, way: QPoint) -> None:
    canvas = view.canvas
    start = QPoint(canvas.width() // 2, canvas.height() // 2)
    QTest.mousePress(canvas, button, Qt.KeyboardModifier.NoModifier, start)
    for n in (1, 2, 3):
        # QTest's own moves carry no button.
        canvas.mouseMoveEvent(moved(canvas.mapToGlobal(start), start + way * n / 3, button))
    QTest.mouseRelease(canvas, button, Qt.KeyboardModifier.NoModifier, start + way)


def moved(origin: QPoint, to: QPoint, button: Qt.MouseButton) -> QMouseEvent:
    at = QPointF(to)
    return QMouseEvent(
        QEvent.Type.MouseMove, at, QPointF(origin) + at, Qt.MouseButton.NoButton, button, Qt.KeyboardModifier.NoModifier
    )


def test_nothing_runs_before_the_view_is_seen(qtbot: QtBot, workspace: Workspace) -> None:
    view = VolumeView(workspace)
    qtbot.addWidget(view)
    assert not view.follower.link.running
    assert not scene_processes()


def test_the_view_shows_the_active_case_where_its_ball_is(qtbot: QtBot, view: VolumeView, case: OpenCase) -> None:
    picture = wait_fine(qtbot, view)
    assert picture.look.size_px == (view.canvas.width(), view.canvas.height())
    stage = view.follower.stage
    assert stage is not None
    x, y, _ = Shot(picture.look.orbit, stage, picture.look.size_px).pixel(ball_centre(case.volume.geometry))
    shown = pixels(view.canvas)
    assert shown[round(y), round(x)].min() > 60
    assert shown[round(y), round(x) - 80].max() < 20


def test_a_click_on_the_ball_moves_the_crosshair_to_its_surface(qtbot: QtBot, view: VolumeView, case: OpenCase) -> None:
    picture = wait_fine(qtbot, view)
    stage = view.follower.stage
    assert stage is not None
    centre = ball_centre(case.volume.geometry)
    x, y, _ = Shot(picture.look.orbit, stage, picture.look.size_px).pixel(centre)
    with qtbot.waitSignal(view.follower.link.picked, timeout=PATIENCE_MS):
        QTest.mouseClick(view.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(round(x), round(y)))
    nearest = case.volume.geometry.index_kji(centre - (0.0, BALL_MM, 0.0))
    assert np.abs(np.asarray(case.view.crosshair_kji) - nearest).max() <= 2.0


def test_a_click_beside_everything_leaves_the_crosshair(qtbot: QtBot, view: VolumeView, case: OpenCase) -> None:
    wait_fine(qtbot, view)
    before = case.view.crosshair_kji
    with qtbot.waitSignal(view.follower.link.picked, timeout=PATIENCE_MS):
        QTest.mouseClick(view.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(4, 4))
    assert case.view.crosshair_kji == before


def test_drags_turn_pan_and_shift_and_end_with_a_fine_picture(qtbot: QtBot, view: VolumeView, workspace: Workspace) -> None:
    wait_fine(qtbot, view)
    drag(view, Qt.MouseButton.LeftButton, QPoint(-60, 30))
    assert workspace.scene.orbit.azimuth_deg == pytest.approx(30.0)
    assert workspace.scene.orbit.elevation_deg == pytest.approx(15.0)
    drag(view, Qt.MouseButton.MiddleButton, QPoint(-30, 0))
    assert workspace.scene.orbit.pan_mm[0] > 1.0
    drag(view, Qt.MouseButton.RightButton, QPoint(0, -60))
    assert workspace.scene.opacity_shift > 0.01
    picture = wait_fine(qtbot, view)
    assert picture.look.orbit == workspace.scene.orbit
    assert picture.look.size_px == (view.canvas.width(), view.canvas.height())


def test_the_wheel_zooms(qtbot: QtBot, view: VolumeView, workspace: Workspace) -> None:
    wait_fine(qtbot, view)
    at = QPointF(50, 50)
    event = QWheelEvent(
        at,
        at,
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.canvas, event)
    assert workspace.scene.orbit.zoom == pytest.approx(1.15**2)
    assert wait_fine(qtbot, view).look.orbit == workspace.scene.orbit


def test_the_menu_looks_from_the_sides_of_the_patient(qtbot: QtBot, view: VolumeView, workspace: Workspace) -> None:
    workspace.scene.orbit = Orbit(33.0, 10.0, 2.0, (5.0, 5.0))
    sides = {action.text(): action for action in view.side_button.menu().actions()}
    sides["Left"].trigger()
    assert workspace.scene.orbit == Orbit(90.0)
    sides["Above"].trigger()
    assert wait_fine(qtbot, view).look.orbit == Orbit(0.0, 90.0)


def test_a_double_click_asks_for_the_whole_window(qtbot: QtBot, view: VolumeView) -> None:
    with qtbot.waitSignal(view.maximise_wanted):
        QTest.mouseDClick(view.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(40, 40))


def test_the_preset_follows_the_list_and_the_list_follows_the_modality(
    qtbot: QtBot, view: VolumeView, workspace: Workspace
) -> None:
    before = wait_fine(qtbot, view).rgb
    titles = [view.preset_box.itemText(n) for n in range(view.preset_box.count())]
    assert titles[:4] == ["Bone", "Skin", "Vessels", "Lung"]
    view.preset_box.setCurrentIndex(5)
    view.preset_box.activated.emit(5)
    assert workspace.scene.preset == "nothing"
    assert wait_fine(qtbot, view).rgb != before
    case = make_case(series=replace(make_case().series, series_uid="1.2.9"))
    object.__setattr__(case.volume, "modality", "MR")
    workspace.add_case(case)
    assert view.preset_box.itemText(0) == "Surface"


def test_a_drawn_segment_appears_as_a_surface_and_goes_with_the_button(
    qtbot: QtBot, view: VolumeView, workspace: Workspace, case: OpenCase
) -> None:
    workspace.scene.choose("nothing")
    assert not any(wait_fine(qtbot, view).rgb)
    segment = add_segment(case, colour=(0, 0, 255))
    for k in range(10, 24):
        for j in (30, 31, 32, 33):
            label_voxel(case, segment, (k, j, 40))
    assert view.follower.labels_wait
    qtbot.waitUntil(lambda: not view.follower.labels_wait, timeout=PATIENCE_MS)
    blue = np.frombuffer(wait_fine(qtbot, view).rgb, np.uint8).reshape(-1, 3)
    assert blue[:, 2].max() > 100
    assert blue[:, 0].max() < 90
    view.surfaces_button.click()
    assert not workspace.scene.surfaces
    assert not any(wait_fine(qtbot, view).rgb)


def test_surfaces_follow_what_is_shown_in_3d_and_what_is_shown_alone(
    qtbot: QtBot, view: VolumeView, workspace: Workspace, case: OpenCase
) -> None:
    workspace.scene.choose("nothing")
    assert not any(wait_fine(qtbot, view).rgb)
    segment = add_segment(case, colour=(0, 0, 255), visible=False)
    for k in range(10, 24):
        for j in (30, 31, 32, 33):
            label_voxel(case, segment, (k, j, 40))

    def seen() -> bool:
        qtbot.waitUntil(lambda: not view.follower.labels_wait, timeout=PATIENCE_MS)
        return any(wait_fine(qtbot, view).rgb)

    assert seen(), "what is hidden on slices is hidden there only"
    set_visible_3d(case, [segment.segment_id], visible=False)
    assert not seen()
    case.view.solo_segment_ids = (segment.segment_id,)
    assert seen()
    case.view.solo_segment_ids = ("another",)
    assert not seen()


def test_another_case_is_shown_when_it_becomes_active_and_never_the_last_one_under_its_name(
    qtbot: QtBot, view: VolumeView, workspace: Workspace
) -> None:
    first = wait_fine(qtbot, view)
    other = make_case(series=replace(make_case().series, series_uid="1.2.9"))
    workspace.add_case(other)
    assert view.canvas.shown is None
    assert wait_fine(qtbot, view).look.serial > first.look.serial


def test_a_stack_says_why_there_is_no_volume_and_starts_no_process(qtbot: QtBot, case: OpenCase) -> None:
    reason = Reason("x", "The slices have no positions.")
    case.entry = replace(case.entry, verdict=Verdict.STACK, reasons=(reason,))
    view = view_of(qtbot, make_workspace(case)[0])
    assert view.follower.words == "No volume: The slices have no positions."
    assert not view.follower.link.running
    assert pixels(view.canvas).max() > 100


def test_a_series_that_is_still_read_waits_and_then_appears(qtbot: QtBot, case: OpenCase) -> None:
    case.reading = True
    view = view_of(qtbot, make_workspace(case)[0])
    assert view.follower.words == "Preparing the 3-D view: slices are still being read."
    assert not view.follower.link.running
    case.reading = False
    case.load_changed.emit()
    wait_fine(qtbot, view)
    view.shut()


def test_a_killed_process_is_said_once_and_the_view_stays_quiet(
    qtbot: QtBot, view: VolumeView, workspace: Workspace
) -> None:
    wait_fine(qtbot, view)
    pid = view.follower.link.pid
    assert pid is not None
    with qtbot.waitSignal(view.follower.link.failed, timeout=PATIENCE_MS):
        os.kill(pid, signal.SIGKILL)
    said = "The 3-D view has stopped: the process that draws it has ended. Everything else works."
    assert view.follower.words == said
    assert view.canvas.shown is None
    workspace.scene.orbit = Orbit(10.0)
    workspace.active_changed.emit()
    assert view.follower.words == said
    assert not view.follower.link.running


def test_without_a_graphics_driver_the_view_says_so(
    qtbot: QtBot, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_drivers(monkeypatch)
    view = VolumeView(workspace)
    qtbot.addWidget(view)
    with qtbot.waitSignal(view.follower.link.failed, timeout=PATIENCE_MS):
        view.show()
    assert view.follower.words.startswith("3-D needs OpenGL: no graphics driver")
    assert view.follower.words.endswith("Everything else works.")
    qtbot.waitUntil(lambda: not scene_processes(), timeout=PATIENCE_MS)


def test_closing_the_view_leaves_no_process(qtbot: QtBot, workspace: Workspace) -> None:
    view = view_of(qtbot, workspace)
    wait_fine(qtbot, view)
    pid = view.follower.link.pid
    view.close()
    qtbot.waitUntil(lambda: not scene_processes() and not Path(f"/proc/{pid}").exists(), timeout=PATIENCE_MS)


def test_destroying_the_view_leaves_no_process(qtbot: QtBot, workspace: Workspace) -> None:
    view = VolumeView(workspace)
    with qtbot.waitExposed(view):
        view.show()
    wait_fine(qtbot, view)
    view.deleteLater()
    qtbot.waitUntil(lambda: not shiboken6.isValid(view))
    qtbot.waitUntil(lambda: not scene_processes(), timeout=PATIENCE_MS)


def test_a_view_that_was_shut_begins_anew_when_it_is_shown_again(qtbot: QtBot, view: VolumeView) -> None:
    wait_fine(qtbot, view)
    view.hide()
    view.shut()
    assert not view.follower.link.running
    view.show()
    wait_fine(qtbot, view)


@pytest.mark.slow
def test_the_window_is_never_held_up_by_a_large_volume(qtbot: QtBot, tmp_path: Path, threads: JobThreads) -> None:
    workspace = bare_workspace(tmp_path, threads)
    rng = np.random.default_rng(5)
    noise = rng.integers(-1000, 400, (192, 192, 192), dtype=np.int16)
    geometry = replace(turned_affine((1.0, 1.0, 1.0)), shape_kji=noise.shape)
    workspace.add_case(make_case(geometry, noise))
    view = view_of(qtbot, workspace)
    beats: list[float] = []
    heart = QTimer(interval=2)
    heart.timeout.connect(lambda: beats.append(time.perf_counter()))
    heart.start()
    wait_fine(qtbot, view)
    for n in range(20):
        workspace.scene.orbit = Orbit(n * 9.0, n * 2.0)
        qtbot.wait(20)
    workspace.scene.choose("lung")
    wait_fine(qtbot, view)
    heart.stop()
    pauses_ms = np.diff(beats) * 1000.0
    assert len(beats) > 100
    # One in two hundred may be the doing of other programs.
    assert np.percentile(pauses_ms, 99.5) < allowed_s(0.05) * 1000
    view.shut()


def test_with_two_patients_open_the_view_says_whose_it_shows(qtbot: QtBot) -> None:
    doe = make_case(series=replace(SERIES, series_uid="1.1", patient_id="17", patient_name="Doe^John"))
    roe = make_case(series=replace(SERIES, series_uid="2.1", patient_id="18", patient_name="Roe^Jane"))
    workspace, _ = make_workspace(doe)
    view = view_of(qtbot, workspace)
    assert not view.owner.isVisible()
    workspace.add_case(roe)
    assert view.owner.isVisible()
    assert view.owner.owner == owner_strip(workspace, roe)
    assert at(pixels(view.owner), 350, 11) == view.owner.owner.colour
    workspace.bench.identity_hidden = True
    assert view.owner.owner.text == "Patient 2"
    workspace.show(doe.key)
    assert view.owner.owner.text == "Patient 1"


def test_the_view_follows_to_another_time_point(qtbot: QtBot, view: VolumeView, case: OpenCase) -> None:
    picture = wait_fine(qtbot, view)
    stage = view.follower.stage
    assert stage is not None
    x, y, _ = Shot(picture.look.orbit, stage, picture.look.size_px).pixel(ball_centre(case.volume.geometry))
    assert pixels(view.canvas)[round(y), round(x)].min() > 60
    empty = replace(case.volume, voxels=np.full_like(case.volume.voxels, -1000))
    case.times.append(TimePoint(empty, case.load))
    case.view.time_index = 1
    assert view.follower.time_waits
    qtbot.waitUntil(lambda: view.follower.words == PREPARING, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: view.follower.words == "", timeout=PATIENCE_MS)
    wait_fine(qtbot, view)
    assert pixels(view.canvas)[round(y), round(x)].max() < 20
