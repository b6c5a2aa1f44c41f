"""What foreign tools say of one volume that a scan found: one word per question, empty where they agree."""

from __future__ import annotations

import itertools
import json
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom

from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.study import Frame, Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.io.reader_pool import InlinePool
from medview.io.series_reader import SeriesReader
from tests.helpers.foreign import (
    CLOSE_MM,
    Converted,
    edge_letters,
    itk_file,
    itk_order,
    near,
    on_our_grid,
    orientation_of,
)

ITK_CORNERS, ITK_LETTERS, ITK_ORDER, ITK_VALUES = "ITK corners", "ITK letters", "ITK order", "ITK values"
NIIX_CORNERS, NIIX_LETTERS, NIIX_VALUES = "dcm2niix corners", "dcm2niix letters", "dcm2niix values"
NIIX_THICKNESS = "dcm2niix thickness"

NO_MILLIMETRES, REFUSED, DAMAGED, CANNOT, MOSAIC = "no millimetres", "refused", "damaged", "cannot read", "mosaic"
ELSEWHERE, INVERTED, AS_STORED, LOSSY, OTHER = "elsewhere", "inverted", "as stored", "lossy", "other"
IGNORED = "position ignored"
OTHER_ORDER, OTHER_FILES = "other order", "other files"

Answers = dict[str, str]


def answers(series: Series, entry: VolumeEntry, said: dict[str, Any], niftis: Sequence[Converted]) -> Answers:
    """Ask every question that makes sense of a volume.

    Parameters
    ----------
    said : dict
        What ``medview scan --json`` says of the volume.
    niftis : sequence of Converted
        What dcm2niix made of the folder.
    """
    if entry.verdict is Verdict.REFUSED:
        return {ITK_CORNERS: REFUSED, ITK_VALUES: REFUSED}
    volumes = [_read(series, entry, time) for time in range(entry.time_points)]
    found: Answers = {}
    if said["verdict"] != "volume":
        assert said["affine_lps"] is None
        claimed = "NO_POSITION" in {reason["code"] for reason in said["reasons"]}
        found[ITK_CORNERS] = IGNORED if claimed and any(map(_placed, entry.dicom_paths)) else NO_MILLIMETRES
    else:
        grid = Geometry(tuple(said["shape"]), np.asarray(json.loads(json.dumps(said["affine_lps"]))))
        found[ITK_CORNERS] = _all(_itk_corners(entry, grid))
        found[ITK_LETTERS] = _itk_letters(entry, grid)
        if entry.time_points == 1 and len(entry.dicom_paths) > 1:
            found[ITK_ORDER] = _itk_order(series, entry)
        if entry.dicom_paths:
            found |= _by_dcm2niix(grid, [volume for volume, _ in volumes], niftis)
    found[ITK_VALUES] = _all(
        DAMAGED if k in bad else _itk_values(frame, volume, k)
        for time, (volume, bad) in enumerate(volumes)
        for k, frame in enumerate(_frames(entry, time))
    )
    return found


def _all(said: Any) -> str:
    """All that is said other than agreement, each once."""
    return ", ".join(sorted({one for one in said if one}))


