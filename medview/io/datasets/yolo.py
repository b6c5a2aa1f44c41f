"""YOLO: a text file for every picture, a line for every thing on it, in parts of the width and the height.

``class x y width height`` is a box by its middle, ``class x1 y1 x2 y2 x3 y3 ...`` the outline of a thing
(https://docs.ultralytics.com/datasets/). A picture without a text file shows nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from medview.core.errors import MedViewError, ReadError, RefusedError
from medview.core.job import JobContext
from medview.io.batches import each_in_batches
from medview.io.datasets.data_yaml import DataYaml, read_data_yaml
from medview.io.datasets.foreign import DatasetRequest, ForeignCase, ForeignDataset, ImageRef
from medview.io.datasets.inside import PICTURES, files_of, inside, named, relative_parts, short_list, stem_of
from medview.io.datasets.patients import split_named, with_patients
from medview.io.datasets.shapes import MOST_ON_PICTURE, PictureShape, PictureShapes
from medview.io.reader_pool import Pool
from medview.io.sources import name_of

FILES_PER_TASK = 64
MOST_BYTES = 64 << 20
MOST_POINTS = 100_000
NAME_FILES = ("classes.txt", "obj.names", "labels.txt", "names.txt")
"""Where tools write the names of classes, one a line, when there is no ``data.yaml``."""
_SPLITS = frozenset({"train", "val", "valid", "validation", "test"})


def list_yolo(request: DatasetRequest, context: JobContext, pool: Pool) -> ForeignDataset:
    """List pictures with their text files.

    Raises
    ------
    ReadError
        When a text file has no picture: the sentence names it; or when one is damaged.
    RefusedError
        When a list leads out of the dataset.
    """
    root = request.source if request.source is not None else request.images
    if root is None:
        raise ReadError("Name the folder of the dataset, or its data.yaml.")
    yaml = _yaml(root, pool)
    if root.is_file():
        root = root.parent
    names = dict(request.label_values) or yaml.names or _names_beside(root)
    pictures = dict(_pictures(root, request, yaml, context))
    if not pictures:
        raise ReadError(f"{named(root.name)} holds no pictures; choose the folder with data.yaml, images and labels.")
    texts = _texts_of(root, request, pictures, context)
    shapes: dict[str, PictureShapes] = {}
    keys = [key for key in pictures if key in texts]
    tasks = [(str(texts[key]), names) for key in keys]
    for index, outcome in each_in_batches(pool, read_yolo, tasks, FILES_PER_TASK, context.raise_if_cancelled):
        if isinstance(outcome, MedViewError):
            raise outcome
        shapes[keys[index]] = outcome
        context.progress(len(shapes) / len(tasks), f"Reading the boxes of picture {len(shapes)} of {len(tasks)}")
    cases = tuple(
        ForeignCase(key, (ImageRef(str(path)),), shapes.get(key, PictureShapes(str(path))), split=split)
        for key, (path, split) in pictures.items()
    )
    bare = len(cases) - len(shapes)
    notes = (f"{bare} pictures have no text file, which for YOLO means that they show nothing.",) if bare > 1 else ()
    if bare == 1:
        notes = ("1 picture has no text file, which for YOLO means that it shows nothing.",)
    found = dict.fromkeys([names[number] for number in sorted(names)])
    found |= dict.fromkeys(shape.label for one in shapes.values() for shape in one.shapes)
    return with_patients(ForeignDataset("yolo", cases, tuple(found), notes), request, {key: key for key in pictures})


def _yaml(root: Path, pool: Pool) -> DataYaml:
    if root.is_file():
        file = root
    else:
        files = [path for ending in ("*.yaml", "*.yml") for path in sorted(root.glob(ending))]
        if not files:
            return DataYaml({}, {})
        usual = [path for path in files if path.stem in ("data", "dataset")]
        file = (usual or files)[0]
    found: DataYaml = pool.call(read_data_yaml, str(file))
    return found


def _names_beside(root: Path) -> dict[int, str]:
    for folder in (root, root / "labels"):
        for name in NAME_FILES:
            file = folder / name
            if file.is_file() and file.stat().st_size < MOST_BYTES:
                lines = [line.strip() for line in file.read_text("utf-8", "replace").splitlines()]
                return {number: line for number, line in enumerate(lines) if line}
    return {}


def _pictures(
    root: Path, request: DatasetRequest, yaml: DataYaml, context: JobContext
) -> Iterator[tuple[str, tuple[Path, str]]]:
    """Yield (path inside the dataset, (path, split)) of every picture, in order."""
    if request.images is not None:
        for name, path in files_of(request.images, PICTURES, context):
            yield name, (path, _split_in(name))
        return
    if not yaml.splits:
        for name, path in files_of(root, PICTURES, context):
            yield name, (path, _split_in(name))
        return
    for split, places in yaml.splits.items():
        for place in places:
            folder = _place(root, yaml.folder, place)
            if folder.is_dir():
                for name, path in files_of(folder, PICTURES, context):
                    inside_root = f"{folder.relative_to(root).as_posix()}/{name}".removeprefix("./")
                    yield inside_root, (path, split)
            elif folder.is_file() and folder.suffix == ".txt":
                yield from _from_list(root, folder, split)
            else:
                raise ReadError(
                    f"The {split} pictures are said to be in {named(place)}, which is not there; correct data.yaml."
                )


def _place(root: Path, folder: str, place: str) -> Path:
    """Return a folder or list that a ``data.yaml`` names; where the dataset lay on another computer does not matter."""
    if relative_parts(place) is None and place.startswith("../"):
        # Exports of Roboflow count from a folder that was never there, as Ultralytics knows.
        place = place.removeprefix("../")
    found = inside(root, place, "data.yaml") if place not in ("", ".") else root
    parts = relative_parts(folder)
    if not found.exists() and parts is not None:
        return root.joinpath(*parts, *relative_parts(place) or ())
    return found


def _from_list(root: Path, file: Path, split: str) -> Iterator[tuple[str, tuple[Path, str]]]:
    if file.stat().st_size > MOST_BYTES:
        raise RefusedError(f"{named(file.name)} is larger than any list of pictures; it was not opened.")
    for line in file.read_text("utf-8", "replace").splitlines():
        name = line.strip()
        if not name:
            continue
        path = inside(root, name, file.name)
        if not path.is_file():
            raise ReadError(f"Nothing was imported: {named(file.name)} lists {named(name)}, which is not there.")
        yield path.relative_to(root).as_posix(), (path, split)


def _split_in(name: str) -> str:
    return next((split_named(part) for part in name.casefold().split("/")[:-1] if part in _SPLITS), "")


def _texts_of(
    root: Path, request: DatasetRequest, pictures: Mapping[str, tuple[Path, str]], context: JobContext
) -> dict[str, Path]:
    """Return the text file of each picture that has one. Raises ReadError for one that has no picture."""
    if request.labels is not None:
        wanted = {stem_of(key): key for key in pictures}
        if len(wanted) < len(pictures):
            raise ReadError("Several pictures have the same stem; name the folder of the dataset instead of two folders.")
        found = dict(files_of(request.labels, (".txt",), context))
        alone = [name for name in found if stem_of(name) not in wanted and _is_label(name)]
        texts = {wanted[stem_of(name)]: path for name, path in found.items() if stem_of(name) in wanted}
    else:
        base = root if request.images is None else request.images
        of_text = {_text_name(key): key for key in pictures}
        folders = {name.rpartition("/")[0] for name in of_text}
        found = {name: path for name, path in files_of(base, (".txt",), context) if name.rpartition("/")[0] in folders}
        alone = [name for name in found if name not in of_text and _is_label(name)]
        texts = {of_text[name]: path for name, path in found.items() if name in of_text}
    if alone:
        verb = "has" if len(alone) == 1 else "have"
        raise ReadError(f"Nothing was imported: the text file {short_list(alone)} {verb} no picture of the same stem.")
    return texts


def _is_label(name: str) -> bool:
    last = name.rpartition("/")[2].casefold()
    return last not in NAME_FILES and last not in ("train.txt", "val.txt", "test.txt") and not last.startswith("readme")


def _text_name(picture: str) -> str:
    """Return where the text of a picture lies: ``labels`` instead of the last ``images``, or beside it."""
    parts = picture.split("/")
    for at in range(len(parts) - 2, -1, -1):
        if parts[at].casefold() == "images":
            parts[at] = "labels"
            break
    return "/".join([*parts[:-1], f"{stem_of(picture)}.txt"])


def read_yolo(path: str, names: Mapping[int, str]) -> PictureShapes:
    """Return what one text file says.

    Parameters
    ----------
    names : mapping of int to str
        Of the classes; empty where nobody names them.

    Raises
    ------
    ReadError
        When a line is none: the sentence says which.
    """
    file = name_of(path)
    try:
        size = Path(path).stat().st_size
        text = Path(path).read_text("utf-8-sig") if size <= MOST_BYTES else None
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{file} cannot be read as a list of boxes.", detail=repr(error)[:200]) from error
    if text is None:
        raise RefusedError(f"{file} is larger than any list of boxes; it was not opened.")
    shapes: list[PictureShape] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        if len(shapes) >= MOST_ON_PICTURE:
            raise ReadError(f"{file} lists more than {MOST_ON_PICTURE} things on one picture; it was not read.")
        try:
            shape = _shape(line.split())
        except ValueError as error:
            raise ReadError(
                f"{file} is damaged: line {number} is neither a box nor an outline of YOLO.", detail=str(error)
            ) from error
        if names and int(shape.label) not in names:
            raise ReadError(f"{file} says class {shape.label} in line {number}, which nothing names; complete data.yaml.")
        name = names.get(int(shape.label), f"class {shape.label}")
        if name:
            shapes.append(replace(shape, label=name))
    return PictureShapes(path, tuple(shapes), parts=True)


def _shape(words: list[str]) -> PictureShape:
    label = words[0]
    if not label.isdecimal() or len(label) > 6:
        raise ValueError("no class")
    numbers = [float(word) for word in words[1:]]
    if not all(math.isfinite(n) and -1.0 <= n <= 2.0 for n in numbers) or len(numbers) > 2 * MOST_POINTS:
        raise ValueError("no places")
    label = str(int(label))
    if len(numbers) in (4, 5):
        x, y, width, height = numbers[:4]
        if width < 0 or height < 0:
            raise ValueError("a box that ends before it begins")
        score = numbers[4] if len(numbers) == 5 else None
        return PictureShape(label, (x - width / 2, y - height / 2, x + width / 2, y + height / 2), score=score)
    if len(numbers) < 6 or len(numbers) % 2:
        raise ValueError("neither a box nor an outline")
    return PictureShape(label, None, (tuple(numbers),))
