"""Volumes in one folder, label maps in another: the format most collections of segmentations come in."""

from __future__ import annotations

from pathlib import Path

from medview.core.errors import ReadError
from medview.core.job import JobContext
from medview.io.datasets.foreign import DatasetRequest, ForeignCase, ForeignDataset, ImageRef
from medview.io.datasets.inside import VOLUMES
from medview.io.datasets.json_file import read_json
from medview.io.datasets.masks import MaskFile
from medview.io.datasets.pairs import image_and_label_folders, pairs
from medview.io.datasets.patients import with_patients
from medview.io.reader_pool import Pool

MOST_BYTES = 16 << 20


def list_nifti_pairs(request: DatasetRequest, context: JobContext, pool: Pool) -> ForeignDataset:
    """List volumes with their label maps.

    Raises
    ------
    ReadError
        When a file has no counterpart: the sentence names it.
    """
    images, labels = image_and_label_folders(request)
    found = pairs(images, labels, VOLUMES, context)
    names = tuple(sorted(request.label_values.items())) or _named_above(labels, pool)
    cases = tuple(ForeignCase(pair.key, (ImageRef(str(pair.image)),), MaskFile(str(pair.label), names)) for pair in found)
    dataset = ForeignDataset("nifti-pairs", cases, tuple(name for _, name in names if name))
    return with_patients(dataset, request, {pair.key: pair.inside for pair in found})


def _named_above(labels: Path, pool: Pool) -> tuple[tuple[int, str], ...]:
    """Return what a ``dataset.json`` beside the folder of labels, as the Medical Decathlon has one, calls its values."""
    file = labels.parent / "dataset.json"
    if not file.is_file():
        return ()
    try:
        entries = pool.call(read_json, str(file), MOST_BYTES)["labels"].items()
        found = {int(value): str(name) for value, name in entries}
    except (ReadError, ValueError, KeyError, AttributeError, TypeError):
        # Something else of the same name says nothing about these labels.
        return ()
    return tuple((value, name) for value, name in sorted(found.items()) if value > 0)
