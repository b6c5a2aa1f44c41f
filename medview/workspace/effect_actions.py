"""Effects by key, menu and search."""

from __future__ import annotations

from medview.core.language import _
from medview.edit.effects.table import EFFECTS
from medview.workspace.action import Action, Run, can_change
from medview.workspace.tool_actions import set_mode
from medview.workspace.view_state import Mode
from medview.workspace.workspace import Workspace


def _open(effect_id: str) -> Run:
    def run(workspace: Workspace) -> None:
        if workspace.bench.mode is not Mode.ANNOTATE:
            set_mode(workspace, Mode.ANNOTATE)
        workspace.effects.open(effect_id)

    return run


def _is_open(workspace: Workspace) -> bool:
    return bool(workspace.bench.effect.effect_id) and can_change(workspace)


def _preview(workspace: Workspace) -> None:
    workspace.effects.preview()


def _apply(workspace: Workspace) -> None:
    workspace.effects.apply()


def _close(workspace: Workspace) -> None:
    workspace.effects.close()


def _closes(workspace: Workspace) -> bool:
    return bool(workspace.bench.effect.effect_id)


EFFECT_ACTIONS: tuple[Action, ...] = (
    *(Action(f"effect.{one.effect_id}", one.title, _open(one.effect_id), one.icon, can_change) for one in EFFECTS),
    Action("effect.preview", _("Preview the effect"), _preview, "mdi6.eye-outline", _is_open),
    Action("effect.apply", _("Apply the effect"), _apply, "mdi6.check", _is_open),
    Action("effect.close", _("Drop the effect"), _close, "mdi6.close", _closes),
)
"""In the order menus and search show them."""
