"""Which cases a model's weights have seen, and which held-out ones are among them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from medview.io.datasets.dataset_case import TRAIN
from medview.io.datasets.neutral_read import NeutralDataset
from medview.ml.examples import ExampleSet, case_key
from medview.ml.guards.finding import GuardFinding, Severity, counted, listed
from medview.ml.packs import ModelPack

SEEN = "seen-before"
"""Code of the finding."""

LEARNT_FILE = "training_cases.json"
"""In a pack."""

_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Learnt:
    """What weights have learnt from, over all trainings they went through.

    Attributes
    ----------
    project : str
        Uid of the project whose pseudonyms ``patients`` are; elsewhere they mean nothing.
    pixels : frozenset of str
        Hashes of the voxels of training cases.
    prints : frozenset of str
        Of voxels, as packs carry them.
    """

    project: str = ""
    pixels: frozenset[str] = frozenset()
    patients: frozenset[str] = frozenset()
    prints: frozenset[str] = frozenset()

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        named = ("pixels", "patients", "prints")
        return {"project": self.project, **{name: sorted(getattr(self, name)) for name in named}}

    @classmethod
    def of_document(cls, said: Mapping[str, Any] | None) -> Learnt | None:
        """Inverse of ``document``; None where it is none."""
        try:
            if said is None:
                return None
            named = (said["pixels"], said["patients"], said.get("prints", ()))
            return cls(str(said["project"]), *(frozenset(str(one) for one in held) for held in named))
        except (KeyError, TypeError):
            return None

    def with_(self, other: Learnt | None) -> Learnt:
        """Return what both have learnt from together."""
        if other is None:
            return self
        patients = self.patients | (other.patients if other.project == self.project else frozenset())
        return Learnt(self.project, self.pixels | other.pixels, patients, self.prints | other.prints)

    def all_prints(self) -> frozenset[str]:
        """Return what a pack carries of it: who has a picture finds it in there, nobody finds a picture from it."""
        return self.prints | {_print(pixels) for pixels in self.pixels}


def learnt_of_pack(pack: ModelPack) -> Learnt | None:
    """Return what a pack says it has learnt from, wherever it was trained; None where it says nothing."""
    if LEARNT_FILE not in pack.spec.files:
        return None
    try:
        said = json.loads((pack.folder / LEARNT_FILE).read_bytes())
        return Learnt(prints=frozenset(str(one) for one in said["cases"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def learnt_file(learnt: Learnt) -> bytes:
    """Return the file of a pack with what its weights have learnt from."""
    document = {"format": "MedView training cases", "version": 1, "cases": sorted(learnt.all_prints())}
    return (json.dumps(document, indent=0) + "\n").encode()


def _print(pixels: str) -> str:
    return hashlib.sha256(f"MedView training case {pixels}".encode()).hexdigest()[:_DIGITS]


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
    prints = frozenset[str]().union(*(one.prints for one in known))
    patients = frozenset[str]().union(*(one.patients for one in known if project and one.project == project))
    found = set()
    for example in examples.examples:
        case = cases.get(case_key(example.key))
        if case is not None and example.split != TRAIN:
            own = str(case.said["pixels_sha256"] or "")
            if (own and (own in pixels or _print(own) in prints)) or (case.patient and case.patient in patients):
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
