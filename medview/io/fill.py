"""Tasks that put decoded slices into a shared block; they run in reader processes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from io import FileIO
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.errors import MedViewError, ReadError
from medview.core.study import Frame
from medview.io import boundary
from medview.io.dicom.pixels import read_frame, sign_extended
from medview.io.plain_files import read_slices
from medview.io.shared_block import BlockHandle, RowWriter
from medview.io.sources import name_of

PIXEL_TAG = b"\xe0\x7f\x10\x00"
"""(7FE0,0010) as it stands in a little endian file, before the pixels."""
BIG_ENDIAN_PIXEL_TAG = b"\x7f\xe0\x00\x10"


@dataclass(frozen=True, slots=True)
class SliceReport:
    """What became of one slice.

    Attributes
    ----------
    reason : str
        One sentence when the slice is damaged; its voxels are then zero.
    """

    k: int
    ok: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SliceJob:
    """One slice to read into row ``k`` of a block.

    Attributes
    ----------
    as_values : bool
        Apply the slice's own rescale: the block holds values.
    """

    k: int
    frame: Frame
    as_values: bool = False


def fill_slices(path: str, handle: BlockHandle, jobs: Sequence[SliceJob]) -> list[SliceReport]:
    """Read slices into a block; a slice that cannot be read is reported, the others go on.

    Parameters
    ----------
    path : str
        File of the first slice, for the sentence when this process dies of it.
    """
    reports: list[SliceReport] = []
    shape, dtype = handle.shape[1:], np.dtype(handle.dtype)
    with RowWriter(handle) as rows:
        for job in jobs:
            outcome = boundary.run(_row, (job.frame.path, job, shape, dtype))
            if isinstance(outcome, MedViewError):
                rows.write(job.k, np.zeros(shape, dtype))
                reports.append(SliceReport(job.k, False, outcome.sentence))
            else:
                rows.write(job.k, outcome)
                reports.append(SliceReport(job.k, True))
    return reports


def fill_file(path: str, handle: BlockHandle, time_point: int) -> list[SliceReport]:
    """Read a NIfTI, NRRD or picture file into a block, from a time point on for as many slices as the block has."""
    reports: list[SliceReport] = []
    changed = ReadError(f"{name_of(path)} has changed since it was scanned; scan it again.")
    with RowWriter(handle) as rows:
        for k, row in enumerate(read_slices(path, time_point, handle.shape[0])):
            if k >= handle.shape[0] or row.shape != handle.shape[1:]:
                raise changed
            rows.write(k, row)
            reports.append(SliceReport(k, True))
    if len(reports) < handle.shape[0]:
        raise changed
    return reports


def _row(path: str, job: SliceJob, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    if job.frame.offset >= 0 and not job.as_values:
        return _read_straight(job.frame, shape, dtype)
    stored, rescale = read_frame(path, job.frame.number)
    if stored.shape != shape:
        raise ReadError(f"{name_of(path)} has changed since it was scanned; scan it again.")
    if job.as_values and not rescale.identity:
        stored = stored * np.float64(rescale.slope) + np.float64(rescale.intercept)
    return stored.astype(dtype, copy=False)


def _read_straight(frame: Frame, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Read uncompressed pixels from the file as they are."""
    raw_dtype = np.dtype(frame.raw_dtype)
    raw = np.empty(shape, raw_dtype)
    raw.reshape(-1)[-1] = 0
    name = name_of(frame.path)
    try:
        with open(frame.path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path for every slice is slow
            if frame.number == 0:
                _check_unchanged(file, frame, raw.nbytes)
            file.seek(frame.offset)
            count = _read_into(file, raw.reshape(-1).view(np.uint8).data)
    except OSError as error:
        raise ReadError(f"{name} can no longer be read; scan the folder again.", detail=repr(error)) from error
    # One byte short is an odd length without its padding.
    if count < raw.nbytes - 1:
        raise ReadError(f"{name} is damaged: its pixels end early; copy it again from its source.")
    if frame.bits_stored:
        signed = raw_dtype.kind == "i"
        return sign_extended(raw, frame.bits_stored, frame.bits_stored - 1, signed=signed).astype(dtype, copy=False)
    return raw.astype(dtype, copy=False)


def _read_into(file: FileIO, target: memoryview) -> int:
    done = 0
    while done < len(target):
        count = file.readinto(target[done:])
        if not count:
            break
        done += count
    return done


def _check_unchanged(file: FileIO, frame: Frame, size: int) -> None:
    """Refuse a file whose pixels no longer begin where the scan found them."""
    file_size = file.seek(0, os.SEEK_END)
    file.seek(max(frame.offset - 12, 0))
    before = file.read(12)
    if PIXEL_TAG not in before and BIG_ENDIAN_PIXEL_TAG not in before:
        name = name_of(frame.path)
        raise ReadError(
            f"{name} has changed since it was scanned; scan the folder again."
            if file_size >= frame.offset + size
            else f"{name} is damaged: its pixels end early; copy it again from its source."
        )
