"""Tasks that put decoded slices into a shared block; they run in reader processes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.errors import MedViewError, ReadError
from medview.core.study import Frame
from medview.io import boundary
from medview.io.dicom.pixels import read_frame, sign_extended
from medview.io.shared_block import BlockHandle, SharedBlock
from medview.io.sources import name_of

PIXEL_TAG = b"\xe0\x7f\x10\x00"
"""(7FE0,0010) as it stands in a little endian file, before the pixels."""


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
    block = SharedBlock.attach(handle)
    reports: list[SliceReport] = []
    for job in jobs:
        outcome = boundary.run(_fill, (job.frame.path, block.array[job.k], job))
        if isinstance(outcome, MedViewError):
            block.array[job.k] = 0
            reports.append(SliceReport(job.k, False, outcome.sentence))
        else:
            reports.append(SliceReport(job.k, True))
    return reports


def fill_file(path: str, handle: BlockHandle, time_point: int) -> list[SliceReport]:
    """Read a NIfTI, NRRD or picture file into a block, all slices at once."""
    from medview.io.plain_files import read_voxels

    block = SharedBlock.attach(handle)
    voxels = read_voxels(path, time_point)
    if voxels.shape != block.array.shape:
        raise ReadError(f"{name_of(path)} has changed since it was scanned; scan it again.")
    block.array[...] = voxels
    return [SliceReport(k, True) for k in range(voxels.shape[0])]


def _fill(path: str, target: npt.NDArray[Any], job: SliceJob) -> None:
    if job.frame.offset >= 0 and not job.as_values:
        _read_straight(job.frame, target)
        return
    stored, rescale = read_frame(path, job.frame.number)
    if stored.shape != target.shape:
        raise ReadError(f"{name_of(path)} has changed since it was scanned; scan it again.")
    if job.as_values and not rescale.identity:
        stored = stored * np.float64(rescale.slope) + np.float64(rescale.intercept)
    target[...] = stored


def _read_straight(frame: Frame, target: npt.NDArray[Any]) -> None:
    """Read uncompressed pixels from the file into the block, without a copy where the dtypes are of one size."""
    raw_dtype = np.dtype(frame.raw_dtype)
    size = target.size * raw_dtype.itemsize
    try:
        descriptor = os.open(frame.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise ReadError(
            f"{name_of(frame.path)} can no longer be read; scan the folder again.", detail=repr(error)
        ) from error
    try:
        direct = raw_dtype.itemsize == target.dtype.itemsize and target.flags.c_contiguous
        raw = target.view(raw_dtype) if direct else np.empty(target.shape, raw_dtype)
        if frame.number == 0:
            _check_unchanged(descriptor, frame, size)
        with os.fdopen(os.dup(descriptor), "rb", buffering=0) as file:
            file.seek(frame.offset)
            count = _read_into(file, raw.reshape(-1).view(np.uint8).data)
    finally:
        os.close(descriptor)
    if count == size - 1:
        pass  # an odd length without its padding byte: the last byte is zero already
    elif count < size:
        raise ReadError(f"{name_of(frame.path)} is damaged: its pixels end early; copy it again from its source.")
    if frame.bits_stored:
        signed = raw_dtype.kind == "i"
        target[...] = sign_extended(raw, frame.bits_stored, frame.bits_stored - 1, signed=signed)
    elif not direct or raw_dtype.byteorder == ">":
        target[...] = raw.astype(raw_dtype.newbyteorder("="))


def _read_into(file: Any, target: memoryview) -> int:
    done = 0
    while done < len(target):
        count = file.readinto(target[done:])
        if not count:
            break
        done += count
    return done


def _check_unchanged(descriptor: int, frame: Frame, size: int) -> None:
    """Refuse a file whose pixels no longer begin where the scan found them."""
    file_size = os.fstat(descriptor).st_size
    os.lseek(descriptor, frame.offset - 12, os.SEEK_SET)
    before = os.read(descriptor, 12)
    if PIXEL_TAG not in before and PIXEL_TAG[1::-1] + PIXEL_TAG[3:1:-1] not in before:
        name = name_of(frame.path)
        raise ReadError(
            f"{name} has changed since it was scanned; scan the folder again."
            if file_size >= frame.offset + size
            else f"{name} is damaged: its pixels end early; copy it again from its source."
        )
