"""What goes into the journal, and what it says about being saved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from medview.core.changes import Command


class EntryKind(Enum):
    """What happened."""

    DO = "do"
    UNDO = "undo"
    REDO = "redo"
    NOTE = "note"
    """Came by itself, e.g. what a model proposes; it is beside what can be undone."""

    @property
    def carries_command(self) -> bool:
        """Whether the row holds a command; the others refer to one."""
        return self in (EntryKind.DO, EntryKind.NOTE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One gesture: a command done, noted, or the newest one undone or redone.

    Attributes
    ----------
    revision : int
        ``CaseLabels.revision`` right after it, so that proposals are as stale after a restart as before; -1 to let the
        replay count.
    """

    kind: EntryKind
    command: Command
    revision: int = -1


class SavedKind(Enum):
    """Whether everything done so far is on disk."""

    WRITING = "writing"
    SAVED = "saved"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SavedState:
    """What the saved dot shows.

    Attributes
    ----------
    reason : str
        One sentence when it failed. What could not be written is kept in memory and tried again.
    warning : str
        One sentence while everything is on disk but hardly anything more will fit; empty otherwise.
    waiting : int
        Gestures that are not on disk yet.
    """

    kind: SavedKind
    reason: str = ""
    waiting: int = 0
    warning: str = ""
