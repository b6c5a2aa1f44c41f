"""Compressed frames to arrays: one function per transfer syntax, in one table."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt

from medview.core.errors import ReadError, RefusedError
from medview.io.dicom import guard
from medview.io.dicom.codestream import CodestreamSize, jpeg2000_size, jpeg_size, jpegxl_size
from medview.io.dicom.instance import PixelFormat

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Decoder:
    """How frames of one transfer syntax are decoded.

    Attributes
    ----------
    library : str
        For the table in the documentation.
    lossless : bool or None
        None where the syntax allows both.
    decode : callable
        Takes the codestream, the format the header states and the size the codestream states.
    converts_colour : bool
        The decoder returns RGB whatever the photometric interpretation says.
    """

    name: str
    library: str
    lossless: bool | None
    decode: Callable[[bytes, PixelFormat, CodestreamSize | None], Array]
    size: Callable[[bytes], CodestreamSize | None] | None = None
    converts_colour: bool = False


def decode(codestream: bytes, transfer_syntax: str, pixels: PixelFormat) -> Array:
    """Return one frame, shape (rows, columns) or (rows, columns, samples), in integers of BitsAllocated.

    Raises
    ------
    ReadError
        When the transfer syntax is unknown, or the codestream is not the whole image the header describes.
    """
    decoder = DECODERS.get(transfer_syntax)
    if decoder is None:
        raise ReadError(f"The images are stored in a way MedView does not read (transfer syntax {transfer_syntax}).")
    size: CodestreamSize | None = None
    if decoder.size is not None:
        size = decoder.size(codestream)
        if size is None:
            raise ReadError("It is damaged: its compressed image has no beginning.")
        _check_size(size, pixels)
    decoded = np.asarray(decoder.decode(codestream, pixels, size))
    expected = (pixels.rows, pixels.columns) if pixels.samples == 1 else (pixels.rows, pixels.columns, pixels.samples)
    if decoded.shape != expected:
        raise ReadError("It is damaged: its compressed image ends early.", detail=f"{decoded.shape} for {expected}")
    if size is not None and size.lossy and size.bits > pixels.bits_stored and (decoded.dtype.kind == "i") == pixels.signed:
        # Masking what overshoots would turn white into black.
        low = -(1 << (pixels.bits_stored - 1)) if pixels.signed else 0
        decoded = np.clip(decoded, low, low + (1 << pixels.bits_stored) - 1)
    return _contained(decoded, pixels)


def _check_size(size: CodestreamSize, pixels: PixelFormat) -> None:
    if (size.rows, size.columns) != (pixels.rows, pixels.columns):
        raise ReadError(
            f"It is damaged: the header says {pixels.columns} x {pixels.rows} pixels, "
            f"the image {size.columns} x {size.rows}."
        )
    if size.samples not in (0, pixels.samples):
        raise ReadError(f"It is damaged: the header says {pixels.samples} numbers a pixel, the image {size.samples}.")


def _contained(decoded: Array, pixels: PixelFormat) -> Array:
    """Return decoded integers in the width of BitsAllocated; decoders choose theirs by the codestream's precision."""
    width = container_bytes(pixels.bits_allocated)
    if decoded.dtype.itemsize == width or decoded.dtype.kind not in "iu":
        return decoded
    if decoded.dtype.itemsize > width:
        least, most = -(1 << (8 * width - 1)), (1 << (8 * width)) - 1
        if decoded.size and not (least <= int(decoded.min()) and int(decoded.max()) <= most):
            raise ReadError(f"It is damaged: the header says {8 * width} bits a number, the image holds larger ones.")
    return decoded.astype(f"{decoded.dtype.kind}{width}")


def container_bytes(bits_allocated: int) -> int:
    """Return the bytes of the smallest integer that holds so many bits."""
    return next(width for width in (1, 2, 4, 8) if 8 * width >= min(bits_allocated, 64))


