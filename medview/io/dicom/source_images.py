"""The images behind the slices of a grid, for objects that point at them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pydicom.dataset import Dataset

from medview.core.errors import GeometryError
from medview.core.geometry import Calibration, Geometry
from medview.core.study import Frame
from medview.io.dicom.attributes import integer, quiet
from medview.io.dicom.header import instance_of, parse
from medview.io.dicom.instance import FrameInfo, Instance
from medview.io.dicom.repeated import clean_repeated, complete_repeated
from medview.io.dicom.slice_tolerance import on_voxel
from medview.io.sources import name_of, open_source


class SourceImages:
    """Source images, each read once, checked, and cleaned of what must not be repeated.

    Parameters
    ----------
    path : Path
        What is to be written, for sentences.
    geometry : Geometry
    frames : tuple of Frame
        One per slice k; those of all time points one after the other, counted on as k, where there are several.
    drawn : str
        What was made on the images, for sentences: ``measurements were drawn``.
    """

    def __init__(self, path: Path, geometry: Geometry, frames: tuple[Frame, ...], drawn: str) -> None:
        self._path, self._geometry, self._frames, self._drawn = path, geometry, frames, drawn
        self._read_files: dict[str, tuple[Dataset, Instance]] = {}
        self._times = Counter((frame.sop_instance_uid, frame.number) for frame in frames)
        self.left_out: set[str] = set()

    @property
    def datasets(self) -> list[Dataset]:
        """What was read so far."""
        return [dataset for dataset, _ in self._read_files.values()]

    def image(self, k: int) -> tuple[Dataset, int] | None:
        """Return the image of slice k and its frame, from 1 (0: it has only one); None for a tile of a mosaic.

        Raises
        ------
        GeometryError
            When the file no longer holds the image of this slice.
        ReadError
            When it cannot be read.
        """
        dataset, instance = self.read(k)
        count = integer(dataset, "NumberOfFrames", 1)
        if len(instance.frames) != max(count, 1):
            return None
        return dataset, self._frames[k].number + 1 if count > 1 else 0

    def alone(self, k: int) -> bool:
        """Whether no other slice bears the identity of this one: copies of one file side by side do."""
        frame = self._frames[k]
        return self._times[(frame.sop_instance_uid, frame.number)] == 1

    def read(self, k: int) -> tuple[Dataset, Instance]:
        """Return the file of slice k without its pixels; raises as ``image``."""
        frame = self._frames[k]
        if frame.path not in self._read_files:
            self._read_files[frame.path] = self._opened(frame.path)
        dataset, instance = self._read_files[frame.path]
        size = (instance.pixels.rows, instance.pixels.columns)
        same = instance.sop_instance_uid == frame.sop_instance_uid and size == self._geometry.shape_kji[1:]
        if (
            not same
            or frame.number >= len(instance.frames)
            or not _in_place(instance.frames[frame.number], self._geometry, k % self._geometry.shape_kji[0])
        ):
            raise self.other_images()
        return dataset, instance

    def other_images(self) -> GeometryError:
        """Return the error that says that the images are others than they were."""
        return GeometryError(f"{self._path.name} was not written: the images are not those the {self._drawn} on.")

    def _opened(self, path: str) -> tuple[Dataset, Instance]:
        with open_source(path) as file:
            dataset, layout = parse(file, name_of(path), stop_before_pixels=True)
        instance = instance_of(path, dataset, layout)
        with quiet():
            self.left_out.update(clean_repeated(dataset))
            complete_repeated(dataset)
        return dataset, instance


def _in_place(frame: FrameInfo, geometry: Geometry, k: int) -> bool:
    if geometry.calibration is not Calibration.VOLUME or frame.position_lps_mm is None:
        return True
    return on_voxel(geometry, (k, 0, 0), frame.position_lps_mm)
