"""Prepared examples on the disk: what the network sees, class maps on its grid, and places of each class.

One folder per example::

    values.npy   float16 (channels, k, j, i)
    labels.npy   uint8 (layers, k, j, i): class numbers in one layer, or per class 1, 0 or UNKNOWN where classes overlap
    places.npy   int32 (n, 4): class, k, j, i of voxels to draw samples around
    example.json what else is known of it
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.atomic import umask, write_error
from medview.core.errors import ReadError
from medview.core.job import JobContext
from medview.ml.examples import UNKNOWN, Example, Truth
from medview.ml.runners.preprocess import Prepared, prepare
from medview.ml.runners.resampling import nearest, nearest_points
from medview.ml.spec import InputSpec, Vector3

PLACES_PER_CLASS = 5_000

HALF_LARGEST = 65_000.0
"""What float16 holds."""

Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class StoredExample:
    """An example in the cache; its arrays are mapped when they are asked for, and no file stays open.

    Attributes
    ----------
    open_classes : tuple of int
        As of ``Truth``.
    voxel_mm3 : float
        Of the network's grid.
    spacing_kji : tuple of float
        Of the network's grid.
    shown : tuple of int
        Classes of which there is a voxel.
    """

    key: str
    folder: Path
    open_classes: tuple[int, ...]
    voxel_mm3: float
    spacing_kji: Vector3
    shown: tuple[int, ...] = ()

    def values(self) -> npt.NDArray[np.float16]:
        """Return the values (channels, k, j, i)."""
        return self._array("values")

    def labels(self) -> Labels:
        """Return the class maps (layers, k, j, i)."""
        return self._array("labels")

    def places(self) -> npt.NDArray[np.int32]:
        """Return class, k, j, i of voxels, shape (n, 4), sorted by class."""
        return self._array("places")

    def _array(self, name: str) -> npt.NDArray[Any]:
        found: npt.NDArray[Any] = np.load(self.folder / f"{name}.npy", mmap_mode="r")
        return found


def folder_of(cache: Path, key: str) -> Path:
    """Return the folder of an example; its name is the key where that is a plain one."""
    plain = re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}", key) is not None
    return cache / (key if plain else hashlib.sha256(key.encode()).hexdigest()[:32])


def store_example(
    example: Example, wanted: InputSpec, classes: int, cache: Path, context: JobContext, *, overlapping: bool
) -> None:
    """Prepare an example and write it, complete or not at all. One that is there already stays.

    Raises
    ------
    MedViewError
        Where the example cannot be read.
    WriteError
        Where it cannot be written.
    CancelledError
        On the way.
    """
    folder = folder_of(cache, example.key)
    try:
        if (folder / "example.json").exists():
            return
    except OSError as error:
        raise write_error(folder, error) from error
    volumes, truth = example.volumes(), example.truth()
    prepared = prepare(volumes, wanted, context)
    labels = class_maps(truth, prepared, classes, overlapping=overlapping)
    spacing = [float(side) for side in prepared.spacing_kji_mm]
    places = _places(labels, classes, overlapping=overlapping)
    about = {
        "open": sorted(truth.open_classes),
        "voxel_mm3": math.prod(spacing),
        "spacing": spacing,
        "shown": np.unique(places[:, 0]).tolist(),
    }
    values = prepared.values.numpy().clip(-HALF_LARGEST, HALF_LARGEST).astype(np.float16)
    arrays: dict[str, npt.NDArray[Any]] = {
        "values": values,
        "labels": labels,
        "places": places,
    }
    try:
        cache.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=cache, prefix=".part-"))
        try:
            for name, array in arrays.items():
                with (made / f"{name}.npy").open("wb") as file:
                    np.save(file, array)
                    file.flush()
                    os.fsync(file.fileno())
            (made / "example.json").write_text(json.dumps(about), encoding="utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            # Others of a shared project may go on with the training.
            made.chmod(0o777 & ~umask())
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise write_error(folder, error) from error


def open_examples(cache: Path, keys: Sequence[str]) -> tuple[StoredExample, ...]:
    """Return stored examples in the order of their keys.

    Raises
    ------
    ReadError
        Where one is missing or torn.
    """
    found = []
    for key in keys:
        folder = folder_of(cache, key)
        try:
            about = json.loads((folder / "example.json").read_text(encoding="utf-8"))
            k, j, i = about["spacing"]
            shown = tuple(about.get("shown", ()))
            one = StoredExample(key, folder, tuple(about["open"]), about["voxel_mm3"], (k, j, i), shown)
            whole = one.values().shape[1:] == one.labels().shape[1:] and one.places().shape[1] == 4
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise _torn(cache, key) from error
        if not whole:
            raise _torn(cache, key)
        found.append(one)
    return tuple(found)


def _torn(cache: Path, key: str) -> ReadError:
    return ReadError(f"Prepared example {key} cannot be read; delete {cache.name} and resume.")


def class_maps(truth: Truth, prepared: Prepared, classes: int, *, overlapping: bool) -> Labels:
    """Bring the truth to the network's grid: the label of the nearest voxel.

    Returns
    -------
    ndarray of uint8, shape (1, k, j, i)
        Class numbers; what one layer does not know, nobody knows. Or, where classes overlap, shape (classes, k, j, i): 1, 0
        or ``UNKNOWN``; an open class is unknown wherever it is not drawn.
    """
    layers = truth.layers
    shape = prepared.shape_kji
    if layers is None or not len(layers):
        return np.full((classes if overlapping else 1, *shape), UNKNOWN, dtype=np.uint8)
    sides = list(zip(prepared.crop.shape_kji, shape, strict=True))
    if prepared.ratios_kji is None:
        places = np.ix_(*(nearest(have, n) for have, n in sides))
    else:
        places = np.ix_(*(nearest_points(*two, one) for two, one in zip(sides, prepared.ratios_kji, strict=True)))
    turned = [prepared.orientation.turned(layer)[prepared.crop.slices][places] for layer in layers]
    unknown = np.any([layer == UNKNOWN for layer in turned], axis=0)
    if not overlapping:
        merged = np.zeros(shape, dtype=np.uint8)
        for layer in turned:
            np.copyto(merged, layer, where=(layer > 0) & (layer != UNKNOWN))
        merged[unknown] = UNKNOWN
        return merged[None]
    maps = np.zeros((classes, *shape), dtype=np.uint8)
    for number in range(1, classes + 1):
        drawn = np.any([layer == number for layer in turned], axis=0)
        maps[number - 1][unknown | (number in truth.open_classes)] = UNKNOWN
        maps[number - 1][drawn] = 1
    return maps


def _places(labels: Labels, classes: int, *, overlapping: bool) -> npt.NDArray[np.int32]:
    found = [np.zeros((0, 4), dtype=np.int32)]
    for number in range(1, classes + 1):
        mask = labels[number - 1] == 1 if overlapping else labels[0] == number
        flat = np.flatnonzero(mask)
        flat = flat[np.unique(np.linspace(0, max(0, len(flat) - 1), min(len(flat), PLACES_PER_CLASS)).astype(np.int64))]
        where = np.stack(np.unravel_index(flat, mask.shape), axis=1)
        found.append(np.concatenate((np.full((len(where), 1), number), where), axis=1).astype(np.int32))
    return np.concatenate(found)
