"""DICOM segmentations as other programs write them, sound and strange."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset

from medview.core.segmentation import Segment, Segmentation
from medview.io.dicom.seg import write_seg
from medview.io.load import LoadedVolume


def paths_of(loaded: LoadedVolume) -> list[Path]:
    """Return the files behind a volume."""
    return [Path(path) for path in loaded.entry.dicom_paths]


def one_segment(loaded: LoadedVolume) -> Segmentation:
    """Return one asymmetric segment away from the middle, on slices 1, 2 and 4."""
    segmentation = Segmentation(loaded.volume.geometry, segments=[Segment("a", "Blob", (86, 180, 233), 0, 1)])
    voxels = segmentation.layer(0).voxels
    voxels[1, 2:5, 3:9] = 1
    voxels[2, 3, 7:11] = 1
    voxels[4, 8, 1] = 1
    return segmentation


def altered_seg(path: Path, loaded: LoadedVolume, change: Callable[[FileDataset], None]) -> Segmentation:
    """Write a SEG of ``one_segment``, alter its data set, and return what was drawn."""
    segmentation = one_segment(loaded)
    write_seg(path, segmentation, paths_of(loaded))
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)
    return segmentation