def shaped(raw: bytes, pixels: PixelFormat, order: str = "<", first_bit: int = 0) -> Array:
    """Return uncompressed bytes of one frame as an array, shape (rows, columns) or (rows, columns, samples).

    Parameters
    ----------
    raw : bytes
        At least as many as the frame needs.
    order : str
        ``<`` or ``>``.
    first_bit : int
        Where a frame of single bits begins in its first byte.

    Raises
    ------
    ReadError
        When ``raw`` is too short.
    """
    count = pixels.rows * pixels.columns * pixels.samples
    if len(raw) * 8 < frame_bits(pixels) + first_bit:
        raise ReadError("It is damaged: its pixels end early.")
    if pixels.photometric == "YBR_FULL_422":
        # Two pixels share their colour: Y1 Y2 Cb Cr.
        quads = np.frombuffer(raw, np.uint8, count // 3 * 2).reshape(-1, 4)
        out = np.empty((quads.shape[0], 2, 3), np.uint8)
        out[:, :, 0] = quads[:, :2]
        out[:, :, 1:] = quads[:, None, 2:]
        return out.reshape(pixels.rows, pixels.columns, 3)
    if pixels.bits_allocated == 1:
        flat: Array = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")[first_bit:][:count]
    else:
        kind = "f" if pixels.kind.startswith("float") else "u"
        flat = np.frombuffer(raw, f"{order}{kind}{pixels.bits_allocated // 8}", count)
    if pixels.samples == 1:
        return flat.reshape(pixels.rows, pixels.columns)
    if pixels.planar == 1:
        return np.moveaxis(flat.reshape(pixels.samples, pixels.rows, pixels.columns), 0, -1)
    return flat.reshape(pixels.rows, pixels.columns, pixels.samples)


def frame_bits(pixels: PixelFormat) -> int:
    """Return how many bits one uncompressed frame takes."""
    bits = pixels.rows * pixels.columns * pixels.samples * pixels.bits_allocated
    return bits // 3 * 2 if pixels.photometric == "YBR_FULL_422" else bits


_END_OF_IMAGE = b"\xff\xd9"
_TAIL_PIXELS = 8
_NOISE = bytes((37 * n + 11) % 251 for n in range(64))
"""Bits that decode to anything but more of the same; no marker among them."""


def _jpeg_image(codestream: bytes, colour_space: str | None = None) -> Array:
    """Decode a JPEG image of any process libjpeg-turbo knows, and make sure that it is whole.

    The library fills what is missing with grey and says nothing. ``colour_space`` is what three components are; they
    become RGB.
    """
    out_space = None if colour_space is None else "rgb"
    image = np.asarray(imagecodecs.jpeg8_decode(codestream, colorspace=colour_space, outcolorspace=out_space))
    end = codestream.rfind(_END_OF_IMAGE)
    if end >= 0 and not _ends_smoothly(image):
        return image
    # Bits behind the data of a whole image change nothing; those behind a cut one are taken for its data.
    longer = (codestream[:end] if end >= 0 else codestream) + _NOISE + _END_OF_IMAGE
    if not np.array_equal(image, imagecodecs.jpeg8_decode(longer, colorspace=colour_space, outcolorspace=out_space)):
        raise ReadError("It is damaged: its compressed image ends early.")
    return image


def _ends_smoothly(image: Array) -> bool:
    """Whether the last pixels follow from their neighbours by one rule, as a decoder that ran out of data leaves them.

    The rules are the seven predictors of lossless JPEG; a flat end, which the others leave, is the first.
    """
    if image.shape[0] < 2 or image.shape[1] <= _TAIL_PIXELS:
        return True
    tail = image[-2:, -_TAIL_PIXELS - 1 :].astype(np.int32)
    here, left, above, corner = tail[1, 1:], tail[1, :-1], tail[0, 1:], tail[0, :-1]
    diagonal = left + above - corner
    rules = (left, above, corner, diagonal, left + (above - corner >> 1), above + (left - corner >> 1), left + above >> 1)
    # Lossless JPEG counts modulo 2^16.
    return any((((here - rule) - (here - rule)[:1]) & 0xFFFF == 0).all() for rule in rules)


def _jpeg(codestream: bytes, pixels: PixelFormat, size: CodestreamSize | None) -> Array:
    if pixels.samples == 1:
        return _jpeg_image(codestream)
    return _jpeg_image(codestream, _colour_space(size, pixels))


def _colour_space(size: CodestreamSize | None, pixels: PixelFormat) -> str:
    """Return what the three components are: the codestream knows better than the header."""
    if size is not None and size.adobe_transform is not None:
        return "ycbcr" if size.adobe_transform else "rgb"
    if size is not None and size.jfif:
        return "ycbcr"
    if size is not None and size.component_ids == (82, 71, 66):
        return "rgb"
    return "rgb" if pixels.photometric == "RGB" else "ycbcr"


def _jpeg_lossless(codestream: bytes, pixels: PixelFormat, size: CodestreamSize | None) -> Array:
    try:
        # Named so that no component is converted: the photometric interpretation says what they are.
        return _jpeg_image(codestream, None if pixels.samples == 1 else "rgb")
    except imagecodecs.Jpeg8Error:
        # Slower, and more forgiving of odd headers.
        return np.ascontiguousarray(imagecodecs.jpegsof3_decode(codestream))


def _jpeg_ls(codestream: bytes, pixels: PixelFormat, size: CodestreamSize | None) -> Array:
    if _END_OF_IMAGE not in codestream[-4:]:
        # Without an end the library counts zeros behind a cut image for seconds.
        codestream += _END_OF_IMAGE
    return imagecodecs.jpegls_decode(codestream)


def _jpeg_2000(codestream: bytes, pixels: PixelFormat, size: CodestreamSize | None) -> Array:
    try:
        return imagecodecs.jpeg2k_decode(codestream, numthreads=1)
    except imagecodecs.Jpeg2kError:
        if _END_OF_IMAGE in codestream[-4:]:
            raise
        # A whole image whose writer left out the end marker; a cut one fails again.
        return imagecodecs.jpeg2k_decode(codestream + _END_OF_IMAGE, numthreads=1)


def _jpeg_xl(codestream: bytes, pixels: PixelFormat, size: CodestreamSize | None) -> Array:
    return imagecodecs.jpegxl_decode(codestream, keeporientation=True, numthreads=1)


def _uncompressed(codestream: bytes, pixels: PixelFormat, size: CodestreamSize | None) -> Array:
    return shaped(codestream, pixels)


def _deflated(codestream: bytes, pixels: PixelFormat, size: CodestreamSize | None) -> Array:
    """Inflate one frame; never more than the header says it has, nor from suspiciously little."""
    expected = (frame_bits(pixels) + 7) // 8
    if expected > guard.INFLATE_FREE_BYTES and expected > guard.MAX_INFLATE_RATIO * len(codestream):
        raise RefusedError(
            f"It holds an image of {len(codestream) >> 10} kB that unpacks to {expected >> 20} MB; it was not opened."
        )
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        # One byte more than needed, so that a stream that ends exactly there is seen to end.
        raw = inflater.decompress(codestream, expected + 1)
    except zlib.error as error:
        raise ReadError("It is damaged: its compressed image cannot be unpacked.", detail=repr(error)) from error
    if len(raw) < expected:
        raise ReadError("It is damaged: its compressed image ends early.")
    return shaped(raw, pixels)


def _rle(codestream: bytes, pixels: PixelFormat, size: CodestreamSize | None) -> Array:
    """Decode PS3.5 annex G: one PackBits segment per byte plane, most significant first, samples after one another."""
    planes = pixels.samples * (pixels.bits_allocated // 8)
    count = int.from_bytes(codestream[:4], "little")
    if count != planes or len(codestream) < 64:
        raise ReadError("It is damaged: its run-length image has the wrong number of planes.")
    starts = np.frombuffer(codestream, "<u4", count, 4).tolist()
    ends = [*starts[1:], len(codestream)]
    area = pixels.rows * pixels.columns
    bytes_per_sample = pixels.bits_allocated // 8
    out = np.empty((pixels.samples, area, bytes_per_sample), dtype=np.uint8)
    for plane, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if not 64 <= start <= end <= len(codestream):
            raise ReadError("It is damaged: its run-length image points outside itself.")
        decoded = np.frombuffer(imagecodecs.packbits_decode(codestream[start:end]), dtype=np.uint8)
        if decoded.size < area:
            raise ReadError("It is damaged: its run-length image ends early.")
        sample, place = divmod(plane, bytes_per_sample)
        out[sample, :, bytes_per_sample - 1 - place] = decoded[:area]
    values = out.reshape(pixels.samples, pixels.rows, pixels.columns, bytes_per_sample)
    values = np.ascontiguousarray(values).view(f"<u{bytes_per_sample}")[..., 0]
    return values[0] if pixels.samples == 1 else np.moveaxis(values, 0, -1)


_TURBO = "imagecodecs (libjpeg-turbo)"
_BASELINE = Decoder("JPEG baseline", _TURBO, False, _jpeg, jpeg_size, converts_colour=True)
_EXTENDED = replace(_BASELINE, name="JPEG extended, 8 and 12 bits")
_PROGRESSIVE = replace(_BASELINE, name="JPEG progressive")
_LOSSLESS = Decoder("JPEG lossless", "imagecodecs (libjpeg-turbo, else jpegsof3)", True, _jpeg_lossless, jpeg_size)
_LS = Decoder("JPEG-LS", "imagecodecs (CharLS)", True, _jpeg_ls, jpeg_size)
_J2K = Decoder("JPEG 2000", "imagecodecs (OpenJPEG)", True, _jpeg_2000, jpeg2000_size)
_HTJ2K = replace(_J2K, name="High-throughput JPEG 2000")
_XL = Decoder("JPEG XL", "imagecodecs (libjxl)", True, _jpeg_xl, jpegxl_size)

DECODERS: dict[str, Decoder] = {
    "1.2.840.10008.1.2.1.98": Decoder("Encapsulated uncompressed", "MedView (numpy)", True, _uncompressed),
    "1.2.840.10008.1.2.8.1": Decoder("Deflated image frame", "MedView (zlib)", True, _deflated),
    "1.2.840.10008.1.2.4.50": _BASELINE,
    "1.2.840.10008.1.2.4.51": _EXTENDED,
    "1.2.840.10008.1.2.4.53": _PROGRESSIVE,
    "1.2.840.10008.1.2.4.55": _PROGRESSIVE,
    "1.2.840.10008.1.2.4.57": _LOSSLESS,
    "1.2.840.10008.1.2.4.70": replace(_LOSSLESS, name="JPEG lossless, first-order prediction"),
    "1.2.840.10008.1.2.4.80": _LS,
    "1.2.840.10008.1.2.4.81": replace(_LS, name="JPEG-LS near-lossless", lossless=None),
    "1.2.840.10008.1.2.4.90": replace(_J2K, name="JPEG 2000, lossless only"),
    "1.2.840.10008.1.2.4.91": replace(_J2K, lossless=None),
    "1.2.840.10008.1.2.4.201": replace(_HTJ2K, name="High-throughput JPEG 2000, lossless only"),
    "1.2.840.10008.1.2.4.202": replace(_HTJ2K, name="High-throughput JPEG 2000, RPCL, lossless only"),
    "1.2.840.10008.1.2.4.203": replace(_HTJ2K, lossless=None),
    "1.2.840.10008.1.2.4.110": replace(_XL, name="JPEG XL, lossless"),
    "1.2.840.10008.1.2.4.111": replace(_XL, name="JPEG XL, recompressed JPEG", lossless=False, converts_colour=True),
    "1.2.840.10008.1.2.4.112": replace(_XL, lossless=None),
    "1.2.840.10008.1.2.5": Decoder("RLE", "MedView and imagecodecs (PackBits)", True, _rle),
}
