"""Which part of a dataset each patient belongs to, made once: whoever is in one stays there when others come."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping

from medview.io.datasets.dataset_case import TEST, TRAIN, VAL

SHARES: Mapping[str, float] = {TRAIN: 0.7, VAL: 0.15, TEST: 0.15}


def make_splits(groups: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the split of every case that has none yet.

    All cases of a patient go together: to where others of theirs are already, or else, in an order that depends on
    their pseudonyms alone, to the split that is furthest from its share of the cases.

    Parameters
    ----------
    groups : mapping of str to str
        Case -> patient; empty where nobody knows, and the case then goes alone.
    given : mapping of str to str
        Case -> split of those that have one.
    """
    members: dict[str, list[str]] = {}
    for case, patient in groups.items():
        members.setdefault(patient or f" {case}", []).append(case)
    counts = Counter(split for split in given.values() if split in SHARES)
    made: dict[str, str] = {}
    waiting: list[str] = []
    for group, cases in members.items():
        own = Counter(given[case] for case in cases if case in given)
        if own:
            # A patient who stands in several is no more in any of them than in the one with most cases.
            split = max(own, key=lambda one: (own[one], one))
            for case in cases:
                if case not in given:
                    made[case] = split
                    counts[split] += 1
        else:
            waiting.append(group)
    for group in sorted(waiting, key=lambda one: hashlib.sha256(one.encode()).digest()):
        total = sum(counts.values()) + len(members[group])
        split = max(SHARES, key=lambda one: (SHARES[one] * total - counts[one], SHARES[one]))
        for case in members[group]:
            made[case] = split
        counts[split] += len(members[group])
    return made


def splits_sha256(splits: Mapping[str, str]) -> str:
    """Return what is the same for the same cases in the same splits."""
    return hashlib.sha256(json.dumps(dict(splits), sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def torn_patients(groups: Mapping[str, str], splits: Mapping[str, str]) -> list[str]:
    """Return the patients with cases in more than one split."""
    found: dict[str, set[str]] = {}
    for case, patient in groups.items():
        if patient:
            found.setdefault(patient, set()).add(splits.get(case, TRAIN))
    return sorted(patient for patient, own in found.items() if len(own) > 1)
