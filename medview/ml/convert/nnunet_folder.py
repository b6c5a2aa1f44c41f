"""Where the parts of an nnU-Net v2 training lie: dataset.json, plans.json and a checkpoint per fold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from medview.core.errors import PackError
from medview.ml.convert.foreign_json import ForeignObject
from medview.ml.texts import licence_in

DATASET_FILE = "dataset.json"
PLANS_FILE = "plans.json"
FINGERPRINT_FILE = "dataset_fingerprint.json"
SAID_FILE = "medview.json"
"""What a person may say beside: what nnU-Net's own files do not."""

SAID_KEYS = ("orientation", "name", "version", "licence", "modality", "intended_use", "limitations", "mirror", "folds")
CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_best.pth")
"""The first that there is, for all folds alike."""

DEEPEST = 3
"""A training may lie so many folders below what a person chose: results / dataset / trainer__plans__configuration."""

MOST_FOLDERS = 200

_FOLD = re.compile(r"fold_(\d+|all)")
_LICENCE = re.compile(r"(licen[cs]e|copying)(\.(txt|md))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TrainedFolder:
    """One training.

    Attributes
    ----------
    folder : Path
        Named ``TRAINER__PLANS__CONFIGURATION`` as a rule.
    chosen : Path
        What the person chose: the folder or one above it.
    checkpoints : mapping of str to Path
        By the folds' names, in their order.
    """

    folder: Path
    chosen: Path
    dataset: ForeignObject
    plans: ForeignObject
    checkpoints: dict[str, Path]

    def said(self) -> ForeignObject:
        """Return what a person said beside, an empty object where nobody did.

        Raises
        ------
        PackError
            When it says anything that MedView does not know.
        """
        path = self.folder / SAID_FILE
        found = ForeignObject.read(path) if path.is_file() else ForeignObject({}, SAID_FILE)
        for key in found.content:
            if key not in SAID_KEYS:
                found.cannot(key, f"and MedView knows {', '.join(SAID_KEYS)} there")
        return found

    def used_checkpoints(self) -> dict[str, Path]:
        """Return the checkpoints that go into the pack: all, or those of the folds a person said.

        Raises
        ------
        PackError
            When a fold that was said is not there.
        """
        said = self.said()
        if not said.has("folds"):
            return self.checkpoints
        names = [str(fold) for fold in said.items("folds")]
        if not names or len(set(names)) != len(names) or not set(names) <= set(self.checkpoints):
            said.lacks("folds", f"some of the folds that are there: {', '.join(self.checkpoints)}")
        return {name: self.checkpoints[name] for name in names}

    def licence(self) -> str:
        """Return the text of the licence beside the training or above it, empty where there is none."""
        for folder in (self.folder, *self.folder.parents):
            for path in sorted(folder.iterdir()):
                if _LICENCE.fullmatch(path.name) and (found := licence_in(path)):
                    return found
            if folder == self.chosen:
                break
        return ""


def holds_training(source: Path) -> bool:
    """Whether a folder is a training, or holds at least one."""
    return next(_trainings(source), None) is not None


def open_training(source: Path) -> TrainedFolder:
    """Return the training in a folder, or the only one below it.

    Raises
    ------
    PackError
        When there are several, or one without checkpoints.
    """
    found = list(_trainings(source))
    if not found:
        raise PackError(f"{source.name} holds no {DATASET_FILE} beside a {PLANS_FILE}; choose a trained nnU-Net folder.")
    if len(found) > 1:
        names = ", ".join(sorted(str(folder.relative_to(source)) for folder in found)[:4])
        raise PackError(f"{source.name} holds {len(found)} trained nnU-Net folders; choose one of them: {names}.")
    folder = found[0]
    return TrainedFolder(
        folder,
        source,
        ForeignObject.read(folder / DATASET_FILE),
        ForeignObject.read(folder / PLANS_FILE),
        _checkpoints(folder),
    )


def _trainings(source: Path) -> Iterator[Path]:
    """Yield the folders that are a training, from the top down."""
    level, seen = [source], 0
    for _ in range(DEEPEST):
        below: list[Path] = []
        for folder in level:
            seen += 1
            if seen > MOST_FOLDERS or not folder.is_dir():
                continue
            if (folder / DATASET_FILE).is_file() and (folder / PLANS_FILE).is_file():
                yield folder
            else:
                below.extend(sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()))
        level = below


def _checkpoints(folder: Path) -> dict[str, Path]:
    folds = {}
    for path in folder.iterdir():
        fold = _FOLD.fullmatch(path.name)
        if fold and path.is_dir():
            folds[fold.group(1)] = path
    numbered = sorted((name for name in folds if name != "all"), key=int)
    for names in (numbered, [name for name in folds if name == "all"]):
        for file in CHECKPOINTS:
            found = {name: folds[name] / file for name in names if (folds[name] / file).is_file()}
            if found:
                return found
    raise PackError(f"{folder.name} has no {CHECKPOINTS[0]} in any of its fold folders; copy them there too.")
