"""The histogram and the window: one moves the other, never itself."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medview.core.job import JobContext
from medview.core.suv import SuvKind, SuvScale
from medview.core.voi_table import VoiTable
from medview.core.window import Window
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.panels.histogram import HistogramPanel
from medview.gui.parts.case_histogram import HEIGHT_PX
from medview.gui.parts.histogram_plot import HistogramPlot
from medview.gui.parts.theme import apply_theme
from medview.gui.parts.theme_tokens import DARK, LIGHT
from medview.workspace.load_state import LoadState
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.histogram import CountValues
from medview.workspace.time_points import TimePoint
from medview.workspace.workspace import Workspace
from tests.gui.cases import SERIES, SHAPE_KJI, make_case
from tests.gui.windows import bare_workspace


@pytest.fixture
def case() -> OpenCase:
    voxels = np.random.default_rng(3).normal(0, 200, SHAPE_KJI).astype(np.int16)
    return make_case(voxels=voxels)


@pytest.fixture
def workspace(tmp_path: Path, case: OpenCase) -> Workspace:
    made = bare_workspace(tmp_path)
    made.add_case(case)
    return made


def panel_of(qtbot: QtBot, workspace: Workspace) -> HistogramPanel:
    panel = HistogramPanel(workspace)
    panel.resize(290, HEIGHT_PX)
    qtbot.addWidget(panel)
    with qtbot.waitExposed(panel):
        panel.show()
    case = workspace.active
    if case is not None and case.histogram is not None and not case.volume.colour:
        qtbot.waitUntil(lambda: panel.plot is not None)
    return panel


def plot_of(panel: HistogramPanel) -> HistogramPlot:
    assert panel.plot is not None
    return panel.plot


def test_the_region_is_the_window_and_follows_it(qtbot: QtBot, workspace: Workspace, case: OpenCase) -> None:
    plot = plot_of(panel_of(qtbot, workspace))
    assert plot.region.getRegion() == pytest.approx((-200, 200))
    case.view.window = Window(40, 80)
    assert plot.region.getRegion() == pytest.approx((0, 80))


def test_dragging_the_region_moves_the_window_once_and_not_in_circles(
    qtbot: QtBot, workspace: Workspace, case: OpenCase
) -> None:
    plot = plot_of(panel_of(qtbot, workspace))
    told: list[Window] = []
    case.view.events.window.connect(told.append)
    plot.region.setRegion((-100.0, 300.0))
    assert [(w.center, w.width) for w in told] == [(100.0, 400.0)]
    assert plot.region.getRegion() == (-100.0, 300.0)


def test_a_hand_on_the_lower_edge_drags_it(qtbot: QtBot, workspace: Workspace, case: OpenCase) -> None:
    plot = plot_of(panel_of(qtbot, workspace))
    QApplication.processEvents()
    view = plot.getPlotItem().vb
    at = plot.mapFromScene(view.mapViewToScene(QPointF(-200.0, 1.0)))
    to = plot.mapFromScene(view.mapViewToScene(QPointF(-100.0, 1.0)))
    port, no = plot.viewport(), Qt.KeyboardModifier.NoModifier
    QTest.mouseMove(port, at)
    QTest.mousePress(port, Qt.MouseButton.LeftButton, no, at)
    steps = count()

    def arrived() -> bool:
        # pyqtgraph looks at a hundred moves a second at most; the hand trembles by a pixel until one was seen.
        QTest.mouseMove(port, to + QPoint(next(steps) % 2, 0))
        return case.view.window.center > 40

    qtbot.waitUntil(arrived)
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, no, to)
    window = case.view.window
    assert window.center + window.width / 2 == pytest.approx(200, abs=1)
    assert window.center - window.width / 2 == pytest.approx(-100, abs=25)


def test_pet_is_shown_in_uptake_and_the_window_stays_in_becquerels(
    qtbot: QtBot, workspace: Workspace, case: OpenCase
) -> None:
    case.volume = replace(case.volume, modality="PT", unit="Bq/mL", suv=SuvScale(((SuvKind.BODY_WEIGHT, 0.01),)))
    panel = panel_of(qtbot, workspace)
    plot = plot_of(panel)
    assert plot.region.getRegion() == pytest.approx((-2, 2))
    assert "SUVbw" in plot.toolTip()
    plot.region.setRegion((0.0, 3.0))
    assert (case.view.window.center, case.view.window.width) == pytest.approx((150, 300))


def test_a_table_of_the_file_greys_the_region_until_a_window_takes_over(
    qtbot: QtBot, workspace: Workspace, case: OpenCase
) -> None:
    plot = plot_of(panel_of(qtbot, workspace))
    table = VoiTable(-50.0, np.arange(101, dtype="<u2").tobytes(), 8)
    case.view.window = table
    assert not plot.region.movable
    assert plot.region.getRegion() == pytest.approx((-50.5, 50.5))
    plot.region.setRegion(plot.region.getRegion())
    assert case.view.window is table
    case.view.window = Window(0, 100)
    assert plot.region.movable


def test_colour_has_no_histogram(qtbot: QtBot, workspace: Workspace) -> None:
    panel = panel_of(qtbot, workspace)
    workspace.add_case(make_case(voxels=np.zeros((*SHAPE_KJI, 3), np.uint8), series=replace(SERIES, series_uid="c")))
    assert not panel.isVisible()
    workspace.show("1.2.3.4")
    assert panel.isVisible()


def test_counting_waits_for_the_last_slice_and_leaves_damaged_ones_out(
    qtbot: QtBot, tmp_path: Path, case: OpenCase
) -> None:
    workspace = bare_workspace(tmp_path)
    case = replace(case, load=LoadState(SHAPE_KJI[0]))
    workspace.add_case(case)
    panel = panel_of(qtbot, workspace)
    assert case.histogram is None
    for k in range(SHAPE_KJI[0]):
        case.mark_loaded(k, ok=k != 2, reason="It ends early.")
    case.load_changed.emit()
    assert case.histogram is not None
    assert case.histogram[1].total == (SHAPE_KJI[0] - 1) * SHAPE_KJI[1] * SHAPE_KJI[2]
    qtbot.waitUntil(lambda: panel.plot is not None)
    assert panel.plot is not None
    assert panel.plot.isVisible()


def test_it_is_counted_once_and_again_for_other_voxels(qtbot: QtBot, workspace: Workspace, case: OpenCase) -> None:
    panel = panel_of(qtbot, workspace)
    first = case.histogram
    case.load_changed.emit()
    panel.hide()
    panel.show()
    assert case.histogram is first
    case.volume = replace(case.volume, voxels=np.array(case.volume.voxels) + 5)
    case.load_changed.emit()
    assert case.histogram is not None
    assert first is not None
    assert case.histogram[1].edges[0] == first[1].edges[0] + 5


def test_it_is_that_of_the_time_that_is_shown_and_says_so(qtbot: QtBot, workspace: Workspace, case: OpenCase) -> None:
    case.entry = replace(case.entry, time_points=3)
    for n in (1, 2):
        load = LoadState(SHAPE_KJI[0])
        load.mark_all_ready()
        case.times.append(TimePoint(replace(case.volume, voxels=np.array(case.anchor.volume.voxels) + 1000 * n), load))
    plot = plot_of(panel_of(qtbot, workspace))
    assert case.histogram is not None
    first = case.histogram[1].edges[0]
    assert "at time 1;" in plot.toolTip()
    for n in (1, 2):
        case.view.time_index = n
        assert plot.isVisible()
    qtbot.waitUntil(lambda: "at time 3;" in plot.toolTip())
    assert case.histogram[1].edges[0] == first + 2000
    assert case.histogram[0] is case.times[2].volume


def test_a_time_left_behind_while_it_is_counted_is_followed_by_the_one_that_is_shown(
    qtbot: QtBot, tmp_path: Path, case: OpenCase, threads: JobThreads
) -> None:
    workspace = bare_workspace(tmp_path, threads)
    workspace.add_case(case)
    load = LoadState(SHAPE_KJI[0])
    load.mark_all_ready()
    case.entry = replace(case.entry, time_points=2)
    case.times.append(TimePoint(replace(case.volume, voxels=np.array(case.volume.voxels) + 1000), load))
    panel = panel_of(qtbot, workspace)
    case.view.time_index = 1
    qtbot.waitUntil(lambda: panel.plot is not None and "at time 2;" in panel.plot.toolTip(), timeout=10_000)


def test_values_are_counted_in_a_worker(
    qtbot: QtBot, tmp_path: Path, case: OpenCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted_by: list[int] = []
    count_values = CountValues.run

    def watched(self: CountValues, context: JobContext) -> object:
        counted_by.append(threading.get_ident())
        return count_values(self, context)

    monkeypatch.setattr(CountValues, "run", watched)
    threads = JobThreads()
    try:
        workspace = bare_workspace(tmp_path, threads)
        workspace.add_case(case)
        panel = panel_of(qtbot, workspace)
        qtbot.waitUntil(lambda: panel.plot is not None, timeout=10_000)
        assert len(counted_by) == 1
        assert threading.get_ident() not in counted_by
        assert plot_of(panel).region.getRegion() == pytest.approx((-200, 200))
    finally:
        threads.close()


def test_the_plot_takes_the_colours_of_the_theme(qtbot: QtBot, workspace: Workspace) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    sheet, palette = app.styleSheet(), app.palette()
    plot = plot_of(panel_of(qtbot, workspace))
    try:
        for tokens in (LIGHT, DARK):
            apply_theme(app, tokens.name)
            QApplication.processEvents()
            assert plot.backgroundBrush().color().name() == tokens.raised
            assert plot.region.lines[0].pen.color().name() == tokens.accent
    finally:
        app.setStyleSheet(sheet)
        app.setPalette(palette)


def test_the_window_stands_before_curves_are_loaded(tmp_path: Path) -> None:
    code = "import sys, medview.gui.app; print([m for m in ('pyqtgraph', 'pydicom') if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert told.strip() == "[]"


def test_loading_curves_leaves_the_hook_for_what_nobody_expected_alone() -> None:
    code = (
        "import sys; mine = lambda *a: None; sys.excepthook = mine\n"
        "from PySide6.QtWidgets import QApplication; a = QApplication([])\n"
        "import medview.gui.parts.histogram_plot; print(sys.excepthook is mine)"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert told.strip() == "True"
