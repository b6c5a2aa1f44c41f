"""The public datasets that the figures are of, and how the command line makes projects of them."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass(frozen=True, slots=True)
class Data:
    """A dataset as ``medview project import`` reads it.

    Attributes
    ----------
    folder : str
        Below the folder that MEDVIEW_TEST_DATA names.
    options : tuple of str
        Of the import.
    patient : str
        Regular expression for the patient in the name of an image; empty where nobody knows.
    licence, origin : str
        In words, for the page and for cards.
    split : str
        How it is split, in words, where more has to be said than whether by patient.
    cut : callable or None
        Makes a dataset of a part of it: (folder of the data, folder to write) -> None.
    doubtful : mapping of str to str
        Patients of its project whose labels do not lie on the image, and what was seen. They are trained and judged on like
        all others; figures of folds are told without them as well.
    """

    name: str
    title: str
    folder: str
    options: tuple[str, ...]
    licence: str
    origin: str
    patient: str = ""
    split: str = ""
    cut: Callable[[Path, Path], None] | None = None
    doubtful: Mapping[str, str] = field(default_factory=dict)

    def source(self, root: Path) -> Path:
        """Return where it lies. Raises FileNotFoundError."""
        found = root / self.folder
        if not found.is_dir():
            raise FileNotFoundError(f"{self.folder} is not in the folder that MEDVIEW_TEST_DATA names.")
        return found

    def sha256(self, root: Path) -> str:
        """Return a checksum over the names and bytes of its files."""
        total = hashlib.sha256(self.name.encode())
        source = self.source(root)
        for file in sorted(path for path in source.rglob("*") if path.is_file()):
            total.update(file.relative_to(source).as_posix().encode())
            total.update(hashlib.sha256(file.read_bytes()).digest())
        return total.hexdigest()

    def write_fold(self, root: Path, fold: int, folds: int, file: Path) -> None:
        """Write the list of one fold: its patients validate, the others train.

        Patients in the order of their names are dealt out to the folds, so that groups that names tell are in all of them.
        """
        images = sorted(path for path in self.source(root).rglob("*.png") if path.parts[-3].lower() == "images")
        patients = {path.name: _first(re.search(self.patient, path.name)) for path in images}
        order = sorted(set(patients.values()))
        with file.open("w", newline="", encoding="utf-8") as opened:
            writer = csv.writer(opened)
            writer.writerow(("name", "split"))
            for name, patient in patients.items():
                writer.writerow((name, "val" if order.index(patient) % folds == fold else "train"))


def _first(found: re.Match[str] | None) -> str:
    if found is None:
        raise ValueError("an image names no patient")
    return found[1] if found.re.groups else found[0]


FEW = 200
"""Training images of the small part."""


def _others(source: Path, folder: Path) -> None:
    """Write what the small part leaves; the last tenth validates, so that nothing is seen that judges the small part."""
    images, labels = _train(source)
    held = len(images) // 10
    np.savez(
        folder / "pneumoniamnist_others.npz",
        train_images=images[FEW:-held],
        train_labels=labels[FEW:-held],
        val_images=images[-held:],
        val_labels=labels[-held:],
    )


def _few(source: Path, folder: Path) -> None:
    """Write a small part for training, and the whole validation set."""
    images, labels = _train(source)
    with np.load(next(source.glob("*.npz"))) as arrays:
        np.savez(
            folder / "pneumoniamnist_few.npz",
            train_images=images[:FEW],
            train_labels=labels[:FEW],
            val_images=arrays["val_images"],
            val_labels=arrays["val_labels"],
        )


def _train(source: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the training images in another order, without those that are pixel for pixel in the validation set."""
    with np.load(next(source.glob("*.npz"))) as arrays:
        images, labels, held = arrays["train_images"], arrays["train_labels"], arrays["val_images"]
    judged = {image.tobytes() for image in held}
    order = [n for n in np.random.default_rng(0).permutation(len(images)) if images[n].tobytes() not in judged]
    return images[order], labels[order]


HIPPOCAMPUS = Data(
    name="hippocampus",
    title="Hippocampus, MR, 180 volumes",
    folder="train-seg-hippocampus",
    options=("--format", "nifti-pairs", "--label-values", "1=Anterior,2=Posterior", "--patient-from", r"hippocampus_\d+"),
    licence="CC BY-SA 4.0",
    origin="Medical Segmentation Decathlon, Task04 Hippocampus (Antonelli et al. 2022; Vanderbilt)",
    patient=r"hippocampus_\d+",
    split=(
        "by volume, and a volume counts as a patient: the collection has 394 volumes of 195 people and does not say which "
        "two are of one, so both sides of a person may stand in two splits"
    ),
)
SUNNYBROOK = Data(
    name="sunnybrook",
    title="Sunnybrook, cardiac MR, 526 slices of 30 patients",
    folder="train-seg-sunnybrook",
    options=("--format", "image-mask", "--label-values", "255=LV", "--patient-from", r"(SC-[A-Z]+(?:-N?I)?-\d+)"),
    licence="public domain (CC0)",
    origin="Sunnybrook Cardiac Data (Radau et al. 2009)",
    patient=r"(SC-[A-Z]+(?:-N?I)?-\d+)",
    doubtful={"P0029": "SC-N-06, 13 images, whose contours lie about ten pixels beside the ventricle in the public files"},
)
BCCD = Data(
    name="bccd",
    title="BCCD, 205 blood smears with 2,805 boxes",
    folder="train-det-bccd",
    options=("--format", "voc"),
    licence="MIT",
    origin="BCCD dataset (Shenggan)",
)
PNEUMONIA = Data(
    name="pneumonia",
    title="PneumoniaMNIST, 2,698 chest X-rays of 28 x 28 pixels",
    folder="train-cls-pneumoniamnist",
    options=("--format", "medmnist-npz", "--split-from", "npz"),
    licence="CC BY 4.0",
    origin="MedMNIST v2 (Yang et al. 2023) after Kermany et al. 2018, balanced",
)
OTHERS = Data(
    name="pneumonia-others",
    title=f"PneumoniaMNIST without {FEW} training images and without its validation images",
    folder=PNEUMONIA.folder,
    options=PNEUMONIA.options,
    licence=PNEUMONIA.licence,
    origin=PNEUMONIA.origin,
    cut=_others,
)
FEW_IMAGES = Data(
    name="pneumonia-few",
    title=f"PneumoniaMNIST, {FEW} of its training images, all of its validation images",
    folder=PNEUMONIA.folder,
    options=PNEUMONIA.options,
    licence=PNEUMONIA.licence,
    origin=PNEUMONIA.origin,
    cut=_few,
)
PROMPTED = Data(
    name="prompted",
    title="Phantoms of MedView, hippocampus and Sunnybrook",
    folder=".",
    options=(),
    licence="Apache-2.0 (phantoms), CC BY-SA 4.0 (hippocampus), public domain (Sunnybrook)",
    origin="MedView's phantoms; Medical Segmentation Decathlon, Task04; Sunnybrook Cardiac Data",
)
