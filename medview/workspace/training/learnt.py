"""Which cases a model's weights have seen, and which held-out ones are among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from medview.io.datasets.dataset_case import TRAIN
from medview.io.datasets.neutral_read import NeutralDataset
from medview.ml.examples import ExampleSet
from medview.ml.guards.finding import GuardFinding, Severity, counted, listed

SEEN = "seen-before"
"""Code of the finding."""

_OF_SLICE = re.compile(r"_k\d{4,}$")


@dataclass(frozen=True, slots=True)
class Learnt:
    """What weights have learnt from, over all trainings they went through.

    Attributes
    ----------
    project : str
        Uid of the project whose pseudonyms ``patients`` are; elsewhere they mean nothing.
    pixels : frozenset of str
        Hashes of the voxels of training cases.
    """

    project: str = ""
    pixels: frozenset[str] = frozenset()
    patients: frozenset[str] = frozenset()

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {"project": self.project, "pixels": sorted(self.pixels), "patients": sorted(self.patients)}

    @classmethod
    def of_document(cls, said: Mapping[str, Any] | None) -> Learnt | None:
        """Inverse of ``document``; None where it is none."""
        try:
            if said is None:
                return None
            pixels, patients = ([str(one) for one in said[name]] for name in ("pixels", "patients"))
            return cls(str(said["project"]), frozenset(pixels), frozenset(patients))
        except (KeyError, TypeError):
            return None

    def with_(self, other: Learnt | None) -> Learnt:
        """Return what both have learnt from together."""
        if other is None:
            return self
        patients = self.patients | (other.patients if other.project == self.project else frozenset())
        return Learnt(self.project, self.pixels | other.pixels, patients)


def case_key(key: str) -> str:
    """Return the key of the case that an example is, or is a slice of."""
    return _OF_SLICE.sub("", key)


def learnt_in(dataset: NeutralDataset, examples: ExampleSet, project: str) -> Learnt:
    """Return what a training on the examples of a dataset learns from."""
    keys = {case_key(example.key) for example in examples.of_split(TRAIN)}
    own = [case for case in dataset.cases if case.key in keys]
    pixels = (str(case.said["pixels_sha256"] or "") for case in own)
    return Learnt(project, frozenset(pixels) - {""}, frozenset(case.patient for case in own) - {""})


def seen_in(
    dataset: NeutralDataset, examples: ExampleSet, earlier: Iterable[Learnt | None], project: str
) -> frozenset[str]:
    """Return the keys of held-out examples that are pictures, or of patients, which weights have learnt from."""
    cases = {case.key: case for case in dataset.cases}
    known = [one for one in earlier if one is not None]
    pixels = frozenset[str]().union(*(one.pixels for one in known))
    patients = frozenset[str]().union(*(one.patients for one in known if project and one.project == project))
    found = set()
    for example in examples.examples:
        case = cases.get(case_key(example.key))
        if case is not None and example.split != TRAIN:
            own = str(case.said["pixels_sha256"] or "")
            if (own and own in pixels) or (case.patient and case.patient in patients):
                found.add(example.key)
    return frozenset(found)


def seen_finding(keys: frozenset[str], examples: ExampleSet, parent: str) -> GuardFinding:
    """Return what speaks against a training that begins with weights which have seen held-out cases."""
    own = [example for example in examples.examples if example.key in keys]
    told = listed([f"{example.key} ({example.split})" for example in own])
    count = counted(len(own), "held-out case", "held-out cases")
    return GuardFinding(
        SEEN,
        Severity.BLOCK,
        f"{parent}, which this training begins with, has learnt from {count}: {told}; "
        f"put {'it' if len(own) == 1 else 'them'} back into training, or begin with another model.",
        tuple(example.key for example in own),
    )
