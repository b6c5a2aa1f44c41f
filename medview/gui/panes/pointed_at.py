"""What lies under the pointer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy.typing as npt

from medview.core.geometry import Calibration
from medview.core.suv import SuvKind
from medview.workspace.heat_picture import shown_heat
from medview.workspace.load_state import SliceState
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer


@dataclass(frozen=True, slots=True)
class PointedAt:
    """The voxel under the pointer of the active case.

    Attributes
    ----------
    point_lps_mm : tuple of float, or None
        Position in the patient; None where the grid has no millimetres along all axes.
    value : tuple of float
        One number in ``unit``, three for colour, none while the slice is missing.
    suv : float or None
        Uptake by body weight of a PET whose header states enough.
    segments : tuple of str
        Names of the segments that hold the voxel.
    heat : tuple of str and float, or None
        What the heat map over the picture is called, and its strength here.
    """

    voxel_kji: tuple[int, int, int]
    point_lps_mm: tuple[float, float, float] | None
    value: tuple[float, ...]
    unit: str
    segments: tuple[str, ...]
    suv: float | None = None
    heat: tuple[str, float] | None = None

    @classmethod
    def under(cls, case: OpenCase, pointer: Pointer) -> PointedAt | None:
        """Look a pointer up; None outside the grid."""
        geometry = case.volume.geometry
        voxel = pointer.voxel_kji(geometry)
        if voxel is None:
            return None
        point: tuple[float, float, float] | None = None
        if geometry.calibration is Calibration.VOLUME:
            x, y, z = (float(n) for n in geometry.point_lps_mm(pointer.index_kji(geometry)))
            point = (x, y, z)
        value: tuple[float, ...] = ()
        if case.load.state(voxel[0]) is SliceState.READY:
            value = tuple(float(n) for n in case.volume.values(voxel).reshape(-1))
        names = tuple(segment.name for segment in case.labels.segmentation.at(voxel))
        factor = case.volume.suv.factor(SuvKind.BODY_WEIGHT) if case.volume.suv is not None else None
        suv = value[0] * factor if factor is not None and len(value) == 1 else None
        return cls(voxel, point, value, case.volume.unit, names, suv, _heat(case, geometry.point_lps_mm(voxel)))


def _heat(case: OpenCase, point_lps_mm: npt.ArrayLike) -> tuple[str, float] | None:
    heat = shown_heat(case.view)
    strength = None if heat is None else heat.strength_at(point_lps_mm)
    return None if heat is None or strength is None else (heat.name, strength)
