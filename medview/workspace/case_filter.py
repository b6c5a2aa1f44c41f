"""Which cases of a project are listed and in which order, whose turn they are, and which one comes next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from medview.core.reading_rule import ReadingRule
from medview.core.reading_status import ReadingStatus, Role

if TYPE_CHECKING:
    # The database library is imported when a project is opened, which is after the window stands.
    from medview.store.cases import CaseRow
    from medview.store.reading_state import ReadingState

SPLITS = ("train", "validation", "test")
"""Parts of a dataset."""
FINISHED = frozenset({ReadingStatus.DONE, ReadingStatus.APPROVED})
OPEN = frozenset({ReadingStatus.TO_DO, ReadingStatus.IN_WORK, ReadingStatus.RETURNED})
"""Of readings that their reader still has to work on; what is flagged waits for somebody else."""


class Which(Enum):
    """Which cases are listed."""

    ALL = "all"
    MINE = "mine"
    """Those whoever works here still has to do."""
    DONE = "done"
    FLAGGED = "flagged"
    EXCLUDED = "excluded"


class Order(Enum):
    """In which order cases are listed."""

    LIST = "list"
    STATUS = "status"
    PATIENT = "patient"
    DESCRIPTION = "description"
    TIME = "time"
    """Those that took longest first."""
    NEWEST = "newest"
    """Those worked on last first."""


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """What is looked for.

    Attributes
    ----------
    text : str
        Words that all have to be in what a row says.
    """

    which: Which = Which.ALL
    text: str = ""
    order: Order = Order.LIST


@dataclass(frozen=True, slots=True)
class Who:
    """Whose eyes the list is seen with.

    Attributes
    ----------
    anyone : bool
        All readings are theirs, whatever their names: in the personal project, and in a copy of one reader's work.
    """

    reader: str = ""
    anyone: bool = False

    def reading(self, row: CaseRow) -> ReadingState | None:
        """Return their own reading of a case, or None while they have not begun."""
        mine = (one for one in row.readings if one.role is Role.READER and (self.anyone or one.reader == self.reader))
        return min(mine, key=lambda one: (not one.worked_on, one.copy), default=None)

    def status(self, row: CaseRow) -> ReadingStatus:
        """Return how far they are with a case."""
        reading = self.reading(row)
        return ReadingStatus.TO_DO if reading is None else reading.status

    def others(self, row: CaseRow) -> list[str]:
        """Return who else has begun with a case, each once."""
        if self.anyone:
            return []
        named = (one.reader for one in row.readings if one.role is Role.READER and one.reader != self.reader)
        return list(dict.fromkeys(name for name in named if name))


def is_asked(row: CaseRow, who: Who, rule: ReadingRule) -> bool:
    """Whether a case is theirs to read: not left out, and by the rule it is begun by them or lacks a reader."""
    if row.excluded:
        return False
    wanted = rule.readers_of(row.position)
    return who.reading(row) is not None or wanted is None or len(who.others(row)) < wanted


def is_open(row: CaseRow, who: Who, rule: ReadingRule) -> bool:
    """Whether they still have to work on a case."""
    return is_asked(row, who, rule) and who.status(row) in OPEN


def chosen(rows: Iterable[CaseRow], wanted: CaseFilter, who: Who, rule: ReadingRule) -> list[CaseRow]:
    """Return the cases that are looked for, in the order asked for."""
    words = wanted.text.casefold().split()
    kept = [row for row in rows if _is_in(row, wanted.which, who, rule) and _says(row, words, who)]
    key = _keys(who).get(wanted.order)
    return kept if key is None else sorted(kept, key=key)


def next_open(rows: Sequence[CaseRow], who: Who, rule: ReadingRule, after: int | None) -> CaseRow | None:
    """Return the next case nobody has to be asked for: the first not begun after a case, then from the top of the list.

    Where all are begun, it is the next of those that are not finished.

    Parameters
    ----------
    after : int, optional
        Number of a case; the search begins behind it and never comes to it.
    """
    at = next((n for n, row in enumerate(rows) if row.case_id == after), -1)
    around = [row for row in (*rows[at + 1 :], *rows[: max(at, 0)]) if is_open(row, who, rule)]
    fresh = (row for row in around if who.status(row) is ReadingStatus.TO_DO)
    return next(fresh, None) or next(iter(around), None)


def counted(rows: Iterable[CaseRow], who: Who, rule: ReadingRule) -> tuple[int, int]:
    """Return how many of the cases that are theirs they have finished, and how many those are."""
    mine = [row for row in rows if is_asked(row, who, rule)]
    return sum(who.status(row) in FINISHED for row in mine), len(mine)


def _is_in(row: CaseRow, which: Which, who: Who, rule: ReadingRule) -> bool:
    if which is Which.ALL:
        return True
    if which is Which.EXCLUDED:
        return bool(row.excluded)
    if which is Which.MINE:
        return is_open(row, who, rule)
    status = who.status(row)
    return not row.excluded and (status in FINISHED if which is Which.DONE else status is ReadingStatus.FLAGGED)


def _says(row: CaseRow, words: Sequence[str], who: Who) -> bool:
    if not words:
        return True
    said = (str(row.case_id), row.patient, row.modality, row.description, row.split, row.excluded, *who.others(row))
    text = " ".join(said).casefold()
    return all(word in text for word in words)


_RANKS = (
    ReadingStatus.RETURNED,
    ReadingStatus.IN_WORK,
    ReadingStatus.TO_DO,
    ReadingStatus.FLAGGED,
    ReadingStatus.DONE,
    ReadingStatus.APPROVED,
)


def _keys(who: Who) -> dict[Order, Callable[[CaseRow], tuple[bool | int | str, ...]]]:
    return {
        Order.STATUS: lambda row: (bool(row.excluded), _RANKS.index(who.status(row)), row.position),
        Order.PATIENT: lambda row: (not row.patient, row.patient, row.position),
        Order.DESCRIPTION: lambda row: (row.modality, row.description.casefold(), row.position),
        Order.TIME: lambda row: (-_seconds(row, who), row.position),
        Order.NEWEST: lambda row: (-_moment(row.changed_utc), row.position),
    }


def _seconds(row: CaseRow, who: Who) -> int:
    reading = who.reading(row)
    return 0 if reading is None else reading.seconds


def _moment(iso: str) -> int:
    """Return a number that grows with an ISO 8601 time in UTC."""
    digits = "".join(letter for letter in iso.partition("+")[0] if letter.isdigit())
    return int(digits.ljust(17, "0")[:17] or 0)