def _placed(path: str) -> bool:
    """Whether pydicom finds where the one image of a file lies."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        stated = dataset.get("ImagePositionPatient") and dataset.get("ImageOrientationPatient")
        return bool(stated) and dataset.get("NumberOfFrames", 1) in (None, "", 1)


def _read(series: Series, entry: VolumeEntry, time: int) -> tuple[Volume, set[int]]:
    reader = SeriesReader(InlinePool())
    opened = reader.begin(series, entry, time)
    bad = reader.fill(opened, 0, Inline())
    return opened.volume, {report.k for report in bad}


def _frames(entry: VolumeEntry, time: int) -> list[Frame]:
    count = entry.shape_kji[0]
    if len(entry.frames) < count:  # a file that is no DICOM stands behind all slices
        return [Frame(entry.frames[0].path, k, str(time)) for k in range(count)]
    return list(entry.frames[time * count : (time + 1) * count])


def _itk_corners(entry: VolumeEntry, grid: Geometry) -> list[str]:
    said = []
    _, j, i = grid.shape_kji
    for time in range(entry.time_points):
        frames = _frames(entry, time)
        for k in (0, len(frames) - 1):
            ours = grid.point_lps_mm([(k, row, column) for row in (0, j - 1) for column in (0, i - 1)])
            try:
                file = itk_file(frames[k].path)
            except RuntimeError:
                said.append(CANNOT)
                continue
            if file.image.GetSize()[:2] != (i, j):
                said.append(MOSAIC)
                continue
            apart = np.abs(file.frame_corners_lps_mm(frames[k].number) - ours).max()
            said.append("" if apart <= CLOSE_MM else ELSEWHERE)
    return said


def _itk_letters(entry: VolumeEntry, grid: Geometry) -> str:
    try:
        theirs = itk_file(entry.frames[0].path).orientation
    except RuntimeError:
        return CANNOT
    return "" if theirs == orientation_of(grid) else OTHER


def _itk_order(series: Series, entry: VolumeEntry) -> str:
    folder = entry.dicom_paths[0].rpartition("/")[0]
    theirs = itk_order(folder, series.series_uid)
    if set(theirs) != set(entry.dicom_paths):
        return OTHER_FILES
    return "" if theirs == entry.dicom_paths else OTHER_ORDER


def _itk_values(frame: Frame, volume: Volume, k: int) -> str:
    try:
        file = itk_file(frame.path)
    except RuntimeError:
        return CANNOT
    theirs = file.values
    if theirs.ndim == 4 and file.image.GetNumberOfComponentsPerPixel() == 1:
        theirs = theirs[int(frame.sop_instance_uid)]
    ours = volume.voxels[k] if volume.colour else volume.values((k,))
    if theirs.shape[1:3] != ours.shape[:2]:
        theirs = _tiles(theirs[0], ours.shape)
    their = theirs[frame.number].astype(np.float64)
    if volume.colour:
        their = their[..., :3]  # what a picture has of transparency is not shown
    if their.shape != ours.shape:
        return OTHER
    if np.allclose(their, ours, rtol=1e-6, atol=1e-6):
        return ""
    stored = volume.voxels[k].astype(np.float64)
    turned = their + ours
    if not volume.colour and np.ptp(turned) <= 1e-6 * np.abs(turned).max():
        return INVERTED
    if np.array_equal(their, stored):
        return AS_STORED
    return LOSSY if volume.colour and np.abs(their - ours).mean() < 3.0 else OTHER


def _tiles(mosaic: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """The tiles of a picture in reading order."""
    down, across = mosaic.shape[0] // shape[0], mosaic.shape[1] // shape[1]
    tiled = mosaic[: down * shape[0], : across * shape[1]].reshape(down, shape[0], across, shape[1])
    return tiled.swapaxes(1, 2).reshape(-1, *shape)


def _by_dcm2niix(grid: Geometry, volumes: list[Volume], niftis: Sequence[Converted]) -> Answers:
    corners = grid.corners_lps_mm()
    same = [one for one in niftis if near(one.header.geometry.corners_lps_mm(), corners)]
    if not same:
        return {NIIX_CORNERS: ELSEWHERE}
    lettered = all(edge_letters(one.header.geometry) == edge_letters(grid) for one in same)
    theirs = [one.volume(time) for one in same for time in range(one.header.time_points)]
    at: list[int] = []
    for ours in volumes:
        same_as = (n for n, their in enumerate(theirs) if n not in at and _same_numbers(their, ours))
        at += itertools.islice(same_as, 1)
    numbers = OTHER if len(at) < len(volumes) else ("" if at == sorted(at) else OTHER_ORDER)
    thick = any(np.isclose(one.header.geometry.spacing_kji_mm[0], grid.spacing_kji_mm[0], atol=CLOSE_MM) for one in same)
    found = {NIIX_CORNERS: "", NIIX_LETTERS: "" if lettered else OTHER, NIIX_VALUES: numbers}
    return found if grid.shape_kji[0] > 1 else found | {NIIX_THICKNESS: "" if thick else OTHER}


def _same_numbers(their: Volume, ours: Volume) -> bool:
    stored = on_our_grid(their.voxels, their.geometry, ours.geometry)
    if np.array_equal(stored, ours.voxels):
        return True
    values = on_our_grid(their.values(), their.geometry, ours.geometry)
    return bool(np.allclose(values, ours.values(), rtol=1e-6, atol=1e-6))
