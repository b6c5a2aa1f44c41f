"""What is asked of the loop, and whether it is so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tests.accuracy.loop.paired import paired
from tests.accuracy.loop.rows import ROWS
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
    """Return everything that is asked, with what results by the names of rows say; some of the seeds reach nothing."""
    found = [
        _if_whole(row, results, partial(_few, count=count, words=words))
        for row, words in (("few-minutes", "as much time"), ("few-steps", "as many steps"))
        for count in Sizes().few
    ]
    return [*found, _if_whole("added-class", results, _added), _if_whole("worse", results, _worse)]


def _if_whole(name: str, results: Mapping[str, Sequence[Document]], judged: Callable[[Sequence[Document]], Asked]) -> Asked:
    own = results.get(name, ())
    found = judged(own)
    missing = [str(seed) for seed in ROWS[name].seeds if seed not in {one["seed"] for one in own}]
    if not own or not missing:
        return found
    return replace(found, value=f"{found.value}; not run: seed {', '.join(missing)}", reached=None)


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
