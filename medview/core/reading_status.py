"""How far the work on a case is, and what a reading is for."""

from __future__ import annotations

from enum import Enum


class ReadingStatus(Enum):
    """How far the work on a reading is, as its reader says; the last two are said by who reviews it."""

    TO_DO = "to do"
    IN_WORK = "in work"
    DONE = "done"
    FLAGGED = "flagged"
    RETURNED = "sent back"
    APPROVED = "approved"


class Role(Enum):
    """What a reading is for."""

    READER = "reader"
    """Labels of somebody's own."""
    REVIEW = "review"
    """A reader's labels as a reviewer would have them; the reader's own stay as they are."""
    CONSENSUS = "consensus"
    """What several readers' labels came to."""
