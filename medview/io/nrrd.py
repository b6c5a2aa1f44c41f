"""NRRD files, through SimpleITK; millimetres are LPS there as here."""

from __future__ import annotations

import importlib
import os
import tempfile
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.atomic import replacing
from medview.core.errors import ReadError, RefusedError, WriteError
from medview.core.geometry import Calibration, Geometry
from medview.core.volume import Volume
from medview.io.placed import refuse_unplaced
from medview.io.plain_header import PlainHeader, check_size
from medview.io.sources import in_archive, name_of, open_source

MOST_HEADER_BYTES = 1 << 20
"""Longest header; those of diffusion series with a thousand directions have a tenth."""

_KINDS = ("UInt8", "Int8", "UInt16", "Int16", "UInt32", "Int32", "UInt64", "Int64", "Float32", "Float64")


@cache
def _sitk() -> ModuleType:
    """Return SimpleITK; importing it costs every reader a tenth of a second that only NRRD files need."""
    return importlib.import_module("SimpleITK")


@cache
def _dtypes() -> dict[int, str]:
    """Pixel kind -> numpy name."""
    names = {getattr(_sitk(), f"sitk{name}"): name.lower() for name in _KINDS}
    return {**names, _sitk().sitkVectorUInt8: "uint8"}


def read_header(path: str) -> PlainHeader:
    """Return what the header says.

    Raises
    ------
    ReadError, RefusedError
        When it is damaged or of a kind not read.
    """
    name = name_of(path)
    _check_header(path, name)
    reader = _reader(path)
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise ReadError(f"{name} is damaged: its NRRD header cannot be read.", detail=str(error)[:200]) from error
    dtype = _dtypes().get(reader.GetPixelID())
    colour = reader.GetPixelID() == _sitk().sitkVectorUInt8 and reader.GetNumberOfComponents() == 3
    if dtype is None or (reader.GetNumberOfComponents() != 1 and not colour):
        raise ReadError(f"{name} stores numbers of a kind that is not read.")
    size = [int(n) for n in reader.GetSize()]
    check_size(int(np.prod(size, dtype=np.float64)) * np.dtype(dtype).itemsize * (3 if colour else 1), name)
    geometry = _geometry(reader, size, name)
    return PlainHeader(geometry, dtype, colour, size[3] if len(size) > 3 else 1)


def _check_header(path: str, name: str) -> None:
    """Refuse a header that does not end within a believable length: the library reads it line by line and slowly."""
    with open_source(path) as file:
        head = file.read(MOST_HEADER_BYTES)
    if len(head) == MOST_HEADER_BYTES and b"\n\n" not in head and b"\n\r\n" not in head:
        raise RefusedError(f"{name} has a header of more than {MOST_HEADER_BYTES >> 10} kB; it was not opened.")


def read_voxels(path: str, time_point: int = 0) -> npt.NDArray[Any]:
    """Return stored voxels of one time point, (k, j, i) or (k, j, i, 3).

    Raises
    ------
    ReadError
        When the file ends early.
    """
    try:
        image = _reader(path).Execute()
    except RuntimeError as error:
        raise ReadError(f"{name_of(path)} is damaged: it ends early; copy it again.", detail=str(error)[:200]) from error
    array = np.asarray(_sitk().GetArrayFromImage(image))
    if image.GetDimension() == 2:
        return array[None]
    return array[time_point] if image.GetDimension() == 4 else array


def read_nrrd(path: Path) -> Volume:
    """Return an NRRD file as a Volume; the first time point of a 4-D file. Raises ReadError."""
    return Volume(read_voxels(str(path)), read_header(str(path)).geometry, description=path.name)


def write_label_map(path: Path, labels: npt.NDArray[Any], geometry: Geometry) -> None:
    """Write an integer label map, (k, j, i), gzip-compressed. Raises WriteError, DiskFullError."""
    if geometry.calibration is not Calibration.VOLUME:
        raise WriteError(
            f"{path.name} was not written: the images state no positions, which NRRD always claims; write NIfTI instead."
        )
    _write(path, np.asarray(labels), geometry)


def write_volume(path: Path, volume: Volume) -> None:
    """Write a volume; NRRD has no slope, so values are written where the volume has one.

    Raises
    ------
    WriteError
        When it cannot be written, or the images state no positions.
    """
    refuse_unplaced(path, volume.geometry, "NRRD")
    voxels = volume.voxels if volume.rescale.identity or volume.colour else volume.values()
    _write(path, voxels, volume.geometry)


def _reader(path: str) -> Any:
    if in_archive(path):
        raise ReadError(f"{name_of(path)} cannot be read inside an archive; unpack the archive first.")
    with open_source(path):
        pass
    reader = _sitk().ImageFileReader()
    reader.SetImageIO("NrrdImageIO")
    reader.SetFileName(path)
    return reader


def _geometry(reader: Any, size: list[int], name: str) -> Geometry:
    dimension = len(size)
    direction = np.asarray(reader.GetDirection(), dtype=np.float64).reshape(dimension, dimension)
    spacing = np.asarray(reader.GetSpacing(), dtype=np.float64)
    origin = np.asarray(reader.GetOrigin(), dtype=np.float64)
    affine = np.eye(4)
    axes = min(dimension, 3)
    matrix = np.eye(3)
    matrix[:axes, :axes] = direction[:axes, :axes] * spacing[:axes]
    affine[:3, :3] = matrix[:, ::-1]
    affine[:axes, 3] = origin[:axes]
    shape = [1, 1, 1]
    for axis in range(axes):
        shape[2 - axis] = size[axis]
    try:
        return Geometry((shape[0], shape[1], shape[2]), affine)
    except ValueError as error:
        raise ReadError(f"{name} is damaged: its placement makes no grid.", detail=str(error)) from error


def _write(path: Path, voxels: npt.NDArray[Any], geometry: Geometry) -> None:
    if geometry.sheared:
        raise WriteError(
            f"{path.name} was not written: its slices are tilted, which NRRD readers refuse; write NIfTI instead."
        )
    if voxels.dtype == np.bool_:
        voxels = voxels.astype(np.uint8)
    image = _sitk().GetImageFromArray(np.ascontiguousarray(voxels), isVector=voxels.ndim == 4)
    dk, dj, di = geometry.spacing_kji_mm
    image.SetSpacing((di, dj, dk))
    image.SetOrigin(tuple(float(x) for x in geometry.affine_lps[:3, 3]))
    image.SetDirection(tuple(float(x) for x in geometry.directions_kji[::-1].T.ravel()))
    # SimpleITK writes by name only: into a folder of our own beside the target, then through the atomic file.
    with replacing(path) as file, tempfile.TemporaryDirectory(prefix=".medview-", dir=path.parent) as folder:
        draft = Path(folder) / "draft.nrrd"
        try:
            _sitk().WriteImage(image, os.fspath(draft), useCompression=True)
        except RuntimeError as error:
            raise WriteError(f"{path.name} was not written; check the disk it goes to.", detail=str(error)[:200]) from error
        file.write(draft.read_bytes())
