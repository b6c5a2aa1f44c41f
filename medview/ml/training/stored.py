"""Prepared examples in a folder: values as float16 that are mapped, and what is known of them as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.atomic import replacing
from medview.core.errors import ReadError
from medview.ml.spec import Vector3

Halves = npt.NDArray[np.float16]

KEPT_BYTES = 512 << 20
"""Sets up to this are read into memory once; larger ones are mapped whenever a sample is drawn."""

LARGEST_HALF = 65504.0

NEARLY_EVEN = 0.01
"""Sides of voxels that differ by less are the same: resizing to whole voxels makes them a little longer one way."""


def is_stored(folder: Path, key: str) -> bool:
    """Whether the example of a key is there, complete."""
    return _paths(folder, key)[1].exists()


def store_example(folder: Path, key: str, values: npt.NDArray[np.float32], facts: Mapping[str, Any]) -> None:
    """Write an example, complete or not at all.

    Parameters
    ----------
    values : ndarray of float32, shape (channels, k, j, i)
        Kept as float16; numbers beyond its range become the largest it has.
    facts : mapping
        Ready for JSON.

    Raises
    ------
    WriteError
        When the folder cannot be written.
    """
    array, document = _paths(folder, key)
    folder.mkdir(parents=True, exist_ok=True)
    halves = np.clip(values, -LARGEST_HALF, LARGEST_HALF).astype(np.float16)
    with replacing(array, durable=False) as file:
        np.save(file, halves)
    # The facts come last: an example without them is not there.
    with replacing(document, durable=False) as file:
        file.write(json.dumps({**facts, "bytes": array.stat().st_size}).encode())


@dataclass(frozen=True, slots=True, eq=False)
class StoredExamples:
    """Prepared examples, by their place in ``keys``.

    Attributes
    ----------
    keys : tuple of str
    facts : tuple of mapping
        As they were stored.
    """

    folder: Path
    keys: tuple[str, ...]
    facts: tuple[Mapping[str, Any], ...]
    _kept: Mapping[str, Halves]

    @classmethod
    def open(cls, folder: Path, keys: Sequence[str]) -> StoredExamples:
        """Open the examples of these keys.

        Raises
        ------
        ReadError
            Where one is missing or torn.
        """
        facts = [_facts(folder, key) for key in keys]
        small = sum(int(one["bytes"]) for one in facts) <= KEPT_BYTES
        kept = {key: _array(folder, key, mapped=False) for key in keys} if small else {}
        return cls(folder, tuple(keys), tuple(facts), kept)

    def __len__(self) -> int:
        return len(self.keys)

    def values(self, n: int) -> Halves:
        """Return the values of an example, shape (channels, k, j, i): in memory, or mapped."""
        kept = self._kept.get(self.keys[n])
        return _array(self.folder, self.keys[n], mapped=True) if kept is None else kept

    def spacing_kji(self, n: int) -> Vector3:
        """Return how large the voxels of an example are, in widths of one; cubes where nothing was stored of that."""
        k, j, i = self.facts[n].get("spacing", (1.0, 1.0, 1.0))
        k, j = (1.0 if abs(side / i - 1.0) < NEARLY_EVEN else side / i for side in (k, j))
        return k, j, 1.0

    def chosen(self, numbers: Sequence[int]) -> StoredExamples:
        """Return some of the examples."""
        keys = tuple(self.keys[n] for n in numbers)
        kept = {key: self._kept[key] for key in keys if key in self._kept}
        return StoredExamples(self.folder, keys, tuple(self.facts[n] for n in numbers), kept)


def _paths(folder: Path, key: str) -> tuple[Path, Path]:
    """Keys build no path: files are named by their checksum."""
    name = hashlib.sha256(key.encode()).hexdigest()[:24]
    return folder / f"{name}.npy", folder / f"{name}.json"


def _facts(folder: Path, key: str) -> Mapping[str, Any]:
    array, document = _paths(folder, key)
    try:
        facts: Mapping[str, Any] = json.loads(document.read_bytes())
        whole = array.stat().st_size == facts["bytes"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ReadError(f"Prepared example {key} cannot be read; delete {folder.name} and resume.") from error
    if not whole:
        raise ReadError(f"Prepared example {key} is torn; delete {folder.name} and resume.")
    return facts


def _array(folder: Path, key: str, *, mapped: bool) -> Halves:
    path = _paths(folder, key)[0]
    try:
        array: Halves = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ReadError(f"Prepared example {key} cannot be read; delete {folder.name} and resume.") from error
    return array
