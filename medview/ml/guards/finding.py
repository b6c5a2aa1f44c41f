"""What the guards say: sentences for a person, and whether training may begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SHOWN = 5
"""Names in one sentence."""


class Severity(StrEnum):
    """What a finding means for the training."""

    BLOCK = "block"
    """It does not begin: what would come out could not be believed."""
    CONFIRM = "confirm"
    """It begins once a person said that this is meant."""
    WARN = "warn"
    """It is told, and stands in the card."""


@dataclass(frozen=True, slots=True)
class GuardFinding:
    """One thing about the labels.

    Attributes
    ----------
    code : str
        Which guard, e.g. ``same-patient``; docs/evaluation.md lists them.
    sentence : str
        What is found, and what to do.
    cases : tuple of str
        Keys of the cases it is about.
    groups : tuple of tuple of str
        Of cases that stand in each other's way: those of each patient, or of each picture.
    """

    code: str
    severity: Severity
    sentence: str
    cases: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {"code": self.code, "severity": self.severity.value, "sentence": self.sentence, "cases": list(self.cases)}


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How much there is of one class in one split.

    Attributes
    ----------
    cases : int
        In which it is labelled.
    patients : int or None
        Whose cases those are; None where one of them is of nobody known.
    amount : int
        Voxels, boxes or images.
    not_known : int
        Cases in which nobody looked for it.
    """

    name: str
    split: str
    cases: int
    patients: int | None
    amount: int
    not_known: int

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {name: getattr(self, name) for name in ("name", "split", "cases", "patients", "amount", "not_known")}


@dataclass(frozen=True, slots=True)
class SplitCount:
    """How many cases and patients a split has; None where nobody knows whose some cases are."""

    split: str
    cases: int
    patients: int | None

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {"split": self.split, "cases": self.cases, "patients": self.patients}


@dataclass(frozen=True, slots=True)
class GuardReport:
    """What was found, the worst first, and what there is to learn from.

    Attributes
    ----------
    unit : str
        What the amounts of classes count: ``voxels``, ``boxes`` or ``images``.
    """

    findings: tuple[GuardFinding, ...]
    classes: tuple[ClassCount, ...]
    splits: tuple[SplitCount, ...]
    unit: str

    def of(self, severity: Severity) -> tuple[GuardFinding, ...]:
        """Return the findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity is severity)

    @property
    def blocked(self) -> bool:
        """Whether training must not begin."""
        return bool(self.of(Severity.BLOCK))

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "findings": [finding.document() for finding in self.findings],
            "classes": [count.document() for count in self.classes],
            "splits": [count.document() for count in self.splits],
            "unit": self.unit,
        }


def listed(names: Sequence[str], most: int = SHOWN) -> str:
    """Return names for a sentence: the first few, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(number: int, one: str, many: str) -> str:
    """Return ``1 case`` or ``3 cases``."""
    return f"{number} {one if number == 1 else many}"
