"""Masks of Pascal VOC: pictures whose colours are classes (``SegmentationClass``) and things (``SegmentationObject``).

Both have a palette in which 0 is background and 255 is void, the border nobody has to be sure of (The PASCAL Visual Object
Classes Challenge 2012, Development Kit, section 3.4). Some tools write the colours of the palette instead of its numbers,
and a ``labelmap.txt`` beside the folders that names colours: ``name:red,green,blue:parts:actions``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.errors import GeometryError, ReadError
from medview.core.segmentation import COLOUR_CYCLE, Segment, SegmentRole
from medview.io.datasets.foreign import FoundLabels
from medview.io.datasets.inside import short_list
from medview.io.datasets.masks import IMPORTED
from medview.io.datasets.picture_cases import around
from medview.io.datasets.polygon_masks import Mask
from medview.io.datasets.shapes import PictureShape, PictureShapes
from medview.io.dicom.seg_layers import LayerStack
from medview.io.imported_labels import ImportedLabels, Target
from medview.io.pictures import as_grey, has_palette, read_label_map, read_voxels

Numbers = npt.NDArray[np.int64]
Colour = tuple[int, int, int]

MASKS, THINGS = "SegmentationClass", "SegmentationObject"
"""The folders."""
VOID = 255
UNSURE = "Void"
CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog", "horse",
    "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
"""Of the numbers 1 to 20, where nothing else names them."""
SAME_EDGE = 0.02
"""How far edges may lie apart that are the same: XML files state them to a hundredth."""
MOST_THINGS = 20_000
MOST_LIST_BYTES = 1 << 20


def palette_colour(number: int) -> Colour:
    """Return the colour of a number in VOC's palette: its bits, spread over red, green and blue from the highest down."""
    found = [0, 0, 0]
    for step in range(8):
        for channel in range(3):
            found[channel] |= ((number >> (3 * step + channel)) & 1) << (7 - step)
    return found[0], found[1], found[2]


@dataclass(frozen=True, slots=True)
class ClassNames:
    """What the numbers and colours of masks stand for.

    Attributes
    ----------
    names : tuple of (int, str)
        Number -> name; an empty name leaves a number out.
    colours : tuple of (colour, int)
        Colour -> number, where a list names colours; those of VOC's palette otherwise.
    """

    names: tuple[tuple[int, str], ...]
    colours: tuple[tuple[Colour, int], ...] = ()


def names_of(folder: Path, given: Mapping[int, str]) -> ClassNames:
    """Return what masks in a folder stand for: as a person says, as its ``labelmap.txt`` says, or VOC's own classes.

    Raises
    ------
    ReadError
        When the list is damaged.
    """
    if given:
        return ClassNames(tuple(sorted(given.items())))
    file = folder / "labelmap.txt"
    if not file.is_file():
        return ClassNames(tuple(enumerate(CLASSES, start=1)))
    names: list[tuple[int, str]] = []
    colours: list[tuple[Colour, int]] = []
    try:
        if file.stat().st_size > MOST_LIST_BYTES:
            raise ValueError("too long")
        lines = [line for line in file.read_text("utf-8-sig").splitlines() if line.strip() and not line.startswith("#")]
        for number, line in enumerate(lines, start=1):
            name, colour = line.split(":")[:2]
            red, green, blue = (int(part) for part in colour.split(","))
            # Black is background, whatever it is called.
            colours.append(((red, green, blue), 0 if red == green == blue == 0 else number))
            if (red, green, blue) != (0, 0, 0):
                names.append((number, name.strip()))
    except (OSError, ValueError) as error:
        raise ReadError("labelmap.txt is damaged: its lines are name:red,green,blue.", detail=str(error)[:200]) from error
    return ClassNames(tuple(names), tuple(colours))


@dataclass(frozen=True, slots=True)
class VocLabels:
    """Masks of one picture, and boxes where an XML file says some.

    Attributes
    ----------
    path : str
        The mask of classes.
    things_path : str
        The mask of things; empty where there is none.
    """

    path: str
    things_path: str
    names: ClassNames
    boxes: PictureShapes | None = None

    def read(self, target: Target) -> FoundLabels:
        """Return masks and boxes on the grid of the picture. Raises GeometryError, ReadError."""
        name = Path(self.path).name
        classes = _classes(self.path, self.names, target)
        things = _things(self.things_path, target) if self.things_path else np.zeros_like(classes)
        found, unsure = _found(classes, things, dict(self.names.names), name)
        drawn = FoundLabels(target.geometry)
        if self.boxes is not None:
            kept = tuple(shape for shape in self.boxes.shapes if not _only_around(shape, found))
            drawn = replace(self.boxes, shapes=kept).read(target)
        return replace(drawn, masks=_stacked(found, unsure, target))


def _classes(path: str, names: ClassNames, target: Target) -> Numbers:
    table = dict(names.colours)
    if has_palette(path) and not table:
        return _sized(read_label_map(path), path, target)
    picture = read_voxels(path)
    if as_grey(picture).ndim == 3 and not table:
        return _sized(as_grey(picture), path, target)
    return _numbers(picture, table or {palette_colour(n): n for n in range(256)}, path, target)


