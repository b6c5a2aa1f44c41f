"""What a compressed frame says about its own size, read before a decoder allocates for it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_FRAME_HEADERS = frozenset(set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7})
"""SOF0 to SOF15 without DHT, JPG and DAC; SOF55 is JPEG-LS."""


@dataclass(frozen=True, slots=True)
class CodestreamSize:
    """Matrix of one compressed frame."""

    rows: int
    columns: int
    samples: int
    bits: int
    component_ids: tuple[int, ...] = ()
    adobe_transform: int | None = None
    jfif: bool = False


def jpeg_size(codestream: bytes) -> CodestreamSize | None:
    """Return the size of a JPEG or JPEG-LS frame, or None when no frame header is found."""
    at, end = 2, len(codestream)
    adobe: int | None = None
    jfif = False
    while at + 4 <= end:
        if codestream[at] != 0xFF:
            at += 1
            continue
        marker = codestream[at + 1]
        if marker in (0xFF, 0x00, 0x01) or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", codestream, at + 2)
        body = codestream[at + 4 : at + 2 + length]
        if marker == 0xE0 and body[:4] == b"JFIF":
            jfif = True
        elif marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            adobe = body[11]
        elif marker in _FRAME_HEADERS and len(body) >= 6:
            bits, rows, columns, samples = struct.unpack_from(">BHHB", body)
            ids = tuple(body[6 : 6 + 3 * samples : 3])
            return CodestreamSize(rows, columns, samples, bits, ids, adobe, jfif)
        elif marker == 0xDA:
            return None
        at += 2 + length
    return None


def jpeg2000_size(codestream: bytes) -> CodestreamSize | None:
    """Return the size of a JPEG 2000 or HTJ2K frame, in a JP2 box or bare, or None when no SIZ marker is found."""
    at = codestream.find(b"\xff\x4f\xff\x51")
    if at < 0 or at + 46 > len(codestream):
        return None
    x1, y1, x0, y0 = struct.unpack_from(">IIII", codestream, at + 8)
    samples, depth = struct.unpack_from(">HB", codestream, at + 40)
    return CodestreamSize(y1 - y0, x1 - x0, samples, (depth & 0x7F) + 1)
