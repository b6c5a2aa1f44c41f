"""The volumes a loop is about, patient by patient, with the truth that only its annotator looks at."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medview.core.volume import Volume
from medview.io.datasets.foreign import ForeignCase, ImageRef
from medview.io.datasets.masks import MaskFile
from medview.io.datasets.reading import load_labels
from medview.io.imported_labels import Target
from tests.accuracy.trainings.data import HIPPOCAMPUS, Data

SUFFIX = ".nii.gz"
IMAGES, LABELS = "images", "labels"


@dataclass(frozen=True, slots=True)
class Volumes:
    """Volumes and label maps of the same names, in folders beside each other; one volume a patient.

    Attributes
    ----------
    data : Data
        The dataset: title, licence, checksum.
    within : str
        Where the two folders are, below the dataset's.
    classes : tuple of str
        What the values of the label maps are called, from 1 on.
    """

    data: Data
    within: str
    classes: tuple[str, ...]

    def names(self, root: Path) -> tuple[str, ...]:
        """Return the patients, each by the name of its volume. Raises FileNotFoundError without data."""
        return tuple(sorted(path.name.removesuffix(SUFFIX) for path in (self._at(root) / IMAGES).glob(f"*{SUFFIX}")))

    def image(self, root: Path, name: str) -> Path:
        """Return the volume of a patient."""
        return self._at(root) / IMAGES / f"{name}{SUFFIX}"

    def values(self, classes: Collection[str] | None = None) -> str:
        """Return the names of values as ``--label-values`` takes them."""
        return ",".join(f"{n}={name}" for n, name in enumerate(self.classes, start=1) if classes is None or name in classes)

    def put(self, root: Path, name: str, folder: Path, classes: Collection[str]) -> None:
        """Write volume and label map of a patient below a folder, the map with some of the classes only."""
        for part in (IMAGES, LABELS):
            (folder / part).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.image(root, name), folder / IMAGES / f"{name}{SUFFIX}")
        source, target = self._at(root) / LABELS / f"{name}{SUFFIX}", folder / LABELS / f"{name}{SUFFIX}"
        if set(classes) >= set(self.classes):
            shutil.copyfile(source, target)
            return
        import SimpleITK as sitk

        found = sitk.ReadImage(str(source))
        kept = [n for n, one in enumerate(self.classes, start=1) if one in classes]
        voxels = sitk.GetArrayFromImage(found)
        written = sitk.GetImageFromArray(np.where(np.isin(voxels, kept), voxels, 0).astype(np.uint8))
        written.CopyInformation(found)
        sitk.WriteImage(written, str(target))

    def truth(self, root: Path, name: str, volume: Volume) -> npt.NDArray[np.uint8]:
        """Return the true classes of a patient by number from 1 on, on the grid of the volume as MedView reads it."""
        file = MaskFile(str(self._at(root) / LABELS / f"{name}{SUFFIX}"), tuple(enumerate(self.classes, start=1)))
        case = ForeignCase(name, (ImageRef(str(self.image(root, name))),), file)
        masks = load_labels(case, Target.of(volume)).masks
        found = np.zeros(volume.geometry.shape_kji, dtype=np.uint8)
        for segment in masks.segments if masks is not None else ():
            assert masks is not None
            found[masks.layers[segment.layer_id] == segment.value] = 1 + self.classes.index(segment.name)
        return found

    def _at(self, root: Path) -> Path:
        return self.data.source(root) / self.within


HIPPOCAMPI = Volumes(HIPPOCAMPUS, "data/TrainingSet", ("Anterior", "Posterior"))
