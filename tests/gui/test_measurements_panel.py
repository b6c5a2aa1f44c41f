"""The list of what was measured, beside the pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medview.core.changes import AnnotationChange, Command
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.vector import triple
from medview.gui.main_window import MainWindow
from medview.gui.panels.measurements import MeasurementsPanel
from medview.gui.parts.elided_label import ElidedLabel
from medview.workspace.load_state import LoadState
from medview.workspace.open_case import OpenCase
from medview.workspace.time_axis import take_time
from medview.workspace.time_points import TimePoint
from medview.workspace.workspace import Workspace
from tests.gui.cases import SHAPE_KJI, make_case
from tests.gui.windows import bare_workspace


@pytest.fixture
def case() -> OpenCase:
    """One of two time points is read."""
    made = make_case()
    made.entry = replace(made.entry, time_points=2)
    return made


@pytest.fixture
def workspace(tmp_path: Path, case: OpenCase, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("MEDVIEW_CONFIG", str(tmp_path / "config"))
    made = bare_workspace(tmp_path)
    made.add_case(case)
    return made


@pytest.fixture
def panel(window: MainWindow) -> MeasurementsPanel:
    return window.side.measurements


def probe(case: OpenCase, time_index: int) -> Measurement:
    """A value of voxel (2, 4, 5) at a time, as it is kept where files name no images."""
    at = triple(case.volume.geometry.point_lps_mm((2, 4, 5)))
    number = time_index * SHAPE_KJI[0] + 2
    return Measurement(f"m{time_index}", MeasurementKind.PROBE, (at,), frame_number=number)


def words(panel: MeasurementsPanel) -> str:
    """What the rows of now say; those of a moment ago may still wait to be deleted."""
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return "\n".join(label.toolTip() for label in panel.findChildren(ElidedLabel))


def test_a_value_at_a_time_that_is_still_to_come_is_told_once_it_was_read(
    qtbot: QtBot, panel: MeasurementsPanel, case: OpenCase
) -> None:
    case.do(Command("Value", (AnnotationChange(None, probe(case, 1)),)))
    qtbot.waitUntil(lambda: "time point 2 is not read" in words(panel))
    later = np.full(SHAPE_KJI, 77, dtype=np.int16)
    load = LoadState(SHAPE_KJI[0])
    load.mark_all_ready()
    take_time(case, TimePoint(replace(case.volume, voxels=later), load))
    qtbot.waitUntil(lambda: "77 HU" in words(panel))
    assert "is not read" not in words(panel)


def test_a_slice_that_turns_out_damaged_takes_its_values_from_the_list(
    qtbot: QtBot, panel: MeasurementsPanel, case: OpenCase
) -> None:
    case.do(Command("Value", (AnnotationChange(None, probe(case, 0)),)))
    qtbot.waitUntil(lambda: "000 HU" in words(panel))
    case.mark_loaded(2, ok=False, reason="it ends early.")
    case.load_changed.emit()
    qtbot.waitUntil(lambda: "no values: it lies on a slice that could not be read" in words(panel))
    assert "HU" not in words(panel)
