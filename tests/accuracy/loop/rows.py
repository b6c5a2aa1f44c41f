"""All rows of the loop, in the order in which they are played and told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.accuracy.loop.play_change import play_added_class, play_worse
from tests.accuracy.loop.play_few import play_few_minutes, play_few_steps, play_ladder
from tests.accuracy.loop.play_rounds import play_no_new_cases, play_rounds
from tests.accuracy.loop.play_sampling import play_sampling
from tests.accuracy.loop.scene import Scene

Document = dict[str, Any]

SEEDS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class LoopRow:
    """One thing that is tried with every seed.

    Attributes
    ----------
    play : callable
        Plays it for one seed and returns what it came to, ready for JSON.
    parent : bool
        Whether it begins with the model that rows of a seed share.
    seeds : tuple of int
        That it is played with where nobody names others.
    minutes : int
        That a seed takes on two cores with nothing else to do, beside the three of the parent.
    sizes : tuple of str
        The sizes it hangs on, beside those of the parent.
    """

    name: str
    title: str
    play: Callable[[Scene], Document]
    minutes: int
    sizes: tuple[str, ...]
    parent: bool = True
    seeds: tuple[int, ...] = SEEDS


PARENT_SIZES = ("parent", "parent_steps", "rounds", "per_round", "held_out")

_ROWS = (
    LoopRow("rounds", "Rounds of corrected cases", play_rounds, 8, ("round_steps",)),
    LoopRow("no-new-cases", "As many steps without new cases", play_no_new_cases, 3, ("round_steps",)),
    LoopRow("few-steps", "Few patients, as many steps", play_few_steps, 6, ("few", "few_steps")),
    LoopRow("few-minutes", "Few patients, as much time", play_few_minutes, 8, ("few", "few_minutes")),
    LoopRow("ladder", "How much of a model learns on", play_ladder, 23, ("ladder", "few_steps"), seeds=SEEDS[:1]),
    LoopRow(
        "sampling",
        "What to label next",
        play_sampling,
        17,
        ("start", "start_steps", "sampling_rounds", "sampling_pool", "sampling_steps", "per_round", "held_out"),
        parent=False,
    ),
    LoopRow(
        "added-class",
        "A class that is added",
        play_added_class,
        5,
        ("parent", "parent_steps", "added", "added_steps", "held_out"),
        parent=False,
    ),
    LoopRow("worse", "A run that is made worse", play_worse, 1, ("worse_steps", "worse_rate")),
)
ROWS: Mapping[str, LoopRow] = {row.name: row for row in _ROWS}
