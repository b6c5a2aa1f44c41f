"""NIfTI-1 files. NIfTI counts millimetres in RAS, MedView in LPS: x and y change sign, exactly.

Header and voxels are read and written here, byte by byte, because a sheared grid (gantry tilt) and stored numbers with a
slope have to survive; SimpleITK refuses the first and resolves the second.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from medview.core.atomic import replacing
from medview.core.errors import ReadError, WriteError
from medview.core.geometry import Calibration, Geometry
from medview.core.study import Reason
from medview.core.volume import Rescale, Volume
from medview.io.dicom.reasons import Code
from medview.io.placed import refuse_unplaced
from medview.io.plain_header import PlainHeader, check_size
from medview.io.sources import name_of, open_source

FloatArray = npt.NDArray[np.float64]

_DTYPES: Mapping[int, str] = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8", 128: "u1",
}  # fmt: skip
_RGB = 128
_CODES = {np.dtype(name): code for code, name in _DTYPES.items() if code != _RGB}
_HEADER_BYTES = 348
_DATA_OFFSET = 352
_MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_SECONDS_PER_UNIT = {8: 1.0, 16: 1e-3, 24: 1e-6}
"""Of the fourth axis (bits 3 to 5 of xyzt_units); others are no times."""
_AGREE_MM = 0.1
"""sform and qform may differ by rounding; more is said."""
LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


class _Readable(Protocol):
    def read(self, count: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Header:
    order: str
    dims_ijk: tuple[int, int, int]
    time_points: int
    times_s: tuple[float, ...]
    code: int
    data_offset: int
    rescale: Rescale
    affine_ras: FloatArray
    agree: bool
    placed: bool

    @property
    def shape_kji(self) -> tuple[int, int, int]:
        i, j, k = self.dims_ijk
        return k, j, i

    @property
    def samples(self) -> int:
        return 3 if self.code == _RGB else 1

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.order + _DTYPES[self.code])


def read_header(path: str) -> PlainHeader:
    """Return what the header says.

    Raises
    ------
    ReadError, RefusedError
        When it is damaged or of a kind not read.
    """
    with _opened(path) as file:
        header = _parse(file, name_of(path))
    reasons: tuple[Reason, ...] = ()
    if not header.agree:
        text = "The two placements in the file (sform and qform) disagree; the sform is used."
        reasons = (Reason(Code.AFFINES_DISAGREE, text),)
    return PlainHeader(
        geometry=_geometry(header, name_of(path)),
        dtype=header.dtype.newbyteorder("=").name,
        colour=header.code == _RGB,
        time_points=header.time_points,
        times_s=header.times_s,
        rescale=header.rescale,
        reasons=reasons,
    )


def placed(path: str) -> bool:
    """Whether a file claims a place in the patient (its sform or qform code is not 0). Raises ReadError, RefusedError."""
    with _opened(path) as file:
        return _parse(file, name_of(path)).placed


def read_voxels(path: str, time_point: int = 0) -> npt.NDArray[Any]:
    """Return stored voxels of one time point, (k, j, i) or (k, j, i, 3).

    Raises
    ------
    ReadError
        When the file ends early.
    """
    header = read_header(path)
    voxels = np.empty((*header.geometry.shape_kji, 3) if header.colour else header.geometry.shape_kji, header.dtype)
    for k, row in enumerate(read_slices(path, time_point)):
        voxels[k] = row
    return voxels


def read_slices(path: str, time_point: int = 0, count: int | None = None) -> Iterator[npt.NDArray[Any]]:
    """Yield stored slices, (j, i) or (j, i, 3), so that a large file needs no second copy in memory.

    Parameters
    ----------
    count : int, optional
        Slices from the first of the time point on; those of one time point unless given.

    Raises
    ------
    ReadError
        When the file ends early.
    """
    name = name_of(path)
    with _opened(path) as file:
        header = _parse(file, name)
        slices, *shape = header.shape_kji
        shape += [3] * (header.samples == 3)
        size = math.prod(shape) * header.dtype.itemsize
        damaged = f"{name} is damaged: it ends early; copy it again."
        try:
            _skip(file, header.data_offset - _HEADER_BYTES + time_point * slices * size)
            for _ in range(slices if count is None else count):
                raw = file.read(size)
                if len(raw) < size:
                    raise ReadError(damaged)
                yield np.frombuffer(raw, header.dtype).astype(header.dtype.newbyteorder("="), copy=False).reshape(shape)
        except (EOFError, OSError, zlib.error) as error:
            raise ReadError(damaged, detail=repr(error)) from error


def read_nifti(path: Path) -> Volume:
    """Return a NIfTI file as a Volume; the first time point of a 4-D file.

    Raises
    ------
    ReadError, RefusedError
        When it is damaged.
    """
    header = read_header(str(path))
    return Volume(read_voxels(str(path)), header.geometry, rescale=header.rescale, description=path.name)


def write_label_map(path: Path, labels: npt.NDArray[Any], geometry: Geometry) -> None:
    """Write an integer label map, (k, j, i), as NIfTI-1; gzipped when the name ends in ``.gz``.

    On images without positions along all axes the file claims no place either: sform and qform codes are 0.

    Raises
    ------
    WriteError, DiskFullError
        When it cannot be written; what stood there before is untouched.
    """
    _write(path, np.asarray(labels), geometry, Rescale())


def write_volume(path: Path, volume: Volume, *, unplaced: bool = False) -> None:
    """Write stored voxels with their slope and intercept, so that the file's values are the volume's.

    Parameters
    ----------
    unplaced : bool
        Also a map of images that state no positions, as label maps are: used voxel by voxel, it claims no place.

    Raises
    ------
    WriteError, DiskFullError
        When it cannot be written, or the images state no positions: other programs would show them mirrored.
    """
    if not unplaced:
        refuse_unplaced(path, volume.geometry, "NIfTI")
    _write(path, volume.voxels, volume.geometry, volume.rescale)


def affine_ras(geometry: Geometry) -> FloatArray:
    """Return the NIfTI affine, (i, j, k, 1) to RAS millimetres, of a grid."""
    affine = np.array(geometry.affine_lps)
    affine[:, :3] = affine[:, 2::-1]
    return np.asarray(LPS_FROM_RAS @ affine)


def _geometry(header: _Header, name: str) -> Geometry:
    affine = LPS_FROM_RAS @ header.affine_ras
    affine[:, :3] = affine[:, 2::-1]
    try:
        return Geometry(header.shape_kji, affine)
    except ValueError as error:
        raise ReadError(f"{name} is damaged: its placement makes no grid.", detail=str(error)) from error


@contextmanager
def _opened(path: str) -> Iterator[_Readable]:
    with open_source(path) as file:
        magic = file.read(2)
        file.seek(0)
        if magic == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked
        else:
            yield file


def _skip(file: _Readable, count: int) -> None:
    while count > 0:
        part = len(file.read(min(count, 1 << 20)))
        if not part:
            return
        count -= part


def _parse(file: _Readable, name: str) -> _Header:
    try:
        raw = file.read(_HEADER_BYTES)
    except (EOFError, OSError, zlib.error) as error:
        raise ReadError(f"{name} is damaged: it cannot be unpacked.", detail=repr(error)) from error
    if len(raw) < _HEADER_BYTES:
        raise ReadError(f"{name} is damaged: it ends within its header.")
    order = "<" if struct.unpack_from("<i", raw)[0] == _HEADER_BYTES else ">"
    if raw[344:348] != b"n+1\x00":
        raise ReadError(f"{name} keeps header and voxels in two files; convert it to a single .nii file first.")
    dims = struct.unpack_from(order + "8h", raw, 40)
    if not 1 <= dims[0] <= 7 or min(dims[1 : 1 + dims[0]]) < 1:
        raise ReadError(f"{name} is damaged: its header states no size.")
    sizes = [*dims[1 : 1 + dims[0]], 1, 1, 1, 1, 1, 1][:7]
    code = struct.unpack_from(order + "h", raw, 70)[0]
    if code not in _DTYPES:
        raise ReadError(f"{name} stores numbers of a kind that is not read (NIfTI type {code}).")
    check_size(math.prod(sizes) * np.dtype(_DTYPES[code]).itemsize * (3 if code == _RGB else 1), name)
    slope, intercept = struct.unpack_from(order + "2f", raw, 112)
    usable = slope != 0.0 and math.isfinite(slope) and math.isfinite(intercept) and code != _RGB
    affine, agree = _placement(raw, order)
    offset = (
        int(struct.unpack_from(order + "f", raw, 108)[0])
        if math.isfinite(struct.unpack_from(order + "f", raw, 108)[0])
        else 0
    )
    return _Header(
        order=order,
        dims_ijk=(sizes[0], sizes[1], sizes[2]),
        time_points=math.prod(sizes[3:]),
        times_s=_times_s(raw, order, sizes),
        code=code,
        data_offset=max(offset, _DATA_OFFSET),
        rescale=Rescale(slope, intercept) if usable else Rescale(),
        affine_ras=affine,
        agree=agree,
        placed=max(struct.unpack_from(order + "2h", raw, 252)) > 0,
    )


def _times_s(raw: bytes, order: str, sizes: list[int]) -> tuple[float, ...]:
    """Return when each volume began; none where the fourth axis is no time, or a fifth one lies behind it."""
    step = struct.unpack_from(order + "f", raw, 92)[0]
    unit_s = _SECONDS_PER_UNIT.get(raw[123] & 0x38)
    if unit_s is None or not math.isfinite(step) or step <= 0.0 or sizes[3] < 2 or math.prod(sizes[4:]) > 1:
        return ()
    return tuple(round(n * step * unit_s, 6) for n in range(sizes[3]))


def _placement(raw: bytes, order: str) -> tuple[FloatArray, bool]:
    """Return the affine by the standard's order, sform before qform, and whether both agree."""
    qform_code, sform_code = struct.unpack_from(order + "2h", raw, 252)
    pixdim = np.asarray(struct.unpack_from(order + "8f", raw, 76), dtype=np.float64)
    scale = _MM_PER_UNIT.get(raw[123] & 0x07, 1.0)
    sform = np.eye(4)
    sform[:3] = np.asarray(struct.unpack_from(order + "12f", raw, 280)).reshape(3, 4)
    qform = _qform(raw, order, pixdim)
    plain = np.diag([*np.where(pixdim[1:4] > 0, pixdim[1:4], 1.0), 1.0])
    usable_s = sform_code > 0 and np.isfinite(sform).all() and abs(np.linalg.det(sform[:3, :3])) > 1e-12
    usable_q = qform_code > 0 and np.isfinite(qform).all() and abs(np.linalg.det(qform[:3, :3])) > 1e-12
    affine = sform if usable_s else qform if usable_q else plain
    agree = not (usable_s and usable_q) or sform_code != qform_code or bool(np.abs(sform - qform).max() < _AGREE_MM)
    affine = affine.copy()
    affine[:3] *= scale
    return affine, agree


