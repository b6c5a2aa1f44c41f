"""Where the frames of a SEG lie on the grid of a series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from medview.core.errors import GeometryError, OtherGridError
from medview.core.geometry import Calibration, Geometry
from medview.io.dicom.attributes import items, text
from medview.io.dicom.instance import FrameInfo
from medview.io.dicom.slice_tolerance import on_voxel

ON_GRID_VOXELS = 0.1
"""How far a frame may lie from the source's slice; SEG writers round positions to text."""
DIRECTION = 0.999
"""Cosine above which two directions are one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a frame goes: its slice, where its first voxel lies there, and whether its rows or columns run backwards."""

    k: int
    corner_ji: tuple[int, int] = (0, 0)
    flip_ji: tuple[bool, bool] = (False, False)


def place_in_patient(frame: FrameInfo, geometry: Geometry, size_ji: tuple[int, int], name: str) -> Place:
    """Return where a frame lies by its position in the patient.

    Parameters
    ----------
    size_ji : tuple of int
        Rows and columns of the SEG, which may cover a part of the slices only.
    name : str
        Of the file, for sentences.

    Raises
    ------
    GeometryError
        When it does not lie on the grid, or states no position.
    """
    wrong = OtherGridError(f"{name} does not lie on the grid of this series; open the series it was made on.")
    rows, columns = size_ji
    if geometry.calibration is not Calibration.VOLUME or frame.position_lps_mm is None or frame.orientation is None:
        raise GeometryError(f"{name} cannot be placed: the series or the SEG states no positions.")
    directions = geometry.directions_kji
    along_i = float(directions[2] @ np.asarray(frame.orientation[:3]))
    along_j = float(directions[1] @ np.asarray(frame.orientation[3:]))
    if min(abs(along_i), abs(along_j)) < DIRECTION or frame.spacing_ji_mm is None:
        raise wrong
    _, dj, di = geometry.spacing_kji_mm
    if (
        max(abs(frame.spacing_ji_mm[0] / dj - 1) * rows, abs(frame.spacing_ji_mm[1] / di - 1) * columns)
        > ON_GRID_VOXELS * 5
    ):
        raise wrong
    index = geometry.index_kji(frame.position_lps_mm)
    k, j, i = (int(n) for n in np.rint(index))
    on_grid = np.abs(index - (k, j, i)).max() <= ON_GRID_VOXELS
    if not on_grid and not on_voxel(geometry, (k, j, i), frame.position_lps_mm):
        raise wrong
    flip = (along_j < 0, along_i < 0)
    corner = (j - (rows - 1) * flip[0], i - (columns - 1) * flip[1])
    inside = 0 <= k < geometry.shape_kji[0] and min(corner) >= 0
    if not inside or corner[0] + rows > geometry.shape_kji[1] or corner[1] + columns > geometry.shape_kji[2]:
        raise OtherGridError(f"{name} reaches outside this series; open the series it was made on.")
    return Place(k, corner, flip)


def place_by_image(
    group: Dataset | None, slices: Mapping[str, int], geometry: Geometry, size_ji: tuple[int, int], name: str
) -> Place:
    """Return where a frame lies on images that have no place in the patient, or none along the stack: on the one it names.

    Parameters
    ----------
    group : Dataset or None
        The frame's own functional groups.
    slices : mapping of str to int
        SOP instance UID of each image that holds one slice -> that slice.

    Raises
    ------
    GeometryError
        When the frame names no image of these, or several, or one of another size.
    """
    named = {slices[uid] for uid, same in source_images(group) if same and uid in slices} if group is not None else set()
    if len(named) != 1:
        raise GeometryError(f"{name} cannot be placed: the series states no positions, and a frame names no image of it.")
    if size_ji != geometry.shape_kji[1:]:
        raise GeometryError(f"{name} was made on images of another size; open those and import it there.")
    return Place(named.pop())


def source_images(group: Dataset) -> list[tuple[str, bool]]:
    """Images one frame says it was made from: SOP instance UID and whether it lies on the pixels of that image."""
    return [
        (text(image, "ReferencedSOPInstanceUID"), text(image, "SpatialLocationsPreserved").upper() != "NO")
        for derivation in items(group, "DerivationImageSequence")
        for image in items(derivation, "SourceImageSequence")
    ]


def on_slice(values: npt.NDArray[np.bool_], place: Place, shape_ji: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return the voxels of a frame (j, i) on a whole slice."""
    values = values[:: -1 if place.flip_ji[0] else 1, :: -1 if place.flip_ji[1] else 1]
    if values.shape == shape_ji:
        return values
    whole = np.zeros(shape_ji, dtype=np.bool_)
    j, i = place.corner_ji
    whole[j : j + values.shape[0], i : i + values.shape[1]] = values
    return whole
