"""Boxes, polygons and runs on one picture, as detection formats keep them, to boxes and masks on its grid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from medview.core.annotations import BoxAnnotation
from medview.core.attributes import Attributes
from medview.core.errors import GeometryError, ReadError
from medview.core.segmentation import COLOUR_CYCLE, Segment, SegmentRole
from medview.io.datasets.foreign import FoundLabels
from medview.io.datasets.keypoints import KeyPoint, only_around, traces_of
from medview.io.datasets.masks import IMPORTED
from medview.io.datasets.polygon_masks import Mask, mask_inside
from medview.io.datasets.rle import mask_of, unpacked
from medview.io.dicom.seg_layers import LayerStack
from medview.io.imported_labels import ImportedLabels, Target

MOST_SHAPES = 1_000_000
"""In one dataset."""
MOST_ON_PICTURE = 20_000
OUTSIDE_PIXELS = 1.0
"""How far a box may reach beyond its picture without a word: tools count from 0 or from 1."""


@dataclass(frozen=True, slots=True)
class Runs:
    """A mask as COCO's runs (see ``rle``): a text or the numbers, and rows and columns."""

    counts: str | tuple[int, ...]
    size: tuple[int, int]

    def mask(self) -> Mask:
        """Return the mask, (rows, columns). Raises ValueError."""
        return mask_of(unpacked(self.counts) if isinstance(self.counts, str) else self.counts, self.size)


@dataclass(frozen=True, slots=True)
class PictureShape:
    """One thing on a picture.

    Attributes
    ----------
    box_xyxy : tuple of float, or None
        Left, top, right and bottom edge; x and y count pixel edges from the outer corner of the first pixel.
    polygons : tuple of tuple of float
        Each x, y, x, y, ...; together they are the thing.
    runs : Runs or None
        Its mask, where that is given instead.
    crowd : bool
        Many things that nobody told apart.
    points : tuple of KeyPoint
        Points of the thing.
    """

    label: str
    box_xyxy: tuple[float, float, float, float] | None = None
    polygons: tuple[tuple[float, ...], ...] = ()
    runs: Runs | None = None
    score: float | None = None
    crowd: bool = False
    attributes: Attributes = ()
    points: tuple[KeyPoint, ...] = ()

    def __repr__(self) -> str:
        # Fingerprints of what was imported are made of this; things without points keep theirs.
        said = ((one.name, getattr(self, one.name)) for one in fields(self))
        return f"PictureShape({', '.join(f'{name}={value!r}' for name, value in said if name != 'points' or value)})"


@dataclass(frozen=True, slots=True)
class PictureShapes:
    """All that is marked on one picture.

    Attributes
    ----------
    path : str
        The file it was read from, for sentences.
    parts : bool
        Coordinates are parts of the width and the height instead of pixels.
    size : tuple of int, or None
        Rows and columns, where the file states them.
    """

    path: str
    shapes: tuple[PictureShape, ...] = ()
    parts: bool = False
    size: tuple[int, int] | None = None

    def read(self, target: Target) -> FoundLabels:
        """Return boxes and masks on the grid of the picture.

        Raises
        ------
        GeometryError
            When the file is of a picture of another size.
        ReadError
            When a shape is none.
        """
        name = Path(self.path).name
        slices, rows, columns = target.geometry.shape_kji
        if slices != 1 or (self.size is not None and self.size != (rows, columns)):
            stated = f"{self.size[1]} x {self.size[0]} pixels" if self.size is not None else "a picture"
            raise GeometryError(f"{name} is of {stated}, and its image is of another size; they do not belong together.")
        shapes = [_in_pixels(shape, columns, rows) for shape in self.shapes] if self.parts else list(self.shapes)
        notes: list[str] = []
        masked = [shape for shape in shapes if _is_mask(shape)]
        boxes, outside = _boxes([shape for shape in shapes if not _is_mask(shape) and not _only_points(shape)], target)
        if outside:
            said = (
                "1 box reaches beyond the picture and was" if outside == 1 else f"{outside} boxes reach beyond it and were"
            )
            notes.append(f"In {name} {said} cut at its edge.")
        masks = _masks(masked, target, name) if masked else None
        uid = target.sop_instance_uids[0] if target.sop_instance_uids else ""
        points = traces_of(((one.label, one.points, one.attributes) for one in shapes), target.geometry, uid)
        return FoundLabels(target.geometry, masks, tuple(boxes), notes=tuple(notes), points=tuple(points))


