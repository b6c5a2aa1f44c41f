"""Pascal VOC: an XML file of boxes for every picture, and masks as pictures for some (``voc_masks``).

Corners are the first and the last pixel, counted from 1 (The PASCAL Visual Object Classes Challenge 2012, Development Kit,
section 3.3), so that pixel 1 to 3 is an edge at 0 and one at 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from medview.core.attributes import Attribute
from medview.core.errors import MedViewError, ReadError
from medview.core.job import JobContext
from medview.io.batches import each_in_batches
from medview.io.datasets.foreign import DatasetRequest, ForeignCase, ForeignDataset, ImageRef
from medview.io.datasets.inside import PICTURES, files_of, short_list, stem_of
from medview.io.datasets.pairs import DEPTH, Pair, image_and_label_folders, pairs
from medview.io.datasets.patients import with_patients
from medview.io.datasets.shapes import MOST_ON_PICTURE, PictureShape, PictureShapes
from medview.io.datasets.voc_masks import MASKS, THINGS, VocLabels, names_of
from medview.io.datasets.xml_tree import Element, read_xml
from medview.io.reader_pool import Pool
from medview.io.sources import name_of

FILES_PER_TASK = 32
MOST_LIST_BYTES = 64 << 20
_FLAGS = ("truncated", "difficult", "occluded")


def list_voc(request: DatasetRequest, context: JobContext, pool: Pool) -> ForeignDataset:
    """List pictures with the boxes of their XML files and their masks.

    Without XML files those pictures are listed that have a mask.

    Raises
    ------
    ReadError
        When a file has no counterpart, or an XML file is none: the sentence names it.
    """
    masks = _mask_folder(request)
    notes: list[str] = []
    boxed = masks is None or any((masks.parent / "Annotations").glob("*.xml"))
    if boxed:
        images, labels = image_and_label_folders(request)
        found = pairs(images, labels, PICTURES, context, (".xml",))
        root = labels.parent
    else:
        assert masks is not None
        root = masks.parent
        found, notes = _masked(request.images or root / "JPEGImages", masks, context)
    shapes = _boxes(found if boxed else (), context, pool)
    names = names_of(root, request.label_values)
    drawn = _masks_of(masks, found) if masks is not None else {}
    sources: list[PictureShapes | VocLabels] = []
    for n in range(len(found)):
        mask = drawn.get(n)
        if mask is None:
            sources.append(shapes[n])
            continue
        # Named alone: where a file lies says nothing of its labels.
        boxes = replace(shapes[n], path=name_of(shapes[n].path)) if boxed else None
        things = mask.parent.parent / THINGS / mask.name
        sources.append(VocLabels(str(mask), str(things) if things.is_file() else "", names, boxes))
    splits = _listed_splits(root / "ImageSets" / "Segmentation") | _listed_splits(root / "ImageSets" / "Main")
    cases = tuple(
        ForeignCase(pair.key, (ImageRef(str(pair.image)),), sources[n], split=splits.get(stem_of(pair.inside), ""))
        for n, pair in enumerate(found)
    )
    labels_named = dict.fromkeys(shape.label for one in shapes.values() for shape in one.shapes)
    labels_named |= dict.fromkeys(name for _, name in names.names if name) if drawn else {}
    dataset = ForeignDataset("voc", cases, tuple(sorted(labels_named)), tuple(notes))
    return with_patients(dataset, request, {pair.key: pair.inside for pair in found})


def _boxes(found: Sequence[Pair], context: JobContext, pool: Pool) -> dict[int, PictureShapes]:
    shapes: dict[int, PictureShapes] = {}
    tasks = [(str(pair.label),) for pair in found]
    for index, outcome in each_in_batches(pool, read_voc, tasks, FILES_PER_TASK, context.raise_if_cancelled):
        if isinstance(outcome, MedViewError):
            raise outcome
        shapes[index] = outcome
        context.progress(len(shapes) / len(tasks), f"Reading the boxes of picture {len(shapes)} of {len(tasks)}")
    return shapes


def _mask_folder(request: DatasetRequest) -> Path | None:
    """Return the one folder of masks by class in a dataset, or None."""
    for given in (request.labels, request.source):
        if given is None or not given.is_dir():
            continue
        if given.name == MASKS:
            return given
        found = [path for depth in range(DEPTH) for path in given.glob("/".join(["*"] * depth + [MASKS])) if path.is_dir()]
        if len(found) == 1:
            return found[0]
    return None


def _masks_of(masks: Path, found: Sequence[Pair]) -> dict[int, Path]:
    """Return the mask of each picture that has one. Raises ReadError where a mask has no picture."""
    files = {path.stem: path for path in sorted(masks.glob("*.png")) if not path.name.startswith(".")}
    drawn = {n: files.pop(stem) for n, pair in enumerate(found) if (stem := stem_of(pair.inside)) in files}
    if files:
        verb = "has" if len(files) == 1 else "have"
        names = short_list(sorted(path.name for path in files.values()))
        raise ReadError(f"Nothing was imported: {names} in {MASKS} {verb} no picture of the same stem; add or remove it.")
    return drawn


def _masked(images: Path, masks: Path, context: JobContext) -> tuple[list[Pair], list[str]]:
    """Return the pictures that have a mask, and what to say of the others."""
    if not images.is_dir():
        raise ReadError("The pictures of the masks are not there; name their folder by --images.")
    stems = {path.stem for path in masks.glob("*.png")}
    every = [(inside, path) for inside, path in files_of(images, PICTURES, context)]
    found = [Pair(stem_of(inside), inside, path, path) for inside, path in every if stem_of(inside) in stems]
    bare = len(every) - len(found)
    said = "1 picture without a mask was left out." if bare == 1 else f"{bare} pictures without a mask were left out."
    return found, [said] if bare else []


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
