"""All effects, in the order the panel shows them."""

from __future__ import annotations

from medview.edit.effects import between, holes, hollow, islands, logic, margin, seeds, smooth, threshold
from medview.edit.effects.effect import Effect

EFFECTS: tuple[Effect, ...] = (
    threshold.EFFECT,
    seeds.EFFECT,
    between.EFFECT,
    islands.EFFECT,
    smooth.EFFECT,
    margin.EFFECT,
    hollow.EFFECT,
    holes.EFFECT,
    logic.EFFECT,
)


def effect(effect_id: str) -> Effect | None:
    """Return an effect by id, or None."""
    return next((one for one in EFFECTS if one.effect_id == effect_id), None)
