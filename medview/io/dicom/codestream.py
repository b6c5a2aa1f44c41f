"""What a compressed frame says about its own size, read before a decoder allocates for it."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

_JPEG_LS = 0xF7
_FRAME_HEADERS = frozenset(set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {_JPEG_LS})
"""SOF0 to SOF15 without DHT, JPG and DAC; SOF55 is JPEG-LS."""
_LOSSLESS_FRAMES = frozenset({0xC3, 0xC7, 0xCB, 0xCF})

_JXL_BARE = b"\xff\x0a"
_JXL_BOXED = b"\x00\x00\x00\x0cJXL \x0d\x0a\x87\x0a"
_JXL_RATIOS = ((0, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Width to height by the three bits that stand for it; the first means that the width is written out."""


@dataclass(frozen=True, slots=True)
class CodestreamSize:
    """Matrix of one compressed frame.

    Attributes
    ----------
    samples, bits : int
        0 where the beginning of the codestream does not say.
    component_ids : tuple of int
        As a JPEG frame header numbers them; some writers spell "RGB" with them.
    adobe_transform : int or None
        0 is RGB, else YCbCr; None without an Adobe marker.
    lossy : bool
        Decoded numbers may differ from those that went in.
    """

    rows: int
    columns: int
    samples: int
    bits: int
    component_ids: tuple[int, ...] = ()
    adobe_transform: int | None = None
    jfif: bool = False
    lossy: bool = False


def jpeg_size(codestream: bytes) -> CodestreamSize | None:
    """Return the size of a JPEG or JPEG-LS frame, or None when no frame header is found."""
    at, end = 2, len(codestream)
    adobe: int | None = None
    jfif = near = False
    found: CodestreamSize | None = None
    while at + 4 <= end:
        if codestream[at] != 0xFF:
            at = codestream.find(b"\xff", at)
            if at < 0:
                break
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
            near = marker == _JPEG_LS
            found = CodestreamSize(rows, columns, samples, bits, ids, lossy=not near and marker not in _LOSSLESS_FRAMES)
        elif marker == 0xDA:
            if found is not None and near and len(body) >= 3:
                found = replace(found, lossy=body[-3] > 0)
            break
        at += 2 + length
    return None if found is None else replace(found, adobe_transform=adobe, jfif=jfif)


def jpeg2000_size(codestream: bytes) -> CodestreamSize | None:
    """Return the size of a JPEG 2000 or HTJ2K frame, in a JP2 box or bare, or None when no SIZ marker is found.

    The marker is looked for where a decoder finds it and nowhere else: one in a box of free text would hide the true size.
    """
    at = _jp2_codestream(codestream) if codestream[4:8] == b"jP  " else 0
    if at + 46 > len(codestream) or codestream[at : at + 4] != b"\xff\x4f\xff\x51":
        return None
    x1, y1, x0, y0 = struct.unpack_from(">IIII", codestream, at + 8)
    samples, depth = struct.unpack_from(">HB", codestream, at + 40)
    return CodestreamSize(y1 - y0, x1 - x0, samples, (depth & 0x7F) + 1, lossy=_irreversible(codestream, at + 2))


def _jp2_codestream(file: bytes) -> int:
    """Return where the codestream box of a JP2 file holds its data; the end of the file when it has none."""
    at = 0
    while at + 8 <= len(file):
        length, kind = struct.unpack_from(">I4s", file, at)
        header = 8
        if length == 1 and at + 16 <= len(file):
            (length,) = struct.unpack_from(">Q", file, at + 8)
            header = 16
        if kind == b"jp2c":
            return at + header
        if length < header:
            break  # zero reaches to the end of the file, anything else is no box
        at += length
    return len(file)


def _irreversible(codestream: bytes, at: int) -> bool:
    """Whether the coding style among the main header's segments from ``at`` names the 9-7 wavelet."""
    while at + 14 <= len(codestream):
        marker, length = struct.unpack_from(">HH", codestream, at)
        if marker == 0xFF52:
            return codestream[at + 13] == 0
        if marker == 0xFF90 or marker < 0xFF00:
            break
        at += 2 + length
    return False


def jpegxl_size(codestream: bytes) -> CodestreamSize | None:
    """Return rows and columns of a JPEG XL frame, in boxes or bare, or None when it has no beginning."""
    start = _jpegxl_start(codestream)
    if codestream[start : start + 2] != _JXL_BARE:
        return None
    bits = _Bits(codestream[start + 2 : start + 14])
    small = bits.take(1) == 1
    rows = _jpegxl_length(bits, small=small)
    ratio = bits.take(3)
    wide, high = _JXL_RATIOS[ratio]
    columns = rows * wide // high if ratio else _jpegxl_length(bits, small=small)
    return CodestreamSize(rows, columns, 0, 0)


def _jpegxl_start(codestream: bytes) -> int:
    """Return where the bare codestream begins."""
    if codestream[:12] != _JXL_BOXED:
        return 0
    at = 12
    while at + 16 <= len(codestream):
        size, kind = int.from_bytes(codestream[at : at + 4], "big"), codestream[at + 4 : at + 8]
        body = at + 8
        if size == 1:
            size = int.from_bytes(codestream[at + 8 : at + 16], "big")
            body = at + 16
        if kind in (b"jxlc", b"jxlp"):
            # A part is preceded by its number.
            return body + 4 * (kind == b"jxlp")
        if size < 8:
            break
        at += size
    return 0


def _jpegxl_length(bits: _Bits, *, small: bool) -> int:
    if small:
        return 8 * (bits.take(5) + 1)
    return bits.take((9, 13, 18, 30)[bits.take(2)]) + 1


class _Bits:
    """Bits of a byte string, least significant first."""

    def __init__(self, data: bytes) -> None:
        self._left = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._left & ((1 << count) - 1)
        self._left >>= count
        return value
