"""Pascal VOC: an XML file of boxes for every picture.

Corners are the first and the last pixel, counted from 1 (The PASCAL Visual Object Classes Challenge 2012, Development Kit,
section 3.3), so that pixel 1 to 3 is an edge at 0 and one at 3.
"""

from __future__ import annotations

import math
from pathlib import Path

from medview.core.attributes import Attribute
from medview.core.errors import MedViewError, ReadError
from medview.core.job import JobContext
from medview.io.batches import each_in_batches
from medview.io.datasets.foreign import DatasetRequest, ForeignCase, ForeignDataset, ImageRef
from medview.io.datasets.inside import PICTURES, stem_of
from medview.io.datasets.pairs import image_and_label_folders, pairs
from medview.io.datasets.patients import with_patients
from medview.io.datasets.shapes import MOST_ON_PICTURE, PictureShape, PictureShapes
from medview.io.datasets.xml_tree import Element, read_xml
from medview.io.reader_pool import Pool
from medview.io.sources import name_of

FILES_PER_TASK = 32
MOST_LIST_BYTES = 64 << 20
_FLAGS = ("truncated", "difficult", "occluded")


def list_voc(request: DatasetRequest, context: JobContext, pool: Pool) -> ForeignDataset:
    """List pictures with the boxes of their XML files.

    Raises
    ------
    ReadError
        When a file has no counterpart, or an XML file is none: the sentence names it.
    """
    images, labels = image_and_label_folders(request)
    found = pairs(images, labels, PICTURES, context, (".xml",))
    shapes: dict[int, PictureShapes] = {}
    tasks = [(str(pair.label),) for pair in found]
    for index, outcome in each_in_batches(pool, read_voc, tasks, FILES_PER_TASK, context.raise_if_cancelled):
        if isinstance(outcome, MedViewError):
            raise outcome
        shapes[index] = outcome
        context.progress(len(shapes) / len(tasks), f"Reading the boxes of picture {len(shapes)} of {len(tasks)}")
    splits = _listed_splits(labels.parent / "ImageSets" / "Main")
    cases = tuple(
        ForeignCase(pair.key, (ImageRef(str(pair.image)),), shapes[n], split=splits.get(stem_of(pair.inside), ""))
        for n, pair in enumerate(found)
    )
    names = dict.fromkeys(shape.label for one in shapes.values() for shape in one.shapes)
    dataset = ForeignDataset("voc", cases, tuple(sorted(names)))
    return with_patients(dataset, request, {pair.key: pair.inside for pair in found})


def read_voc(path: str) -> PictureShapes:
    """Return the boxes of one XML file; the paths it states are of another computer and not looked at.

    Raises
    ------
    ReadError, RefusedError
        When it is damaged or none.
    """
    name = name_of(path)
    root = read_xml(path)
    if root.tag != "annotation":
        raise ReadError(f"{name} holds no Pascal VOC boxes: its first element is no annotation; choose another folder.")
    objects = list(root.all("object"))
    if len(objects) > MOST_ON_PICTURE:
        raise ReadError(f"{name} lists {len(objects)} boxes, more than {MOST_ON_PICTURE} on one picture; it was not read.")
    try:
        return PictureShapes(path, tuple(_shape(one) for one in objects), size=_size(root.first("size")))
    except ValueError as error:
        raise ReadError(f"{name} is damaged: {error}; repair or remove it.") from error


def _shape(element: Element) -> PictureShape:
    label = element.word("name")
    corners = element.first("bndbox")
    if not label or corners is None:
        raise ValueError("an object has no name or no box")
    left, top, right, bottom = (_number(corners, tag) for tag in ("xmin", "ymin", "xmax", "ymax"))
    if right < left or bottom < top:
        raise ValueError("a box ends before it begins")
    attributes = tuple(Attribute(flag, "yes") for flag in _FLAGS if element.word(flag) == "1")
    return PictureShape(label, (left - 1.0, top - 1.0, right, bottom), attributes=attributes)


def _number(element: Element, tag: str) -> float:
    try:
        found = float(element.word(tag))
    except ValueError:
        found = math.nan
    if not abs(found) < 1e9:
        raise ValueError(f"a box has no number for {tag}")
    return found


def _size(element: Element | None) -> tuple[int, int] | None:
    """Return rows and columns; None where a file states none, or nothing but zeros as some tools do."""
    if element is None:
        return None
    rows, columns = element.word("height"), element.word("width")
    known = rows.isdecimal() and columns.isdecimal() and len(rows + columns) < 16 and int(rows) > 0 and int(columns) > 0
    return (int(rows), int(columns)) if known else None


def _listed_splits(folder: Path) -> dict[str, str]:
    """Return stem -> split by the lists of VOC, one stem a line; its ``trainval`` says nothing of its own."""
    found: dict[str, str] = {}
    for split in ("train", "val", "test"):
        file = folder / f"{split}.txt"
        if file.is_file() and file.stat().st_size <= MOST_LIST_BYTES:
            words = (line.split() for line in file.read_text("utf-8", "replace").splitlines())
            found |= {line[0]: split for line in words if line}
    return found
