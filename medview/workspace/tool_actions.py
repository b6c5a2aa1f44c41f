"""Modes and what the left button does."""

from __future__ import annotations

from medview.core.language import _
from medview.workspace.action import Action, Run, has_case
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace


def set_mode(workspace: Workspace, mode: Mode) -> None:
    """Change what the person is doing; each mode brings its own tool."""
    workspace.bench.mode = mode
    workspace.bench.tool = workspace.bench.last_drawing_tool if mode is Mode.ANNOTATE else Tool.WINDOW


def set_tool(workspace: Workspace, tool: Tool) -> None:
    """Put a tool into the left button; a drawing tool brings the annotate mode with it."""
    if tool in (Tool.BRUSH, Tool.ERASER):
        workspace.bench.last_drawing_tool = tool
        workspace.bench.mode = Mode.ANNOTATE
    workspace.bench.tool = tool


def _tool(tool: Tool) -> Run:
    return lambda workspace: set_tool(workspace, tool)


def _mode(mode: Mode) -> Run:
    return lambda workspace: set_mode(workspace, mode)


def _toggle_tool(workspace: Workspace) -> None:
    set_tool(workspace, Tool.ERASER if workspace.bench.tool is Tool.BRUSH else Tool.BRUSH)


def _radius(factor: float) -> Run:
    return lambda workspace: workspace.bench.set_radius(workspace.bench.brush_radius_mm * factor)


def _toggle_sphere(workspace: Workspace) -> None:
    workspace.bench.brush_sphere = not workspace.bench.brush_sphere


TOOL_ACTIONS: tuple[Action, ...] = (
    Action("mode.read", _("Read"), _mode(Mode.READ), "mdi6.eye-outline"),
    Action("mode.annotate", _("Annotate"), _mode(Mode.ANNOTATE), "mdi6.draw", has_case),
    Action("tool.window", _("Window"), _tool(Tool.WINDOW), "mdi6.contrast-circle", has_case),
    Action("tool.crosshair", _("Crosshair"), _tool(Tool.CROSSHAIR), "mdi6.crosshairs", has_case),
    Action("tool.brush", _("Brush"), _tool(Tool.BRUSH), "mdi6.brush", has_case),
    Action("tool.eraser", _("Eraser"), _tool(Tool.ERASER), "mdi6.eraser", has_case),
    Action("tool.length", _("Length"), _tool(Tool.LENGTH), "mdi6.ruler", has_case),
    Action("tool.bidirectional", _("Long and short axis"), _tool(Tool.BIDIRECTIONAL), "mdi6.arrow-expand-all", has_case),
    Action("tool.angle", _("Angle"), _tool(Tool.ANGLE), "mdi6.angle-acute", has_case),
    Action("tool.cobb", _("Cobb angle"), _tool(Tool.COBB), "mdi6.math-compass", has_case),
    Action("tool.probe", _("Value at a point"), _tool(Tool.PROBE), "mdi6.eyedropper", has_case),
    Action("tool.ellipse", _("Ellipse with mean and area"), _tool(Tool.ELLIPSE), "mdi6.ellipse-outline", has_case),
    Action("tool.rectangle", _("Rectangle with mean and area"), _tool(Tool.RECTANGLE), "mdi6.rectangle-outline", has_case),
    Action("tool.freehand", _("Outline with mean and area"), _tool(Tool.FREEHAND), "mdi6.lasso", has_case),
    Action("tool.toggle", _("Swap brush and eraser"), _toggle_tool, "", has_case),
    Action("brush.smaller", _("Smaller brush"), _radius(1 / 1.15), "", has_case),
    Action("brush.larger", _("Larger brush"), _radius(1.15), "", has_case),
    Action("brush.sphere", _("Sphere or disc brush"), _toggle_sphere, "mdi6.sphere", has_case),
)
