"""Compressed frames to arrays: one function per transfer syntax, in one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt

from medview.core.errors import ReadError
from medview.io.dicom.codestream import CodestreamSize, jpeg2000_size, jpeg_size
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
    converts_colour : bool
        The decoder returns RGB whatever the photometric interpretation says.
    """

    name: str
    library: str
    lossless: bool | None
    decode: Callable[[bytes, PixelFormat], Array]
    size: Callable[[bytes], CodestreamSize | None] | None = None
    converts_colour: bool = False


def decode(codestream: bytes, transfer_syntax: str, pixels: PixelFormat) -> Array:
    """Return one frame, shape (rows, columns) or (rows, columns, samples), in the container dtype.

    Raises
    ------
    ReadError
        When the transfer syntax is unknown, or the codestream is not the image the header describes.
    """
    decoder = DECODERS.get(transfer_syntax)
    if decoder is None:
        raise ReadError(f"The images are stored in a way MedView does not read (transfer syntax {transfer_syntax}).")
    if decoder.size is not None:
        size = decoder.size(codestream)
        if size is None:
            raise ReadError("It is damaged: its compressed image has no beginning.")
        if (size.rows, size.columns, size.samples) != (pixels.rows, pixels.columns, pixels.samples):
            raise ReadError(
                f"It is damaged: the header says {pixels.columns} x {pixels.rows} pixels, "
                f"the image {size.columns} x {size.rows}."
            )
    decoded = np.asarray(decoder.decode(codestream, pixels))
    expected = (pixels.rows, pixels.columns) if pixels.samples == 1 else (pixels.rows, pixels.columns, pixels.samples)
    if decoded.shape != expected:
        raise ReadError("It is damaged: its compressed image ends early.", detail=f"{decoded.shape} for {expected}")
    return decoded


def _jpeg(codestream: bytes, pixels: PixelFormat) -> Array:
    size = jpeg_size(codestream)
    if size is not None and size.bits == 12:
        return _jpeg12(codestream)
    if pixels.samples == 1:
        return imagecodecs.jpeg8_decode(codestream)
    return imagecodecs.jpeg8_decode(codestream, colorspace=_colour_space(size, pixels), outcolorspace="rgb")


def _colour_space(size: CodestreamSize | None, pixels: PixelFormat) -> str:
    """Return what the three components are: the codestream knows better than the header."""
    if size is not None and size.adobe_transform is not None:
        return "ycbcr" if size.adobe_transform else "rgb"
    if size is not None and size.jfif:
        return "ycbcr"
    if size is not None and size.component_ids == (82, 71, 66):
        return "rgb"
    return "rgb" if pixels.photometric == "RGB" else "ycbcr"


def _jpeg12(codestream: bytes) -> Array:
    return imagecodecs.jpeg8_decode(codestream)


def _jpeg_lossless(codestream: bytes, pixels: PixelFormat) -> Array:
    if pixels.samples == 1:
        try:
            return np.asarray(imagecodecs.ljpeg_decode(codestream))
        except imagecodecs.LjpegError:
            # The faster decoder does not know every predictor and restart interval.
            pass
    return np.ascontiguousarray(imagecodecs.jpegsof3_decode(codestream))


def _jpeg_ls(codestream: bytes, pixels: PixelFormat) -> Array:
    return imagecodecs.jpegls_decode(codestream)


def _jpeg_2000(codestream: bytes, pixels: PixelFormat) -> Array:
    return imagecodecs.jpeg2k_decode(codestream, numthreads=1)


def _jpeg_xl(codestream: bytes, pixels: PixelFormat) -> Array:
    return imagecodecs.jpegxl_decode(codestream, numthreads=1)


def _rle(codestream: bytes, pixels: PixelFormat) -> Array:
    """Decode PS3.5 annex G: one PackBits segment per byte plane, most significant first, samples after one another."""
    planes = pixels.samples * (pixels.bits_allocated // 8)
    count = int.from_bytes(codestream[:4], "little")
    if count != planes or len(codestream) < 64:
        raise ReadError("It is damaged: its run-length image has the wrong number of planes.")
    starts = np.frombuffer(codestream, "<u4", count, 4).tolist()
    ends = [*starts[1:], len(codestream)]
    size = pixels.rows * pixels.columns
    bytes_per_sample = pixels.bits_allocated // 8
    out = np.empty((pixels.samples, size, bytes_per_sample), dtype=np.uint8)
    for plane, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if not 64 <= start <= end <= len(codestream):
            raise ReadError("It is damaged: its run-length image points outside itself.")
        decoded = np.frombuffer(imagecodecs.packbits_decode(codestream[start:end]), dtype=np.uint8)
        if decoded.size < size:
            raise ReadError("It is damaged: its run-length image ends early.")
        sample, place = divmod(plane, bytes_per_sample)
        out[sample, :, bytes_per_sample - 1 - place] = decoded[:size]
    values = out.reshape(pixels.samples, pixels.rows, pixels.columns, bytes_per_sample)
    values = np.ascontiguousarray(values).view(f"<u{bytes_per_sample}")[..., 0]
    return values[0] if pixels.samples == 1 else np.moveaxis(values, 0, -1)


_JPEG = Decoder("JPEG baseline", "imagecodecs (libjpeg-turbo)", False, _jpeg, jpeg_size, converts_colour=True)
_LOSSLESS = Decoder("JPEG lossless", "imagecodecs (liblj92, jpegsof3)", True, _jpeg_lossless, jpeg_size)
_LS = Decoder("JPEG-LS", "imagecodecs (CharLS)", True, _jpeg_ls, jpeg_size)
_J2K = Decoder("JPEG 2000", "imagecodecs (OpenJPEG)", True, _jpeg_2000, jpeg2000_size)
_XL = Decoder("JPEG XL", "imagecodecs (libjxl)", True, _jpeg_xl)

DECODERS: dict[str, Decoder] = {
    "1.2.840.10008.1.2.4.50": _JPEG,
    "1.2.840.10008.1.2.4.51": _JPEG,
    "1.2.840.10008.1.2.4.57": _LOSSLESS,
    "1.2.840.10008.1.2.4.70": _LOSSLESS,
    "1.2.840.10008.1.2.4.80": _LS,
    "1.2.840.10008.1.2.4.81": _LS,
    "1.2.840.10008.1.2.4.90": _J2K,
    "1.2.840.10008.1.2.4.91": _J2K,
    "1.2.840.10008.1.2.4.201": _J2K,
    "1.2.840.10008.1.2.4.202": _J2K,
    "1.2.840.10008.1.2.4.203": _J2K,
    "1.2.840.10008.1.2.4.110": _XL,
    "1.2.840.10008.1.2.4.111": _XL,
    "1.2.840.10008.1.2.4.112": _XL,
    "1.2.840.10008.1.2.5": Decoder("RLE", "MedView and imagecodecs (PackBits)", True, _rle),
}
