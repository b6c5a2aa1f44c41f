"""What a person looks at among the proposals, and where it is taken to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from medview.workspace.difference_state import Difference

NEW_SEGMENT = ""
"""In place of the id of a segment: one that is still to be made."""

Class = tuple[str, int]
"""A proposal's id and the value of one of its classes."""


@dataclass(frozen=True, slots=True)
class Review:
    """How proposals are looked at, as panels show it.

    Attributes
    ----------
    wanted : tuple of str and int, or None
        The class that hands take over; None is every class of the newest proposal.
    exactly : bool
        A stroke also takes away what is not proposed.
    into : mapping
        Segments that a person chose for classes; NEW_SEGMENT where it is to be another one. The others go by name and code.
    difference : Difference
        The class that is compared with a segment.
    """

    wanted: Class | None = None
    exactly: bool = False
    into: Mapping[Class, str] = field(default_factory=dict)
    difference: Difference = Difference()
