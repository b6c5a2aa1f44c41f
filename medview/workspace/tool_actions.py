"""Modes and what the left button does."""

from __future__ import annotations

from medview.core.language import _
from medview.workspace.action import Action, Run, has_case
from medview.workspace.toolbox import TOOLBOX, entry_of
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace


def set_mode(workspace: Workspace, mode: Mode) -> None:
    """Change what the person is doing; each mode brings its own tool."""
    workspace.bench.mode = mode
    workspace.bench.tool = workspace.bench.last_drawing_tool if mode is Mode.ANNOTATE else Tool.WINDOW


def set_tool(workspace: Workspace, tool: Tool) -> None:
    """Put a tool into the left button; a drawing tool brings the annotate mode with it."""
    bench = workspace.bench
    if entry_of(tool).draws:
        bench.last_drawing_tool = tool
        bench.mode = Mode.ANNOTATE
    if bench.tool is not tool and not entry_of(tool).passing and not entry_of(bench.tool).passing:
        bench.tool_before = bench.tool
    bench.tool = tool


def _tool(tool: Tool) -> Run:
    return lambda workspace: set_tool(workspace, tool)


def _mode(mode: Mode) -> Run:
    return lambda workspace: set_mode(workspace, mode)


def _toggle_tool(workspace: Workspace) -> None:
    set_tool(workspace, workspace.bench.tool_before)


def _radius(factor: float) -> Run:
    return lambda workspace: workspace.bench.set_radius(workspace.bench.brush_radius_mm * factor)


def _toggle_sphere(workspace: Workspace) -> None:
    workspace.bench.brush_sphere = not workspace.bench.brush_sphere


TOOL_ACTIONS: tuple[Action, ...] = (
    Action("mode.read", _("Read"), _mode(Mode.READ), "mdi6.eye-outline"),
    Action("mode.annotate", _("Annotate"), _mode(Mode.ANNOTATE), "mdi6.draw", has_case),
    *(Action(entry.action_id, entry.title, _tool(entry.tool), entry.icon, has_case) for entry in TOOLBOX),
    Action("tool.toggle", _("Back to the tool before"), _toggle_tool, "", has_case),
    Action("brush.smaller", _("Smaller brush"), _radius(1 / 1.15), "", has_case),
    Action("brush.larger", _("Larger brush"), _radius(1.15), "", has_case),
    Action("brush.sphere", _("Sphere or disc brush"), _toggle_sphere, "mdi6.sphere", has_case),
)
