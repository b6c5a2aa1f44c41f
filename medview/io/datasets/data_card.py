"""What a person has to know about a dataset, beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from medview.io.coco import NOTICE
from medview.io.datasets.dataset_case import DatasetCase, WriteOptions, category_of
from medview.io.datasets.picture_cases import names_in

CARD = "DATASET.md"


def write_card(
    folder: Path,
    form: str,
    cases: Sequence[DatasetCase],
    options: WriteOptions,
    losses: Sequence[str],
    more: Sequence[str] = (),
) -> None:
    """Write the data card of a dataset: what is in it, how it is split, what its format could not carry.

    Parameters
    ----------
    more : sequence of str
        Lines that stand before what was lost.
    """
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
    licence = options.licence or "not stated; ask whoever the images come from before you pass them on"
    lines += ["", *more, f"Licence: {licence}."]
    lines += ["", "What the format could not carry, and what to know:", "", *(f"- {loss}" for loss in losses)]
    (folder / CARD).write_text("\n".join(lines) + "\n", "utf-8")


def _cell(name: str) -> str:
    return name.replace("|", "\\|")
