"""Every tool is one line, and all else follows from it."""

from __future__ import annotations

import pytest

from medview.workspace.actions import ACTIONS, action
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase
from medview.workspace.tool_actions import set_mode, set_tool
from medview.workspace.toolbox import TOOLBOX, ToolGroup, entry_of, of_group
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace
from tests.workspace.gestures import drag, pointer


def test_every_tool_has_one_line_and_one_action() -> None:
    assert {entry.tool for entry in TOOLBOX} == set(Tool)
    assert len(TOOLBOX) == len(Tool)
    ids = [one.action_id for one in ACTIONS]
    assert all(ids.count(entry.action_id) == 1 for entry in TOOLBOX)
    assert sum(len(of_group(group)) for group in ToolGroup) == len(TOOLBOX)


@pytest.mark.parametrize("tool", list(Tool))
def test_a_tool_that_draws_brings_the_annotate_mode_and_the_mode_brings_it_back(
    workspace: Workspace, case: OpenCase, tool: Tool
) -> None:
    draws = entry_of(tool).draws
    action(f"tool.{tool.value}").run(workspace)
    assert workspace.bench.tool is tool
    assert (workspace.bench.mode is Mode.ANNOTATE) == draws
    set_mode(workspace, Mode.READ)
    assert workspace.bench.tool is Tool.WINDOW
    set_mode(workspace, Mode.ANNOTATE)
    assert workspace.bench.tool is (tool if draws else Tool.BRUSH)


def test_a_passing_tool_is_not_gone_back_to(workspace: Workspace, case: OpenCase, hands: Hands) -> None:
    set_tool(workspace, Tool.BRUSH)
    set_tool(workspace, Tool.THRESHOLD_BRUSH)
    set_mode(workspace, Mode.READ)
    action("tool.value_range").run(workspace)
    assert workspace.bench.mode is Mode.READ
    drag(hands, pointer(case, 5, 5), pointer(case, 5, 9))
    assert (workspace.bench.tool, workspace.bench.mode) == (Tool.THRESHOLD_BRUSH, Mode.ANNOTATE)
    action("tool.toggle").run(workspace)
    assert workspace.bench.tool is Tool.BRUSH


def test_space_after_a_round_through_a_mode_goes_to_the_tool_before(workspace: Workspace, case: OpenCase) -> None:
    set_tool(workspace, Tool.ERASER)
    set_tool(workspace, Tool.BRUSH)
    set_tool(workspace, Tool.BRUSH)
    action("tool.toggle").run(workspace)
    assert workspace.bench.tool is Tool.ERASER
