"""What is asked of the loop, and whether it is so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.accuracy.loop.paired import paired
from tests.accuracy.loop.sizes import Sizes
from tests.accuracy.loop.volumes import HIPPOCAMPI

Document = dict[str, Any]

MOST_LOST = 0.01
"""Dice that an old class may lose where another is added."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that is asked.

    Attributes
    ----------
    value : str
        What came of it; empty while nothing did.
    reached : bool or None
        None while it was not run.
    """

    asked: str
    value: str = ""
    reached: bool | None = None


def asked_of(results: Mapping[str, Sequence[Document]]) -> list[Asked]:
    """Return everything that is asked, with what results by the names of their rows say."""
    found = [
        _few(results.get(row, ()), count, words)
        for row, words in (("few-minutes", "as much time"), ("few-steps", "as many steps"))
        for count in Sizes().few
    ]
    return [*found, _added(results.get("added-class", ())), _worse(results.get("worse", ()))]


def _few(own: Sequence[Document], count: int, words: str) -> Asked:
    asked = f"{count} patients, {words}: going on from the parent beats beginning from nothing (interval above 0)"
    if not own or str(count) not in own[0]["found"]:
        return Asked(asked)
    scratch, tuned = ([one["found"][str(count)][side]["dices"] for one in own] for side in ("scratch", "tuned"))
    found = paired(scratch, tuned)
    if found.value is None or found.low is None or found.high is None:
        return Asked(asked, "", reached=False)
    return Asked(asked, f"{found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f})", found.low > 0)


def _added(own: Sequence[Document]) -> Asked:
    old = HIPPOCAMPI.classes[0]
    asked = f"a class is added: {old} within {MOST_LOST:g} with every seed"
    if not own:
        return Asked(asked)
    lost = [one["found"]["before"]["dice"][old] - one["found"]["after"]["dice"].get(old, 0.0) for one in own]
    return Asked(asked, ", ".join(f"{-one:+.3f}" for one in lost), max(lost) <= MOST_LOST)


def _worse(own: Sequence[Document]) -> Asked:
    asked = "a run that is made worse is refused by the gate with every seed"
    if not own:
        return Asked(asked)
    verdicts = [str(one["found"]["worse"]["verdict"]) for one in own]
    return Asked(asked, ", ".join(verdicts), all(one == "kept" for one in verdicts))
