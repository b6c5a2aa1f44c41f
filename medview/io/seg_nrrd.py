"""Segmentations of 3D Slicer (``.seg.nrrd``) to label layers.

The format is described in the developer guide of Slicer, "Segmentation labelmap file format": an NRRD of three axes, or of
four where segments overlap, with a layer for each set that does not; fields ``Segment0_Name``, ``Segment0_LabelValue``,
``Segment0_Layer`` and so on say what the numbers are. The grid may be cut out of that of the images.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.errors import GeometryError, ReadError
from medview.core.geometry import Calibration, Geometry
from medview.core.pixel_hash import is_pixels_sha256
from medview.core.segmentation import COLOUR_CYCLE, VALUES_PER_LAYER, LabelArray, Segment, SegmentRole
from medview.core.source import Source, SourceKind
from medview.io.imported_labels import ImportedLabels, Target
from medview.io.nrrd_header import NrrdHeader, read_nrrd_header, read_numbers
from medview.io.slicer_terms import ENTRY, STATUS, read_entry, read_status, read_tags
from medview.io.sources import in_archive, name_of, open_source

MOST_SEGMENTS = 10_000
SAME_PLACE_VOXELS = 0.1
PIXELS = "MedView_PixelsSha256"
OWN = "MedView."
"""Before the names of tags that only MedView writes."""
_SPACES = {
    ("left-posterior-superior", "lps"): (1.0, 1.0, 1.0),
    ("right-anterior-superior", "ras"): (-1.0, -1.0, 1.0),
    ("left-anterior-superior", "las"): (1.0, -1.0, 1.0),
}
_VECTOR = re.compile(r"\(([^)]*)\)")
_NAMES_SEGMENT = re.compile(rb"\nSegment(?:0_|ation_)")


@dataclass(frozen=True, slots=True)
class _Told:
    """A segment as the header tells it: its layer and number in the file, and itself, without a place here."""

    layer: int
    number: int
    segment: Segment


def is_seg_nrrd(path: str) -> bool:
    """Whether an NRRD file is a segmentation of 3D Slicer. Raises ReadError when it cannot be opened."""
    with open_source(path) as file:
        head = file.read(1 << 16)
    return head.startswith(b"NRRD") and _NAMES_SEGMENT.search(head) is not None


def read_seg_nrrd(path: str, target: Target | None = None) -> ImportedLabels:
    """Return the segments of a file, on the grid of ``target`` where one is given.

    Raises
    ------
    GeometryError
        When they lie on another grid than the images.
    ReadError, RefusedError
        When the file is damaged, or its voxels are of a kind that is not read.
    """
    name = name_of(path)
    if in_archive(path):
        raise ReadError(f"{name} cannot be read inside an archive; unpack the archive first.")
    header = read_nrrd_header(path)
    numbers = read_numbers(path, header)
    if numbers.dtype.kind not in "ui":
        raise ReadError(f"{name} holds fractions instead of labels; save it as a binary label map.")
    layers, geometry = _layers(header, numbers, name)
    told = _told(header.pairs, len(layers), name)
    notes: list[str] = []
    segments, held = _drawn(told, layers, notes, name)
    pixels = header.pairs.get(PIXELS, "")
    pixels = pixels if is_pixels_sha256(pixels) else ""
    lay = geometry if pixels else None
    if target is not None:
        held = {n: _put(voxels, geometry, target.geometry, name) for n, voxels in held.items()}
        geometry = target.geometry
        if not pixels:
            notes.append(f"{name} does not say which images it was made on; only its grid was compared.")
    return ImportedLabels(geometry, tuple(segments), held, tuple(notes), pixels, lay)


def _layers(header: NrrdHeader, numbers: npt.NDArray[Any], name: str) -> tuple[list[npt.NDArray[Any]], Geometry]:
    """Return the layers, each (k, j, i), and their grid."""
    fields = header.fields
    space = fields.get("space", "").lower()
    signs = next((signs for words, signs in _SPACES.items() if space in words), None)
    vectors = re.findall(r"none|\([^)]*\)", fields.get("space directions", ""))
    list_axes = [axis for axis, vector in enumerate(vectors) if vector == "none"]
    if signs is None or len(vectors) != numbers.ndim or numbers.ndim - len(list_axes) != 3 or len(list_axes) > 1:
        raise ReadError(f"{name} does not say where it lies in the patient; save the segmentation again from 3D Slicer.")
    try:
        columns = [_numbers(vector) for vector in vectors if vector != "none"]
        origin = _numbers(fields.get("space origin", "(0,0,0)"))
        affine = np.eye(4)
        affine[:3, :3] = np.asarray(columns[::-1]).T
        affine[:3, 3] = origin
        affine[:3] *= np.asarray(signs)[:, np.newaxis]
        # The fastest axis of the file is the last one here.
        numbers = np.moveaxis(numbers, numbers.ndim - 1 - list_axes[0], 0) if list_axes else numbers[np.newaxis]
        k, j, i = numbers.shape[1:]
        return list(numbers), Geometry((k, j, i), affine)
    except (ValueError, IndexError) as error:
        raise ReadError(f"{name} is damaged: its placement makes no grid.", detail=str(error)[:200]) from error


def _numbers(vector: str) -> list[float]:
    found = _VECTOR.fullmatch(vector.strip())
    words = found[1].split(",") if found is not None else ()
    if len(words) != 3:
        raise ValueError("a direction of other than three numbers")
    return [float(word) for word in words]


def _told(pairs: Mapping[str, str], layers: int, name: str) -> list[_Told]:
    counted = [
        int(key[7:-3]) for key in pairs if key.startswith("Segment") and key.endswith("_ID") and key[7:-3].isdecimal()
    ]
    if len(counted) > MOST_SEGMENTS:
        raise ReadError(f"{name} lists {len(counted)} segments, more than {MOST_SEGMENTS}; it was not read.")
    found: list[_Told] = []
    for position, n in enumerate(sorted(counted)):
        own = {key: pairs.get(f"Segment{n}_{key}", "") for key in ("Name", "Color", "Tags", "LabelValue", "Layer")}
        try:
            # Files of older versions have a layer for every segment, in which it is 1.
            layer = int(own["Layer"]) if own["Layer"] else (position if layers > 1 else 0)
            number = int(own["LabelValue"]) if own["LabelValue"] else 1
        except ValueError as error:
            raise ReadError(f"{name} is damaged: the number of segment {position + 1} is none.") from error
        if not 0 <= layer < layers:
            raise ReadError(f"{name} is damaged: segment {position + 1} lies in a layer that is not there.")
        tags = read_tags(own["Tags"])
        title = " ".join(own["Name"].split())[:100] or f"Segment {position + 1}"
        segment = Segment(
            f"segment-{position + 1}",
            title,
            _colour(own["Color"], position),
            0,
            1,
            read_entry(tags.get(ENTRY, "")),
            status=read_status(tags.get(STATUS, "")),
            source=_source(tags),
            role=SegmentRole.IGNORE if tags.get(f"{OWN}Role") == SegmentRole.IGNORE.value else SegmentRole.STRUCTURE,
            absent=tags.get(f"{OWN}Absent") == "yes",
            group=tags.get(f"{OWN}Group", ""),
        )
        found.append(_Told(layer, number, segment))
    return found


def _colour(text: str, position: int) -> tuple[int, int, int]:
    try:
        red, green, blue = (round(255 * float(word)) for word in text.split())
    except (ValueError, OverflowError):
        return COLOUR_CYCLE[position % len(COLOUR_CYCLE)]
    usable = all(0 <= n <= 255 for n in (red, green, blue))
    return (red, green, blue) if usable else COLOUR_CYCLE[position % len(COLOUR_CYCLE)]


def _source(tags: Mapping[str, str]) -> Source:
    model = tags.get(f"{OWN}Model", "")
    if not model:
        return Source(SourceKind.IMPORT)
    return Source(
        SourceKind.MODEL,
        model,
        tags.get(f"{OWN}ModelVersion", ""),
        tags.get(f"{OWN}ModelSha256", ""),
        corrected=tags.get(f"{OWN}Corrected") == "yes",
    )


def _drawn(
    told: list[_Told], layers: list[npt.NDArray[Any]], notes: list[str], name: str
) -> tuple[list[Segment], dict[int, LabelArray]]:
    """Return the segments with their layers and values here, and the layers."""
    segments: dict[int, Segment] = {}
    held: dict[int, LabelArray] = {}
    unnamed = 0
    for of_file, voxels in enumerate(layers):
        mine = [(at, one) for at, one in enumerate(told) if one.layer == of_file]
        if len({one.number for _, one in mine}) < len(mine):
            raise ReadError(f"{name} is damaged: two segments have the same number in the same layer.")
        known = np.isin(voxels, [0, *(one.number for _, one in mine)])
        unnamed += int(np.count_nonzero(~known))
        for start in range(0, max(len(mine), 1), VALUES_PER_LAYER):
            part = mine[start : start + VALUES_PER_LAYER]
            layer_id = len(held)
            held[layer_id] = _renumbered(voxels, [one.number for _, one in part])
            for value, (at, one) in enumerate(part, start=1):
                segments[at] = replace(one.segment, layer_id=layer_id, value=value)
    if unnamed:
        said = "1 voxel belongs" if unnamed == 1 else f"{unnamed} voxels belong"
        notes.append(f"{said} to no segment that {name} names and were left out.")
    return [segments[at] for at in sorted(segments)], held


def _renumbered(voxels: npt.NDArray[Any], numbers: list[int]) -> LabelArray:
    """Return voxels with 1, 2, ... for the numbers given and 0 elsewhere."""
    if numbers and min(numbers) >= 0 and max(numbers) < 1 << 16 and voxels.dtype.itemsize <= 2 and voxels.dtype.kind == "u":
        table = np.zeros(1 << (8 * voxels.dtype.itemsize), dtype=np.uint8)
        for value, number in enumerate(numbers, start=1):
            if number < len(table):
                table[number] = value
        table[0] = 0
        return np.ascontiguousarray(table[voxels])
    found = np.zeros(voxels.shape, dtype=np.uint8)
    for value, number in enumerate(numbers, start=1):
        found[(voxels == number) & (voxels != 0)] = value
    return found


def _put(labels: LabelArray, own: Geometry, wanted: Geometry, name: str) -> LabelArray:
    """Return labels of a part of a grid, or of more than it, on the grid; axes may run in other orders and directions.

    Raises
    ------
    GeometryError
        When voxels do not lie on voxels, or labels lie beyond the grid.
    """
    if wanted.calibration is not Calibration.VOLUME:
        raise GeometryError(f"{name} cannot be placed: the images state no positions.")
    matrix = np.linalg.inv(wanted.affine_lps) @ own.affine_lps
    steps = np.rint(matrix[:3, :3]).astype(int)
    one_each = (np.abs(steps).sum(axis=0) == 1).all() and (np.abs(steps).sum(axis=1) == 1).all()
    start = np.rint(matrix[:3, 3]).astype(int)
    off = np.abs(matrix[:3, :3] - steps) @ np.asarray(own.shape_kji, dtype=np.float64) + np.abs(matrix[:3, 3] - start)
    if not one_each or off.max() > SAME_PLACE_VOXELS:
        raise GeometryError(f"{name} was made on another grid; resample it to this series first.")
    # Axis a of the wanted grid is axis order[a] of the file.
    order = [int(np.flatnonzero(steps[axis])[0]) for axis in range(3)]
    turned = labels.transpose(order)
    low: list[int] = []
    for axis, source in enumerate(order):
        size = own.shape_kji[source]
        if steps[axis, source] < 0:
            turned = np.flip(turned, axis)
            low.append(int(start[axis]) - (size - 1))
        else:
            low.append(int(start[axis]))
    found = np.zeros(wanted.shape_kji, dtype=np.uint8)
    there = tuple(
        slice(max(at, 0), max(min(at + size, whole), 0))
        for at, size, whole in zip(low, turned.shape, wanted.shape_kji, strict=True)
    )
    here = tuple(slice(part.start - at, max(part.stop - at, part.start - at)) for part, at in zip(there, low, strict=True))
    inside = turned[here]
    if np.count_nonzero(inside) < np.count_nonzero(turned):
        raise GeometryError(f"{name} reaches outside this series; open the series it was made on.")
    if inside.size:
        found[there] = inside
    return found
