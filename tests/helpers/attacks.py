"""Files made to bring a parser or decoder down: bombs, impossible sizes, endless nesting, lying compressed images.

Each is small and is built byte by byte, since no honest writer makes them.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib

import imagecodecs
import numpy as np

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"
JPEG = "1.2.840.10008.1.2.4.50"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
JPEG_XL = "1.2.840.10008.1.2.4.110"

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_LONG = frozenset({"OB", "OW", "SQ", "UN", "UT", "UC"})
_ITEM, _ITEM_END, _SEQUENCE_END = (struct.pack("<HH", 0xFFFE, e) for e in (0xE000, 0xE00D, 0xE0DD))
_UNDEFINED = b"\xff\xff\xff\xff"


def element(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    """One explicit little endian element; ``length`` is what it claims."""
    value += b"\x00" * (len(value) % 2)
    claimed = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    return head + (struct.pack("<HI", 0, claimed) if vr in _LONG else struct.pack("<H", claimed & 0xFFFF)) + value


def whole(syntax: str, body: bytes) -> bytes:
    """A file with preamble and meta group around a data set."""
    meta = element(0x00020002, "UI", _SECONDARY_CAPTURE.encode()) + element(0x00020003, "UI", b"2.25.7")
    meta += element(0x00020010, "UI", syntax.encode())
    return b"\x00" * 128 + b"DICM" + element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta + body


def identity(number: int = 1) -> bytes:
    """What a picture needs to be listed."""
    body = element(0x00080016, "UI", _SECONDARY_CAPTURE.encode()) + element(0x00080018, "UI", f"2.25.7.{number}".encode())
    body += element(0x00080060, "CS", b"OT")
    return body + element(0x0020000D, "UI", b"2.25.8") + element(0x0020000E, "UI", f"2.25.9.{number}".encode())


def matrix(rows: int, columns: int, *, frames: str = "1", bits: int = 16, samples: int = 1) -> bytes:
    """The pixel module."""
    body = element(0x00280002, "US", struct.pack("<H", samples))
    body += element(0x00280004, "CS", b"MONOCHROME2" if samples == 1 else b"RGB")
    body += element(0x00280008, "IS", frames.encode())
    for tag, value in (
        (0x00280010, rows),
        (0x00280011, columns),
        (0x00280100, bits),
        (0x00280101, bits),
        (0x00280102, bits - 1),
        (0x00280103, 0),
    ):
        body += element(tag, "US", struct.pack("<H", value))
    return body


def native(pixels: bytes, length: int | None = None) -> bytes:
    """Uncompressed pixel data."""
    return element(0x7FE00010, "OW", pixels, length)


def fragments(*parts: bytes) -> bytes:
    """Compressed pixel data with an empty offset table."""
    even = [part + b"\x00" * (len(part) % 2) for part in parts]
    items = b"".join(_ITEM + struct.pack("<I", len(part)) + part for part in even)
    return element(0x7FE00010, "OB", b"", 0xFFFFFFFF) + _ITEM + b"\x00" * 4 + items + _SEQUENCE_END + b"\x00" * 4


def _deflated(body: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def _deflate_bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(identity() + matrix(64, 64) + element(0x7FE00010, "OW", b"", megabytes << 20))
    zeros = bytes(1 << 20)
    packed += b"".join(packer.compress(zeros) for _ in range(megabytes)) + packer.flush()
    return whole(DEFLATED, packed)


def _nested(depth: int, *, undefined: bool) -> bytes:
    if undefined:
        opened = element(0x00081140, "SQ", b"", 0xFFFFFFFF) + _ITEM + _UNDEFINED
        closed = _ITEM_END + b"\x00" * 4 + _SEQUENCE_END + b"\x00" * 4
        return whole(EXPLICIT, identity() + opened * depth + closed * depth)
    # Built from the outside in: every sequence says how much is left.
    parts = []
    left = 20 * depth
    for _ in range(depth):
        parts.append(element(0x00081140, "SQ", b"", left - 12) + _ITEM + struct.pack("<I", left - 20))
        left -= 20
    return whole(EXPLICIT, identity() + b"".join(parts))


def structures() -> dict[str, bytes]:
    """Name -> file that no parser may follow."""
    small = identity() + matrix(64, 64)
    text = element(0x0008103E, "UT", b"A" * (10 << 20)) + element(0x00100010, "UT", b"B" * (5 << 20))
    long_implicit = struct.pack("<HHI", 0x0008, 0x103E, 15 << 20) + b"A" * (15 << 20)
    return {
        "deflate-bomb.dcm": _deflate_bomb(600),
        "deflate-of-text.dcm": whole(DEFLATED, _deflated(identity() + text + matrix(4, 4) + native(bytes(32)))),
        "long-text.dcm": whole(IMPLICIT, long_implicit),
        "rle-65535.dcm": whole(RLE, identity() + matrix(65535, 65535) + fragments(bytes(64))),
        "rle-16000.dcm": whole(RLE, identity() + matrix(16000, 16000, bits=8) + fragments(bytes(64))),
        "native-65535.dcm": whole(EXPLICIT, identity() + matrix(65535, 65535) + native(bytes(64))),
        "native-16000.dcm": whole(EXPLICIT, identity() + matrix(16000, 16000) + native(bytes(64))),
        "frames-2e9.dcm": whole(EXPLICIT, identity() + matrix(4, 4, frames="2000000000") + native(bytes(32))),
        "frames-2e9-rle.dcm": whole(RLE, identity() + matrix(4, 4, frames="2000000000") + fragments(bytes(80))),
        "frames-2e9-no-pixels.dcm": whole(EXPLICIT, identity() + matrix(4, 4, frames="2000000000")),
        "frames-1-bit.dcm": whole(
            EXPLICIT, identity() + matrix(1, 1, bits=1, frames=str(8 << 21)) + native(bytes(1 << 21))
        ),
        "frames-negative.dcm": whole(EXPLICIT, identity() + matrix(4, 4, frames="-5") + native(bytes(32))),
        "frames-empty-rows.dcm": whole(EXPLICIT, identity() + matrix(0, 65535, frames="2000000000") + native(bytes(32))),
        "length-4gb-pixels.dcm": whole(EXPLICIT, small + native(bytes(64), 0xFFFFFFFE)),
        "length-4gb-un.dcm": whole(EXPLICIT, small + element(0x00291010, "UN", b"ab", 0xFFFFFFF0)),
        "length-4gb-ut.dcm": whole(EXPLICIT, element(0x00080005, "UT", b"ab", 0xFFFFFFF0) + small),
        "length-4gb-sq.dcm": whole(EXPLICIT, small + element(0x00300000, "SQ", b"ab", 0xFFFFFFF0)),
        "length-4gb-item.dcm": whole(
            EXPLICIT, small + element(0x00321064, "SQ", b"", 0xFFFFFFFF) + _ITEM + struct.pack("<I", 0xFFFFFFF0)
        ),
        "length-4gb-fragment.dcm": whole(RLE, small + fragments()[:-8] + _ITEM + struct.pack("<I", 0xFFFFFFF0) + b"ab"),
        "length-4gb-implicit.dcm": whole(IMPLICIT, struct.pack("<HHI", 0x0008, 0x0016, 0xFFFFFFF0) + b"1.2"),
        "nest-1e5.dcm": _nested(100_000, undefined=False),
        "nest-1e5-undefined.dcm": _nested(100_000, undefined=True),
        "elements-1e6.dcm": whole(EXPLICIT, identity() + element(0x00091001, "LO", b"") * 1_000_000),
        "items-1e6.dcm": whole(
            EXPLICIT, identity() + element(0x00081140, "SQ", (_ITEM + b"\x00" * 4) * 1_000_000) + matrix(4, 4)
        ),
        "fragments-1e6.dcm": whole(RLE, identity() + matrix(4, 4) + fragments(*[b""] * 1_000_000)),
        "zip-in-a-thousand.zip": _zipped(bytes(64 << 20)),
        "gzip-bomb.nii.gz": gzip.compress(_nifti((10, 10, 10)) + bytes(1 << 27), 1),
        "claims-all.nii.gz": gzip.compress(_nifti((30000, 30000, 30000)) + bytes(1 << 20)),
        "gzip-bomb.nrrd": _nrrd("10 10 10") + gzip.compress(bytes(1 << 27), 1),
        "nrrd-of-comments.nrrd": b"NRRD0004\n" + b"# a\n" * 3_000_000,
        "picture-1e10.png": _png(100_000, 100_000),
    }


def _zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", content)
    return file.getvalue()


def _nifti(shape_ijk: tuple[int, int, int]) -> bytes:
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, *shape_ijk, 1, 1, 1, 1)
    struct.pack_into("<2h", head, 70, 4, 16)
    struct.pack_into("<8f", head, 76, 1, 1, 1, 1, 0, 0, 0, 0)
    struct.pack_into("<f", head, 108, 352.0)
    head[344:348] = b"n+1\x00"
    return bytes(head)


def _nrrd(sizes: str) -> bytes:
    return f"NRRD0004\ntype: short\ndimension: 3\nsizes: {sizes}\nendian: little\nencoding: gzip\n\n".encode()


def _png(columns: int, rows: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def lying_codestreams() -> dict[str, bytes]:
    """Name -> file whose header says 64 x 64 while its compressed image claims to be far larger."""
    grey8 = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
    jpeg = imagecodecs.jpeg8_encode(grey8)
    lossless = imagecodecs.ljpeg_encode(grey8.astype(np.uint16))
    loco = imagecodecs.jpegls_encode(grey8)
    wavelet = imagecodecs.jpeg2k_encode(grey8, codecformat="j2k", level=0)

    def file(number: int, syntax: str, codestream: bytes, bits: int = 8) -> bytes:
        return whole(syntax, identity(number) + matrix(64, 64, bits=bits) + fragments(codestream))

    return {
        "jpeg-65500.dcm": file(1, JPEG, _jpeg_resized(jpeg, 0xC0, 65500)),
        "jpeg-two-frames.dcm": file(2, JPEG, _second_frame_header(jpeg, 0xC0, 65500)),
        "jpeg-lossless-65500.dcm": file(3, JPEG_LOSSLESS, _jpeg_resized(lossless, 0xC3, 65500), 16),
        "jpeg-lossless-two-frames.dcm": file(4, JPEG_LOSSLESS, _second_frame_header(lossless, 0xC3, 65500), 16),
        "jpeg-ls-65500.dcm": file(5, JPEG_LS, _jpeg_resized(loco, 0xF7, 65500)),
        "jpeg-ls-two-frames.dcm": file(6, JPEG_LS, _second_frame_header(loco, 0xF7, 65500)),
        "jpeg-2000-65500.dcm": file(7, JPEG_2000, _siz_resized(wavelet, 65500)),
        "jpeg-2000-4e9.dcm": file(8, JPEG_2000, _siz_resized(wavelet, 0xFFFFFFF0)),
        "jpeg-2000-decoy.dcm": file(9, JPEG_2000, _decoy(wavelet, 65500)),
        "jpeg-2000-decoy-jp2.dcm": file(10, JPEG_2000, _decoy_in_box(wavelet, 65500)),
        # Size header of a codestream: not small, 2^30 rows (size class 3), ratio 1:1.
        "jpeg-xl-1e9.dcm": file(11, JPEG_XL, b"\xff\x0a" + (3 << 1 | (2**30 - 1) << 3 | 1 << 33).to_bytes(8, "little")),
        "jpeg-xl-30000.dcm": file(12, JPEG_XL, _xl_resized(grey8, 30000)),
    }


def _frame_at(codestream: bytes, marker: int) -> int:
    return codestream.index(bytes((0xFF, marker)))


def _jpeg_resized(codestream: bytes, marker: int, size: int) -> bytes:
    at = _frame_at(codestream, marker) + 5
    return codestream[:at] + struct.pack(">HH", size, size) + codestream[at + 4 :]


def _second_frame_header(codestream: bytes, marker: int, size: int) -> bytes:
    """The honest frame header, and behind it a second one that claims more."""
    at = _frame_at(codestream, marker)
    end = at + 2 + struct.unpack_from(">H", codestream, at + 2)[0]
    return codestream[:end] + _jpeg_resized(codestream[at:end], marker, size) + codestream[end:]


def _siz_resized(codestream: bytes, size: int) -> bytes:
    """Image and tile claim ``size`` in both directions."""
    at = codestream.index(b"\xff\x4f\xff\x51") + 8
    raw = bytearray(codestream)
    struct.pack_into(">II", raw, at, size, size)
    struct.pack_into(">II", raw, at + 16, size, size)
    return bytes(raw)


def _decoy(codestream: bytes, size: int) -> bytes:
    """An honest size marker in front of the codestream that claims more."""
    return b"\x00" + codestream[:60] + _siz_resized(codestream, size)


def _decoy_in_box(codestream: bytes, size: int) -> bytes:
    """A JP2 file with the honest size marker in a box of free text."""
    signature = struct.pack(">I4s", 12, b"jP  ") + b"\r\n\x87\n"
    kind = struct.pack(">I4s4sI4s", 20, b"ftyp", b"jp2 ", 0, b"jp2 ")
    header = struct.pack(">IIHBBBB", size, size, 1, 7, 7, 0, 0)
    colour = struct.pack(">I4sBBBI", 15, b"colr", 1, 0, 0, 17)
    boxes = struct.pack(">I4s", 8 + 22 + 15, b"jp2h") + struct.pack(">I4s", 22, b"ihdr") + header + colour
    free = struct.pack(">I4s", 8 + 60, b"free") + codestream[:60]
    image = _siz_resized(codestream, size)
    return signature + kind + boxes + free + struct.pack(">I4s", 8 + len(image), b"jp2c") + image


def _xl_resized(image: np.ndarray, size: int) -> bytes:
    """A JPEG XL image whose size header claims ``size`` in both directions; the rest is left as it was."""
    rest = imagecodecs.jpegxl_encode(image, lossless=True)
    # Not small, rows with 18 bits (size class 2), ratio 1:1.
    return b"\xff\x0a" + (2 << 1 | (size - 1) << 3 | 1 << 21).to_bytes(3, "little") + rest[4:]
