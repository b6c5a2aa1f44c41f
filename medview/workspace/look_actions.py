"""Looking: slices, windows, zoom and turn, slabs, what is shown. They act on the pane under the pointer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from medview.core.language import _
from medview.core.plane import Plane
from medview.core.slab import SlabMode
from medview.core.window import Window
from medview.workspace import colour_maps, measuring, wheel
from medview.workspace.action import Action, Run, Test, has_case
from medview.workspace.label_actions import chosen_measurement
from medview.workspace.presets import auto_window, choices, needs_auto_window, opening_window
from medview.workspace.view_state import Turn
from medview.workspace.workspace import Workspace


def _has_graphics(workspace: Workspace) -> bool:
    return workspace.looked_at is not None and bool(workspace.looked_at.graphics)


def _step(steps: int) -> Run:
    def run(workspace: Workspace) -> None:
        if workspace.looked_at:
            wheel.step_slice(workspace.looked_at, workspace.plane_in(workspace.bench.pointed), steps)

    return run


def _preset(number: int) -> Run:
    def run(workspace: Workspace) -> None:
        case = workspace.looked_at
        if case is not None and number <= len(windows := choices(case.volume)):
            case.view.window = windows[number - 1]

    return run


def _preset_exists(number: int) -> Test:
    return lambda workspace: workspace.looked_at is not None and number <= len(choices(workspace.looked_at.volume))


def _fit(workspace: Workspace) -> None:
    if workspace.looked_at:
        for plane in Plane:
            wheel.fit(workspace.looked_at, plane)


def _turn(change: Callable[[Turn], Turn]) -> Run:
    def run(workspace: Workspace) -> None:
        case, plane = workspace.looked_at, workspace.plane_in(workspace.bench.pointed)
        if case is not None:
            case.view.set_turn(plane, change(case.view.turns.get(plane, Turn())))

    return run


_rotate = _turn(Turn.rotated)
_mirror = _turn(Turn.flipped)


def _reset(workspace: Workspace) -> None:
    case = workspace.looked_at
    if case is None:
        return
    case.view.turns, case.view.axes = {}, None
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
    if workspace.looked_at is not None:
        workspace.looked_at.view.inverted = not workspace.looked_at.view.inverted


def _next_colours(workspace: Workspace) -> None:
    case = workspace.looked_at
    if case is not None:
        maps = colour_maps.names()
        case.view.colour_map = maps[(maps.index(case.view.colour_map) + 1) % len(maps)]


def _auto_window(workspace: Workspace) -> None:
    case = workspace.looked_at
    if case is not None and not case.volume.colour:
        case.view.window = auto_window(case.volume, case.view.crosshair_kji[0])


def _has_region(workspace: Workspace) -> bool:
    chosen = chosen_measurement(workspace)
    return chosen is not None and chosen.kind.region


def _window_from_region(workspace: Workspace) -> None:
    case, chosen = workspace.active, chosen_measurement(workspace)
    if case is None or chosen is None:
        return
    low, high = (measuring.measured(case, chosen).quantity(name) for name in ("min", "max"))
    if low is None or high is None:
        workspace.say(_("The region holds no value to take a window from."))
        return
    case.view.window = Window.from_range(low.value, high.value, _("Region"))


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


SLICE_ACTIONS: tuple[Action, ...] = (
    Action("slice.next", _("Next slice"), _step(1), "", has_case),
    Action("slice.previous", _("Previous slice"), _step(-1), "", has_case),
    Action("slice.last", _("Last slice"), _step(1_000_000), "", has_case),
    Action("slice.first", _("First slice"), _step(-1_000_000), "", has_case),
    *(Action(f"preset.{n}", _("Window preset {n}").format(n=n), _preset(n), "", _preset_exists(n)) for n in range(1, 10)),
)

LOOK_ACTIONS: tuple[Action, ...] = (
    Action("view.fit", _("Fit the picture"), _fit, "mdi6.fit-to-screen-outline", has_case),
    Action("view.rotate", _("Turn the picture clockwise"), _rotate, "mdi6.rotate-right", has_case),
    Action("view.mirror", _("Mirror the picture"), _mirror, "mdi6.flip-horizontal", has_case),
    Action("view.reset", _("As it was opened: window, zoom, turn"), _reset, "mdi6.restore", has_case),
    Action("view.overlay", _("Show or hide labels"), _toggle_overlay, "mdi6.layers-outline", has_case),
    Action(
        "view.graphics", _("Show or hide graphics of the file"), _toggle_graphics, "mdi6.vector-polyline", _has_graphics
    ),
    Action("window.invert", _("Invert black and white"), _invert, "mdi6.invert-colors", has_case),
    Action("window.region", _("Window from the region measured last"), _window_from_region, "", _has_region),
    Action("window.auto", _("Window from the slice"), _auto_window, "", has_case),
    Action("window.colours", _("Next colour map"), _next_colours, "mdi6.palette-outline", has_case),
    Action("slab.next", _("Slab: off, MIP, MinIP, mean"), _next_slab, "mdi6.layers-triple-outline", has_case),
    Action("slab.thicker", _("Thicker slab"), _thickness(1.25), "", has_case),
    Action("slab.thinner", _("Thinner slab"), _thickness(0.8), "", has_case),
    Action("cine.play", _("Play or stop"), _toggle_cine, "mdi6.play-pause", has_case),
    Action("view.panels", _("Show or hide panels"), _toggle_panels, "mdi6.dock-left"),
    Action("view.identity", _("Hide patient identity"), _toggle_identity, "mdi6.incognito"),
)
