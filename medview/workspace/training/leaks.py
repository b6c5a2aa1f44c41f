"""Cases that stand in the way of an honest split, and how little has to be left out for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from medview.io.datasets.dataset_case import many
from medview.ml.examples import ExampleSet
from medview.ml.guards.finding import GuardReport, Severity
from medview.workspace.training.learnt import SEEN

LEAKS = ("same-patient", "same-pixels")
"""Codes of the guards that find a case, or its patient, in two splits."""

_LAST = ("train", "val", "test")
"""What is learnt from gives way to what is judged on, and that to the locked test cases."""


def leaking(report: GuardReport, examples: ExampleSet) -> frozenset[str]:
    """Return the cases without which no picture and no patient is in two splits.

    Of each patient and each picture those go whose split is learnt from before that of the others; no more of them. So do
    held-out cases that the first weights have learnt from.
    """
    split_of = {example.key: example.split for example in examples.examples}
    found: set[str] = set()
    for finding in report.of(Severity.BLOCK):
        if finding.code == SEEN:
            found |= set(finding.cases)
        for group in finding.groups if finding.code in LEAKS else ():
            last = max(_place(split_of[key]) for key in group)
            found |= {key for key in group if _place(split_of[key]) < last}
    return frozenset(found)


def said_of(leaks: Collection[str]) -> str:
    """Return what a person is told."""
    return many(
        len(leaks),
        "1 case is left out: its picture or patient is in another split.",
        "{n} cases are left out: their pictures or patients are in another split.",
    )


def without(examples: ExampleSet, keys: Collection[str]) -> ExampleSet:
    """Return the examples but those of some keys."""
    if not keys:
        return examples
    return replace(examples, examples=tuple(one for one in examples.examples if one.key not in keys))


def _place(split: str) -> int:
    return _LAST.index(split) if split in _LAST else 0
