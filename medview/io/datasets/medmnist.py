"""The array files of MedMNIST: ``train_images``, ``train_labels`` and the same of ``val`` and ``test`` in one ``.npz``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from medview.core.errors import ReadError
from medview.core.job import JobContext
from medview.io.datasets.answers import ClassAnswers
from medview.io.datasets.foreign import DatasetRequest, ForeignCase, ForeignDataset, ImageRef
from medview.io.datasets.inside import named
from medview.io.datasets.npz import ArrayHead, heads, read_array
from medview.io.datasets.patients import with_patients
from medview.io.reader_pool import Pool

MOST_IMAGES = 5_000_000
READ_TIMEOUT_S = 60.0
KNOWN: Mapping[str, tuple[str, ...]] = {
    "pneumoniamnist": ("normal", "pneumonia"),
    "breastmnist": ("malignant", "normal or benign"),
    "octmnist": ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    "nodulemnist3d": ("benign", "malignant"),
}
"""What the labels of collections whose file says nothing mean (https://medmnist.com), as far as nobody else says."""


def list_medmnist(request: DatasetRequest, context: JobContext, pool: Pool) -> ForeignDataset:
    """List the images of an array file with their classes; splits are those of the file.

    Raises
    ------
    ReadError, RefusedError
        When it is none, holds Python objects, or has not as many labels as images.
    """
    file = _file(request)
    name = named(file.name)
    found: dict[str, ArrayHead] = pool.call(heads, str(file), timeout_s=READ_TIMEOUT_S)
    splits = [key.removesuffix("_images") for key in found if key.endswith("_images")]
    if not splits:
        raise ReadError(f"{name} has no arrays called train_images, val_images or test_images; it is another kind of file.")
    labels: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {}
    for split in splits:
        if f"{split}_labels" not in found:
            raise ReadError(f"{name} has the images {split}_images and no {split}_labels; it is incomplete.")
        count = found[f"{split}_images"].shape[0] if found[f"{split}_images"].shape else 0
        if count > MOST_IMAGES:
            raise ReadError(f"{name} claims {count} images; it was not read.")
        values = pool.call(read_array, str(file), f"{split}_labels", timeout_s=READ_TIMEOUT_S)
        if values.ndim not in (1, 2) or values.shape[0] != count or values.dtype.kind not in "uib":
            raise ReadError(f"{name} has {count} {split}_images and not as many labels; copy it again.")
        labels[split] = values.reshape(count, -1)
    widths = {values.shape[1] for values in labels.values()}
    if len(widths) != 1:
        raise ReadError(f"{name} has more labels for the images of one split than for those of another; copy it again.")
    # Several columns are findings of their own, each 0 or 1; one column is the number of the class.
    several = widths.pop() > 1
    count = max(values.shape[1] for values in labels.values()) if several else 1 + _largest(labels)
    names = _names(request, file, count)
    cases = []
    for split, rows in labels.items():
        for row, values in enumerate(rows.tolist()):
            present = tuple(names[n] for n, value in enumerate(values) if value) if several else (names[values[0]],)
            absent = tuple(name for name in names if name not in present) if several or count == 2 else ()
            image = ImageRef(str(file), member=f"{split}_images", row=row)
            answers = ClassAnswers(str(file), tuple(n for n in present if n), tuple(n for n in absent if n))
            cases.append(ForeignCase(f"{split}-{row}", (image,), answers, split=split))
    dataset = ForeignDataset("medmnist-npz", tuple(cases), tuple(one for one in names if one), exclusive=not several)
    return with_patients(dataset, request, {case.key: case.key for case in cases})


def _file(request: DatasetRequest) -> Path:
    given = request.source or request.images
    if given is None:
        raise ReadError("Name the .npz file.")
    if given.is_file():
        return given
    found = sorted(given.glob("*.npz")) if given.is_dir() else []
    if len(found) != 1:
        raise ReadError(f"{named(given.name)} holds {len(found)} .npz files; name the one that is meant.")
    return found[0]


def _largest(labels: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]) -> int:
    largest = max((int(values.max()) for values in labels.values() if values.size), default=0)
    if largest > 10_000:
        raise ReadError(f"A label of {largest} is no number of a class.")
    return largest


def _names(request: DatasetRequest, file: Path, count: int) -> list[str]:
    known = next((names for stem, names in KNOWN.items() if file.stem.casefold().startswith(stem)), ())
    plain = known if len(known) == count else tuple(f"class {number}" for number in range(count))
    return [request.label_values.get(number, plain[number]) for number in range(count)]
