"""The rules: set in the panel, seen on the picture, kept from case to case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QComboBox, QToolButton
from pytestqt.qtbot import QtBot

from medview.core.axes import Axes
from medview.core.plane import Plane
from medview.edit.rules import Area, EditRules, Overlap
from medview.gui.main_window import MainWindow
from medview.gui.options.rules import RulesOptions
from medview.workspace.actions import action
from medview.workspace.brush_range import set_brush_range
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.tool_actions import set_mode, set_tool
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace
from tests.gui.cases import PANE_PX, SERIES, SHAPE_KJI, at, make_case, make_pane, make_workspace, pixels


@pytest.fixture
def case(workspace: Workspace) -> OpenCase:
    made = make_case()
    labels.add_segment(made, "Liver")
    labels.add_segment(made, "Spleen")
    workspace.add_case(made)
    return made


@pytest.fixture
def rules(window: MainWindow, workspace: Workspace, case: OpenCase) -> RulesOptions:
    set_mode(workspace, Mode.ANNOTATE)
    found = window.side.tools.rules
    found.title.click()
    QApplication.processEvents()
    return found


def choose(box: QComboBox, text: str) -> None:
    assert box.isVisible()
    number = box.findText(text)
    assert number >= 0
    box.setCurrentIndex(number)
    box.activated.emit(number)


def test_what_is_chosen_is_the_rule_of_every_tool(rules: RulesOptions, workspace: Workspace) -> None:
    assert not rules.of_segment.isVisible()
    assert not rules.values.isVisible()
    choose(rules.area, "inside")
    assert workspace.bench.rules == EditRules(Area.INSIDE)
    choose(rules.of_segment, "Spleen")
    choose(rules.overlap, "stay as they are")
    assert workspace.bench.rules == EditRules(Area.INSIDE, "Spleen", None, Overlap.KEEP)
    rules.values_on.click()
    assert workspace.bench.rules.value_range == (-200.0, 200.0)
    rules.values.low.setValue(30)
    assert workspace.bench.rules == EditRules(Area.INSIDE, "Spleen", (30.0, 200.0), Overlap.KEEP)
    choose(rules.area, "everywhere")
    assert workspace.bench.rules == EditRules(value_range=(30.0, 200.0), overlap=Overlap.KEEP)
    none = rules.findChild(QToolButton, "button rules.none")
    assert isinstance(none, QToolButton)
    QApplication.processEvents()
    none.click()
    assert workspace.bench.rules == EditRules()
    assert rules.title.text() == "Rules: none"


def test_rules_set_elsewhere_are_shown_and_named_segments_follow_the_case(
    rules: RulesOptions, workspace: Workspace, case: OpenCase
) -> None:
    workspace.bench.rules = EditRules(Area.OUTSIDE, "Liver", (10.0, 20.0), Overlap.ALLOW)
    shown = (rules.area.currentText(), rules.of_segment.currentText(), rules.overlap.currentText())
    assert shown == ("outside", "Liver", "may overlap")
    assert rules.title.text() == "Rules: only outside Liver \u00b7 10.00 to 20.00 HU \u00b7 others may overlap"
    labels.add_segment(case, "Kidney")
    assert rules.of_segment.findText("Kidney") > 0
    other = make_case(series=replace(SERIES, series_uid="9.9"))
    workspace.add_case(other)
    # The rule still speaks of the liver, which this case does not have yet.
    assert rules.of_segment.currentText() == "Liver"
    assert rules.of_segment.findText("Spleen") < 0


def test_folded_they_are_one_line_that_says_what_is_on(rules: RulesOptions, workspace: Workspace) -> None:
    workspace.bench.rules = EditRules(overlap=Overlap.KEEP)
    tall = rules.sizeHint().height()
    rules.title.click()
    assert not rules.area.isVisible()
    assert rules.sizeHint().height() < tall / 2
    assert rules.title.text() == "Rules: others stay"
    assert rules.title.property("role") == "flat-warning"


def test_actions_set_rules_by_the_active_segment_and_take_them_back(workspace: Workspace, case: OpenCase) -> None:
    action("rules.inside").run(workspace)
    assert workspace.bench.rules == EditRules(Area.INSIDE, "Spleen")
    action("rules.outside").run(workspace)
    action("rules.overlap").run(workspace)
    assert workspace.bench.rules == EditRules(Area.OUTSIDE, "Spleen", None, Overlap.KEEP)
    action("rules.values").run(workspace)
    assert workspace.bench.rules.value_range == (-200.0, 200.0)
    assert action("rules.none").enabled(workspace)
    action("rules.none").run(workspace)
    assert workspace.bench.rules == EditRules()
    assert not action("rules.none").enabled(workspace)


def test_a_rule_that_is_on_stands_on_the_picture_while_labels_are_drawn(qtbot: QtBot, case: OpenCase) -> None:
    own, hands = make_workspace(case)
    pane = make_pane(qtbot, own, hands, Plane.AXIAL)
    own.bench.rules = EditRules(Area.INSIDE, "Liver", (-30.0, 240.0), Overlap.KEEP)
    told = "Only inside Liver \u00b7 \u221230 to 240 HU \u00b7 others stay"
    assert told not in pane.shown_text()
    own.bench.mode = Mode.ANNOTATE
    assert told in pane.shown_text()
    own.bench.rules = EditRules()
    assert told not in pane.shown_text()


@pytest.mark.parametrize("plane", list(Plane))
@pytest.mark.parametrize("turned", [False, True])
def test_the_tint_lies_where_the_threshold_brush_would_paint_and_only_while_it_is_in_hand(
    qtbot: QtBot, plane: Plane, turned: bool
) -> None:
    k, j, i = np.indices(SHAPE_KJI)
    voxels = np.where(3 * k + j + i < 35, 100, -400).astype(np.int16)
    case = make_case(voxels=voxels)
    case.view.crosshair_kji = (3, 19, 11)
    if turned:
        case.view.axes = Axes().turned((0.4, -1.0, 0.3), 0.4)
    workspace, hands = make_workspace(case)
    workspace.bench.crosshair_visible = False
    case.view.window = replace(case.view.window, center=0.0, width=4000.0)
    pane = make_pane(qtbot, workspace, hands, plane)
    before = pixels(pane).astype(int)
    set_brush_range(workspace.bench, case, (50.0, 150.0))
    set_tool(workspace, Tool.THRESHOLD_BRUSH)
    tinted = np.abs(pixels(pane).astype(int) - before).max(axis=2) > 10
    layout = case.slice_plane(plane)
    viewport = pane._picture.viewport
    assert viewport is not None
    index = case.position_on(layout)
    checked = {True: 0, False: 0}
    for y in range(20, PANE_PX - 20, 7):
        for x in range(20, PANE_PX - 20, 7):
            place = layout.index_kji(case.volume.geometry, index, *viewport.row_column(x, y))
            near = np.clip(np.rint(place + np.array([[0, 0, 0], [0.4, 0.4, 0.4], [-0.4, -0.4, -0.4]])).astype(int), 0, None)
            inside = (near < np.asarray(SHAPE_KJI)).all() and case.volume.geometry.contains(place)
            found = {bool(voxels[tuple(n)] == 100) for n in near} if inside else {False}
            # Between the two sides the picture is neither.
            if len(found) == 1 and not near_text(x, y):
                wanted = found.pop()
                checked[wanted] += 1
                assert tinted[y, x] == wanted, (x, y, place)
    assert min(checked.values()) > 40
    set_tool(workspace, Tool.BRUSH)
    assert at(pixels(pane), 240, 240) == tuple(before[240, 240])


def near_text(x: int, y: int) -> bool:
    """Whether words, letters or the scale may lie there."""
    return min(x, y, PANE_PX - x, PANE_PX - y) < 110


@pytest.mark.parametrize("tool", [Tool.BRUSH, Tool.THRESHOLD_BRUSH])
def test_with_every_rule_on_nothing_is_wider_than_the_column(
    themed: None, rules: RulesOptions, window: MainWindow, workspace: Workspace, tool: Tool
) -> None:
    set_tool(workspace, tool)
    workspace.bench.rules = EditRules(Area.INSIDE, "A segment with a name that is long", (-1000.0, 3000.0), Overlap.KEEP)
    for _ in range(5):
        QApplication.processEvents()
    assert rules.of_segment.isVisible()
    assert window.side.widget().minimumSizeHint().width() <= window.side.viewport().width()
