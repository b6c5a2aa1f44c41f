"""The slices an effect would change, one after the other: looked at, and applied one by one."""

from __future__ import annotations

from collections.abc import Iterable

from medview.core.box import Box
from medview.core.changes import Change, Command
from medview.core.label_patch import LabelPatch
from medview.core.language import _
from medview.workspace.action import Action, Run
from medview.workspace.events import Severity
from medview.workspace.workspace import Workspace


def on_slice(changes: Iterable[Change], shape_kji: tuple[int, int, int], axis: int, index: int) -> tuple[Change, ...]:
    """Return what of changes lies on one slice of a grid.

    Parameters
    ----------
    axis, index : int
        Array axis across the slice, and which slice it is.
    """
    low, high = [0, 0, 0], list(shape_kji)
    low[axis], high[axis] = index, index + 1
    slice_ = Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    parts = (change.cut(slice_) for change in changes if isinstance(change, LabelPatch))
    return tuple(part for part in parts if part is not None)


def _slices_known(workspace: Workspace) -> bool:
    candidate = workspace.bench.effect.candidate
    return candidate is not None and candidate.across is not None and not workspace.bench.effect.stale


def _can_apply(workspace: Workspace) -> bool:
    case = workspace.active
    return _slices_known(workspace) and case is not None and case.editable


def _apply(workspace: Workspace) -> None:
    case, effect, worked = workspace.active, workspace.bench.effect.effect, workspace.effects.worked
    if case is None or effect is None or worked is None or worked.candidate.across is None:
        return
    axis = worked.candidate.across
    if not all(isinstance(change, LabelPatch) for change in worked.changes):
        workspace.say(_("A segment moves to another layer here, so this can only be applied as a whole."), Severity.WARNING)
        return
    index = case.view.crosshair_kji[axis]
    changes = on_slice(worked.changes, case.labels.segmentation.geometry.shape_kji, axis, index)
    if not changes:
        workspace.say(_("Nothing changes on this slice."))
    # The rest is worked out again: what was applied counts as drawn.
    elif case.do(Command(f"{effect.name}: slice {index + 1}", changes, f"effect {effect.effect_id}")):
        workspace.say(_("{effect}: applied on this slice.").format(effect=effect.title), undo=True)


def _step(by: int) -> Run:
    def run(workspace: Workspace) -> None:
        case, candidate = workspace.active, workspace.bench.effect.candidate
        if case is None or candidate is None or candidate.across is None:
            return
        now = case.view.crosshair_kji[candidate.across]
        further = [n for n in candidate.slices if (n - now) * by > 0]
        if further:
            case.view.set_slice(candidate.across, min(further) if by > 0 else max(further))
        else:
            workspace.say(_("The effect changes no further slice in this direction."))

    return run


EFFECT_SLICE_ACTIONS: tuple[Action, ...] = (
    Action("effect.apply_slice", _("Apply the effect on this slice"), _apply, "mdi6.check-underline", _can_apply),
    Action("effect.next_slice", _("Next slice that the effect changes"), _step(1), "", _slices_known),
    Action("effect.previous_slice", _("Previous slice that the effect changes"), _step(-1), "", _slices_known),
)
"""In the order menus and search show them."""
