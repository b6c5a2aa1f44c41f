"""Who decided something last, in two copies of a project, by their activity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection

from medview.store.activity import ActivityKind, activity_entries

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Decided:
    """When something was decided last; two empty texts where nothing is written down."""

    when_utc: str = ""
    uid: str = ""


class MergeLog:
    """The activity of one copy.

    Attributes
    ----------
    uids : set of str
        Of all entries.
    """

    def __init__(self, connection: Connection) -> None:
        entries = activity_entries(connection)
        self.uids = {entry.uid for entry in entries}
        self._last: dict[tuple[str, object], Decided] = {}
        for entry in entries:
            about = (entry.details.get("fact", ""), ("case", entry.case_id), ("reading", entry.reading_id))
            for one in about:
                known, made = self._last.get((entry.kind, one), Decided()), Decided(entry.when_utc, entry.uid)
                self._last[entry.kind, one] = max(known, made, key=_order)

    def last(self, *kinds: ActivityKind, case_id: int = 0, reading_id: int = 0, fact: str = "") -> Decided:
        """Return when the newest entry of some kinds about a case, a reading or a fact was made."""
        about = fact or (("case", case_id) if case_id else ("reading", reading_id))
        return max((self._last.get((kind.value, about), Decided()) for kind in kinds), key=_order)


def _order(one: Decided) -> tuple[str, str]:
    return one.when_utc, one.uid


@dataclass(frozen=True, slots=True)
class Settled:
    """Which of two values counts.

    Attributes
    ----------
    theirs : bool
        That of the other copy.
    disputed : bool
        Both were decided without knowing of the other.
    """

    theirs: bool
    disputed: bool


def settled(
    values: tuple[_Value, _Value],
    decided: tuple[Decided, Decided],
    logs: tuple[MergeLog, MergeLog],
    order: Iterable[_Value] = (),
) -> Settled:
    """Return whether the value of this copy or that of the other one counts: the one decided later.

    Parameters
    ----------
    values, decided, logs : tuple
        Of this copy and the other one.
    order : iterable
        Where nothing is written down, what comes first in it gives way to what comes later, and this copy's value stays
        where its place is not told.
    """
    mine, theirs = values
    if mine == theirs:
        return Settled(theirs=False, disputed=False)
    here, there = decided
    known_there, known_here = here.uid in logs[1].uids, there.uid in logs[0].uids
    if here == there:
        weights = list(order)
        both = mine in weights and theirs in weights
        later = both and weights.index(theirs) > weights.index(mine)
        return Settled(theirs=later, disputed=not both)
    disputed = bool(here.uid and there.uid) and not known_there and not known_here
    return Settled(theirs=_order(there) > _order(here), disputed=disputed)
