"""Actions on the heat map over a series."""

from __future__ import annotations

from medview.core.language import _
from medview.workspace.action import Action
from medview.workspace.workspace import Workspace


def _has_heat(workspace: Workspace) -> bool:
    case = workspace.looked_at
    return case is not None and case.view.heat is not None


def _toggle(workspace: Workspace) -> None:
    case = workspace.looked_at
    if case is not None:
        case.view.heat_visible = not case.view.heat_visible


def _remove(workspace: Workspace) -> None:
    case = workspace.looked_at
    if case is not None:
        case.view.heat = None


HEAT_ACTIONS: tuple[Action, ...] = (
    Action("heat.toggle", _("Show or hide the heat map"), _toggle, "mdi6.fire", _has_heat),
    Action("heat.remove", _("Remove the heat map"), _remove, "mdi6.close", _has_heat),
)
"""In the order menus and search show them."""
