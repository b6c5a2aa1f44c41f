"""All formats of datasets that are written, and how: whole or not at all, read back before anybody sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medview.core.errors import CancelledError, MedViewError, WriteError
from medview.core.job import Inline, JobContext
from medview.io.datasets.checksums import write_checksums
from medview.io.datasets.coco_write import coco_losses, write_coco_dataset
from medview.io.datasets.data_card import write_card
from medview.io.datasets.dataset_case import DatasetCase, WriteOptions, Written, check_keys
from medview.io.datasets.foreign import DatasetRequest, ForeignDataset
from medview.io.datasets.new_folder import new_folder
from medview.io.datasets.nnunet_write import nnunet_losses, write_nnunet_dataset
from medview.io.datasets.picture_cases import MadePicture
from medview.io.datasets.polygon_masks import mask_inside
from medview.io.datasets.shapes import PictureShape, PictureShapes
from medview.io.datasets.table import list_dataset
from medview.io.datasets.voc_masks import VocLabels
from medview.io.datasets.voc_write import voc_losses, write_voc_dataset
from medview.io.datasets.yolo_write import write_yolo_dataset, yolo_losses

SAME_PIXELS = 0.01
"""How far an edge may lie from where it was once it is read back."""


@dataclass(frozen=True, slots=True)
class _Writer:
    losses: Callable[[Sequence[DatasetCase], WriteOptions, JobContext], list[str]]
    write: Callable[[Path, Sequence[DatasetCase], WriteOptions, JobContext], Sequence[Any]]


WRITERS: Mapping[str, _Writer] = {
    "nnunet": _Writer(nnunet_losses, write_nnunet_dataset),
    "coco": _Writer(coco_losses, write_coco_dataset),
    "voc": _Writer(voc_losses, write_voc_dataset),
    "yolo": _Writer(yolo_losses, write_yolo_dataset),
}
"""By the name ``list_dataset`` reads them by."""


def losses(
    form: str, cases: Sequence[DatasetCase], options: WriteOptions = WriteOptions(), context: JobContext | None = None
) -> tuple[str, ...]:
    """Return sentences on what a format cannot carry of cases, before anything is written.

    Raises
    ------
    WriteError
        When the format cannot hold them at all.
    """
    check_keys(cases)
    return tuple(_writer(form).losses(cases, options, context or Inline()))


def write_dataset(
    form: str,
    folder: Path,
    cases: Sequence[DatasetCase],
    options: WriteOptions = WriteOptions(),
    context: JobContext | None = None,
) -> Written:
    """Write cases as a dataset into a new or empty folder, whole or not at all.

    It is written into a temporary folder beside it, read again as others would read it, compared and renamed. A data card
    and the checksums of all files lie in it too.

    Raises
    ------
    WriteError, DiskFullError
        When the format cannot hold them, or the disk does not take them; nothing is left behind then.
    CancelledError
    """
    context = context or Inline()
    said = losses(form, cases, options, context)
    with new_folder(folder, overwrite=options.overwrite) as draft:
        made = _writer(form).write(draft, cases, options, context)
        if not made:
            raise WriteError("The dataset was not written: nothing is drawn or marked done on any slice.")
        context.progress(1.0, "Reading it back")
        try:
            back = list_dataset(form, DatasetRequest(draft), context)
        except CancelledError:
            raise
        except MedViewError as error:
            raise WriteError("The dataset was not written: it did not read back.", detail=error.sentence) from error
        things = _compare_pictures(made, back) if form != "nnunet" else _compare_cases(made, back)
        write_card(draft, form, cases, options, said)
        write_checksums(draft)
    return Written(folder, len({case.key for case in cases}), len(made), things, said)


def _writer(form: str) -> _Writer:
    if form not in WRITERS:
        raise WriteError(f"{form} is no format of datasets that is written; those are {', '.join(WRITERS)}.")
    return WRITERS[form]


def _compare_cases(made: Sequence[tuple[str, int]], back: ForeignDataset) -> int:
    wanted = Counter(key for key, _ in made)
    if Counter(case.key.rpartition("/")[2] for case in back.cases) != wanted:
        raise WriteError("The dataset was not written: other cases came back than were written.")
    return sum(things for _, things in made)


def _compare_pictures(made: Sequence[MadePicture], back: ForeignDataset) -> int:
    found: dict[str, PictureShapes] = {}
    for case in back.cases:
        boxes = case.labels.boxes if isinstance(case.labels, VocLabels) else case.labels
        if isinstance(boxes, PictureShapes):
            found[Path(case.images[0].path).name] = boxes
    for picture in made:
        shapes = found.get(picture.name)
        if shapes is None or len(shapes.shapes) != len(picture.shapes):
            raise WriteError(f"The dataset was not written: what is on {picture.name} did not come back.")
        scale = np.array(picture.size[::-1] if shapes.parts else (1, 1), dtype=np.float64)
        for before, after in zip(picture.shapes, shapes.shapes, strict=True):
            if before.label != after.label or not _same(before, after, scale, picture.size):
                raise WriteError(f"The dataset was not written: a thing on {picture.name} came back elsewhere.")
    if len(found) != len(made):
        raise WriteError("The dataset was not written: more pictures came back than were written.")
    return sum(len(picture.shapes) for picture in made)


def _same(before: PictureShape, after: PictureShape, scale: Any, size: tuple[int, int]) -> bool:
    if before.box_xyxy is not None:
        if after.box_xyxy is None:
            return False
        edges = np.asarray(after.box_xyxy).reshape(2, 2) * scale
        if np.abs(edges - np.asarray(before.box_xyxy).reshape(2, 2)).max() > SAME_PIXELS:
            return False
    if len(before.points) != len(after.points):
        return False
    marked = {point.name: point for point in after.points}
    for point in before.points:
        back = marked.get(point.name)
        if back is None or back.seen != point.seen or max(abs(back.x - point.x), abs(back.y - point.y)) > SAME_PIXELS:
            return False
    if before.runs is not None:
        return after.runs is not None and np.array_equal(before.runs.mask(), after.runs.mask())
    if before.polygons:
        outlines = [np.asarray(one.polygons[0]).reshape(-1, 2) for one in (before, after)]
        return np.array_equal(mask_inside([outlines[0]], size), mask_inside([outlines[1] * scale], size))
    return True
