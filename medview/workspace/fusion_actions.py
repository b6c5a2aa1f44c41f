"""Actions on one series over another."""

from __future__ import annotations

from collections.abc import Callable

from medview.core.language import _
from medview.workspace.action import Action, has_case
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import fusion
from medview.workspace.workspace import Workspace


def _on_case(act: Callable[[Workspace, OpenCase], object]) -> Callable[[Workspace], None]:
    def run(workspace: Workspace) -> None:
        case = workspace.looked_at
        if case is not None:
            act(workspace, case)

    return run


def _stronger(steps: int) -> Callable[[Workspace], None]:
    return _on_case(lambda workspace, case: fusion.stronger(workspace, case, steps))


def _toggle_foreign(workspace: Workspace) -> None:
    workspace.bench.foreign_labels_visible = not workspace.bench.foreign_labels_visible


def _has_fusion(workspace: Workspace) -> bool:
    return fusion.fusion_of(workspace, workspace.looked_at) is not None


def _to_register(workspace: Workspace) -> bool:
    case = workspace.looked_at
    found = fusion.fusion_of(workspace, case)
    return case is not None and found is not None and not found.registering and found.registration is None


FUSION_ACTIONS: tuple[Action, ...] = (
    Action("fusion.toggle", _("Show or hide the fused series"), _on_case(fusion.toggle), "mdi6.circle-opacity", has_case),
    Action("fusion.more", _("Fused series stronger"), _stronger(1), "", _has_fusion),
    Action("fusion.less", _("Fused series fainter"), _stronger(-1), "", _has_fusion),
    Action("fusion.swap", _("Swap the fused series"), _on_case(fusion.swap), "mdi6.swap-vertical", _has_fusion),
    Action("fusion.register", _("Register the fused series"), _on_case(fusion.register), "mdi6.vector-link", _to_register),
    Action("fusion.off", _("End the fusion"), _on_case(fusion.end), "mdi6.close", _has_fusion),
    Action(
        "view.foreign_labels",
        _("Show or hide labels of other series"),
        _toggle_foreign,
        "mdi6.layers-search-outline",
        has_case,
    ),
)
"""In the order menus and search show them."""
