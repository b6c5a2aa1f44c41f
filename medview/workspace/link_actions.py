"""What panes do together, comparing with an earlier study, and how series are hung."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

from medview.core.language import _
from medview.workspace import hanging
from medview.workspace.action import Action, Run, has_case
from medview.workspace.layout import GROUPS
from medview.workspace.workspace import Workspace

_SAID = {
    "scroll": _("Series of one frame of reference scroll together"),
    "offset": _("Series scroll together from where they stand now"),
    "zoom": _("Panes zoom together"),
    "pan": _("Panes move together"),
    "window": _("Series of one modality share their window"),
}


def _link(name: str) -> Run:
    def run(workspace: Workspace) -> None:
        links = workspace.bench.links
        on = not getattr(links, name)
        workspace.bench.links = replace(links, **{name: on})
        workspace.say(f"{_SAID[name]}: {_('on') if on else _('off')}.")

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
        workspace.say(
            _("This pane is linked with those of {groups}.").format(groups=GROUPS[group])
            if group
            else _("This pane goes on its own.")
        )


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
        workspace.say(
            _("From now on {modality} series are hung like this.").format(modality=case.series.modality or _("such"))
        )


def _forget(workspace: Workspace) -> None:
    hanging.forget(workspace)
    workspace.say(_("Series are hung as they were when MedView was installed."))


def _has_rules(workspace: Workspace) -> bool:
    return bool(workspace.settings.hanging)


LINK_ACTIONS: tuple[Action, ...] = (
    Action("compare.prior", _("Compare with the earlier study"), _compare, "mdi6.compare", has_case),
    Action("link.scroll", _("Link: same place of one frame of reference"), _link("scroll"), "mdi6.link-variant", has_case),
    Action("link.offset", _("Link: scroll together from here"), _link("offset"), "mdi6.link-variant-plus", has_case),
    Action("link.zoom", _("Link: zoom"), _link("zoom"), "", has_case),
    Action("link.pan", _("Link: move"), _link("pan"), "", has_case),
    Action("link.window", _("Link: window"), _link("window"), "", has_case),
    Action("link.pane", _("Link or free this pane"), _link_pane, "", _several),
    Action("view.reference_lines", _("Show or hide reference lines"), _toggle_lines, "", has_case),
    Action("hanging.keep", _("Always hang series of this kind like this"), _keep, "mdi6.pin-outline", has_case),
    Action("hanging.forget", _("Hang series as delivered again"), _forget, "", _has_rules),
)
