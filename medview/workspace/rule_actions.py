"""The rules of the bench, for keys and search."""

from __future__ import annotations

from dataclasses import replace

from medview.core.language import _
from medview.edit.rules import Area, EditRules, Overlap
from medview.workspace.action import Action, Run, has_case
from medview.workspace.brush_range import brush_range
from medview.workspace.rule_words import rules_in_force
from medview.workspace.workspace import Workspace


def _has_segment(workspace: Workspace) -> bool:
    return workspace.active is not None and workspace.active.active_segment is not None


def _has_rules(workspace: Workspace) -> bool:
    return workspace.bench.rules != EditRules()


def _is_grey(workspace: Workspace) -> bool:
    return workspace.active is not None and not workspace.active.anchor.volume.colour


def _say(workspace: Workspace) -> None:
    case = workspace.active
    found = rules_in_force(workspace.bench.rules, case.anchor.volume) if case is not None else []
    workspace.say(_("Rules: {rules}.").format(rules=", ".join(found)) if found else _("No rules: tools change everything."))


def _area(area: Area) -> Run:
    def run(workspace: Workspace) -> None:
        case = workspace.active
        segment = case.active_segment if case is not None else None
        if segment is not None:
            workspace.bench.rules = replace(workspace.bench.rules, area=area, area_segment=segment.name)
            _say(workspace)

    return run


def _everywhere(workspace: Workspace) -> None:
    workspace.bench.rules = EditRules()
    _say(workspace)


def toggle_values(workspace: Workspace) -> None:
    """Let only values in a range be changed, at first those of the threshold brush; or all again."""
    bench, case = workspace.bench, workspace.active
    if case is not None:
        wanted = brush_range(bench, case) if bench.rules.value_range is None else None
        bench.rules = replace(bench.rules, value_range=wanted)


def _values(workspace: Workspace) -> None:
    toggle_values(workspace)
    _say(workspace)


def _next_overlap(workspace: Workspace) -> None:
    kinds = list(Overlap)
    now = kinds.index(workspace.bench.rules.overlap)
    workspace.bench.rules = replace(workspace.bench.rules, overlap=kinds[(now + 1) % len(kinds)])
    _say(workspace)


RULE_ACTIONS: tuple[Action, ...] = (
    Action("rules.inside", _("Draw only inside the active segment"), _area(Area.INSIDE), "mdi6.selection", _has_segment),
    Action("rules.outside", _("Draw only outside the active segment"), _area(Area.OUTSIDE), "", _has_segment),
    Action("rules.values", _("Draw only on a range of values"), _values, "mdi6.chart-histogram", _is_grey),
    Action(
        "rules.overlap", _("Other segments: give way, stay, or overlap"), _next_overlap, "mdi6.layers-outline", has_case
    ),
    Action("rules.none", _("Draw without rules"), _everywhere, "mdi6.filter-off-outline", _has_rules),
)
"""In the order menus and search show them."""
