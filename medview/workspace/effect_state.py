"""How far the effect is that a person looks at."""

from __future__ import annotations

from dataclasses import dataclass, field

from medview.edit.effects.carry_out import Candidate
from medview.edit.effects.effect import Effect
from medview.edit.effects.table import effect as effect_of


@dataclass(frozen=True, slots=True)
class EffectState:
    """The open effect, as panels show it.

    Attributes
    ----------
    effect_id : str
        Of the table; empty while none is open.
    values : dict
        Its settings by key.
    working : bool
        A job works it out.
    stale : bool
        The labels under the candidate have moved on; it is worked out again after the gesture.
    writing : bool
        It is being written, a part at a time.
    seconds : float
        How long it took to work the candidate out.
    note : str
        What the effect says about its result.
    problem : str
        Why there is no result, or empty; English, for ``in_language``.
    """

    effect_id: str = ""
    values: dict[str, object] = field(default_factory=dict)
    candidate: Candidate | None = None
    working: bool = False
    stale: bool = False
    writing: bool = False
    seconds: float = 0.0
    note: str = ""
    problem: str = ""

    @property
    def effect(self) -> Effect | None:
        """The open effect."""
        return effect_of(self.effect_id)

    @property
    def asks_place(self) -> bool:
        """Whether a click on the picture says which place the effect is about."""
        return self.effect is not None and self.effect.asks_place(self.values)
