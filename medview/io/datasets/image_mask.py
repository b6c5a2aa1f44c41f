"""Pictures in one folder, masks as pictures in another."""

from __future__ import annotations

from medview.core.job import JobContext
from medview.io.datasets.foreign import DatasetRequest, ForeignCase, ForeignDataset, ImageRef
from medview.io.datasets.inside import PICTURES
from medview.io.datasets.masks import MaskFile
from medview.io.datasets.pairs import image_and_label_folders, pairs
from medview.io.datasets.patients import with_patients
from medview.io.reader_pool import Pool


def list_image_mask(request: DatasetRequest, context: JobContext, pool: Pool) -> ForeignDataset:
    """List pictures with their masks.

    Raises
    ------
    ReadError
        When a file has no counterpart: the sentence names it.
    """
    images, labels = image_and_label_folders(request)
    found = pairs(images, labels, PICTURES, context)
    names = tuple(sorted(request.label_values.items()))
    cases = tuple(ForeignCase(pair.key, (ImageRef(str(pair.image)),), MaskFile(str(pair.label), names)) for pair in found)
    dataset = ForeignDataset("image-mask", cases, tuple(name for _, name in names if name))
    return with_patients(dataset, request, {pair.key: pair.inside for pair in found})