def _is_mask(shape: PictureShape) -> bool:
    return shape.runs is not None or any(not _same_as_box(polygon, shape.box_xyxy) for polygon in shape.polygons)


def _only_points(shape: PictureShape) -> bool:
    return shape.box_xyxy is not None and only_around(shape.points, shape.box_xyxy)


def _same_as_box(polygon: Sequence[float], box: tuple[float, float, float, float] | None) -> bool:
    """Whether a polygon says no more than the box around it: tools write a rectangle where only boxes were drawn."""
    if box is None:
        return False
    points = np.asarray(polygon, dtype=np.float64).reshape(-1, 2)
    left, top, right, bottom = box
    corners = {(left, top), (right, top), (right, bottom), (left, bottom)}
    near = [any(abs(x - a) <= 0.5 and abs(y - b) <= 0.5 for a, b in corners) for x, y in points]
    return len(points) in (4, 5) and all(near)


def _in_pixels(shape: PictureShape, columns: int, rows: int) -> PictureShape:
    left, top, right, bottom = shape.box_xyxy or (0.0, 0.0, 0.0, 0.0)
    box = (left * columns, top * rows, right * columns, bottom * rows) if shape.box_xyxy is not None else None
    scaled = tuple(tuple(n * (rows if at % 2 else columns) for at, n in enumerate(one)) for one in shape.polygons)
    return replace(shape, box_xyxy=box, polygons=scaled)


def _boxes(shapes: Sequence[PictureShape], target: Target) -> tuple[list[BoxAnnotation], int]:
    geometry = target.geometry
    _, rows, columns = geometry.shape_kji
    limits = np.array([columns, rows, columns, rows], dtype=np.float64)
    uid = target.sop_instance_uids[0] if target.sop_instance_uids else ""
    found: list[BoxAnnotation] = []
    outside = 0
    for number, shape in enumerate(shapes, start=1):
        if shape.box_xyxy is None:
            continue
        edges = np.asarray(shape.box_xyxy, dtype=np.float64)
        cut = np.clip(edges, 0.0, limits)
        outside += bool(np.abs(cut - edges).max() > OUTSIDE_PIXELS)
        left, top, right, bottom = cut.tolist()
        if right <= left or bottom <= top:
            continue
        box = BoxAnnotation.on_grid(
            f"import-box-{number}",
            shape.label,
            geometry,
            (0.0, top, left),
            (1.0, bottom, right),
            shape.score,
            IMPORTED,
            flat_edge=0,
        )
        found.append(replace(box, attributes=shape.attributes, sop_instance_uid=uid))
    return found, outside


def _masks(shapes: Sequence[PictureShape], target: Target, name: str) -> ImportedLabels:
    """Return one segment per thing; several of one label are numbered and share a group."""
    size = target.geometry.shape_kji[1:]
    counts = Counter(shape.label for shape in shapes if not shape.crowd)
    numbers: Counter[str] = Counter()
    colours = {label: COLOUR_CYCLE[n % len(COLOUR_CYCLE)] for n, label in enumerate(dict.fromkeys(s.label for s in shapes))}
    stack = LayerStack(target.geometry.shape_kji)
    segments: list[Segment] = []
    for position, shape in enumerate(shapes, start=1):
        try:
            mask = shape.runs.mask() if shape.runs is not None else _filled(shape, size)
        except ValueError as error:
            raise ReadError(f"{name} is damaged: one of its masks is none.", detail=str(error)) from error
        if mask.shape != size:
            raise GeometryError(f"{name} holds a mask of another size than its image; they do not belong together.")
        layer_id, value = stack.add([(0, mask)])
        title, group = shape.label, ""
        if shape.crowd:
            title = f"{shape.label} (not told apart)"
        elif counts[shape.label] > 1:
            numbers[shape.label] += 1
            title, group = f"{shape.label} {numbers[shape.label]}", shape.label
        role = SegmentRole.IGNORE if shape.crowd else SegmentRole.STRUCTURE
        colour = colours[shape.label]
        segments.append(
            Segment(f"import-{position}", title, colour, layer_id, value, source=IMPORTED, role=role, group=group)
        )
    return ImportedLabels(target.geometry, tuple(segments), stack.layers)


def _filled(shape: PictureShape, size: tuple[int, int]) -> Mask:
    polygons = [np.asarray(one, dtype=np.float64).reshape(-1, 2) for one in shape.polygons if len(one) >= 6]
    if any(not np.isfinite(one).all() for one in polygons):
        raise ValueError("a point that is no number")
    return mask_inside(polygons, size)