def _qform(raw: bytes, order: str, pixdim: FloatArray) -> FloatArray:
    b, c, d, *offset = struct.unpack_from(order + "6f", raw, 256)
    a = math.sqrt(max(0.0, 1.0 - (b * b + c * c + d * d)))
    rotation = np.asarray(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    qfac = -1.0 if pixdim[0] < 0 else 1.0
    affine = np.eye(4)
    affine[:3, :3] = rotation * (pixdim[1:4] * [1.0, 1.0, qfac])
    affine[:3, 3] = offset
    return affine


def _quaternion(affine: FloatArray) -> tuple[float, float, float, float] | None:
    """Return (b, c, d, qfac) of a grid at right angles, or None for a sheared one."""
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    if np.abs(directions.T @ directions - np.eye(3)).max() > 1e-5:
        return None
    qfac = 1.0 if np.linalg.det(directions) > 0 else -1.0
    r = directions * [1.0, 1.0, qfac]
    # Through the largest component, so that half turns do not divide by zero.
    squares = np.asarray(
        [
            1 + r[0, 0] + r[1, 1] + r[2, 2],
            1 + r[0, 0] - r[1, 1] - r[2, 2],
            1 - r[0, 0] + r[1, 1] - r[2, 2],
            1 - r[0, 0] - r[1, 1] + r[2, 2],
        ]
    )
    largest = int(np.argmax(squares))
    w = math.sqrt(float(squares[largest])) / 2.0
    q = 1.0 / (4.0 * w)
    a, b, c, d = {
        0: (w, (r[2, 1] - r[1, 2]) * q, (r[0, 2] - r[2, 0]) * q, (r[1, 0] - r[0, 1]) * q),
        1: ((r[2, 1] - r[1, 2]) * q, w, (r[0, 1] + r[1, 0]) * q, (r[0, 2] + r[2, 0]) * q),
        2: ((r[0, 2] - r[2, 0]) * q, (r[0, 1] + r[1, 0]) * q, w, (r[1, 2] + r[2, 1]) * q),
        3: ((r[1, 0] - r[0, 1]) * q, (r[0, 2] + r[2, 0]) * q, (r[1, 2] + r[2, 1]) * q, w),
    }[largest]
    sign = -1.0 if a < 0 else 1.0
    return float(sign * b), float(sign * c), float(sign * d), qfac


def _write(path: Path, voxels: npt.NDArray[Any], geometry: Geometry, rescale: Rescale) -> None:
    if voxels.dtype == np.bool_:
        voxels = voxels.astype(np.uint8)
    colour = voxels.ndim == 4
    native = np.dtype(voxels.dtype.newbyteorder("="))
    if native not in _CODES:
        raise WriteError(f"{path.name} was not written: NIfTI cannot hold numbers of type {native.name}.")
    if max(voxels.shape[:3]) > 32767:
        raise WriteError(f"{path.name} was not written: NIfTI holds at most 32767 voxels along an axis.")
    affine = affine_ras(geometry)
    quaternion = _quaternion(affine)
    claimed = geometry.calibration is Calibration.VOLUME
    k, j, i = voxels.shape[:3]
    dk, dj, di = geometry.spacing_kji_mm
    b, c, d, qfac = quaternion or (0.0, 0.0, 0.0, 1.0)
    header = bytearray(_HEADER_BYTES)
    struct.pack_into("<i", header, 0, _HEADER_BYTES)
    struct.pack_into("<8h", header, 40, 3, i, j, k, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, _RGB if colour else _CODES[native], 24 if colour else native.itemsize * 8)
    struct.pack_into("<8f", header, 76, qfac, di, dj, dk, 0, 0, 0, 0)
    struct.pack_into("<3f", header, 108, _DATA_OFFSET, rescale.slope, rescale.intercept)
    header[123] = 2 if claimed else 0  # millimetres, or unknown
    struct.pack_into("<80s", header, 148, b"MedView. Research use. Not a medical device.")
    if claimed:
        struct.pack_into("<2h", header, 252, 1 if quaternion else 0, 1)
        struct.pack_into("<6f", header, 256, b, c, d, *affine[:3, 3])
        struct.pack_into("<12f", header, 280, *affine[:3].ravel())
    struct.pack_into("<4s", header, 344, b"n+1\x00")
    with replacing(path) as file:
        if path.name.endswith(".gz"):
            # No name and no time inside: the same voxels give the same bytes.
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=5) as packed:
                _write_bytes(packed, bytes(header), voxels)
        else:
            _write_bytes(file, bytes(header), voxels)


def _write_bytes(file: Any, header: bytes, voxels: npt.NDArray[Any]) -> None:
    file.write(header + b"\x00" * (_DATA_OFFSET - _HEADER_BYTES))
    little = voxels.dtype.newbyteorder("<")
    for plane in voxels:
        file.write(np.ascontiguousarray(plane, dtype=little).tobytes())
