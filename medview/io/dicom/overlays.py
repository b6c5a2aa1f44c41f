"""Overlay planes of a file (groups 6000 to 601E, PS3.3 C.9.2): bits of their own, or bits above the numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from medview.core.errors import MedViewError
from medview.core.overlay_plane import OverlayPlane
from medview.io.dicom.attributes import integer, text
from medview.io.dicom.pixels import PixelFile
from medview.io.dicom.values import OVERLAY_GROUPS

_ROWS, _COLUMNS, _FRAMES, _LABEL, _KIND = 0x0010, 0x0011, 0x0015, 0x1500, 0x0040
_ORIGIN, _FIRST_FRAME, _BITS_ALLOCATED, _BIT_POSITION, _DATA = 0x0050, 0x0051, 0x0100, 0x0102, 0x3000

MOST_OVERLAY_PIXELS = 1 << 26
"""Of one overlay frame; the largest radiograph has a third."""

Mask = npt.NDArray[np.bool_]


def read_overlays(path: str, number: int) -> tuple[OverlayPlane, ...]:
    """Return the overlay planes of one frame, those without any mark left out.

    An overlay that reaches beyond the image is cut, one that cannot be read is left out: no graphic is worth the image.

    Raises
    ------
    ReadError, RefusedError
        When the file itself cannot be read.
    """
    file = PixelFile(path)
    found: list[OverlayPlane] = []
    for group in OVERLAY_GROUPS:
        mask = _mask(file, group, number)
        if mask is not None and mask.any():
            region = text(file.dataset, _tag(group, _KIND)).strip().upper() == "R"
            found.append(OverlayPlane.of(mask, text(file.dataset, _tag(group, _LABEL)), region=region))
    return tuple(found)


def _mask(file: PixelFile, group: int, number: int) -> Mask | None:
    dataset = file.dataset
    rows, columns = (integer(dataset, _tag(group, element)) for element in (_ROWS, _COLUMNS))
    if rows < 1 or columns < 1 or rows * columns > MOST_OVERLAY_PIXELS:
        return None
    frame = number - (max(integer(dataset, _tag(group, _FIRST_FRAME), 1), 1) - 1)
    frames = max(integer(dataset, _tag(group, _FRAMES), 1), 1)
    single = _tag(group, _FRAMES) not in dataset
    if single:
        # An overlay that counts no frames belongs to all of them.
        frame = 0
    if not 0 <= frame < frames:
        return None
    data = _bytes(dataset, _tag(group, _DATA))
    if data:
        own = _own_bits(data, rows, columns, frame)
    else:
        own = _high_bits(file, integer(dataset, _tag(group, _BIT_POSITION), -1), number)
    if own is None:
        return None
    pixels = file.instance.pixels
    return _placed(own, _origin(dataset, group), (pixels.rows, pixels.columns))


def _own_bits(data: bytes, rows: int, columns: int, frame: int) -> Mask | None:
    first = frame * rows * columns
    last = first + rows * columns
    if len(data) * 8 < last:
        return None
    part = np.frombuffer(data, np.uint8, (last + 7) // 8 - first // 8, first // 8)
    bits = np.unpackbits(part, bitorder="little")[first % 8 :][: rows * columns]
    return bits.reshape(rows, columns).astype(np.bool_)


def _high_bits(file: PixelFile, position: int, number: int) -> Mask | None:
    pixels = file.instance.pixels
    low = pixels.high_bit - pixels.bits_stored + 1
    taken = low <= position <= pixels.high_bit
    if pixels.kind != "int" or pixels.samples != 1 or taken or not 0 <= position < pixels.bits_allocated:
        return None
    if pixels.grid != (1, 1):
        return None
    try:
        container = file.container(number)
    except MedViewError:
        return None
    return np.asarray((container >> position) & 1, dtype=np.bool_)


def _placed(own: Mask, origin_ji: tuple[int, int], shape_ji: tuple[int, int]) -> Mask:
    """Return an overlay on the image's grid; ``origin_ji`` is where it begins, (1, 1) being the image's first pixel."""
    placed = np.zeros(shape_ji, dtype=np.bool_)
    top, left = origin_ji[0] - 1, origin_ji[1] - 1
    row0, column0 = max(top, 0), max(left, 0)
    row1, column1 = min(top + own.shape[0], shape_ji[0]), min(left + own.shape[1], shape_ji[1])
    if row0 < row1 and column0 < column1:
        placed[row0:row1, column0:column1] = own[row0 - top : row1 - top, column0 - left : column1 - left]
    return placed


def _origin(dataset: Dataset, group: int) -> tuple[int, int]:
    parts = text(dataset, _tag(group, _ORIGIN)).split("\\")
    try:
        return int(parts[0]), int(parts[1])
    except (ValueError, IndexError):
        return 1, 1


def _bytes(dataset: Dataset, tag: BaseTag) -> bytes:
    raw = dataset.get_item(tag) if tag in dataset else None
    value = getattr(raw, "value", None)
    return value if isinstance(value, bytes) else b""


def _tag(group: int, element: int) -> BaseTag:
    return BaseTag(group << 16 | element)
