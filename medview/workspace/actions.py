"""Every action a person can ask for by key, menu or search, as one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from medview.core.measurement import Measurement
from medview.core.plane import Plane
from medview.core.slab import SlabMode
from medview.core.window import Window
from medview.workspace import colour_maps, hands, measuring
from medview.workspace.operations import labels
from medview.workspace.presets import auto_window, choices, needs_auto_window, opening_window
from medview.workspace.view_state import Mode, Tool, Turn
from medview.workspace.workspace import Workspace

Test = Callable[[Workspace], bool]
Run = Callable[[Workspace], None]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do.

    Attributes
    ----------
    action_id : str
        Key of the scheme's table of shortcuts.
    title : str
        In the user's words, sentence case.
    icon : str
        qtawesome name, or empty.
    enabled : callable
        Whether it makes sense now.
    """

    action_id: str
    title: str
    run: Run
    icon: str = ""
    enabled: Test = lambda _workspace: True


def _has_case(workspace: Workspace) -> bool:
    return workspace.active is not None


def _can_undo(workspace: Workspace) -> bool:
    case = workspace.active
    return case is not None and case.editable and case.history.next_undo() is not None


def _can_redo(workspace: Workspace) -> bool:
    case = workspace.active
    return case is not None and case.editable and case.history.next_redo() is not None


def _can_change(workspace: Workspace) -> bool:
    return workspace.active is not None and workspace.active.editable


def _has_proposal(workspace: Workspace) -> bool:
    return _can_change(workspace) and workspace.active is not None and bool(workspace.active.labels.proposals)


def _has_segment(workspace: Workspace) -> bool:
    return workspace.active is not None and bool(workspace.active.labels.segmentation.segments)


def _has_graphics(workspace: Workspace) -> bool:
    return workspace.active is not None and bool(workspace.active.graphics)


def _undo(workspace: Workspace) -> None:
    if workspace.active and (command := workspace.active.undo()):
        workspace.say(f"Undone: {command.name}")


def _redo(workspace: Workspace) -> None:
    if workspace.active and (command := workspace.active.redo()):
        workspace.say(f"Done again: {command.name}")


def _step(steps: int) -> Run:
    def run(workspace: Workspace) -> None:
        if workspace.active:
            hands.step_slice(workspace.active, workspace.bench.pointed, steps)

    return run


def _preset(number: int) -> Run:
    def run(workspace: Workspace) -> None:
        case = workspace.active
        if case is not None and number <= len(windows := choices(case.volume)):
            case.view.window = windows[number - 1]

    return run


def _preset_exists(number: int) -> Test:
    return lambda workspace: workspace.active is not None and number <= len(choices(workspace.active.volume))


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


def _maximise(workspace: Workspace) -> None:
    bench = workspace.bench
    bench.maximised = None if bench.maximised is not None else bench.pointed


def _fit(workspace: Workspace) -> None:
    if workspace.active:
        for plane in Plane:
            hands.fit(workspace.active, plane)


def _turn(change: Callable[[Turn], Turn]) -> Run:
    def run(workspace: Workspace) -> None:
        case, plane = workspace.active, workspace.bench.pointed
        if case is not None:
            case.view.set_turn(plane, change(case.view.turns.get(plane, Turn())))

    return run


_rotate = _turn(Turn.rotated)
_mirror = _turn(Turn.flipped)


def _reset(workspace: Workspace) -> None:
    case = workspace.active
    if case is None:
        return
    case.view.turns = {}
    _fit(workspace)
    case.view.inverted, case.view.colour_map = False, colour_maps.GREY
    k = case.view.crosshair_kji[0]
    case.view.window = auto_window(case.volume, k) if needs_auto_window(case.volume) else opening_window(case.volume)
    workspace.bench.slab = replace(workspace.bench.slab, mode=SlabMode.OFF)


def _toggle_overlay(workspace: Workspace) -> None:
    workspace.bench.overlay_visible = not workspace.bench.overlay_visible


def _toggle_graphics(workspace: Workspace) -> None:
    workspace.bench.graphics_visible = not workspace.bench.graphics_visible


def _invert(workspace: Workspace) -> None:
    if workspace.active is not None:
        workspace.active.view.inverted = not workspace.active.view.inverted


def _next_colours(workspace: Workspace) -> None:
    case = workspace.active
    if case is not None:
        maps = colour_maps.names()
        case.view.colour_map = maps[(maps.index(case.view.colour_map) + 1) % len(maps)]


