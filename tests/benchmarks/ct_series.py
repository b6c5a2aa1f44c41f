"""A CT of 400 slices as a scanner would have sent it, uncompressed and in the compressions archives use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from medview.core.geometry import Geometry
from medview.core.volume import Rescale, Volume
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.phantom.chest import chest
from tests.helpers import encoders

SLICES = 400
BITS = 12
_PAINTED = 100

UNCOMPRESSED = "uncompressed"
STORED = encoders.Kind(BITS, 16)

CODECS: dict[str, tuple[str, Callable[[npt.NDArray[Any]], bytes]]] = {
    "JPEG-LS": (encoders.JPEG_LS, lambda stored: bytes(imagecodecs.jpegls_encode(stored))),
    "JPEG lossless": (
        encoders.FIRST_ORDER,
        lambda stored: bytes(imagecodecs.jpeg8_encode(stored, lossless=True, predictor=1, bitspersample=BITS)),
    ),
    "JPEG 2000": (encoders.J2K_LOSSLESS, lambda stored: encoders.j2k(stored, STORED)),
    "RLE": (encoders.RLE, lambda stored: encoders.rle(stored, STORED)),
}


def body(slices: int = SLICES) -> Volume:
    """A chest with its noise, 12 bits unsigned: a quarter is painted and mirrored, so that no two slices are alike."""
    painted = min(slices, _PAINTED)
    hu = chest(7, shape_kji=(painted, 512, 512), spacing_kji_mm=(280.0 / painted, 0.7, 0.7), nodules=3).hu
    stored = np.clip(hu.astype(np.int32) + 1024, 0, (1 << BITS) - 1).astype(np.uint16)
    mirrored = (stored, stored[::-1, :, ::-1], stored[:, ::-1], stored[::-1, ::-1, ::-1])
    voxels = np.concatenate(mirrored)[:slices]
    geometry = Geometry.from_spacing(voxels.shape, (0.7, 0.7, 0.7))
    return Volume(voxels, geometry, modality="CT", rescale=Rescale(1.0, -1024.0))


def write_all(place: Path, slices: int = SLICES) -> Iterator[tuple[str, Path]]:
    """Write the CT in every form, one folder each, and yield its name and folder when it is there."""
    plain = place / UNCOMPRESSED
    for path in write_series(plain, body(slices), SeriesIdentity("Bench", "B-1", seed="bench"), durable=False):
        ds = pydicom.dcmread(path)
        ds.BitsStored, ds.HighBit = BITS, BITS - 1
        ds.save_as(path, enforce_file_format=True)
    yield UNCOMPRESSED, plain
    for name in CODECS:
        folder = place / name
        folder.mkdir()
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(lambda path, name=name, folder=folder: _compress(path, folder, name), sorted(plain.iterdir())))
        yield name, folder


def _compress(path: Path, folder: Path, name: str) -> None:
    syntax, encode = CODECS[name]
    ds = pydicom.dcmread(path)
    stored = np.frombuffer(ds.PixelData, "<u2").reshape(ds.Rows, ds.Columns)
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.PixelData = encapsulate([encode(stored)])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    ds.save_as(folder / path.name, enforce_file_format=True)
