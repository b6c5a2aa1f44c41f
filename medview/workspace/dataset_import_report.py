"""What came of importing a dataset into a project."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from medview.io.datasets.foreign import FoundLabels


@dataclass(slots=True)
class ImportReport:
    """What came of it.

    Attributes
    ----------
    cases : int
        Images of the dataset; those of several channels count once, and so does one that several label files lie on.
    added, known, labelled : int
        Cases that are new to the project, that had all of these labels already, and that got some now.
    reader : str
        Whose labels they are in the project.
    left_out : int
        Label files that could not be read, where that is to be left out.
    labels : Counter
        In how many cases each segment is drawn, box lies or answer is given.
    """

    form: str
    cases: int = 0
    reader: str = ""
    added: int = 0
    known: int = 0
    labelled: int = 0
    unlabelled: int = 0
    left_out: int = 0
    patients: int = 0
    split_by: str = "image"
    splits: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    boxes: int = 0
    points: int = 0
    warnings: list[str] = field(default_factory=list)
    _brought: dict[str, set[str]] = field(default_factory=dict)
    _had: set[str] = field(default_factory=set)

    def note(self, series_uid: str, found: FoundLabels) -> None:
        """Count what one label file brought to the case of a series."""
        drawn = found.masks.segments if found.masks is not None else ()
        before = self._brought.setdefault(series_uid, set())
        self.boxes += len(found.boxes)
        self.points += len(found.points)
        names = (
            {segment.group or segment.name for segment in drawn if not segment.absent}
            | {box.label for box in found.boxes}
            | {point.label for point in found.points}
            | {answer.label for answer in found.answers if answer.says != "absent"}
        )
        self.labels.update(names - before)
        before |= names
        self._count()
        self.warnings += [note for note in found.notes if note not in self.warnings]

    def already(self, series_uid: str) -> None:
        """Count a label file whose labels the case of a series had before."""
        self._had.add(series_uid)
        self._count()

    def _count(self) -> None:
        self.labelled = len(self._brought)
        self.known = len(self._had - set(self._brought))

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "format": self.form,
            "reader": self.reader,
            "cases": self.cases,
            "added": self.added,
            "labelled": self.labelled,
            "known": self.known,
            "unlabelled": self.unlabelled,
            "left_out": self.left_out,
            "patients": self.patients,
            "split_by": self.split_by,
            "splits": dict(self.splits),
            "labels": [{"name": name, "cases": count} for name, count in sorted(self.labels.items())],
            "boxes": self.boxes,
            "points": self.points,
            "warnings": self.warnings,
        }
