"""The pre-pass before any parser: walks the element headers of a DICOM file, reads no values, allocates nothing.

It stops what has brought parsers down elsewhere: lengths beyond the end of the file, nesting without end, deflated data
that inflates without bound, and matrices no memory holds.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from dataclasses import dataclass, replace
from typing import BinaryIO

from pydicom.datadict import dictionary_VR

from medview.core.errors import ReadError, RefusedError
from medview.io.dicom.syntaxes import VIDEO, syntax_title

MAX_NESTING = 64
"""Sequences inside sequences; pydicom recurses and fails from about 200."""
MAX_ELEMENTS = 2_000_000
"""Element headers walked in one file; an enhanced object with 10,000 frames has about a million."""
MAX_LEVEL_ELEMENTS = 20_000
"""Elements of one data set or item; tags do not repeat, and the longest honest ones have a few thousand."""
MAX_ITEMS = 250_000
"""Sequence items, and fragments of compressed pixels, in one file."""
MAX_FRAMES = 100_000
MAX_SHORT_TEXT_BYTES = 1 << 20
"""One identifier, name, date or description; the standard allows 64 characters for most."""
MAX_INFLATED_BYTES = 512 << 20
MAX_INFLATE_RATIO = 200
INFLATE_FREE_BYTES = 16 << 20
"""Below this size no inflate ratio is suspicious: an empty image compresses a thousandfold."""
MAX_FRAME_BYTES = 512 << 20
"""One decoded frame."""
RLE_LARGEST_RATIO = 64
"""PackBits turns two bytes into at most 128."""

DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
RLE = "1.2.840.10008.1.2.5"

_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_TAGS = {0x7FE00008: "float32", 0x7FE00009: "float64", 0x7FE00010: "int"}
_SHORT_TEXTS = frozenset({"AE", "AS", "CS", "DA", "DT", "LO", "PN", "SH", "TM", "UI"})
_LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})


@dataclass(frozen=True, slots=True)
class Layout:
    """What the pre-pass found.

    Attributes
    ----------
    pixel_kind : str
        ``int``, ``float32`` or ``float64``; empty without pixel data.
    pixel_offset : int
        Where the value of the pixel data begins, in the inflated bytes for a deflated file.
    pixel_length : int
        Declared bytes; for encapsulated pixels the bytes of all fragments.
    fragments : tuple of (int, int)
        Offset and length of every fragment of encapsulated pixels, the offset table left out; empty for native pixels.
    offset_table : tuple of (int, int)
        Offset and length of the basic offset table.
    missing_bytes : int
        How much of the pixel data the file lacks.
    inflated : bytes or None
        The whole file with its data set inflated, when it was deflated.
    """

    transfer_syntax: str
    pixel_kind: str = ""
    pixel_offset: int = -1
    pixel_length: int = 0
    fragments: tuple[tuple[int, int], ...] = ()
    offset_table: tuple[int, int] = (0, 0)
    missing_bytes: int = 0
    inflated: bytes | None = None


def check(file: BinaryIO, name: str) -> Layout:
    """Walk one DICOM file.

    Parameters
    ----------
    name : str
        For the sentences.

    Raises
    ------
    ReadError
        When the file ends before its data set does (missing pixel data is reported in the layout instead).
    RefusedError
        When it nests too deeply or inflates to more than the budget.
    """
    return _Walk(file, name).layout()


def check_matrix(
    rows: int, columns: int, samples: int, bits_allocated: int, frames: int, layout: Layout, name: str
) -> None:
    """Refuse pixels that no honest file of this size holds.

    Raises
    ------
    RefusedError
        When one frame is over the budget, or the frames declared cannot be in the pixel data, or it is video.
    """
    if layout.transfer_syntax in VIDEO:
        # Its frames are not told apart by fragments, so they cannot be counted.
        title = syntax_title(layout.transfer_syntax)
        raise RefusedError(f"{name} is video ({title}), which MedView does not read; convert it to single images first.")
    frame_bits = rows * columns * samples * bits_allocated
    if frame_bits > MAX_FRAME_BYTES * 8:
        raise RefusedError(
            f"{name} declares one image of {columns} x {rows} pixels ({frame_bits >> 23} MB); it was not opened.",
        )
    if frames > MAX_FRAMES:
        raise RefusedError(f"{name} declares {frames} frames, more than {MAX_FRAMES}; it was not opened.")
    if layout.fragments:
        held = len(layout.fragments)
        if frames > held:
            raise RefusedError(f"{name} declares {frames} frames but holds {held}; it was not opened.")
        if layout.transfer_syntax == RLE and frames * frame_bits > (layout.pixel_length + 64) * 8 * RLE_LARGEST_RATIO:
            raise RefusedError(f"{name} declares more pixels than its compressed data can hold; it was not opened.")
    elif layout.pixel_offset >= 0 and frames > 1 and frames * frame_bits > (layout.pixel_length + 1) * 8 * 2:
        raise RefusedError(f"{name} declares {frames} frames but has room for fewer; it was not opened.")


class _Walk:
    """One pass over the headers of one file."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._size = file.seek(0, os.SEEK_END)
        self._order = "<"
        self._implicit = False
        self._elements = 0
        self._items = 0
        self._found = Layout("")

    def layout(self) -> Layout:
        syntax, start = self._meta()
        inflated: bytes | None = None
        if syntax == DEFLATED:
            inflated = self._inflate(start)
            self._file, self._size = io.BytesIO(inflated), len(inflated)
        self._order = ">" if syntax == BIG_ENDIAN else "<"
        self._file.seek(start)
        self._implicit = self._is_implicit(start, syntax)
        self._dataset(self._size, 0)
        return replace(self._found, transfer_syntax=syntax, inflated=inflated)

    def _meta(self) -> tuple[str, int]:
        """Return the transfer syntax and where the data set begins."""
        self._file.seek(128)
        start = 132 if self._file.read(4) == b"DICM" else 0
        self._file.seek(start)
        syntax = ""
        while True:
            at = self._file.tell()
            head = self._file.read(8)
            if len(head) < 8 or head[:2] != b"\x02\x00":
                break
            length = struct.unpack("<H", head[6:])[0]
            if head[4:6] in _LONG_VRS:
                length = struct.unpack("<I", self._read(4))[0]
            elif not head[4:6].isalpha():
                length = struct.unpack("<I", head[4:])[0]
            if length > self._size - self._file.tell():
                raise self._short()
            value = self._file.read(length)
            if head[2:4] == b"\x10\x00":
                syntax = value.rstrip(b"\x00 ").decode("ascii", "replace")
        self._file.seek(at)
        if not syntax and head[:2] == b"\x00\x08":
            syntax = BIG_ENDIAN
        return syntax, at

    def _is_implicit(self, start: int, syntax: str) -> bool:
        # The body is believed, not the label: files that declare the wrong one exist.
        head = self._file.read(8)
        self._file.seek(start)
        if len(head) < 8:
            return syntax in ("", IMPLICIT)
        looks_explicit = head[4:6].isalpha() and head[4:6].isupper()
        return not looks_explicit

    def _inflate(self, start: int) -> bytes:
        self._file.seek(0)
        parts = [self._file.read(start)]
        inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        made = 0
        try:
            while not inflater.eof:
                packed = inflater.unconsumed_tail or self._file.read(65536)
                if not packed:
                    raise self._short()
                part = inflater.decompress(packed, 1 << 20)
                made += len(part)
                taken = max(self._file.tell() - start - len(inflater.unconsumed_tail), 1)
                if made > MAX_INFLATED_BYTES or (made > INFLATE_FREE_BYTES and made > MAX_INFLATE_RATIO * taken):
                    raise RefusedError(
                        f"{self._name} ({self._size >> 10} kB) unpacks to more than {made >> 20} MB; it was not opened."
                    )
                parts.append(part)
        except zlib.error as error:
            raise ReadError(
                f"{self._name} is damaged: its compressed data cannot be unpacked.", detail=repr(error)
            ) from error
        return b"".join(parts)

    def _dataset(self, end: int, depth: int) -> None:
        """Walk elements up to ``end`` or an item delimiter."""
        if depth > MAX_NESTING:
            raise RefusedError(f"{self._name} nests more than {MAX_NESTING} sequences; it was not opened.")
        file = self._file
        own = 0
        while file.tell() + 8 <= end:
            tag, vr, length = self._element()
            own += 1
            if own > MAX_LEVEL_ELEMENTS:
                raise RefusedError(f"{self._name} repeats its elements without end; it was not opened.")
            if tag in (_ITEM_END, _SEQUENCE_END):
                if depth:
                    return
                continue
            if tag >> 16 == 0 and depth == 0:
                return  # zero padding behind the data set
            at = file.tell()
            if depth == 0 and tag in PIXEL_TAGS:
                self._pixel_data(tag, at, length)
                if length != _UNDEFINED:
                    file.seek(min(at + length, self._size))
                continue
            if length == _UNDEFINED and _is_encapsulated(tag, vr):
                self._skip_fragments(end)
            elif length == _UNDEFINED:
                self._sequence(end, depth + 1, vr)
            elif at + length > end:
                raise self._short()
            else:
                if length > MAX_SHORT_TEXT_BYTES and _known_vr(tag) in _SHORT_TEXTS:
                    # It would travel to the window and be drawn there.
                    raise RefusedError(f"{self._name} holds a name or text of {length >> 20} MB; it was not opened.")
                if length >= 8 and self._may_nest(tag, vr):
                    self._sequence(at + length, depth + 1, vr)
                file.seek(at + length)

    def _element(self) -> tuple[int, bytes, int]:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise RefusedError(f"{self._name} has more than {MAX_ELEMENTS} elements; it was not opened.")
        head = self._file.read(8)
        if len(head) < 8:
            raise self._short()
        group, element = struct.unpack_from(self._order + "HH", head)
        tag = group << 16 | element
        vr = head[4:6]
        if self._implicit or group == 0xFFFE:
            return tag, b"", struct.unpack_from(self._order + "I", head, 4)[0]
        if vr in _LONG_VRS:
            return tag, vr, struct.unpack(self._order + "I", self._read(4))[0]
        if not (vr.isalpha() and vr.isupper()):
            # An element without VR in an explicit data set; pydicom reads it as implicit too.
            return tag, b"", struct.unpack_from(self._order + "I", head, 4)[0]
        return tag, vr, struct.unpack_from(self._order + "H", head, 6)[0]

    def _may_nest(self, tag: int, vr: bytes) -> bool:
        if vr == b"SQ":
            return True
        if vr not in (b"", b"UN"):
            return False
        return _known_vr(tag) == "SQ"

    def _sequence(self, end: int, depth: int, vr: bytes) -> None:
        file = self._file
        was_implicit = self._implicit
        # UN of undefined length holds implicit little endian (CP-246).
        self._implicit = self._implicit or vr == b"UN"
        try:
            while file.tell() + 8 <= end:
                group, element, length = struct.unpack(self._order + "HHI", self._read(8))
                tag = group << 16 | element
                if tag == _SEQUENCE_END:
                    return
                if tag != _ITEM:
                    raise ReadError(f"{self._name} is damaged: a sequence in it is not made of items.")
                self._count_item()
                at = file.tell()
                if length == _UNDEFINED:
                    self._dataset(end, depth)
                elif at + length > end:
                    raise self._short()
                else:
                    self._dataset(at + length, depth)
                    file.seek(at + length)
        finally:
            self._implicit = was_implicit

    def _skip_fragments(self, end: int) -> None:
        """Step over compressed pixels inside an item, as of an icon, or in an element of their own.

        Closed and within what they lie in, or the parser would look for their end elsewhere than the walk does.
        """
        while self._file.tell() + 8 <= end:
            group, element, length = struct.unpack(self._order + "HHI", self._read(8))
            tag = group << 16 | element
            if tag == _SEQUENCE_END:
                return
            if tag != _ITEM or length == _UNDEFINED:
                raise ReadError(f"{self._name} is damaged: compressed pixels in it are not made of fragments.")
            self._count_item()
            if self._file.tell() + length > end:
                raise self._short()
            self._file.seek(length, os.SEEK_CUR)
        raise self._short()

    def _pixel_data(self, tag: int, at: int, length: int) -> None:
        if self._found.pixel_kind:
            return
        kind = PIXEL_TAGS[tag]
        if length != _UNDEFINED:
            missing = max(0, at + length - self._size)
            self._found = Layout("", kind, at, length, missing_bytes=missing)
            return
        spans: list[tuple[int, int]] = []
        missing = 0
        while True:
            head = self._file.read(8)
            if len(head) < 8:
                # Many writers forget the closing delimiter; a file that ends between fragments is whole.
                break
            group, element, item_length = struct.unpack("<HHI", head)
            if group << 16 | element != _ITEM:
                break
            here = self._file.tell()
            self._count_item()
            # A byte more than there is shows that the fragment ends early; nobody has to make room for what it claims.
            spans.append((here, min(item_length, self._size - here + 1)))
            if here + item_length > self._size:
                missing = here + item_length - self._size
                break
            self._file.seek(here + item_length)
        total = sum(length for _, length in spans[1:])
        table = spans[0] if spans else (0, 0)
        self._found = Layout("", kind, at, total, tuple(spans[1:]), table, missing)

    def _count_item(self) -> None:
        self._items += 1
        if self._items > MAX_ITEMS:
            raise RefusedError(f"{self._name} is made of more than {MAX_ITEMS} parts; it was not opened.")

    def _read(self, count: int) -> bytes:
        value = self._file.read(count)
        if len(value) < count:
            raise self._short()
        return value

    def _short(self) -> ReadError:
        return ReadError(
            f"{self._name} is damaged: it ends early or declares more data than it holds; copy it again from its source."
        )


def _is_encapsulated(tag: int, vr: bytes) -> bool:
    """Whether a value of undefined length is compressed pixels; what says that it is a sequence is walked as one."""
    return vr in (b"OB", b"OW") or (vr == b"" and tag in PIXEL_TAGS)


def _known_vr(tag: int) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return ""
