"""A click on what a model proposes takes over the piece under it: one lesion. Ctrl gives it back."""

from __future__ import annotations

from medview.core.language import _
from medview.workspace.pointer import Modifiers, Pointer
from medview.workspace.review import NOTHING_PROPOSED, in_hand
from medview.workspace.stage import Drag, Stage


def drag(stage: Stage, press: Pointer) -> Drag:
    """Take over the piece under the press, once the button goes up."""
    case = stage.case
    if case.read_only:
        stage.say(case.read_only)
        return
    found = in_hand(case, stage.bench)
    if found is None:
        stage.say(NOTHING_PROPOSED)
        return
    at, back = press, Modifiers.CTRL in press.modifiers
    while (move := (yield None)) is not None:
        at = move
    proposal, mask, wanted = found
    voxel = at.voxel_kji(case.volume.geometry)
    value = mask.value_at(voxel) if voxel is not None else 0
    predicted = next((s for s in wanted if s.value == value), None)
    if voxel is None or predicted is None:
        stage.say(
            _("{model} proposes nothing here; click on a hatched region.").format(model=proposal.prediction.model_name)
        )
    elif stage.later is not None:
        stage.later.take_piece(case, proposal, predicted, voxel, back=back)
