"""Mosaics: slices tiled in one image by Siemens and United Imaging scanners, each put back where it lies."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from medview.io.dicom.attributes import numbers, private_items, private_number, texts
from medview.io.dicom.instance import FrameInfo, Triple
from medview.io.dicom.plane import triple

SIEMENS = "SIEMENS MR HEADER"
SIEMENS_CSA = "SIEMENS CSA HEADER"
UNITED_IMAGING = "Image Private Header"

MOST_TILES = 4096


@dataclass(frozen=True, slots=True)
class Mosaic:
    """How the tiles of one image are laid out.

    Attributes
    ----------
    grid : tuple of int
        Tiles down and across.
    positions_lps_mm : tuple
        Centre of the first voxel of every tile that holds a slice, in reading order.
    """

    grid: tuple[int, int]
    positions_lps_mm: tuple[Triple, ...]


def is_mosaic(dataset: Dataset) -> bool:
    """Whether an image says it is a mosaic."""
    return "MOSAIC" in texts(dataset, "ImageType") or private_number(dataset, 0x0065, UNITED_IMAGING, 0x50) is not None


def mosaic_of(dataset: Dataset, plane: FrameInfo, rows: int, columns: int) -> Mosaic | None:
    """Return the layout of a mosaic, or None when the file does not say enough to place its slices."""
    return _united_imaging(dataset, rows, columns) or _siemens(dataset, plane, rows, columns)


def _united_imaging(dataset: Dataset, rows: int, columns: int) -> Mosaic | None:
    items = private_items(dataset, 0x0065, UNITED_IMAGING, 0x51)
    positions = [triple(numbers(item, "ImagePositionPatient")) for item in items]
    known = tuple(p for p in positions if p is not None)
    if not known or len(known) != len(positions):
        return None
    across = math.ceil(math.sqrt(len(known)))
    grid = (math.ceil(len(known) / across), across)
    return Mosaic(grid, known) if _fits(grid, rows, columns) else None


def _siemens(dataset: Dataset, plane: FrameInfo, rows: int, columns: int) -> Mosaic | None:
    csa = _csa(dataset)
    count = int(private_number(dataset, 0x0019, SIEMENS, 0x0A) or _first(csa, "NumberOfImagesInMosaic") or 0)
    gap = numbers(dataset, "SpacingBetweenSlices") or ((plane.thickness_mm,) if plane.thickness_mm else ())
    normal = csa.get("SliceNormalVector", ())
    if not 1 <= count <= MOST_TILES or not gap or plane.position_lps_mm is None or plane.orientation is None:
        return None
    if plane.spacing_ji_mm is None or len(normal) != 3:
        return None
    side = math.ceil(math.sqrt(count))
    if not _fits((side, side), rows, columns):
        return None
    row, column = np.asarray(plane.orientation[:3]), np.asarray(plane.orientation[3:])
    # ImagePositionPatient is that of an image as large as the mosaic around the same centre.
    dj, di = plane.spacing_ji_mm
    first = np.asarray(plane.position_lps_mm)
    first = first + row * di * (columns - columns // side) / 2 + column * dj * (rows - rows // side) / 2
    across = np.cross(row, column)
    direction = across if float(across @ np.asarray(normal)) >= 0 else -across
    positions = [first + direction * abs(gap[0]) * n for n in range(count)]
    if (_first(csa, "ProtocolSliceNumber") or 0) > 0:
        # The first tile is the last slice of the protocol.
        positions.reverse()
    return Mosaic((side, side), tuple((float(p[0]), float(p[1]), float(p[2])) for p in positions))


def _fits(grid: tuple[int, int], rows: int, columns: int) -> bool:
    return rows % grid[0] == 0 and columns % grid[1] == 0


def _first(csa: dict[str, tuple[float, ...]], name: str) -> float | None:
    values = csa.get(name, ())
    return values[0] if values else None


_WANTED = frozenset({"NumberOfImagesInMosaic", "SliceNormalVector", "ProtocolSliceNumber"})
_MOST_TAGS, _MOST_ITEMS = 1024, 4096


def _csa(dataset: Dataset) -> dict[str, tuple[float, ...]]:
    """Return the wanted numbers of the Siemens CSA image header; empty when there is none or it is damaged."""
    try:
        raw = dataset.private_block(0x0029, SIEMENS_CSA)[0x10].value
    except KeyError:
        return {}
    if not isinstance(raw, bytes):
        return {}
    try:
        return _parse_csa(raw)
    except struct.error:
        return {}


def _parse_csa(raw: bytes) -> dict[str, tuple[float, ...]]:
    at = 8 if raw[:4] == b"SV10" else 0
    (count,) = struct.unpack_from("<I", raw, at)
    at += 8
    found: dict[str, tuple[float, ...]] = {}
    for _ in range(min(count, _MOST_TAGS)):
        name = raw[at : at + 64].split(b"\x00")[0].decode("ascii", "replace")
        (items,) = struct.unpack_from("<i", raw, at + 76)
        at += 84
        texts_found: list[bytes] = []
        for _ in range(min(max(items, 0), _MOST_ITEMS)):
            lengths = struct.unpack_from("<4i", raw, at)
            length = lengths[1] if raw[:4] == b"SV10" else lengths[0]
            at += 16
            if not 0 <= length <= len(raw) - at:
                return found
            texts_found.append(raw[at : at + length].split(b"\x00")[0].strip())
            at += (length + 3) // 4 * 4
        if name in _WANTED:
            values = [_number(part) for part in texts_found if part]
            found[name] = tuple(v for v in values if v is not None)
    return found


def _number(part: bytes) -> float | None:
    try:
        return float(part)
    except ValueError:
        return None
