"""2-D boxes on acquired slices as COCO detection JSON (https://cocodataset.org/#format-data).

A picture is one slice as it is stored: x to the right along a row, y down, (0, 0) the outer corner of the first pixel.
A box that reaches through slices is a box on each of them, with one ``track_id``.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from medview.core.annotations import BoxAnnotation
from medview.core.atomic import replacing
from medview.core.errors import WriteError
from medview.core.geometry import Geometry

UNNAMED = "object"
"""Category of boxes without a label: COCO has none without a name."""
NOTICE = "Research use. Not a medical device."
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class CocoSource:
    """The slices boxes were drawn on.

    Attributes
    ----------
    images : tuple of (str, int)
        SOP instance UID and frame number from 0 of every slice k, through all time points; empty UIDs where there are none.
    done_slices : collection of int
        Slices k of the first time point on which everything is marked: they are listed without boxes too.
    times : mapping of str to int
        By box, the time point whose images it was drawn on; the first where it is not in it.
    """

    geometry: Geometry
    series_uid: str = ""
    images: tuple[tuple[str, int], ...] = ()
    done_slices: Collection[int] = ()
    times: Mapping[str, int] = field(default_factory=dict)


def write_coco(path: Path, boxes: Sequence[BoxAnnotation], source: CocoSource) -> tuple[str, ...]:
    """Write boxes, whole or not at all, and return sentences about what COCO cannot carry.

    Raises
    ------
    WriteError, DiskFullError
        When no box lies on acquired slices, or the file cannot be written.
    """
    document, left_out = coco_document(boxes, source)
    if not document["annotations"]:
        raise WriteError(f"{path.name} was not written: COCO holds boxes on acquired slices, and there are none.")
    with replacing(path) as file:
        file.write((json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())
    if not left_out:
        return ()
    said = "1 box lies" if left_out == 1 else f"{left_out} boxes lie"
    return (f"{said} across the acquired slices, which COCO cannot hold.",)


def coco_document(boxes: Sequence[BoxAnnotation], source: CocoSource) -> tuple[dict[str, Any], int]:
    """Return the JSON, and how many boxes have no place in it."""
    geometry = source.geometry
    firsts = [source.times.get(box.annotation_id, 0) * geometry.shape_kji[0] for box in boxes]
    on_slices = {n: [firsts[n] + k for k in slices_of_box(box, geometry)] for n, box in enumerate(boxes)}
    names = list(dict.fromkeys(box.label or UNNAMED for n, box in enumerate(boxes) if on_slices[n]))
    categories = {name: number for number, name in enumerate(sorted(names), start=1)}
    slices = sorted({k for found in on_slices.values() for k in found} | set(source.done_slices))
    image_ids = {k: number for number, k in enumerate(slices, start=1)}
    annotations: list[dict[str, Any]] = []
    for track, (n, box) in enumerate(((n, box) for n, box in enumerate(boxes) if on_slices[n]), start=1):
        low, high = box.bounds_kji(geometry)
        x, y, width, height = (round(float(v), 4) for v in (low[2], low[1], high[2] - low[2], high[1] - low[1]))
        for k in on_slices[n]:
            entry: dict[str, Any] = {
                "id": len(annotations) + 1,
                "image_id": image_ids[k],
                "category_id": categories[box.label or UNNAMED],
                "bbox": [x, y, width, height],
                "area": round(width * height, 4),
                "iscrowd": 0,
                "track_id": track,
                "attributes": {one.name: one.words if one.kind != "number" else one.value for one in box.attributes},
            }
            if box.score is not None:
                entry["score"] = box.score
            annotations.append(entry)
    document = {
        "info": {"description": "Boxes drawn in MedView", "version": "1", "notice": NOTICE},
        "licenses": [],
        "images": [_image(k, number, source) for k, number in image_ids.items()],
        "annotations": annotations,
        "categories": [{"id": number, "name": name, "supercategory": ""} for name, number in categories.items()],
    }
    return document, sum(1 for found in on_slices.values() if not found)


def slices_of_box(box: BoxAnnotation, geometry: Geometry) -> Iterator[int]:
    """Yield the acquired slices whose middle a box holds; none for one that is flat across them or at an angle."""
    if box.flat_edge not in (None, 0) or not box.along(geometry):
        return
    low, high = box.bounds_kji(geometry)
    first = max(0, int(np.ceil(low[0] - 0.5 - _ROUNDING)))
    last = min(geometry.shape_kji[0] - 1, int(np.floor(high[0] - 0.5 + _ROUNDING)))
    yield from range(first, last + 1)


def _image(at: int, number: int, source: CocoSource) -> dict[str, Any]:
    slices, rows, columns = source.geometry.shape_kji
    uid, frame = source.images[at] if at < len(source.images) else ("", 0)
    time, k = divmod(at, slices)
    # Names of files are no part of an open series; what tells slices apart for ever is the UID.
    name = f"{uid}.dcm" if uid else f"{f'time-{time + 1:04d}-' if time else ''}slice-{k + 1:04d}.png"
    return {
        "id": number,
        "file_name": name,
        "width": columns,
        "height": rows,
        "series_uid": source.series_uid,
        "sop_instance_uid": uid,
        "frame": frame,
        "slice": k + 1,
        **({"time_point": time + 1} if time else {}),
        "everything_marked": not time and k in source.done_slices,
    }
