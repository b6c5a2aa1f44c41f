"""A small dataset for the scripted loop: a volume and a label map for each patient, as plain files."""

from __future__ import annotations

from pathlib import Path

from medview.io.nifti import write_label_map, write_volume
from tests.accuracy.loop.volumes import IMAGES, LABELS, SUFFIX, Volumes
from tests.accuracy.trainings.data import Data
from tests.helpers.segmentation_training import CLASSES, phantom_case

PHANTOMS = Volumes(
    Data("phantoms", "Phantoms", "phantoms", (), "CC0", "MedView", r"phantom_\d+"), "", tuple(one.name for one in CLASSES)
)


def write_phantoms(root: Path, count: int) -> None:
    """Write so many patients below a folder, each with a bright and a dark ellipsoid."""
    for part in (IMAGES, LABELS):
        (root / PHANTOMS.data.folder / part).mkdir(parents=True)
    for number in range(count):
        volume, truth = phantom_case(number)
        assert truth.layers is not None
        name = f"phantom_{number:03d}"
        write_volume(PHANTOMS.image(root, name), volume)
        labels = root / PHANTOMS.data.folder / LABELS / f"{name}{SUFFIX}"
        write_label_map(labels, truth.layers[0], volume.geometry)
