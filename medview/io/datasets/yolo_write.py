"""Cases as a YOLO dataset: pictures, a text file for each, and a ``data.yaml``.

Files of one dataset hold boxes, or outlines where anything is drawn by masks: programs that train on them take no mixture.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from medview.core.job import JobContext
from medview.io.datasets.dataset_case import DatasetCase, WriteOptions, many
from medview.io.datasets.inside import stem_of
from medview.io.datasets.picture_cases import MadePicture, names_in, picture_losses, write_pictures
from medview.io.datasets.polygon_masks import outer_outlines
from medview.io.datasets.shapes import PictureShape

DIGITS = 8
"""Of parts of a width: far below a thousandth of a pixel."""


def yolo_losses(cases: Sequence[DatasetCase], options: WriteOptions, context: JobContext) -> list[str]:
    """Return what YOLO cannot carry."""
    said = picture_losses(cases, options)
    boxes = sum(len(case.boxes) for case in cases)
    if any(case.structures() for case in cases):
        said.append("Masks become outlines: holes are filled, and pieces of one thing become things of their own.")
        if boxes:
            said.append(
                many(boxes, "1 box becomes an outline of four corners.", "{n} boxes become outlines of four corners.")
            )
    if any(box.attributes for case in cases for box in case.boxes):
        said.append("Attributes of boxes are left out.")
    if any(box.score is not None for case in cases for box in case.boxes):
        said.append("Scores of boxes are left out.")
    if "val" not in {case.fold for case in cases}:
        said.append("No case is in the split val, which programs that train on YOLO datasets ask for.")
    if any(case.patient for case in cases):
        said.append("Which patient a picture is of is left out.")
    return said


def write_yolo_dataset(
    folder: Path, cases: Sequence[DatasetCase], options: WriteOptions, context: JobContext
) -> list[MadePicture]:
    """Write ``images/SPLIT``, ``labels/SPLIT`` and ``data.yaml`` into a folder. Raises WriteError, DiskFullError."""
    names = names_in(cases)
    numbers = {name: number for number, name in enumerate(names)}
    outlines = any(case.structures() for case in cases)
    made: list[MadePicture] = []
    for number, case in enumerate(cases):
        context.progress(number / len(cases), f"Writing case {number + 1} of {len(cases)}")
        labels = folder / "labels" / case.fold
        labels.mkdir(parents=True, exist_ok=True)
        for picture in write_pictures(folder / "images" / case.fold, case, options, context):
            shapes = tuple(one for shape in picture.shapes for one in (_outlined(shape) if outlines else (shape,)))
            text = "".join(f"{_line(shape, picture.size, numbers)}\n" for shape in shapes)
            (labels / f"{stem_of(picture.name)}.txt").write_text(text, "utf-8")
            made.append(MadePicture(picture.name, case, picture.k, picture.size, shapes))
    splits = sorted({case.fold for case in cases})
    # JSON's text is YAML's too, whatever stands in a name.
    lines = [f"{split}: images/{split}" for split in splits]
    lines += ["", "names:", *(f"  {number}: {json.dumps(name, ensure_ascii=False)}" for name, number in numbers.items())]
    (folder / "data.yaml").write_text("\n".join(lines) + "\n", "utf-8")
    return made


def _outlined(shape: PictureShape) -> list[PictureShape]:
    """Return a thing as outlines, each of one piece."""
    if shape.runs is not None:
        outlines = [outline.ravel() for outline in outer_outlines(shape.runs.mask())]
    else:
        left, top, right, bottom = shape.box_xyxy or (0.0, 0.0, 0.0, 0.0)
        outlines = [np.array([left, top, right, top, right, bottom, left, bottom])]
    return [PictureShape(shape.label, None, (tuple(float(n) for n in outline),)) for outline in outlines]


def _line(shape: PictureShape, size: tuple[int, int], numbers: Mapping[str, int]) -> str:
    rows, columns = size
    if shape.polygons:
        parts = [n / (rows if at % 2 else columns) for at, n in enumerate(shape.polygons[0])]
    else:
        left, top, right, bottom = shape.box_xyxy or (0.0, 0.0, 0.0, 0.0)
        parts = [(left + right) / 2 / columns, (top + bottom) / 2 / rows, (right - left) / columns, (bottom - top) / rows]
    return " ".join([str(numbers[shape.label]), *(f"{part:.{DIGITS}f}" for part in parts)])
