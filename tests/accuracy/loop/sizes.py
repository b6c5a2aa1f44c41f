"""How large a loop is: patients, rounds, steps. All rows and seeds take about three hours on two quiet cores."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

SHORTEST_MINUTES = 1.0
"""However small the share: less is no training."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Counts of patients and steps.

    Attributes
    ----------
    held_out : int
        Validation patients that are looked at, the first by name; all where there are no more.
    parent, parent_steps : int
        Of the model that loops begin with.
    rounds, per_round, round_steps : int
        Of the loop.
    few, few_steps, few_minutes
        Of training on beside training from nothing.
    ladder : tuple of int
        Patients at which the rungs are compared, ``few_steps`` steps each.
    start, start_steps, sampling_rounds, sampling_pool : int
        Patients and steps of the model that strategies begin with, rounds of ``per_round`` cases, and patients they choose
        from.
    added : int
        Patients in which the class that is added is drawn.
    worse_steps, worse_rate
        Of the run that is made to fail.
    """

    held_out: int = 27
    parent: int = 40
    parent_steps: int = 400
    rounds: int = 5
    per_round: int = 5
    round_steps: int = 80
    few: tuple[int, ...] = (5, 10)
    few_steps: int = 100
    few_minutes: float = 2.0
    ladder: tuple[int, ...] = (3, 5, 10, 20)
    start: int = 5
    start_steps: int = 150
    sampling_rounds: int = 3
    sampling_pool: int = 30
    sampling_steps: int = 60
    added: int = 5
    added_steps: int = 100
    worse_steps: int = 12
    worse_rate: float = 1.0

    def shared(self, share: float) -> Sizes:
        """Return the sizes with a part of the steps and minutes; as many patients as before."""
        if share == 1.0:
            return self
        steps = {name: max(2, round(value * share)) for name, value in asdict(self).items() if name.endswith("_steps")}
        return replace(self, **steps, few_minutes=max(SHORTEST_MINUTES, self.few_minutes * share))

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
