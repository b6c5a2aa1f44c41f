"""Cases as a COCO dataset: pictures, and a JSON file with boxes and masks for every split."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from medview.core.job import JobContext
from medview.io.coco import NOTICE
from medview.io.datasets.dataset_case import DatasetCase, WriteOptions
from medview.io.datasets.picture_cases import MadePicture, names_in, picture_losses, write_pictures
from medview.io.datasets.rle import unpacked
from medview.io.datasets.shapes import PictureShape


def coco_losses(cases: Sequence[DatasetCase], options: WriteOptions, context: JobContext) -> list[str]:
    """Return what COCO cannot carry."""
    return picture_losses(cases, options)


def write_coco_dataset(
    folder: Path, cases: Sequence[DatasetCase], options: WriteOptions, context: JobContext
) -> list[MadePicture]:
    """Write ``images/SPLIT`` and ``annotations/instances_SPLIT.json`` into a folder and return what was written.

    Raises
    ------
    WriteError, DiskFullError
    """
    made: dict[str, list[MadePicture]] = {}
    for number, case in enumerate(cases):
        context.progress(number / len(cases), f"Writing case {number + 1} of {len(cases)}")
        pictures = write_pictures(folder / "images" / case.fold, case, options, context)
        made.setdefault(case.fold, []).extend(pictures)
    categories = {name: number for number, name in enumerate(names_in(cases), start=1)}
    (folder / "annotations").mkdir()
    for split, pictures_of in made.items():
        document = _document(pictures_of, categories, options)
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
        (folder / "annotations" / f"instances_{split}.json").write_text(text, "utf-8")
    return [picture for pictures_of in made.values() for picture in pictures_of]


def _document(pictures: Sequence[MadePicture], categories: Mapping[str, int], options: WriteOptions) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    images: list[dict[str, Any]] = []
    for image_id, picture in enumerate(pictures, start=1):
        rows, columns = picture.size
        image = {"id": image_id, "file_name": picture.name, "width": columns, "height": rows}
        images.append(image | {"case": picture.case.key, "patient": picture.case.patient, "slice": picture.k + 1})
        for shape in picture.shapes:
            annotations.append(_annotation(shape, len(annotations) + 1, image_id, categories))
    return {
        "info": {"description": options.name, "version": "1", "notice": NOTICE},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": name, "supercategory": ""} for name, number in categories.items()],
    }


def _annotation(shape: PictureShape, number: int, image_id: int, categories: Mapping[str, int]) -> dict[str, Any]:
    left, top, right, bottom = shape.box_xyxy or (0.0, 0.0, 0.0, 0.0)
    width, height = right - left, bottom - top
    entry: dict[str, Any] = {
        "id": number,
        "image_id": image_id,
        "category_id": categories[shape.label],
        "bbox": [round(n, 4) for n in (left, top, width, height)],
        "area": round(width * height, 4),
        "iscrowd": 0,
        "segmentation": [],
    }
    if shape.runs is not None:
        assert isinstance(shape.runs.counts, str)
        entry["area"] = sum(unpacked(shape.runs.counts)[1::2])
        entry["segmentation"] = {"size": list(shape.runs.size), "counts": shape.runs.counts}
    if shape.attributes:
        entry["attributes"] = {one.name: one.words if one.kind != "number" else one.value for one in shape.attributes}
    if shape.score is not None:
        entry["score"] = shape.score
    return entry
