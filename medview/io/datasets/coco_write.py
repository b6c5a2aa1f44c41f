"""Cases as a COCO dataset: pictures, and a JSON file with boxes and masks for every split."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from medview.core.job import JobContext
from medview.io.coco import NOTICE
from medview.io.datasets.dataset_case import DatasetCase, WriteOptions, many
from medview.io.datasets.keypoints import left_out, lost_attributes
from medview.io.datasets.picture_cases import MadePicture, names_in, picture_losses, write_pictures
from medview.io.datasets.rle import unpacked
from medview.io.datasets.shapes import PictureShape


def coco_losses(cases: Sequence[DatasetCase], options: WriteOptions, context: JobContext) -> list[str]:
    """Return what COCO cannot carry."""
    said = picture_losses(cases, options, points=True)
    beside = sum(left_out(case.points, case.geometry) for case in cases)
    if beside:
        text = "1 point lies beside its images and is left out."
        said.append(many(beside, text, "{n} points lie beside their images and are left out."))
    more = sum(lost_attributes(case.points) for case in cases)
    if more:
        said.append(many(more, "1 attribute of a point is left out.", "{n} attributes of points are left out."))
    return said


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
        pictures = write_pictures(folder / "images" / case.fold, case, options, context, points=True)
        made.setdefault(case.fold, []).extend(pictures)
    named = _points_of(made)
    categories = {name: number for number, name in enumerate(sorted({*names_in(cases), *named}), start=1)}
    (folder / "annotations").mkdir()
    for split, pictures_of in made.items():
        document = _document(pictures_of, categories, named, options)
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
        (folder / "annotations" / f"instances_{split}.json").write_text(text, "utf-8")
    return [picture for pictures_of in made.values() for picture in pictures_of]


def _points_of(made: Mapping[str, Sequence[MadePicture]]) -> dict[str, list[str]]:
    """Return the names of the points of every category that has some, in the order they come."""
    found: dict[str, dict[str, None]] = {}
    for shape in (shape for pictures in made.values() for picture in pictures for shape in picture.shapes):
        if shape.points:
            found.setdefault(shape.label, {}).update(dict.fromkeys(point.name for point in shape.points))
    return {label: list(names) for label, names in found.items()}


def _document(
    pictures: Sequence[MadePicture],
    categories: Mapping[str, int],
    named: Mapping[str, Sequence[str]],
    options: WriteOptions,
) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    images: list[dict[str, Any]] = []
    for image_id, picture in enumerate(pictures, start=1):
        rows, columns = picture.size
        image = {"id": image_id, "file_name": picture.name, "width": columns, "height": rows}
        images.append(image | {"case": picture.case.key, "patient": picture.case.patient, "slice": picture.k + 1})
        for shape in picture.shapes:
            annotations.append(_annotation(shape, len(annotations) + 1, image_id, categories, named))
    return {
        "info": {"description": options.name, "version": "1", "notice": NOTICE},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": [_category(name, number, named.get(name, ())) for name, number in categories.items()],
    }


def _category(name: str, number: int, points: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"id": number, "name": name, "supercategory": ""}
    return found | {"keypoints": list(points), "skeleton": []} if points else found


def _annotation(
    shape: PictureShape,
    number: int,
    image_id: int,
    categories: Mapping[str, int],
    named: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
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
    if shape.points:
        marked = {point.name: point for point in shape.points}
        numbers: list[float] = []
        for name in named[shape.label]:
            point = marked.get(name)
            numbers += [0, 0, 0] if point is None else [round(point.x, 4), round(point.y, 4), 2 if point.seen else 1]
        entry |= {"keypoints": numbers, "num_keypoints": len(marked)}
    if shape.attributes:
        entry["attributes"] = {one.name: one.words if one.kind != "number" else one.value for one in shape.attributes}
    if shape.score is not None:
        entry["score"] = shape.score
    return entry
