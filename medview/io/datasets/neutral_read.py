"""The dataset folder that MedView trains on, read: nothing is believed that leads out of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.errors import ReadError
from medview.core.geometry import Calibration, Geometry
from medview.core.volume import Rescale, Volume
from medview.io.datasets.checksums import changed_files
from medview.io.datasets.neutral import CASES, FACTS, FORMAT, IMAGES, LABELS, SPLITS_FILE, VERSION
from medview.io.datasets.splits import splits_sha256

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A line of ``cases.jsonl``; arrays are mapped into memory when they are asked for.

    Attributes
    ----------
    said : dict
        The whole line.
    """

    folder: Path
    key: str
    patient: str
    split: str
    said: dict[str, Any]

    def image(self) -> Volume:
        """Return its volume, mapped from the disk. Raises ReadError."""
        try:
            head, place = self.said["image"], self.said["geometry"]
            k, j, i = (int(n) for n in place["shape_kji"])
            geometry = Geometry((k, j, i), np.asarray(place["affine_lps"]), "", Calibration(place["calibration"]))
            padding = head["padding"]
            return Volume(
                self._mapped(head["file"], IMAGES),
                geometry,
                str(head["modality"]),
                str(head["unit"]),
                Rescale(float(head["slope"]), float(head["intercept"])),
                inverted=bool(head["inverted"]),
                padding=None if padding is None else (float(padding[0]), float(padding[1])),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(error) from error

    def layers(self) -> npt.NDArray[np.uint8] | None:
        """Return its label layers (layer, k, j, i), mapped from the disk; None where nothing is drawn by masks.

        Raises
        ------
        ReadError
        """
        try:
            told = self.said["labels"]
            if told is None:
                return None
            found = self._mapped(told["file"], LABELS)
            if found.dtype != np.uint8 or found.shape != (told["layers"], *self.said["geometry"]["shape_kji"]):
                raise ValueError(f"layers of shape {found.shape}")
            return found
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(error) from error

    def _mapped(self, name: object, under: str) -> Array:
        if name != f"{under}/{self.key}.npy":
            raise ValueError(f"a file called {name!r}"[:100])
        try:
            found: Array = np.load(self.folder / str(name), mmap_mode="r", allow_pickle=False)
            return found
        except OSError as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> ReadError:
        return ReadError(f"{self.key} of {self.folder.name} is damaged; export it again.", detail=str(error)[:200])


@dataclass(frozen=True, slots=True)
class NeutralDataset:
    """A dataset folder.

    Attributes
    ----------
    facts : dict
        What ``dataset.json`` says.
    """

    folder: Path
    facts: dict[str, Any]
    cases: tuple[StoredCase, ...]


def read_neutral(folder: Path, *, check: bool = True) -> NeutralDataset:
    """Read a dataset folder; arrays stay on the disk.

    Parameters
    ----------
    check : bool
        Compare every file with its checksum, which reads all of it.

    Raises
    ------
    ReadError
        When it is none, of a newer version, damaged or changed.
    """
    if check and (changed := changed_files(folder)):
        more = "" if len(changed) == 1 else f" and {len(changed) - 1} more"
        raise ReadError(f"{folder.name} is no longer as it was written: {changed[0]}{more}; export it again.")
    try:
        facts = json.loads((folder / FACTS).read_text("utf-8"))
        lines = [json.loads(line) for line in (folder / CASES).read_text("utf-8").splitlines()]
        splits = json.loads((folder / SPLITS_FILE).read_text("utf-8"))["cases"]
        if facts["format"] != FORMAT:
            raise ReadError(f"{folder.name} is no dataset folder of MedView; choose another.")
        if int(facts["version"]) > VERSION:
            raise ReadError(f"{folder.name} was written by a newer MedView; read it there.")
        cases = tuple(_case(folder, line) for line in lines)
        own = {case.key: case.split for case in cases}
        if len(own) != len(cases) or own != splits or splits_sha256(own) != facts["splits_sha256"]:
            raise ReadError(f"The splits of {folder.name} are not those it was written with; export it again.")
    except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ReadError(
            f"{folder.name} is no dataset folder, or damaged; export it again.", detail=str(error)[:200]
        ) from error
    return NeutralDataset(folder, facts, cases)


def _case(folder: Path, line: dict[str, Any]) -> StoredCase:
    key = str(line["case"])
    if not key.replace("_", "").replace("-", "").isalnum():
        raise ValueError(f"a case called {key!r}"[:100])
    return StoredCase(folder, key, str(line["patient"] or ""), str(line["split"]), line)
