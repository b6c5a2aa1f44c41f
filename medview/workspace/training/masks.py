"""What the masks of a case tell: classes by number, and where nobody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.errors import ReadError
from medview.core.marks import Marks
from medview.io.datasets.neutral_read import StoredCase
from medview.ml.examples import UNKNOWN, Truth

IGNORE = "ignore"
Layers = npt.NDArray[np.uint8]


def mask_truth(case: StoredCase, numbers: Mapping[str, int]) -> Truth:
    """Return what is drawn by masks.

    Voxels somebody is unsure of are unknown in all layers; where only some slices are done, what has no label on the others
    is unknown as well. Classes that overlap nowhere in the case share one layer.

    Parameters
    ----------
    numbers : mapping of str to int
        Class -> its number.

    Raises
    ------
    ReadError
        When the labels are damaged.
    """
    said = case.said
    opened = frozenset(numbers[name] for name in said["unknown"] if name in numbers)
    stored = case.layers()
    shape: tuple[int, int, int] = tuple(said["geometry"]["shape_kji"])
    if stored is None:
        found: Layers = np.zeros((1, *shape), dtype=np.uint8)
        unsure = np.zeros(shape, dtype=np.bool_)
    else:
        tables = class_tables(said["segments"], len(stored), numbers)
        found = _joined(np.stack([table[layer] for table, layer in zip(tables, stored, strict=True)]))
        unsure = _unsure(stored, said["segments"])
    if said["done_slices"] is not None:
        found[(found == 0) & ~_marks(case).known(shape)] = UNKNOWN
    found[:, unsure] = UNKNOWN
    return Truth(layers=found, open_classes=opened)


def class_tables(segments: Sequence[Mapping[str, Any]], layers: int, numbers: Mapping[str, int]) -> list[Layers]:
    """Return a table for each layer that takes stored values to the numbers of classes, 0 for all others."""
    tables = [np.zeros(256, dtype=np.uint8) for _ in range(layers)]
    for segment in segments:
        number = numbers.get(class_of(segment), 0)
        if number and segment["voxels"]:
            tables[segment["layer"]][segment["value"]] = number
    return tables


def class_of(segment: Mapping[str, Any]) -> str:
    """Return the class of a segment as ``cases.jsonl`` has it; empty where nobody is sure."""
    if segment["role"] == IGNORE:
        return ""
    head, _, number = str(segment["name"]).rpartition(" ")
    group = segment["group"]
    return str(group) if group and head == group and number.isdigit() else str(segment["name"])


def overlaps(case: StoredCase, numbers: Mapping[str, int]) -> bool:
    """Whether two classes of a case share a voxel. Raises ReadError."""
    stored = case.layers()
    if stored is None or len(stored) < 2:
        return False
    tables = class_tables(case.said["segments"], len(stored), numbers)
    return any(
        _shared([table[layer[k]] for table, layer in zip(tables, stored, strict=True)]) for k in range(stored.shape[1])
    )


def _shared(layers: Sequence[Layers]) -> bool:
    so_far = layers[0].copy()
    for layer in layers[1:]:
        if ((so_far != layer) & (so_far != 0) & (layer != 0)).any():
            return True
        so_far = np.maximum(so_far, layer)
    return False


def _joined(layers: Layers) -> Layers:
    return layers if len(layers) > 1 and _shared(list(layers)) else layers.max(axis=0, keepdims=True)


def _unsure(stored: Layers, segments: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.bool_]:
    found = np.zeros(stored.shape[1:], dtype=np.bool_)
    for segment in segments:
        if segment["role"] == IGNORE and segment["voxels"]:
            found |= stored[segment["layer"]] == segment["value"]
    return found


def _marks(case: StoredCase) -> Marks:
    try:
        done = case.said["done_slices"]
        across = {(axis, int(n)) for axis, name in ((1, "j"), (2, "i")) for n in done[name]}
        return Marks(frozenset(int(n) for n in done["k"]), frozenset(across))
    except (KeyError, TypeError, ValueError) as error:
        raise ReadError(
            f"{case.key} of {case.folder.name} is damaged; export it again.", detail=str(error)[:200]
        ) from error
