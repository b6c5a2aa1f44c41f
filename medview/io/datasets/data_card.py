"""What a person has to know about a dataset, beside it, and what its files were when they were written."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from medview.io.coco import NOTICE
from medview.io.datasets.dataset_case import DatasetCase, WriteOptions, category_of
from medview.io.datasets.picture_cases import names_in

CARD, CHECKSUMS = "DATASET.md", "checksums.sha256"
_STEP = 1 << 20


def write_card(folder: Path, form: str, cases: Sequence[DatasetCase], options: WriteOptions, losses: Sequence[str]) -> None:
    """Write the data card of a dataset: what is in it, how it is split, what its format could not carry."""
    splits: dict[str, list[DatasetCase]] = {}
    for case in cases:
        splits.setdefault(case.fold, []).append(case)
    drawn = Counter(name for case in cases for name in {category_of(s) for s in case.structures() if not s.absent})
    drawn.update(name for case in cases for name in {box.label for box in case.boxes})
    known = all(case.patient for case in cases)
    lines = [f"# {options.name}", "", NOTICE, "", f"Format: {form}. Cases: {len(cases)}.", ""]
    lines.append("| split | cases | patients |")
    lines += ["|---|---|---|"]
    for split, of in splits.items():
        patients = str(len({case.patient for case in of})) if known else "not known"
        lines.append(f"| {split} | {len(of)} | {patients} |")
    torn = Counter(patient for of in splits.values() for patient in {case.patient for case in of} if patient)
    both = sum(count > 1 for count in torn.values())
    how = "No patient stands in two splits." if known and not both else f"{both} patients stand in more than one split."
    lines += ["", how if known else "Nothing says which patient a case is of: splits are by image.", ""]
    lines += ["| label | cases |", "|---|---|"]
    lines += [f"| {_cell(name)} | {drawn[name]} |" for name in names_in(cases)]
    lines += ["", "What the format could not carry:", "", *(f"- {loss}" for loss in losses)]
    (folder / CARD).write_text("\n".join(lines) + "\n", "utf-8")


def write_checksums(folder: Path) -> None:
    """Write the SHA-256 of every file below a folder, as ``sha256sum --check`` reads it."""
    lines = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while part := file.read(_STEP):
                digest.update(part)
        lines.append(f"{digest.hexdigest()}  {path.relative_to(folder).as_posix()}\n")
    (folder / CHECKSUMS).write_text("".join(lines), "utf-8")


def _cell(name: str) -> str:
    return name.replace("|", "\\|")
