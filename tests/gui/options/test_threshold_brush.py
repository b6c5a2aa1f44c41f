"""The range of the threshold brush: typed, dragged on the histogram, taken from the picture, and shown everywhere alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from medview.core.suv import SuvKind, SuvScale
from medview.gui.main_window import MainWindow
from medview.gui.options.threshold_brush import ThresholdBrushOptions
from medview.workspace.brush_range import brush_range, set_brush_range
from medview.workspace.open_case import OpenCase
from medview.workspace.time_points import TimePoint
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace
from tests.gui.cases import SHAPE_KJI, make_case


@pytest.fixture
def case(workspace: Workspace) -> OpenCase:
    voxels = np.random.default_rng(1).integers(-1000, 1500, SHAPE_KJI, dtype=np.int16)
    made = make_case(voxels=voxels)
    workspace.add_case(made)
    return made


@pytest.fixture
def options(window: MainWindow, workspace: Workspace, case: OpenCase) -> ThresholdBrushOptions:
    set_tool(workspace, Tool.THRESHOLD_BRUSH)
    found = window.side.tools.options
    assert isinstance(found, ThresholdBrushOptions)
    return found


def test_what_is_typed_is_the_range_and_a_range_from_elsewhere_is_shown(
    options: ThresholdBrushOptions, workspace: Workspace, case: OpenCase
) -> None:
    bench = workspace.bench
    assert (options.fields.low.value(), options.fields.high.value()) == (-200, 200)
    options.fields.low.setValue(-30)
    assert brush_range(bench, case) == (-30, 200)
    set_brush_range(bench, case, (100, 140))
    assert (options.fields.low.value(), options.fields.high.value()) == (100, 140)
    # Ends in the wrong order are put right.
    options.fields.low.setValue(300)
    assert brush_range(bench, case) == (140, 300)


def test_the_band_on_the_histogram_is_the_range_and_dragging_it_changes_both(
    qtbot: QtBot, options: ThresholdBrushOptions, workspace: Workspace, case: OpenCase
) -> None:
    qtbot.waitUntil(lambda: options.histogram.plot is not None and options.histogram.plot.isVisible(), timeout=20_000)
    plot = options.histogram.plot
    assert plot is not None
    set_brush_range(workspace.bench, case, (100, 140))
    assert plot.region.getRegion() == (100, 140)
    plot.region.setRegion((-50, 70))
    assert brush_range(workspace.bench, case) == pytest.approx((-50, 70))
    assert (options.fields.low.value(), options.fields.high.value()) == (-50, 70)
    assert case.view.window.center == 0


def test_uptake_is_typed_as_uptake(options: ThresholdBrushOptions, workspace: Workspace, case: OpenCase) -> None:
    pet = replace(case.volume, modality="PT", unit="Bq/mL", suv=SuvScale(((SuvKind.BODY_WEIGHT, 1e-3),)))
    case.times, case.volume = [TimePoint(pet, case.load)], pet
    set_brush_range(workspace.bench, case, (2500.0, 10000.0))
    assert (options.fields.low.text(), options.fields.high.text()) == ("2.50", "10.00")
    options.fields.low.setValue(3.0)
    assert brush_range(workspace.bench, case) == pytest.approx((3000.0, 10000.0))


def test_the_button_puts_the_circle_into_the_hand(
    qtbot: QtBot, options: ThresholdBrushOptions, window: MainWindow, workspace: Workspace
) -> None:
    button = next(b for b in options.findChildren(QPushButton) if b.text() == "From a region")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert workspace.bench.tool is Tool.VALUE_RANGE
    assert window.side.tools.options is options
