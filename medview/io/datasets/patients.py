"""Whose an image is and in which split it is, by what a person says about names."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from medview.core.errors import ReadError
from medview.io.datasets.foreign import BY_IMAGE, DatasetRequest, ForeignCase, ForeignDataset
from medview.io.datasets.inside import named, short_list, stem_of

MOST_BYTES = 64 << 20
LONGEST_NAME = 1000
SPLITS = {"training": "train", "validation": "val", "valid": "val", "dev": "val", "testing": "test", "holdout": "test"}
"""Other words for the usual splits."""


def split_named(word: str) -> str:
    """Return what a split is called here."""
    word = word.strip().casefold()
    return SPLITS.get(word, word)


def with_patients(dataset: ForeignDataset, request: DatasetRequest, inside: Mapping[str, str]) -> ForeignDataset:
    """Return a dataset with patients and splits as the person says, and the note where patients stay unknown.

    Parameters
    ----------
    inside : mapping of str to str
        Case key -> path of its image inside the dataset, which the expression is searched for in.

    Raises
    ------
    ReadError
        When the expression is none or finds nothing in a name, or the list of splits names no image.
    """
    cases = dataset.cases
    if request.patient_from:
        pattern = _pattern(request.patient_from)
        cases = tuple(replace(case, patient=_patient(pattern, inside.get(case.key, case.key))) for case in cases)
    notes = dataset.notes
    if request.split_from is not None:
        cases, more = _with_splits(cases, request.split_from, inside)
        notes += more
    if not all(case.patient for case in cases):
        notes += (BY_IMAGE,)
    else:
        notes += _on_both_sides(cases)
    return replace(dataset, cases=cases, notes=notes)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ReadError(f"--patient-from is no regular expression: {error}.") from error


def _patient(pattern: re.Pattern[str], name: str) -> str:
    found = pattern.search(name[:LONGEST_NAME])
    key = (found[1] if pattern.groups else found[0]) if found else None
    if not key:
        raise ReadError(f"--patient-from finds no patient in {named(name)}; change the expression.")
    return key


def _on_both_sides(cases: Iterable[ForeignCase]) -> tuple[str, ...]:
    splits: dict[str, set[str]] = {}
    for case in cases:
        if case.split:
            splits.setdefault(case.patient, set()).add(case.split)
    torn = [patient for patient, of in splits.items() if len(of) > 1]
    if not torn:
        return ()
    count = "1 patient stands" if len(torn) == 1 else f"{len(torn)} patients stand"
    return (f"{count} in more than one split; results on the held-out part will look better than they are.",)


def _with_splits(
    cases: tuple[ForeignCase, ...], file: Path, inside: Mapping[str, str]
) -> tuple[tuple[ForeignCase, ...], tuple[str, ...]]:
    said = read_splits(file)
    split_of: dict[str, str] = {}
    for case in cases:
        path = inside.get(case.key, case.key)
        for name in (case.key, path, path.rpartition("/")[2], stem_of(path)):
            if name in said:
                split_of[case.key] = said.pop(name)
                break
    if not split_of:
        raise ReadError(f"{file.name} names none of the {len(cases)} images; it is the list of another dataset.")
    notes: list[str] = []
    if said:
        count = "1 name" if len(said) == 1 else f"{len(said)} names"
        notes.append(f"{count} in {file.name} belong to no image here: {short_list(said)}.")
    missing = [case.key for case in cases if case.key not in split_of]
    if missing:
        count = "1 image is" if len(missing) == 1 else f"{len(missing)} images are"
        notes.append(f"{count} in no split of {file.name}: {short_list(missing)}.")
    return tuple(replace(case, split=split_of.get(case.key, "")) for case in cases), tuple(notes)


def read_splits(file: Path) -> dict[str, str]:
    """Return name -> split from a list.

    A list is a CSV with columns ``name`` and ``split``, JSON ``{"train": [names], ...}``, or the ``splits_final.json`` of
    nnU-Net, of which the first fold is taken.

    Raises
    ------
    ReadError
        When it is none of these.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise ReadError(f"{file.name} is too large to be a list of splits.")
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{file.name} cannot be read as a list of splits; choose a CSV or JSON file.") from error
    if text.lstrip()[:1] in ("{", "["):
        return _of_json(text, file.name)
    rows = list(csv.reader(io.StringIO(text)))
    heads = [cell.strip().casefold() for cell in rows[0]] if rows else []
    if "split" not in heads or len(heads) < 2:
        raise ReadError(f"{file.name} has no column called split; its first line has to be name,split.")
    at = heads.index("split")
    name_at = next((heads.index(word) for word in ("name", "case", "image", "file", "key") if word in heads), int(at == 0))
    width = max(at, name_at)
    return {row[name_at].strip(): split_named(row[at]) for row in rows[1:] if len(row) > width and row[name_at].strip()}


def _of_json(text: str, name: str) -> dict[str, str]:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReadError(f"{name} is no list of splits: its JSON is damaged.", detail=str(error)[:200]) from error
    if isinstance(document, list) and document:
        document = document[0]
    lists = document.items() if isinstance(document, dict) else ()
    found = {str(entry): split_named(str(split)) for split, names in lists if isinstance(names, list) for entry in names}
    if not found:
        raise ReadError(f'{name} is no list of splits; it has to be {{"train": [names], "val": [names]}}.')
    return found
