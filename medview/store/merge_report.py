"""What came into a project from another copy of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class MergeReport:
    """Counts and sentences of one merge.

    Attributes
    ----------
    other : str
        Name of the folder it came from.
    cases, patients, readers, readings, gestures, entries : int
        How many are new; entries are those of the activity. Readings that go on further are not counted.
    extended : list of int
        Readings that were there and got rows.
    settled : int
        Decisions taken over: status, exclusion, split, facts of the project.
    pseudonyms : dict of str to str
        Of patients who are called otherwise here, by what they are called in the other copy.
    conflicts : list of str
        Where both copies went on; one sentence each. Nothing is lost in any of them.
    notes : list of str
        What else a person should know, one sentence each.
    """

    other: str
    cases: int = 0
    patients: int = 0
    readers: int = 0
    readings: int = 0
    gestures: int = 0
    entries: int = 0
    settled: int = 0
    extended: list[int] = field(default_factory=list)
    pseudonyms: dict[str, str] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How much is new."""
        return {
            "cases": self.cases,
            "patients": self.patients,
            "readers": self.readers,
            "readings": self.readings,
            "continued": len(self.extended),
            "gestures": self.gestures,
            "entries": self.entries,
            "settled": self.settled,
        }

    @property
    def changed(self) -> bool:
        """Whether anything came."""
        return any(self.counts.values())

    def document(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        return {
            "other": self.other,
            "changed": self.changed,
            **self.counts,
            "pseudonyms": dict(self.pseudonyms),
            "conflicts": list(self.conflicts),
            "notes": list(self.notes),
        }
