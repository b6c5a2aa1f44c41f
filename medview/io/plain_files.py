"""NIfTI, NRRD and picture files as series: one file, one volume, keyed by its content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from medview.core.geometry import Calibration
from medview.core.orientation import UNKNOWN
from medview.core.spacing import SpacingSource
from medview.core.study import Frame, Series, Verdict, VolumeEntry
from medview.io import nifti, nrrd, pictures
from medview.io.plain_header import PlainHeader
from medview.io.seg_nrrd import is_seg_nrrd
from medview.io.sniff import Kind, sniff
from medview.io.sources import content_sha256, name_of

WHOLE_FILE = -1
"""Frame number of a file that is read in one go."""


@dataclass(frozen=True, slots=True)
class _Format:
    header: Callable[[str], PlainHeader]
    voxels: Callable[[str, int], npt.NDArray[Any]]
    rows: Callable[[str, int, int | None], Iterator[npt.NDArray[Any]]] | None = None
    """Slice by slice, where the format allows; else the voxels at once."""


_FORMATS: dict[Kind, _Format] = {
    Kind.NIFTI: _Format(nifti.read_header, nifti.read_voxels, nifti.read_slices),
    Kind.NRRD: _Format(nrrd.read_header, nrrd.read_voxels),
    Kind.IMAGE: _Format(pictures.read_header, pictures.read_voxels),
}


def describe(path: str, kind: Kind) -> Series:
    """Return the series a plain file is. Its UID is made from its content, so that labels stay with the content.

    Raises
    ------
    ReadError, RefusedError
        When the header is damaged or asks for more than the budget.
    """
    if kind is Kind.NRRD and is_seg_nrrd(path):
        # Labels of another series, as a DICOM SEG is: nothing to look at by itself.
        uid = _uid(path)
        return Series(uid, uid, modality="SEG", description=name_of(path), instances=1, paths=(path,))
    header = _FORMATS[kind].header(path)
    uid = _uid(path)
    geometry = header.geometry
    volume = geometry.calibration is Calibration.VOLUME
    dk, dj, di = (round(d, 9) for d in geometry.spacing_kji_mm)
    pixels = geometry.calibration is Calibration.PIXELS
    entry = VolumeEntry(
        verdict=Verdict.VOLUME if volume else Verdict.STACK,
        reasons=header.reasons,
        geometry=geometry,
        shape_kji=geometry.shape_kji,
        frames=(Frame(path, WHOLE_FILE),),
        spacing_kji_mm=(dk if volume else None, None if pixels else dj, None if pixels else di),
        colour=header.colour,
        dtype=header.dtype,
        time_points=header.time_points,
        times_s=header.times_s,
        rescale=header.rescale,
        spacing_source=SpacingSource.NONE if pixels else SpacingSource.FILE,
        patient_orientation=UNKNOWN if pixels else None,
    )
    return Series(uid, uid, description=name_of(path), instances=1, volumes=(entry,), paths=(path,))


def _uid(path: str) -> str:
    return f"2.25.{int.from_bytes(content_sha256(path)[:16], 'big')}"


def read_slices(path: str, time_point: int = 0, count: int | None = None) -> Iterator[npt.NDArray[Any]]:
    """Yield the stored voxels of a plain file slice by slice. Raises as ``read_voxels``.

    Parameters
    ----------
    count : int, optional
        Slices from the first of the time point on; those of one time point unless given.
    """
    form = _FORMATS[sniff(path)]
    if form.rows is not None:
        yield from form.rows(path, time_point, count)
        return
    given = 0
    while given < (1 if count is None else count):
        volume = form.voxels(path, time_point)
        yield from volume
        given += len(volume)
        time_point += 1


def read_voxels(path: str, time_point: int = 0) -> npt.NDArray[Any]:
    """Return the stored voxels of a plain file, (k, j, i) or (k, j, i, 3).

    Raises
    ------
    ReadError, RefusedError
        When it is damaged.
    """
    return _FORMATS[sniff(path)].voxels(path, time_point)