def _auto_window(workspace: Workspace) -> None:
    case = workspace.active
    if case is not None and not case.volume.colour:
        case.view.window = auto_window(case.volume, case.view.crosshair_kji[0])


def _has_region(workspace: Workspace) -> bool:
    chosen = _chosen_measurement(workspace)
    return chosen is not None and chosen.kind.region


def _window_from_region(workspace: Workspace) -> None:
    case, chosen = workspace.active, _chosen_measurement(workspace)
    if case is None or chosen is None:
        return
    low, high = (measuring.measured(case, chosen).quantity(name) for name in ("min", "max"))
    if low is None or high is None:
        workspace.say("The region holds no value to take a window from.")
        return
    case.view.window = Window.from_range(low.value, high.value, "Region")


def _next_slab(workspace: Workspace) -> None:
    modes = list(SlabMode)
    slab = workspace.bench.slab
    workspace.bench.slab = replace(slab, mode=modes[(modes.index(slab.mode) + 1) % len(modes)])


def _thickness(factor: float) -> Run:
    def run(workspace: Workspace) -> None:
        slab = workspace.bench.slab
        workspace.bench.slab = replace(slab, thickness_mm=min(300.0, max(0.5, slab.thickness_mm * factor)))

    return run


def _toggle_cine(workspace: Workspace) -> None:
    workspace.bench.cine_on = not workspace.bench.cine_on


def _toggle_panels(workspace: Workspace) -> None:
    workspace.bench.panels_visible = not workspace.bench.panels_visible


def _toggle_identity(workspace: Workspace) -> None:
    workspace.bench.identity_hidden = not workspace.bench.identity_hidden


def _accept(workspace: Workspace) -> None:
    case = workspace.active
    if case is not None and case.labels.proposals:
        proposal_id = next(reversed(case.labels.proposals))
        name = case.labels.proposals[proposal_id].prediction.model_name
        if labels.accept(case, proposal_id):
            workspace.say(f"Accepted what {name} proposed.", undo=True)


def _reject(workspace: Workspace) -> None:
    case = workspace.active
    if case is not None and case.labels.proposals:
        proposal_id = next(reversed(case.labels.proposals))
        name = case.labels.proposals[proposal_id].prediction.model_name
        if labels.reject(case, proposal_id):
            workspace.say(f"Rejected what {name} proposed.", undo=True)


def _add_segment(workspace: Workspace) -> None:
    if workspace.active is not None:
        labels.add_segment(workspace.active)


def _chosen_measurement(workspace: Workspace) -> Measurement | None:
    case = workspace.active
    found = case.labels.annotations.get(case.view.active_measurement_id) if case is not None else None
    return found if isinstance(found, Measurement) else None


def _has_measurement(workspace: Workspace) -> bool:
    return _can_change(workspace) and _chosen_measurement(workspace) is not None


def _delete_measurement(workspace: Workspace) -> None:
    case, chosen = workspace.active, _chosen_measurement(workspace)
    if case is not None and chosen is not None and measuring.delete(case, chosen):
        workspace.say(f"Deleted {measuring.title(chosen)}.", undo=True)


def _next_segment(step: int) -> Run:
    def run(workspace: Workspace) -> None:
        case = workspace.active
        if case is None or not case.labels.segmentation.segments:
            return
        ids = [s.segment_id for s in case.labels.segmentation.segments]
        at = ids.index(case.view.active_segment_id) if case.view.active_segment_id in ids else -1
        case.view.active_segment_id = ids[(at + step) % len(ids)]

    return run


