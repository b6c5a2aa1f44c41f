"""Frames compressed in every way DICOM allows, and the files around them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import UID
from scipy import ndimage

from tests.helpers.dicom_series import ct_slice

Array = npt.NDArray[Any]

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
ENCAPSULATED, DEFLATED_FRAMES, RLE = "1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.8.1", "1.2.840.10008.1.2.5"
JPEG = "1.2.840.10008.1.2.4"
BASELINE, EXTENDED, PROGRESSIVE = f"{JPEG}.50", f"{JPEG}.51", f"{JPEG}.55"
LOSSLESS, FIRST_ORDER, JPEG_LS, NEAR_LOSSLESS = f"{JPEG}.57", f"{JPEG}.70", f"{JPEG}.80", f"{JPEG}.81"
J2K_LOSSLESS, J2K = f"{JPEG}.90", f"{JPEG}.91"
HTJ2K_LOSSLESS, HTJ2K_RPCL, HTJ2K = f"{JPEG}.201", f"{JPEG}.202", f"{JPEG}.203"
XL_LOSSLESS, XL_JPEG, XL = f"{JPEG}.110", f"{JPEG}.111", f"{JPEG}.112"

NATIVE = (IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN)


@dataclass(frozen=True)
class Kind:
    """How the numbers of a picture are stored."""

    stored: int
    allocated: int
    signed: bool = False
    samples: int = 1

    @property
    def dtype(self) -> str:
        return f"{'i' if self.signed else 'u'}{self.allocated // 8}"

    def __str__(self) -> str:
        return f"{'colour' if self.samples == 3 else 'grey'}{self.stored}{'s' if self.signed else 'u'}"


RGB8, RGB16 = Kind(8, 8, samples=3), Kind(16, 16, samples=3)
GREY = [Kind(8, 8), Kind(8, 8, True), Kind(12, 16), Kind(12, 16, True), Kind(16, 16), Kind(16, 16, True)]


def picture(kind: Kind, shape: tuple[int, int] = (37, 53), seed: int = 0) -> Array:
    """A smooth asymmetric picture that reaches both ends of its range."""
    noise = np.random.default_rng(seed).normal(size=(*shape, kind.samples))
    smooth = ndimage.gaussian_filter(noise, (3, 3, 0)) + 1e-3 * noise
    fraction = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    low = -(1 << (kind.stored - 1)) if kind.signed else 0
    values = np.rint(fraction * ((1 << kind.stored) - 1) + low).astype(kind.dtype)
    return values[..., 0] if kind.samples == 1 else values


def psnr_db(ours: Array, truth: Array, peak: float) -> float:
    """Peak signal to noise ratio; 120 dB and more for equal pictures."""
    return float(10 * np.log10(peak**2 / max(np.mean((ours.astype(np.float64) - truth) ** 2), 1e-12)))


def jpeg(image: Array, level: int = 98, **options: Any) -> bytes:
    """A lossy JPEG image."""
    return bytes(imagecodecs.jpeg8_encode(image, level=level, **options))


def without_markers(codestream: bytes) -> bytes:
    """A JPEG image without JFIF and Adobe markers."""
    at = 2
    while codestream[at + 1] in range(0xE0, 0xF0):
        at += 2 + int.from_bytes(codestream[at + 2 : at + 4], "big")
    return codestream[:2] + codestream[at:]


def masked(frame: Array, kind: Kind) -> Array:
    """The stored bits as unsigned numbers, as codecs without signs get them."""
    return np.ascontiguousarray(frame).view(f"u{kind.allocated // 8}") & np.array(
        (1 << kind.stored) - 1, f"u{kind.allocated // 8}"
    )


def rle(frame: Array, kind: Kind) -> bytes:
    """PS3.5 annex G: byte planes, most significant first, sample after sample; rows are packed apart."""
    planes = frame.reshape(*frame.shape[:2], -1).astype(f">{kind.dtype}")
    segments = []
    for sample in range(kind.samples):
        octets = np.ascontiguousarray(planes[..., sample]).view(np.uint8).reshape(*frame.shape[:2], -1)
        for octet in range(octets.shape[2]):
            packed = b"".join(imagecodecs.packbits_encode(row.tobytes()) for row in octets[..., octet])
            segments.append(packed + b"\0" * (len(packed) % 2))
    offsets, at = [len(segments)], 64
    for segment in segments:
        offsets.append(at)
        at += len(segment)
    return np.array(offsets + [0] * (16 - len(offsets)), "<u4").tobytes() + b"".join(segments)


def plain(frame: Array, kind: Kind, planar: int = 0, order: str = "<") -> bytes:
    """The bytes of an uncompressed frame."""
    if planar:
        frame = np.moveaxis(frame, -1, 0)
    return frame.astype(f"{order}{kind.dtype}").tobytes()


def deflated(raw: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(raw) + packer.flush()


def lossless_jpeg(frame: Array, kind: Kind, predictor: int = 1, restart_rows: int = 0) -> bytes:
    """Lossless JPEG (ITU-T T.81 annex H) of grey or interleaved colour, optionally with restart markers."""
    values = masked(frame, kind).astype(np.int64).reshape(*frame.shape[:2], -1)
    rows, columns, samples = values.shape
    size = bytes([kind.stored]) + rows.to_bytes(2, "big") + columns.to_bytes(2, "big")
    body = _marker(0xC3, size + bytes([samples]) + _numbered(samples, b"\x11\0"))
    # Seventeen categories of five bits each: not short, but a table without thought.
    body += _marker(0xC4, b"\0" + bytes([0, 0, 0, 0, 17] + [0] * 11) + bytes(range(17)))
    if restart_rows:
        body += _marker(0xDD, (restart_rows * columns).to_bytes(2, "big"))
    body += _marker(0xDA, bytes([samples]) + _numbered(samples, b"\0") + bytes([predictor, 0, 0]))
    height = restart_rows or rows
    for number, top in enumerate(range(0, rows, height)):
        if number:
            body += bytes([0xFF, 0xD0 + (number - 1) % 8])
        body += _entropy(_differences(values[top : top + height], kind.stored, predictor))
    return b"\xff\xd8" + body + b"\xff\xd9"


def _marker(code: int, content: bytes) -> bytes:
    return bytes([0xFF, code]) + (len(content) + 2).to_bytes(2, "big") + content


def _numbered(samples: int, rest: bytes) -> bytes:
    return b"".join(bytes([n + 1]) + rest for n in range(samples))


def _differences(values: Array, bits: int, predictor: int) -> Array:
    """What is left of each number after prediction; the first row knows only its left, the first column its above."""
    left, above, corner = (np.roll(values, shift, axis) for shift, axis in ((1, 1), (1, 0), ((1, 1), (0, 1))))
    guess = (
        left, above, corner, left + above - corner, left + (above - corner >> 1), above + (left - corner >> 1),
        left + above >> 1,
    )[predictor - 1].copy()  # fmt: skip
    guess[0] = left[0]
    guess[:, 0] = above[:, 0]
    guess[0, 0] = 1 << (bits - 1)
    return (values - guess + 0x8000) % 0x10000 - 0x8000


def _entropy(differences: Array) -> bytes:
    text = []
    for difference in differences.ravel().tolist():
        # 32768 and its negative are the same number modulo 2^16: category 16 has no further bits.
        category = 16 if difference == -0x8000 else abs(difference).bit_length()
        text.append(f"{category:05b}")
        if 0 < category < 16:
            text.append(f"{difference if difference > 0 else difference + (1 << category) - 1:0{category}b}")
    bits = "".join(text)
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")


def j2k(frame: Array, kind: Kind) -> bytes:
    """Reversible JPEG 2000 with the sign and the precision of the numbers."""
    return bytes(imagecodecs.jpeg2k_encode(frame, level=0, reversible=True, codecformat="J2K", bitspersample=kind.stored))


ENCODERS: dict[str, Callable[[Array, Kind], bytes]] = {
    ENCAPSULATED: plain,
    DEFLATED_FRAMES: lambda frame, kind: deflated(plain(frame, kind)),
    RLE: rle,
    LOSSLESS: lambda frame, kind: lossless_jpeg(frame, kind, predictor=5),
    FIRST_ORDER: lossless_jpeg,
    JPEG_LS: lambda frame, kind: imagecodecs.jpegls_encode(masked(frame, kind)),
    NEAR_LOSSLESS: lambda frame, kind: imagecodecs.jpegls_encode(masked(frame, kind), level=0),
    J2K_LOSSLESS: j2k,
    J2K: j2k,
    HTJ2K_LOSSLESS: lambda frame, kind: imagecodecs.htj2k_encode(frame, reversible=True),
    HTJ2K_RPCL: lambda frame, kind: imagecodecs.htj2k_encode(frame, reversible=True, tlm=True),
    HTJ2K: lambda frame, kind: imagecodecs.htj2k_encode(frame, reversible=True),
    XL_LOSSLESS: lambda frame, kind: imagecodecs.jpegxl_encode(masked(frame, kind), lossless=True),
    XL: lambda frame, kind: imagecodecs.jpegxl_encode(masked(frame, kind), lossless=True),
}
"""Lossless, by transfer syntax."""


def write_native(path: Path, frames: Sequence[Array], kind: Kind, syntax: str = EXPLICIT, **values: Any) -> Path:
    """Write frames uncompressed; ``values`` are attributes of the data set."""
    ds = described(frames, kind, syntax, values)
    order = ">" if syntax == BIG_ENDIAN else "<"
    raw = b"".join(plain(frame, kind, ds.get("PlanarConfiguration", 0), order) for frame in frames)
    ds.PixelData = raw + b"\0" * (len(raw) % 2)
    ds["PixelData"].VR = "OW" if kind.allocated > 8 or syntax == IMPLICIT else "OB"
    return save(path, ds)


def write_compressed(
    path: Path,
    frames: Sequence[Array],
    kind: Kind,
    syntax: str,
    codestreams: Sequence[bytes] | None = None,
    *,
    table: str = "basic",
    fragments: int = 1,
    **values: Any,
) -> Path:
    """Write frames encapsulated.

    Parameters
    ----------
    codestreams
        As ``ENCODERS`` makes them unless given.
    table
        ``basic``, ``extended`` or ``none``: which offset table there is.
    fragments
        Pieces of each frame; an extended table allows one only.
    """
    ds = described(frames, kind, syntax, values)
    streams = [bytes(ENCODERS[syntax](frame, kind)) for frame in frames] if codestreams is None else list(codestreams)
    if table == "extended":
        ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(streams)
    else:
        ds.PixelData = encapsulate(streams, fragments_per_frame=fragments, has_bot=table == "basic")
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    return save(path, ds)


def described(frames: Sequence[Array], kind: Kind, syntax: str, values: dict[str, Any]) -> FileDataset:
    """A data set about frames, without them."""
    ds = ct_slice(np.zeros(frames[0].shape[:2], np.uint16), (0, 0, 0))
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = kind.allocated, kind.stored, kind.stored - 1
    ds.PixelRepresentation, ds.SamplesPerPixel = int(kind.signed), kind.samples
    if kind.samples == 3:
        ds.PhotometricInterpretation, ds.PlanarConfiguration = "RGB", 0
    if len(frames) > 1:
        ds.NumberOfFrames = len(frames)
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def save(path: Path, ds: FileDataset) -> Path:
    """Write a data set as its transfer syntax says, also one pydicom does not know."""
    syntax = str(ds.file_meta.TransferSyntaxUID)
    head, body = DicomBytesIO(), DicomBytesIO()
    head.is_little_endian, head.is_implicit_VR = True, False
    body.is_little_endian, body.is_implicit_VR = syntax != BIG_ENDIAN, syntax == IMPLICIT
    write_file_meta_info(head, ds.file_meta)
    write_dataset(body, ds)
    content = body.getvalue()
    path.write_bytes(b"\0" * 128 + b"DICM" + head.getvalue() + (deflated(content) if syntax == DEFLATED else content))
    return path
