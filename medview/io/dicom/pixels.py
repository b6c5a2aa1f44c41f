"""One frame of one file to stored numbers."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

from medview.core.errors import MedViewError, ReadError
from medview.core.volume import Rescale
from medview.io.dicom import guard
from medview.io.dicom.attributes import quiet
from medview.io.dicom.decoders import DECODERS, decode, frame_bits, shaped
from medview.io.dicom.header import NATIVE, instance_of, parse
from medview.io.dicom.instance import Instance
from medview.io.sources import MEMBER_MARK, in_archive, name_of, open_source

Array = npt.NDArray[Any]
Spans = tuple[tuple[int, int], ...]
"""Offset and length of fragments."""

CODESTREAM_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\xff\x0a", b"\x00\x00\x00\x0cJXL ")
"""How frames of JPEG and JPEG-LS, JPEG 2000, and JPEG XL bare or in boxes begin."""


def read_frame(path: str, number: int) -> tuple[Array, Rescale]:
    """Return the stored numbers of one frame and its own rescale.

    Returns
    -------
    stored : ndarray, shape (rows, columns) or (rows, columns, 3)
        Sign-extended and masked to BitsStored; colour is RGB uint8. Where a Modality LUT Sequence applies, its output.
    rescale : Rescale

    Raises
    ------
    ReadError, RefusedError
        When the frame is damaged, missing or refused.
    """
    return _pixel_file(path, *_stamp(path)).frame(number)


def _stamp(path: str) -> tuple[int, int]:
    """Return time and size of the file behind a source, so that a replaced file is read anew."""
    try:
        stat = Path(path.rpartition(MEMBER_MARK)[0] if in_archive(path) else path).stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=2)
def _pixel_file(path: str, mtime_ns: int, size: int) -> PixelFile:
    return PixelFile(path)


class PixelFile:
    """One parsed file whose frames can be decoded."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._name = name_of(path)
        with open_source(path) as file:
            self.dataset, self._layout = parse(file, self._name, stop_before_pixels=True)
            self._fragments = _all_fragments(file, self._layout)
        self.instance: Instance = instance_of(path, self.dataset, self._layout)
        self._frames = len(self.instance.frames)
        pixels = self.instance.pixels
        self._pixels = replace(
            pixels, rows=pixels.rows * pixels.grid[0], columns=pixels.columns * pixels.grid[1], grid=(1, 1)
        )
        self._whole: Array | None = None

    def frame(self, number: int) -> tuple[Array, Rescale]:
        """Return the stored numbers of one frame and its rescale; as ``read_frame``."""
        instance = self.instance
        if not instance.image or number >= len(instance.frames):
            raise ReadError(f"{self._name} has no image {number + 1}.")
        if not instance.pixels.kind:
            raise ReadError(instance.problem)
        stored = self.stored(number)
        rescale = instance.frames[number].rescale or Rescale()
        if instance.pixels.lut:
            with quiet():
                return np.asarray(apply_modality_lut(stored, self.dataset)), Rescale()
        return stored, rescale

    def check_frames(self, count: int) -> None:
        """Refuse an object, of whatever class, that declares frames it cannot hold. Raises RefusedError."""
        pixels = self.instance.pixels
        bits = pixels.bits_allocated
        guard.check_matrix(pixels.rows, pixels.columns, pixels.samples, bits, count, self._layout, self._name)
        self._frames = count

    def stored(self, number: int) -> Array:
        """Return the stored numbers of a frame without any rescale or Modality LUT. Raises ReadError."""
        try:
            return self._tile(number) if self.instance.pixels.grid != (1, 1) else self._stored(number)
        except MedViewError as error:
            if error.sentence.startswith("It "):
                raise type(error)(f"{self._name}{error.sentence[2:]}", detail=error.detail) from error
            raise

    def indices(self, number: int) -> Array:
        """Return the stored numbers of a frame, which its palette gives colours to where it has one. Raises ReadError."""
        pixels = self._pixels
        if pixels.photometric != "PALETTE COLOR":
            return self.stored(number)
        return sign_extended(self.container(number), pixels.bits_stored, pixels.high_bit, signed=pixels.signed)

    def _tile(self, number: int) -> Array:
        """Return one tile of a mosaic; the whole image is decoded once."""
        if self._whole is None:
            self._whole = self._stored(0)
        pixels = self.instance.pixels
        j, i = (n * size for n, size in zip(divmod(number, pixels.grid[1]), (pixels.rows, pixels.columns), strict=True))
        return self._whole[j : j + pixels.rows, i : i + pixels.columns]

    def container(self, number: int) -> Array:
        """Return a frame of a grey image with all bits of its containers as they are in the file. Raises ReadError."""
        return self._raw(number)[0]

    def _stored(self, number: int) -> Array:
        pixels = self._pixels
        raw, converted = self._raw(number)
        if pixels.kind != "int":
            return raw
        if not pixels.colour:
            return sign_extended(raw, pixels.bits_stored, pixels.high_bit, signed=pixels.signed)
        return self._rgb(raw, converted=converted)

    def _raw(self, number: int) -> tuple[Array, bool]:
        """Return a frame as it is stored, and whether the decoder has made RGB of its colours."""
        syntax = self._layout.transfer_syntax
        if syntax in NATIVE and not self._layout.fragments:
            return self._native(number), False
        raw = decode(self._codestream(number), syntax, self._pixels)
        return raw, DECODERS[syntax].converts_colour

    def _open(self) -> BinaryIO:
        return io.BytesIO(self._layout.inflated) if self._layout.inflated is not None else open_source(self._path)

    def _native(self, number: int) -> Array:
        pixels = self._pixels
        bits = frame_bits(pixels)
        first, first_bit = divmod(number * bits, 8)
        order = ">" if self._layout.transfer_syntax == guard.BIG_ENDIAN else "<"
        return shaped(self._bytes(first, (first_bit + bits + 7) // 8), pixels, order, first_bit)

    def _bytes(self, start: int, length: int) -> bytes:
        with self._open() as file:
            if self._layout.transfer_syntax == guard.BIG_ENDIAN and self._pixels.bits_allocated == 8:
                return self._swapped(file, start, length)
            file.seek(self._layout.pixel_offset + start)
            raw = file.read(min(length, max(self._layout.pixel_length - start, 0)))
        if len(raw) == length - 1:
            raw += b"\x00"  # an odd length without its padding byte
        if len(raw) < length:
            raise ReadError(f"{self._name} is damaged: its pixels end early; copy it again from its source.")
        return raw

    def _swapped(self, file: BinaryIO, start: int, length: int) -> bytes:
        """Return bytes that a big endian OW element holds in swapped pairs; OB ones are in order."""
        file.seek(self._layout.pixel_offset - 8)
        value_representation = file.read(2)
        file.seek(self._layout.pixel_offset + start - start % 2)
        raw = file.read(length + start % 2 + 1)
        if value_representation == b"OW":
            raw = np.frombuffer(raw[: len(raw) // 2 * 2], "<u2").byteswap().tobytes()
        return raw[start % 2 :][:length]

    def _codestream(self, number: int) -> bytes:
        spans = self._fragments
        count = 1 if self.instance.pixels.grid != (1, 1) else self._frames
        if not spans:
            raise ReadError(f"{self._name} is damaged: its compressed image is missing.")
        own = spans[number : number + 1] if len(spans) == count else self._spans_of(number, count, spans)
        parts: list[bytes] = []
        with self._open() as file:
            for offset, length in own:
                file.seek(offset)
                part = file.read(length)
                if len(part) < length:
                    raise ReadError(f"{self._name} is damaged: its pixels end early; copy it again from its source.")
                parts.append(part)
        return b"".join(parts)

    def _spans_of(self, number: int, count: int, spans: Spans) -> Spans:
        """Return the fragments of a frame that has several: by the offset table, else where codestreams begin."""
        if count == 1:
            return spans
        starts = self._frame_starts(count)
        begins = [n for n, (offset, _) in enumerate(spans) if offset in starts]
        if len(begins) != count:
            raise ReadError(f"{self._name} is damaged: its frames cannot be told apart.")
        ends = [*begins[1:], len(spans)]
        return spans[begins[number] : ends[number]]

    def _frame_starts(self, count: int) -> frozenset[int]:
        spans = self._layout.fragments
        with self._open() as file:
            table_at, table_length = self._layout.offset_table
            file.seek(table_at)
            table = np.frombuffer(file.read(table_length // 4 * 4), "<u4").tolist()
            extended = self.dataset.get("ExtendedOffsetTable")
            if isinstance(extended, bytes) and len(extended) == 8 * count:
                table = np.frombuffer(extended, "<u8").tolist()
            if len(table) == count:
                # Offsets count from the first fragment's item tag, 8 bytes before its value.
                return frozenset(spans[0][0] + offset for offset in table)
            starts = []
            for offset, _ in spans:
                file.seek(offset)
                if file.read(12).startswith(CODESTREAM_STARTS):
                    starts.append(offset)
        return frozenset(starts)

    def _rgb(self, raw: Array, *, converted: bool) -> Array:
        pixels = self._pixels
        if pixels.photometric == "PALETTE COLOR":
            stored = sign_extended(raw, pixels.bits_stored, pixels.high_bit, signed=pixels.signed)
            return _through_palette(stored, self.dataset, self._name)
        # The upper eight of the stored bits, wherever in the container they are.
        below = min(pixels.high_bit, 8 * raw.dtype.itemsize - 1) - 7
        rgb = (raw >> below if below > 0 else raw).astype(np.uint8, copy=False)
        if converted:
            return rgb
        if pixels.photometric in ("YBR_FULL", "YBR_FULL_422"):
            return _full_range_rgb(rgb)
        if pixels.photometric.startswith("YBR_PARTIAL"):
            return _partial_range_rgb(rgb)
        # RGB, and YBR_ICT and YBR_RCT whose decoder has undone the transform.
        return rgb


def _all_fragments(file: BinaryIO, layout: guard.Layout) -> Spans:
    """Return the fragments; the first item is one of them where a writer left the offset table out."""
    offset, length = layout.offset_table
    if not length:
        return layout.fragments
    file.seek(offset)
    return ((offset, length), *layout.fragments) if file.read(12).startswith(CODESTREAM_STARTS) else layout.fragments


def sign_extended(raw: Array, bits_stored: int, high_bit: int, *, signed: bool) -> Array:
    """Return the numbers in the ``bits_stored`` bits up to ``high_bit`` of each container, PS3.5 8.1.1.

    Whatever else the containers hold (overlays, junk) is dropped.
    """
    size = raw.dtype.itemsize * 8
    container: Array = raw.astype(raw.dtype.newbyteorder("="), copy=False).view(f"{'i' if signed else 'u'}{size // 8}")
    if bits_stored >= size:
        return container
    low = -(1 << (bits_stored - 1)) if signed else 0
    at_bottom = high_bit == bits_stored - 1
    if at_bottom and container.size and container.min() >= low and container.max() < low + (1 << bits_stored):
        # Nothing above the stored bits but their sign: looking costs a tenth of a copy, and most slices are like this.
        return container
    moved = container << max(size - 1 - high_bit, 0)
    moved >>= size - bits_stored
    return moved


def _through_palette(stored: Array, dataset: Dataset, name: str) -> Array:
    try:
        with quiet():
            rgb = np.asarray(apply_color_lut(stored, dataset))[..., :3]
    except (ValueError, IndexError, AttributeError, KeyError, TypeError) as error:
        raise ReadError(f"{name} is damaged: its colour table cannot be read.", detail=type(error).__name__) from error
    if rgb.dtype == np.uint8:
        return rgb
    return (rgb >> 8).astype(np.uint8)


def _full_range_rgb(ybr: Array) -> Array:
    """Invert YBR_FULL, PS3.3 C.7.6.3.1.2."""
    y, b, r = (ybr[..., n].astype(np.float32) for n in range(3))
    b, r = b - 128.0, r - 128.0
    rgb = np.stack([y + 1.402 * r, y - 0.344136 * b - 0.714136 * r, y + 1.772 * b], axis=-1)
    return np.asarray(np.clip(np.rint(rgb), 0, 255), dtype=np.uint8)


def _partial_range_rgb(ybr: Array) -> Array:
    """Invert YBR_PARTIAL, ITU-R BT.601 studio range."""
    y, b, r = (ybr[..., n].astype(np.float32) for n in range(3))
    y, b, r = 1.164383 * (y - 16.0), b - 128.0, r - 128.0
    rgb = np.stack([y + 1.596027 * r, y - 0.391762 * b - 0.812968 * r, y + 2.017232 * b], axis=-1)
    return np.asarray(np.clip(np.rint(rgb), 0, 255), dtype=np.uint8)
