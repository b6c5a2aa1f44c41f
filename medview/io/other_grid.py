"""Label maps and DICOM SEG that lie on another grid than the images: where they would come down, to be looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.errors import OtherGridError, ReadError
from medview.core.geometry import Calibration, Geometry
from medview.core.segmentation import LabelArray
from medview.io import nifti
from medview.io.dicom.seg_read import read_seg, study_of
from medview.io.imported_labels import ImportedLabels, Target
from medview.io.label_files import from_map, pixels_beside
from medview.io.plain_files import describe, read_voxels
from medview.io.sniff import Kind, sniff

PARALLEL = 0.999
"""Cosine between axes of two grids that run the same way."""


class Way(Enum):
    """How labels of another grid are put onto the images."""

    PLACE = "place"
    """Where they lie in the patient, each voxel of the images asking for the label nearest to its middle."""
    VOXELS = "voxels"
    """Voxel by voxel, against the place that the file states: for files that lost it."""


@dataclass(frozen=True, slots=True, eq=False)
class Placing:
    """One way of putting labels onto images.

    Attributes
    ----------
    kept : float
        Which part of what is drawn, by volume, comes down on the images, 0 to 1.
    """

    way: Way
    labels: ImportedLabels
    kept: float


def placings(path: str, target: Target) -> tuple[Placing, ...]:
    """Return the ways in which a NIfTI or NRRD label map, or a SEG, may be put onto images whose grid is another one.

    A SEG has to be of the same frame of reference and study. Voxel by voxel is one of them only where the axes of both run
    the same way: what is mirrored looks right on a picture.

    Raises
    ------
    OtherGridError
        When there is none.
    ReadError
        When it is damaged or no label map.
    """
    kind, name, wanted = sniff(path), Path(path).name, target.geometry
    if kind is Kind.DICOM:
        return _of_seg(path, target)
    if kind not in (Kind.NIFTI, Kind.NRRD):
        raise ReadError(f"{name} is no DICOM SEG, NIfTI or NRRD file.")
    if pixels_beside(Path(path)):
        raise OtherGridError(f"{name} says which images it was made on, and these lie elsewhere; open those.")
    own = describe(path, kind).volumes[0].geometry
    stated = own is not None and (kind is not Kind.NIFTI or nifti.placed(path))
    if own is None or not stated or wanted.calibration is not Calibration.VOLUME:
        raise OtherGridError(f"{name} cannot be placed: it or the series states no positions.")
    drawn = read_voxels(path)
    found: list[Placing] = []
    carried = _carried(drawn, own, wanted)
    volume_mm3 = np.count_nonzero(drawn) * own.voxel_volume_mm3
    kept = np.count_nonzero(carried) * wanted.voxel_volume_mm3 / volume_mm3 if volume_mm3 else 0.0
    if kept and own.same_frame(wanted):
        note = f"{name} was made on another grid and put where it lies in the patient; edges moved by up to half a voxel."
        found.append(Placing(Way.PLACE, _named(carried, wanted, path, note), min(1.0, kept)))
    alike = np.diag(own.directions_kji @ wanted.directions_kji.T).min() > PARALLEL
    if volume_mm3 and own.shape_kji == wanted.shape_kji and alike:
        note = f"{name} was taken voxel by voxel; it states another place in the patient."
        found.append(Placing(Way.VOXELS, _named(drawn, wanted, path, note), 1.0))
    if not found:
        raise OtherGridError(f"{name} was made on another grid, and nothing of it lies on these images.")
    return tuple(found)


def _of_seg(path: str, target: Target) -> tuple[Placing, ...]:
    name, wanted = Path(path).name, target.geometry
    seg = read_seg(Path(path))
    own, study = seg.geometry, study_of(path)
    if wanted.calibration is not Calibration.VOLUME or not own.frame_of_reference_uid:
        raise OtherGridError(f"{name} cannot be placed: it or the series states no positions.")
    if own.frame_of_reference_uid != wanted.frame_of_reference_uid or (study and target.study_uid not in ("", study)):
        raise OtherGridError(f"{name} belongs to another examination, and is not placed on this one.")
    drawn = sum(np.count_nonzero(layer) for layer in seg.layers.values())
    carried = {layer_id: _carried(layer, own, wanted) for layer_id, layer in seg.layers.items()}
    left = sum(np.count_nonzero(layer) for layer in carried.values())
    kept = left * wanted.voxel_volume_mm3 / (drawn * own.voxel_volume_mm3) if drawn else 0.0
    found: list[Placing] = []
    if kept:
        note = f"{name} was made on another grid and put where it lies in the patient; edges moved by up to half a voxel."
        found.append(Placing(Way.PLACE, _on(seg, wanted, carried, note), min(1.0, kept)))
    alike = np.diag(own.directions_kji @ wanted.directions_kji.T).min() > PARALLEL
    if drawn and own.shape_kji == wanted.shape_kji and alike:
        note = f"{name} was taken voxel by voxel; it states another place in the patient."
        found.append(Placing(Way.VOXELS, _on(seg, wanted, seg.layers, note), 1.0))
    if not found:
        raise OtherGridError(f"{name} was made on another grid, and nothing of it lies on these images.")
    return tuple(found)


def _on(seg: ImportedLabels, wanted: Geometry, layers: dict[int, LabelArray], note: str) -> ImportedLabels:
    notes = (*seg.notes, note)
    return replace(seg, geometry=wanted, layers=layers, notes=notes, pixels_sha256="", drawn_on=None, left_out=True)


def _named(labels: npt.NDArray[Any], geometry: Geometry, path: str, note: str) -> ImportedLabels:
    return replace(from_map(labels, geometry, Path(path)), notes=(note,), left_out=True)


def _carried(drawn: npt.NDArray[Any], own: Geometry, wanted: Geometry) -> npt.NDArray[Any]:
    """Return labels on another grid by nearest neighbour; outside of their own there are none. Slice by slice."""
    to_own = np.linalg.inv(own.affine_lps) @ wanted.affine_lps
    depth, rows, columns = wanted.shape_kji
    across = to_own[:3, 1:2] * np.arange(rows)
    along = to_own[:3, 2:3] * np.arange(columns)
    plane = across[:, :, np.newaxis] + along[:, np.newaxis, :] + to_own[:3, 3][:, np.newaxis, np.newaxis]
    limits = np.asarray(own.shape_kji)[:, np.newaxis, np.newaxis]
    carried = np.zeros(wanted.shape_kji, dtype=drawn.dtype)
    for k in range(depth):
        index = np.floor(plane + (to_own[:3, 0] * k)[:, np.newaxis, np.newaxis] + 0.5).astype(np.int64)
        inside = ((index >= 0) & (index < limits)).all(axis=0)
        at = index[:, inside]
        carried[k][inside] = drawn[at[0], at[1], at[2]]
    return carried
