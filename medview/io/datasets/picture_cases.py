"""Cases as pictures with shapes on them: what COCO, Pascal VOC and YOLO have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from medview.core.annotations import BoxAnnotation
from medview.core.errors import WriteError
from medview.core.geometry import Calibration
from medview.core.job import JobContext
from medview.core.segmentation import Segmentation
from medview.core.volume import Volume
from medview.core.window import Window
from medview.io.coco import UNNAMED, slices_of_box
from medview.io.datasets.dataset_case import DatasetCase, WriteOptions, category_of, many
from medview.io.datasets.keypoints import around_points, things_of
from medview.io.datasets.rle import packed, runs_of
from medview.io.datasets.shapes import PictureShape, Runs
from medview.io.pictures import read_voxels

SPREAD = (0.5, 99.5)
"""Percentiles of the values that become black and white where no window is given."""


@dataclass(frozen=True, slots=True)
class MadePicture:
    """A picture that was written, and what is on it.

    Attributes
    ----------
    name : str
        Of the file.
    case : DatasetCase
    k : int
        The slice.
    size : tuple of int
        Rows and columns.
    shapes : tuple of PictureShape
        Boxes have no runs; masks have a box around them and runs.
    """

    name: str
    case: DatasetCase
    k: int
    size: tuple[int, int]
    shapes: tuple[PictureShape, ...]


def write_pictures(
    folder: Path, case: DatasetCase, options: WriteOptions, context: JobContext, *, points: bool = False
) -> Iterator[MadePicture]:
    """Write the slices of a case on which something is drawn, or known to be nothing, and yield them.

    Parameters
    ----------
    points : bool
        Points are shapes too.

    Raises
    ------
    WriteError, DiskFullError
        When the case has several channels, or a picture cannot be written.
    """
    volumes = case.images()
    if len(volumes) != 1 and not (volumes and volumes[0].colour):
        raise WriteError(f"{case.key} has {len(volumes)} channels, and a picture has one; choose a channel.")
    volume = volumes[0]
    segmentation = case.labels() if case.labels is not None else None
    shapes = _shapes(case, segmentation)
    for k, things in (things_of(case.points, case.geometry) if points else {}).items():
        for label, marked, attributes in things:
            shape = PictureShape(label, around_points(marked), attributes=attributes, points=tuple(marked))
            shapes.setdefault(k, []).append(shape)
    levels = Levels(volume, case.window)
    count, rows, columns = case.geometry.shape_kji
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        context.raise_if_cancelled()
        known = case.marks is not None and case.marks.is_done(k)
        if not (k in shapes or known or options.every_slice or count == 1):
            continue
        name = f"{case.key}.png" if count == 1 else f"{case.key}_{k + 1:04d}.png"
        _save(folder / name, levels.of_slice(k))
        yield MadePicture(name, case, k, (rows, columns), tuple(shapes.get(k, ())))


class Levels:
    """Values of a volume as 256 grey levels; colours, and pictures that have no more levels, stay as they are."""

    def __init__(self, volume: Volume, window: Window | None = None) -> None:
        self._volume = volume
        self._plain = volume.colour or (volume.voxels.dtype == np.uint8 and volume.rescale.identity and window is None)
        self._window = window or (volume.windows[0] if volume.windows else None)
        if not self._plain and self._window is None:
            seen = volume.seen_values()
            low, high = np.percentile(seen, SPREAD) if seen.size else (0.0, 1.0)
            self._window = Window.from_range(float(low), float(high))

    def of_slice(self, k: int) -> npt.NDArray[np.uint8]:
        """Return slice k, (rows, columns) or (rows, columns, 3)."""
        if self._plain:
            stored = np.asarray(self._volume.voxels[k], dtype=np.uint8)
            return np.asarray(255 - stored, dtype=np.uint8) if self._volume.inverted and not self._volume.colour else stored
        assert self._window is not None
        levels = self._window.levels(np.nan_to_num(self._volume.values((k,))))
        return np.asarray(255 - levels if self._volume.inverted else levels, dtype=np.uint8)


def _save(path: Path, levels: npt.NDArray[np.uint8]) -> None:
    Image.fromarray(levels).save(path, format="PNG")
    if not np.array_equal(read_voxels(str(path))[0], levels):
        raise WriteError(f"{path.name} was not written as it is; check the disk it goes to.")


def _shapes(case: DatasetCase, segmentation: Segmentation | None) -> dict[int, list[PictureShape]]:
    found: dict[int, list[PictureShape]] = {}
    for segment in case.structures() if segmentation is not None else ():
        assert segmentation is not None
        box = segmentation.box(segment)
        if box is None:
            continue
        layer = segmentation.layer(segment.layer_id).voxels
        for k in range(box.min_kji[0], box.max_kji[0]):
            mask = layer[k] == segment.value
            if mask.any():
                runs = Runs(packed(runs_of(mask)), (int(mask.shape[0]), int(mask.shape[1])))
                found.setdefault(k, []).append(PictureShape(category_of(segment), around(mask), runs=runs))
    for one in case.boxes:
        low, high = one.bounds_kji(case.geometry)
        shape = PictureShape(
            one.label or UNNAMED,
            (float(low[2]), float(low[1]), float(high[2]), float(high[1])),
            score=one.score,
            attributes=one.attributes,
        )
        for k in slices_of_box(one, case.geometry):
            found.setdefault(k, []).append(shape)
    return found


def around(mask: npt.NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Return the edges around a mask: left, top, right, bottom."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def box_only(shape: PictureShape) -> PictureShape:
    """Return a shape without its mask."""
    return replace(shape, runs=None)


def names_in(cases: Sequence[DatasetCase]) -> list[str]:
    """Return what there is to label in cases, each once, by name."""
    found = {category_of(segment) for case in cases for segment in case.structures()}
    found |= {box.label or UNNAMED for case in cases for box in case.boxes}
    return sorted(found)


def picture_losses(cases: Sequence[DatasetCase], options: WriteOptions, *, points: bool = False) -> list[str]:
    """Return what pictures with shapes cannot carry of cases; nothing is loaded.

    Parameters
    ----------
    points : bool
        They are carried.
    """
    said: list[str] = ["Grey values become 256 levels by a window, unless they are that already."]
    volumes = sum(1 for case in cases if case.geometry.shape_kji[0] > 1)
    if volumes:
        which = "every slice" if options.every_slice else "the slices on which something is drawn or marked done"
        said.append(
            many(volumes, f"1 volume is written as pictures: {which}.", f"{{n}} volumes are written as pictures: {which}.")
        )
    if any(case.geometry.calibration is not Calibration.PIXELS for case in cases):
        said.append("Pictures have no millimetres and no place in the patient.")
    across = [box for case in cases for box in case.boxes if not _on_slices(box, case)]
    if across:
        said.append(
            many(
                len(across),
                "1 box lies across the slices and is left out.",
                "{n} boxes lie across the slices and are left out.",
            )
        )
    numbered = Counter(category_of(s) for case in cases for s in case.structures() if category_of(s) != s.name)
    if numbered:
        said.append("Numbers of things of one kind (Nodule 1, Nodule 2) are left out; each stays a thing of its own.")
    return said + common_losses(cases, points=points)


def common_losses(cases: Sequence[DatasetCase], *, points: bool = False) -> list[str]:
    """Return what no format of datasets carries of cases, and points unless they are carried."""
    said: list[str] = []
    unsure = sum(len(case.segments) - len(case.structures()) for case in cases)
    if unsure:
        said.append(many(unsure, "1 unsure segment is left out.", "{n} unsure segments are left out."))
    coded = any(segment.code is not None for case in cases for segment in case.segments)
    if coded:
        said.append("Codes of segments are left out; only their names are kept.")
    if any(case.segments or case.boxes for case in cases):
        said.append("Colours, states and who or which model drew a thing are left out.")
    answers = sum(len(case.answers) for case in cases)
    if answers:
        said.append(many(answers, "1 answer on a whole image is left out.", "{n} answers on whole images are left out."))
    others = sum(case.others + (0 if points else len(case.points)) for case in cases)
    if others:
        said.append(
            many(others, "1 point, line or measurement is left out.", "{n} points, lines and measurements are left out.")
        )
    return said


def _on_slices(box: BoxAnnotation, case: DatasetCase) -> bool:
    return next(slices_of_box(box, case.geometry), None) is not None
