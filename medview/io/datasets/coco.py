"""COCO: one JSON file with the boxes, polygons and masks of many pictures (https://cocodataset.org/#format-data)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medview.core.attributes import Attribute, Attributes
from medview.core.errors import ReadError
from medview.core.job import JobContext
from medview.io.datasets.foreign import DatasetRequest, ForeignCase, ForeignDataset, ImageRef
from medview.io.datasets.inside import PICTURES, files_of, inside, named, short_list
from medview.io.datasets.json_file import read_json
from medview.io.datasets.keypoints import KeyPoint
from medview.io.datasets.patients import with_patients
from medview.io.datasets.shapes import MOST_ON_PICTURE, MOST_SHAPES, PictureShape, PictureShapes, Runs
from medview.io.reader_pool import Pool

READ_TIMEOUT_S = 300.0
MOST_PICTURES = 2_000_000
MOST_POINTS = 100_000


@dataclass(frozen=True, slots=True)
class CocoFile:
    """What one file says.

    Attributes
    ----------
    pictures : tuple of (str, PictureShapes, str)
        Name as the file states it, what is marked, and the patient, where an entry ``patient`` says it.
    names : tuple of str
        Categories, by their number.
    """

    pictures: tuple[tuple[str, PictureShapes, str], ...]
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def list_coco(request: DatasetRequest, context: JobContext, pool: Pool) -> ForeignDataset:
    """List the pictures of one or several COCO files; a file for every split says so in its name.

    Raises
    ------
    ReadError
        When a picture is listed that is not there: the sentence names it.
    RefusedError
        When a name leads out of the dataset.
    """
    files, notes = _files(request, context)
    cases: list[ForeignCase] = []
    at: dict[str, str] = {}
    names: dict[str, None] = {}
    listed: dict[Path, Path] = {}
    for number, file in enumerate(files):
        context.progress(number / len(files), f"Reading {named(file.name)}")
        found: CocoFile = pool.call(read_coco, str(file), timeout_s=READ_TIMEOUT_S)
        names |= dict.fromkeys(found.names)
        notes += found.notes
        split = _split_in(file)
        roots = _roots(request, file)
        missing: list[str] = []
        for name, shapes, patient in found.pictures:
            picture = _picture(roots, name, file.name)
            if picture is None:
                missing.append(name)
                continue
            if picture in listed:
                raise ReadError(
                    f"{named(name)} is listed in {named(listed[picture].name)} and in {named(file.name)}; say by "
                    "--labels which is meant."
                )
            listed[picture] = file
            ways = (name, f"{split}/{name}", f"{file.parent.name}/{file.stem}/{name}", str(picture))
            key = next(way for way in ways if way not in at)
            at[key] = name
            cases.append(ForeignCase(key, (ImageRef(str(picture)),), shapes, patient, split))
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            raise ReadError(
                f"Nothing was imported: {named(file.name)} lists {short_list(missing)}, which {verb} not there."
            )
    notes += _unlisted(listed)
    dataset = ForeignDataset("coco", tuple(cases), tuple(names), tuple(notes))
    return with_patients(dataset, request, at)


def _unlisted(listed: Mapping[Path, Path]) -> list[str]:
    """Return what to say of pictures that lie beside listed ones and are in no list."""
    more = [
        path.name
        for folder in sorted({path.parent for path in listed})
        for path in sorted(folder.iterdir())
        if path.name.lower().endswith(PICTURES) and not path.name.startswith(".") and path not in listed
    ]
    if not more:
        return []
    said = "1 picture is in no list and was" if len(more) == 1 else f"{len(more)} pictures are in no list and were"
    return [f"{said} left out: {short_list(more)}."]


def _files(request: DatasetRequest, context: JobContext) -> tuple[list[Path], list[str]]:
    """Return the files to read, and what to say of those that are not."""
    given = request.labels or request.source
    if given is None:
        raise ReadError("Name the COCO file, or the folder of the dataset.")
    if given.is_file():
        return [given], []
    files = [path for _, path in files_of(given, (".json",), context)]
    # Captions of the same pictures lie beside the boxes, and so may keypoints, with the boxes of persons once more.
    boxes = [path for path in files if not path.name.startswith(("captions", "person_keypoints", "image_info"))]
    points = [path for path in files if path.name.startswith("person_keypoints")]
    boxes, points = (boxes, points) if boxes else (points, [])
    if not boxes:
        raise ReadError(f"{named(given.name)} holds no COCO file (.json); choose another folder.")
    if not points:
        return boxes, []
    name = short_list([path.name for path in points])
    return boxes, [f"Left out, since others mark the same pictures: {name}; name it by --labels for its points."]


def _split_in(file: Path) -> str:
    for word in (file.stem.casefold(), file.parent.name.casefold()):
        for part, split in (("train", "train"), ("val", "val"), ("test", "test")):
            if part in word:
                return split
    return ""


def _roots(request: DatasetRequest, file: Path) -> list[Path]:
    if request.images is not None:
        return [request.images]
    source = request.source if request.source is not None and request.source.is_dir() else file.parent
    below = [file.parent, source, file.parent.parent] if file.parent != source else [source]
    # annotations/instances_train2017.json is of the pictures in train2017.
    tail = file.stem.rpartition("_")[2]
    return [root / more for root in below for more in ("", "images", f"images/{tail}", tail) if root.is_dir()]


def _picture(roots: Sequence[Path], name: str, said_in: str) -> Path | None:
    return next((path for root in roots if (path := inside(root, name, said_in)).is_file()), None)


def read_coco(path: str) -> CocoFile:
    """Return what a COCO file says, name by name.

    Raises
    ------
    ReadError, RefusedError
        When it is none, or one of its entries is damaged: the sentence says which.
    """
    name = Path(path).name
    document = read_json(path)
    pictures, annotations, categories = (document.get(key) for key in ("images", "annotations", "categories"))
    if not isinstance(pictures, list) or not isinstance(annotations, list) or not isinstance(categories, list):
        raise ReadError(f"{name} is no COCO file of boxes and masks: it has no images, annotations and categories.")
    if len(pictures) > MOST_PICTURES or len(annotations) > MOST_SHAPES:
        raise ReadError(
            f"{name} lists {len(pictures)} pictures and {len(annotations)} things, more than is read; split it."
        )
    try:
        titles = {_whole(one["id"]): str(one["name"]) for one in categories}
        points = {_whole(one["id"]): tuple(str(name) for name in one.get("keypoints") or ()) for one in categories}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReadError(f"{name} is damaged: a category has no number or no name.", detail=repr(error)[:200]) from error
    shapes: dict[int, list[PictureShape]] = {}
    for number, entry in enumerate(annotations, start=1):
        try:
            of = _whole(entry["image_id"])
            shapes.setdefault(of, []).append(_shape(entry, titles, points))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            detail = f"{type(error).__name__}: {error}"[:200]
            raise ReadError(
                f"{name} is damaged: its annotation {number} has no picture, category or place.", detail=detail
            ) from error
        if len(shapes[of]) > MOST_ON_PICTURE:
            raise ReadError(f"{name} lists more than {MOST_ON_PICTURE} things on one picture; it was not read.")
    found = tuple(_listed(pictures, shapes, path, name))
    if shapes:
        raise ReadError(f"{name} is damaged: {len(shapes)} pictures have annotations and are not listed among its images.")
    return CocoFile(found, tuple(titles[one] for one in sorted(titles)))


def _listed(
    pictures: Sequence[Any], shapes: dict[int, list[PictureShape]], path: str, name: str
) -> Iterator[tuple[str, PictureShapes, str]]:
    seen: set[str] = set()
    for number, entry in enumerate(pictures, start=1):
        try:
            file, of = str(entry["file_name"]), _whole(entry["id"])
            size = (_whole(entry["height"]), _whole(entry["width"])) if entry.get("height") and entry.get("width") else None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ReadError(
                f"{name} is damaged: its picture {number} has no name or number.", detail=repr(error)[:200]
            ) from error
        if file in seen:
            raise ReadError(f"{name} lists {named(file)} twice; remove one of the entries.")
        seen.add(file)
        patient = entry.get("patient")
        yield file, PictureShapes(path, tuple(shapes.pop(of, ())), size=size), patient if isinstance(patient, str) else ""


def _whole(number: Any) -> int:
    if isinstance(number, bool) or int(number) != number:
        raise ValueError("not a whole number")
    return int(number)


def _shape(entry: Mapping[str, Any], titles: Mapping[int, str], named: Mapping[int, Sequence[str]]) -> PictureShape:
    label = titles[_whole(entry["category_id"])]
    box = entry.get("bbox") or None
    edges: tuple[float, float, float, float] | None = None
    if box is not None:
        x, y, width, height = _numbers(box)
        if width < 0 or height < 0:
            raise ValueError("a box that ends before it begins")
        edges = (x, y, x + width, y + height)
    polygons, runs = _mask(entry.get("segmentation"))
    points = _points(entry.get("keypoints"), named[_whole(entry["category_id"])])
    if edges is None and not polygons and runs is None and not points:
        raise ValueError("neither box nor mask nor point")
    score = entry.get("score")
    return PictureShape(
        label,
        edges,
        polygons,
        runs,
        float(score) if score is not None and math.isfinite(float(score)) else None,
        bool(entry.get("iscrowd")),
        _attributes(entry.get("attributes")),
        points,
    )


def _points(said: Any, names: Sequence[str]) -> tuple[KeyPoint, ...]:
    """Return the points that somebody marked: x, y and 0 (not marked), 1 (there and not seen) or 2, for each name."""
    numbers = _numbers(said or ())
    if len(numbers) % 3 or len(numbers) > 3 * MOST_POINTS:
        raise ValueError("a keypoint without its three numbers")
    found = []
    for at in range(0, len(numbers), 3):
        x, y, seen = numbers[at : at + 3]
        number = at // 3
        name = names[number] if number < len(names) and names[number].strip() else f"Point {number + 1}"
        if seen > 0:
            found.append(KeyPoint(name, x, y, seen > 1))
    return tuple(found)


def _mask(said: Any) -> tuple[tuple[tuple[float, ...], ...], Runs | None]:
    if isinstance(said, dict):
        rows, columns = (_whole(n) for n in said["size"])
        counts = said["counts"]
        return (), Runs(counts if isinstance(counts, str) else tuple(_whole(n) for n in counts), (rows, columns))
    polygons = tuple(_numbers(one) for one in said or () if len(one) >= 6)
    if any(len(one) % 2 or len(one) > 2 * MOST_POINTS for one in polygons):
        raise ValueError("a polygon of half points")
    return polygons, None


def _numbers(said: Sequence[Any]) -> tuple[float, ...]:
    found = tuple(float(n) for n in said)
    if not all(abs(n) < 1e9 for n in found):
        raise ValueError("a place that is no number")
    return found


def _attributes(said: Any) -> Attributes:
    found: list[Attribute] = []
    for name, value in said.items() if isinstance(said, dict) else ():
        if isinstance(value, bool):
            value = "yes" if value else "no"
        usable = isinstance(value, str) or (isinstance(value, int | float) and math.isfinite(value))
        if usable and str(name).strip():
            found.append(Attribute(str(name), value if isinstance(value, str) else float(value)))
    return tuple(found)