ACTIONS: tuple[Action, ...] = (
    Action("undo", "Undo", _undo, "mdi6.undo", _can_undo),
    Action("redo", "Redo", _redo, "mdi6.redo", _can_redo),
    Action("mode.read", "Read", _mode(Mode.READ), "mdi6.eye-outline"),
    Action("mode.annotate", "Annotate", _mode(Mode.ANNOTATE), "mdi6.draw", _has_case),
    Action("tool.window", "Window", _tool(Tool.WINDOW), "mdi6.contrast-circle", _has_case),
    Action("tool.crosshair", "Crosshair", _tool(Tool.CROSSHAIR), "mdi6.crosshairs", _has_case),
    Action("tool.brush", "Brush", _tool(Tool.BRUSH), "mdi6.brush", _has_case),
    Action("tool.eraser", "Eraser", _tool(Tool.ERASER), "mdi6.eraser", _has_case),
    Action("tool.length", "Length", _tool(Tool.LENGTH), "mdi6.ruler", _has_case),
    Action("tool.bidirectional", "Long and short axis", _tool(Tool.BIDIRECTIONAL), "mdi6.arrow-expand-all", _has_case),
    Action("tool.angle", "Angle", _tool(Tool.ANGLE), "mdi6.angle-acute", _has_case),
    Action("tool.cobb", "Cobb angle", _tool(Tool.COBB), "mdi6.math-compass", _has_case),
    Action("tool.probe", "Value at a point", _tool(Tool.PROBE), "mdi6.eyedropper", _has_case),
    Action("tool.ellipse", "Ellipse with mean and area", _tool(Tool.ELLIPSE), "mdi6.ellipse-outline", _has_case),
    Action("tool.rectangle", "Rectangle with mean and area", _tool(Tool.RECTANGLE), "mdi6.rectangle-outline", _has_case),
    Action("tool.freehand", "Outline with mean and area", _tool(Tool.FREEHAND), "mdi6.lasso", _has_case),
    Action("measurement.delete", "Delete the measurement", _delete_measurement, "", _has_measurement),
    Action("tool.toggle", "Swap brush and eraser", _toggle_tool, "", _has_case),
    Action("brush.smaller", "Smaller brush", _radius(1 / 1.15), "", _has_case),
    Action("brush.larger", "Larger brush", _radius(1.15), "", _has_case),
    Action("brush.sphere", "Sphere or disc brush", _toggle_sphere, "mdi6.sphere", _has_case),
    Action("slice.next", "Next slice", _step(1), "", _has_case),
    Action("slice.previous", "Previous slice", _step(-1), "", _has_case),
    Action("slice.last", "Last slice", _step(1_000_000), "", _has_case),
    Action("slice.first", "First slice", _step(-1_000_000), "", _has_case),
    *(Action(f"preset.{n}", f"Window preset {n}", _preset(n), "", _preset_exists(n)) for n in range(1, 10)),
    Action("view.maximise", "Maximise the pane", _maximise, "mdi6.fullscreen", _has_case),
    Action("view.fit", "Fit the picture", _fit, "mdi6.fit-to-screen-outline", _has_case),
    Action("view.rotate", "Turn the picture clockwise", _rotate, "mdi6.rotate-right", _has_case),
    Action("view.mirror", "Mirror the picture", _mirror, "mdi6.flip-horizontal", _has_case),
    Action("view.reset", "As it was opened: window, zoom, turn", _reset, "mdi6.restore", _has_case),
    Action("view.overlay", "Show or hide labels", _toggle_overlay, "mdi6.layers-outline", _has_case),
    Action("view.graphics", "Show or hide graphics of the file", _toggle_graphics, "mdi6.vector-polyline", _has_graphics),
    Action("window.invert", "Invert black and white", _invert, "mdi6.invert-colors", _has_case),
    Action("window.region", "Window from the region measured last", _window_from_region, "", _has_region),
    Action("window.auto", "Window from the slice", _auto_window, "", _has_case),
    Action("window.colours", "Next colour map", _next_colours, "mdi6.palette-outline", _has_case),
    Action("slab.next", "Slab: off, MIP, MinIP, mean", _next_slab, "mdi6.layers-triple-outline", _has_case),
    Action("slab.thicker", "Thicker slab", _thickness(1.25), "", _has_case),
    Action("slab.thinner", "Thinner slab", _thickness(0.8), "", _has_case),
    Action("cine.play", "Play or stop", _toggle_cine, "mdi6.play-pause", _has_case),
    Action("view.panels", "Show or hide panels", _toggle_panels, "mdi6.dock-left"),
    Action("view.identity", "Hide patient identity", _toggle_identity, "mdi6.incognito"),
    Action("proposal.accept", "Accept the proposal", _accept, "mdi6.check-all", _has_proposal),
    Action("proposal.reject", "Reject the proposal", _reject, "mdi6.close", _has_proposal),
    Action("segment.add", "Add a segment", _add_segment, "mdi6.plus", _can_change),
    Action("segment.next", "Next segment", _next_segment(1), "", _has_segment),
    Action("segment.previous", "Previous segment", _next_segment(-1), "", _has_segment),
)
"""In the order menus and search show them."""


def action(action_id: str) -> Action:
    """Return an action of the table by id. Raises KeyError when there is none."""
    for candidate in ACTIONS:
        if candidate.action_id == action_id:
            return candidate
    raise KeyError(action_id)