def _things(path: str, target: Target) -> Numbers:
    if has_palette(path):
        return _sized(read_label_map(path), path, target)
    picture = read_voxels(path)
    if as_grey(picture).ndim == 3:
        return _sized(as_grey(picture), path, target)
    return _numbers(picture, {palette_colour(n): n for n in range(256)}, path, target)


def _numbers(picture: npt.NDArray[Any], table: Mapping[Colour, int], path: str, target: Target) -> Numbers:
    """Return the numbers that colours stand for, (rows, columns)."""
    if picture.ndim == 3:
        picture = np.repeat(picture[..., None], 3, axis=3)
    coded = picture.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    known = {(red << 16) + (green << 8) + blue: number for (red, green, blue), number in table.items()}
    for number, colour in ((0, (0, 0, 0)), (VOID, palette_colour(VOID))):
        known.setdefault((colour[0] << 16) + (colour[1] << 8) + colour[2], number)
    values, where = np.unique(coded, return_inverse=True)
    strange = [one for one in values.tolist() if one not in known]
    if strange:
        told = short_list([f"{one >> 16},{(one >> 8) & 255},{one & 255}" for one in strange])
        raise ReadError(f"{Path(path).name} holds the colour {told}, which nothing names; add it to labelmap.txt.")
    return _sized(np.array([known[one] for one in values.tolist()])[where].reshape(coded.shape), path, target)


def _sized(numbers: npt.NDArray[Any], path: str, target: Target) -> Numbers:
    if numbers.shape != target.geometry.shape_kji:
        own, wanted = (" x ".join(str(n) for n in size[:0:-1]) for size in (numbers.shape, target.geometry.shape_kji))
        raise GeometryError(f"{Path(path).name} is of {own} pixels and its image of {wanted}; they do not belong together.")
    return np.asarray(numbers[0], dtype=np.int64)


def _only_around(shape: PictureShape, found: Sequence[tuple[str, Mask]]) -> bool:
    """Whether a box says no more than where a mask of its class is."""
    if shape.box_xyxy is None or shape.attributes:
        return False
    return any(
        name == shape.label and max(abs(a - b) for a, b in zip(around(mask), shape.box_xyxy, strict=True)) <= SAME_EDGE
        for name, mask in found
    )


def _found(classes: Numbers, things: Numbers, names: Mapping[int, str], file: str) -> tuple[list[tuple[str, Mask]], Mask]:
    """Return every thing with its class, or every class where things are not told apart; and what is void."""
    void = VOID not in names
    unnamed = sorted({int(n) for n in np.unique(classes)} - set(names) - {0, *([VOID] if void else [])})
    if unnamed:
        told = short_list([str(n) for n in unnamed])
        raise ReadError(
            f"{file} holds the values {told}, which nothing names; add them to --label-values, as {unnamed[0]}=NAME."
        )
    found: list[tuple[str, npt.NDArray[np.bool_]]] = []
    numbered = np.where(things == VOID, 0, things)
    ids = [int(n) for n in np.unique(numbered) if n]
    if len(ids) > MOST_THINGS:
        raise ReadError(f"{file} belongs to more than {MOST_THINGS} things; it was not read.")
    for number in ids:
        inside = numbered == number
        of = Counter(int(n) for n in classes[inside] if n and not (void and n == VOID))
        if not of:
            raise ReadError(f"{file} is damaged: it has no class where thing {number} lies.")
        found.append((names[of.most_common(1)[0][0]], inside))
    found += [(names[n], mask) for n in sorted(names) if (mask := (classes == n) & (numbered == 0)).any()]
    found = [(name, mask) for name, mask in found if name]
    return found, ((classes == VOID) | (things == VOID)) if void else np.zeros_like(classes, dtype=bool)


def _stacked(
    found: list[tuple[str, npt.NDArray[np.bool_]]], unsure: npt.NDArray[np.bool_], target: Target
) -> ImportedLabels:
    counts, numbers = Counter(name for name, _ in found), Counter[str]()
    colours = {name: COLOUR_CYCLE[n % len(COLOUR_CYCLE)] for n, name in enumerate(sorted(counts))}
    stack = LayerStack(target.geometry.shape_kji)
    segments: list[Segment] = []
    for position, (name, mask) in enumerate(found, start=1):
        layer_id, value = stack.add([(0, mask)])
        numbers[name] += 1
        title, group = (f"{name} {numbers[name]}", name) if counts[name] > 1 else (name, "")
        segments.append(Segment(f"import-{position}", title, colours[name], layer_id, value, source=IMPORTED, group=group))
    if unsure.any():
        layer_id, value = stack.add([(0, unsure)])
        colour = COLOUR_CYCLE[len(counts) % len(COLOUR_CYCLE)]
        role = SegmentRole.IGNORE
        segments.append(Segment("import-void", UNSURE, colour, layer_id, value, source=IMPORTED, role=role))
    return ImportedLabels(target.geometry, tuple(segments), stack.layers)
