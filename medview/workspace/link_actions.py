"""What panes do together, comparing with an earlier study, and how series are hung."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

from medview.workspace import hanging
from medview.workspace.action import Action, Run, has_case
from medview.workspace.layout import GROUPS
from medview.workspace.workspace import Workspace

_SAID = {
    "scroll": "Series of one frame of reference scroll together",
    "offset": "Series scroll together from where they stand now",
    "zoom": "Panes zoom together",
    "pan": "Panes move together",
    "window": "Series of one modality share their window",
}


def _link(name: str) -> Run:
    def run(workspace: Workspace) -> None:
        links = workspace.bench.links
        on = not getattr(links, name)
        workspace.bench.links = replace(links, **{name: on})
        workspace.say(f"{_SAID[name]}: {'on' if on else 'off'}.")

    return run


def _link_pane(workspace: Workspace) -> None:
    layout = workspace.bench.layout
    cell = layout.cell(workspace.bench.pointed)
    if cell is not None:
        join(workspace, cell.pane_id, 0 if cell.group else 1)


def join(workspace: Workspace, pane_id: str, group: int) -> None:
    """Put a pane into a group of panes that are linked; 0 lets it go on its own."""
    layout = workspace.bench.layout
    cell = layout.cell(pane_id)
    if cell is not None:
        workspace.bench.layout = layout.with_cell(replace(cell, group=group))
        workspace.say(f"This pane is linked with those of {GROUPS[group]}." if group else "This pane goes on its own.")


def _several(workspace: Workspace) -> bool:
    return len(workspace.bench.layout.slices) > 1 and workspace.active is not None


def _toggle_lines(workspace: Workspace) -> None:
    workspace.bench.reference_lines = not workspace.bench.reference_lines


def _compare(workspace: Workspace) -> None:
    # Reading takes a while to import; the window is on screen before anybody compares.
    import_module("medview.workspace.operations.compare").compare_with_prior(workspace)


def _keep(workspace: Workspace) -> None:
    hanging.keep(workspace)
    case = workspace.active
    if case is not None:
        workspace.say(f"From now on {case.series.modality or 'such'} series are hung like this.")


def _forget(workspace: Workspace) -> None:
    hanging.forget(workspace)
    workspace.say("Series are hung as they were when MedView was installed.")


def _has_rules(workspace: Workspace) -> bool:
    return bool(workspace.settings.hanging)


LINK_ACTIONS: tuple[Action, ...] = (
    Action("compare.prior", "Compare with the earlier study", _compare, "mdi6.compare", has_case),
    Action("link.scroll", "Link: same place of one frame of reference", _link("scroll"), "mdi6.link-variant", has_case),
    Action("link.offset", "Link: scroll together from here", _link("offset"), "mdi6.link-variant-plus", has_case),
    Action("link.zoom", "Link: zoom", _link("zoom"), "", has_case),
    Action("link.pan", "Link: move", _link("pan"), "", has_case),
    Action("link.window", "Link: window", _link("window"), "", has_case),
    Action("link.pane", "Link or free this pane", _link_pane, "", _several),
    Action("view.reference_lines", "Show or hide reference lines", _toggle_lines, "", has_case),
    Action("hanging.keep", "Always hang series of this kind like this", _keep, "mdi6.pin-outline", has_case),
    Action("hanging.forget", "Hang series as delivered again", _forget, "", _has_rules),
)
