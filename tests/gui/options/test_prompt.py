"""The prompt tool in the window: clicks on a pane, marks on the pictures, the list of prompts and what can be taken out."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from medview.core.plane import Plane
from medview.core.prompt import Prompt, PromptKind
from medview.core.vector import triple
from medview.gui.layers.measurements import Style
from medview.gui.main_window import MainWindow
from medview.gui.options.prompt import MINUS, PLUS, PromptOptions
from medview.gui.panes.slice_content import measurements_on_slice
from medview.gui.panes.slice_view import SliceView
from medview.workspace.open_case import OpenCase
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace
from tests.gui.cases import SHAPE_KJI, make_case
from tests.gui.windows import add_pack

Listed = TypeVar("Listed", bound=QWidget)

MIDDLE_KJI = tuple(n // 2 for n in SHAPE_KJI)


@pytest.fixture
def case(workspace: Workspace) -> OpenCase:
    index = np.stack(np.indices(SHAPE_KJI), axis=-1)
    away = np.abs(index - np.asarray(MIDDLE_KJI)) / np.asarray(SHAPE_KJI)
    voxels = np.where(away.max(axis=-1) < 0.22, 60, -900) + np.random.default_rng(1).integers(-9, 10, SHAPE_KJI)
    made = make_case(voxels=voxels.astype(np.int16))
    made.view.crosshair_kji = MIDDLE_KJI
    workspace.add_case(made)
    return made


@pytest.fixture
def options(window: MainWindow, workspace: Workspace, case: OpenCase) -> PromptOptions:
    set_tool(workspace, Tool.PROMPT)
    found = window.side.tools.options
    assert isinstance(found, PromptOptions)
    return found


def give(
    workspace: Workspace, case: OpenCase, key: str, *, positive: bool = True, at: tuple[int, ...] = MIDDLE_KJI
) -> None:
    point = triple(case.volume.geometry.point_lps_mm(at))
    normal = triple(case.volume.geometry.directions_kji[0])
    workspace.prompting.add(case, Prompt(key, PromptKind.POINT, positive, (point,), normal, 1.0))


def listed(options: PromptOptions, kind: type[Listed]) -> list[Listed]:
    found = [options.list.itemAt(n).widget() for n in range(options.list.count())]
    return [widget for widget in found if isinstance(widget, kind)]


def rows(options: PromptOptions) -> list[str]:
    return [text for label in listed(options, QLabel) if (text := label.text()) not in (PLUS, MINUS)]


def test_a_click_on_the_picture_finds_the_object_and_a_click_with_ctrl_takes_away(
    window: MainWindow, options: PromptOptions, workspace: Workspace, case: OpenCase
) -> None:
    pane = window.panes.findChild(SliceView, "axial_pane")
    assert isinstance(pane, SliceView)
    middle = pane.picture_rect.center()
    at = QPoint(round(middle.x()), round(middle.y()))
    QTest.mouseMove(pane, at)
    QTest.mouseClick(pane, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    segment = case.active_segment
    assert segment is not None
    first = case.labels.segmentation.count(segment)
    assert first > 20
    QTest.mouseClick(pane, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, at + QPoint(14, 0))
    log = case.labels.prompts[segment.segment_id]
    assert [prompt.positive for prompt in log.prompts] == [True, False]
    assert case.labels.segmentation.count(segment) < first


def test_the_list_shows_each_prompt_with_its_sign_and_takes_any_out(
    options: PromptOptions, workspace: Workspace, case: OpenCase
) -> None:
    give(workspace, case, "a")
    give(workspace, case, "b", positive=False, at=(MIDDLE_KJI[0], MIDDLE_KJI[1], MIDDLE_KJI[2] + 3))
    assert rows(options) == ["2. Point: does not", "1. Point: belongs to it"]
    signs = [text for label in listed(options, QLabel) if (text := label.text()) in (PLUS, MINUS)]
    assert signs == [MINUS, PLUS]
    next(button for button in listed(options, QToolButton) if button.toolTip().startswith("Take this prompt out")).click()
    assert rows(options) == ["1. Point: belongs to it"]
    case.undo()
    assert len(rows(options)) == 2


def test_looking_at_a_prompt_moves_the_crosshair_there(
    options: PromptOptions, workspace: Workspace, case: OpenCase
) -> None:
    give(workspace, case, "a")
    case.view.crosshair_kji = (0, 0, 0)
    look = next(b for b in options.findChildren(QToolButton) if b.toolTip() == "Look at this prompt")
    look.click()
    assert case.view.crosshair_kji == MIDDLE_KJI


@pytest.mark.parametrize("plane", list(Plane))
def test_prompts_are_marked_where_they_lie_faintly_beside_it_and_with_this_tool_only(
    options: PromptOptions, workspace: Workspace, case: OpenCase, plane: Plane
) -> None:
    give(workspace, case, "a")
    layout = case.slice_plane(plane)
    index = case.position_on(layout)

    def marks(at: float) -> list[tuple[tuple[str, ...], Style]]:
        found = measurements_on_slice(case, workspace.bench, layout, at)
        return [(figure.text, figure.style) for figure in found if figure.key.startswith("prompt:")]

    assert marks(index) == [((PLUS,), Style.SOLID)]
    assert marks(index + 1) == [((), Style.NEAR)]
    assert marks(index + 4) == []
    set_tool(workspace, Tool.BRUSH)
    assert marks(index) == []


def test_models_that_take_prompts_are_offered_and_others_are_not(
    qtbot: QtBot, options: PromptOptions, workspace: Workspace, tmp_path: Path
) -> None:
    assert options.engine.count() == 1
    add_pack(tmp_path, "interactive")
    add_pack(tmp_path, "segmentation")
    workspace.models_changed.emit()
    assert [options.engine.itemText(n) for n in range(options.engine.count())] == [
        "Growing, without a model",
        "One object by prompts (example)",
    ]


def test_what_a_drag_is_follows_the_choice(options: PromptOptions, workspace: Workspace) -> None:
    options.kind.setCurrentIndex(options.kind.findData("lasso"))
    assert workspace.bench.prompt_drag is PromptKind.LASSO
    workspace.bench.prompt_drag = PromptKind.BOX
    assert options.kind.currentData() == "box"


def test_the_next_object_gets_a_segment_of_its_own(options: PromptOptions, workspace: Workspace, case: OpenCase) -> None:
    give(workspace, case, "a")
    first = case.view.active_segment_id
    options.another.click()
    assert case.view.active_segment_id != first
    assert rows(options) == []
