"""The settings of the tools that take over what models propose."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from medview.gui.main_window import MainWindow
from medview.gui.options.accept import AcceptOptions
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case
from tests.gui.test_panels import nodules, organs


@pytest.fixture
def case(workspace: Workspace) -> OpenCase:
    made = make_case()
    workspace.add_case(made)
    return made


@pytest.fixture
def options(window: MainWindow, workspace: Workspace, case: OpenCase) -> AcceptOptions:
    set_tool(workspace, Tool.ACCEPT_BRUSH)
    found = window.side.tools.options
    assert isinstance(found, AcceptOptions)
    return found


def _offered(options: AcceptOptions) -> list[str]:
    return [options.wanted.itemText(row) for row in range(options.wanted.count())]


def test_the_classes_of_what_is_proposed_can_be_chosen_and_those_that_are_gone_cannot(
    options: AcceptOptions, workspace: Workspace, case: OpenCase
) -> None:
    assert _offered(options) == ["Every proposed segment"]
    labels.propose(case, organs(case))
    assert _offered(options) == ["Every proposed segment", "Liver", "Spleen"]
    options.wanted.setCurrentIndex(2)
    options.wanted.activated.emit(2)
    assert workspace.bench.review.wanted == ("p1", 2)
    labels.propose(case, nodules(case))
    assert options.wanted.currentText() == "Spleen, Two organs"
    labels.accept(case, "p1", {2})
    assert options.wanted.currentText() == "Every proposed segment"


def test_strictness_is_a_matter_of_the_brush(
    qtbot: QtBot, options: AcceptOptions, workspace: Workspace, case: OpenCase
) -> None:
    assert options.exactly.isVisible()
    options.exactly.click()
    assert workspace.bench.review.exactly
    set_tool(workspace, Tool.ACCEPT_PIECE)
    assert options.isVisible()
    assert not options.exactly.isVisible()
    assert not options.brush.isVisible()
