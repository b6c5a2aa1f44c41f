"""Where the voxels are: the grid in the patient."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt

from medview.core.box import Box

FloatArray = npt.NDArray[np.float64]

SAME_GRID_TOLERANCE_MM = 1e-2
"""Two grids are the same when no corner is further apart than this."""

SHEAR_TOLERANCE = 1e-3
"""Largest cosine between two grid axes that still counts as a right angle (about 0.06 degrees)."""


class Calibration(Enum):
    """How far the millimetres of a grid can be trusted."""

    VOLUME = "volume"
    """Along all three axes."""
    IN_PLANE = "in-plane"
    """Inside each slice only: the series is a stack."""
    PIXELS = "pixels"
    """Nowhere: the affine counts pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Shape and position of a voxel grid.

    Attributes
    ----------
    shape_kji : tuple of int
        Voxels along k (slices), j (rows), i (columns).
    affine_lps : ndarray of float64, shape (4, 4)
        Maps homogeneous (k, j, i, 1) at voxel centres to patient LPS millimetres: x grows to the patient's left, y to the
        back, z to the head. Read-only. Where ``calibration`` is not VOLUME, k is nominal (1 per slice).
    frame_of_reference_uid : str
        Empty when the source states none. Grids with different non-empty frames never share labels.
    """

    shape_kji: tuple[int, int, int]
    affine_lps: FloatArray
    frame_of_reference_uid: str = ""
    calibration: Calibration = Calibration.VOLUME
    _inverse: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        affine = np.array(self.affine_lps, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise ValueError("affine_lps has to be a finite 4 x 4 matrix")
        if abs(np.linalg.det(affine[:3, :3])) < 1e-12:
            raise ValueError("affine_lps is singular: two grid axes are parallel or a spacing is zero")
        if min(self.shape_kji) < 1:
            raise ValueError(f"shape_kji has to be three positive numbers, not {self.shape_kji}")
        inverse = np.linalg.inv(affine)
        affine.setflags(write=False)
        inverse.setflags(write=False)
        object.__setattr__(self, "affine_lps", affine)
        object.__setattr__(self, "_inverse", inverse)
        object.__setattr__(self, "shape_kji", tuple(int(n) for n in self.shape_kji))

    def __reduce__(self) -> tuple[object, ...]:
        return (
            Geometry,
            (self.shape_kji, np.array(self.affine_lps), self.frame_of_reference_uid, self.calibration),
        )

    @classmethod
    def from_spacing(
        cls,
        shape_kji: tuple[int, int, int],
        spacing_kji_mm: tuple[float, float, float],
        origin_lps_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
        frame_of_reference_uid: str = "",
        calibration: Calibration = Calibration.VOLUME,
    ) -> Geometry:
        """Return an axial grid: i to the patient's left, j to the back, k to the head."""
        dk, dj, di = spacing_kji_mm
        affine = np.eye(4)
        affine[:3, :3] = [[0, 0, di], [0, dj, 0], [dk, 0, 0]]
        affine[:3, 3] = origin_lps_mm
        return cls(shape_kji, affine, frame_of_reference_uid, calibration)

    @property
    def spacing_kji_mm(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxel centres along k, j, i in millimetres."""
        dk, dj, di = (float(d) for d in np.linalg.norm(self.affine_lps[:3, :3], axis=0))
        return dk, dj, di

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel; right for sheared grids too."""
        return float(abs(np.linalg.det(self.affine_lps[:3, :3])))

    @property
    def directions_kji(self) -> FloatArray:
        """Unit vectors of the grid axes in LPS, shape (3, 3): row 0 is the direction of k, row 1 of j, row 2 of i."""
        columns = self.affine_lps[:3, :3]
        return np.asarray((columns / np.linalg.norm(columns, axis=0)).T)

    @property
    def sheared(self) -> bool:
        """Whether the grid axes are not at right angles (gantry tilt)."""
        d = self.directions_kji
        return max(abs(float(d[a] @ d[b])) for a, b in ((0, 1), (0, 2), (1, 2))) > SHEAR_TOLERANCE

    def point_lps_mm(self, index_kji: npt.ArrayLike) -> FloatArray:
        """Map voxel indices to the patient.

        Parameters
        ----------
        index_kji : array_like, shape (..., 3)
            Fractional indices allowed; integers are voxel centres.

        Returns
        -------
        ndarray of float64, shape (..., 3)
            LPS millimetres.
        """
        index = np.asarray(index_kji, dtype=np.float64)
        return np.asarray(index @ self.affine_lps[:3, :3].T + self.affine_lps[:3, 3])

    def index_kji(self, point_lps_mm: npt.ArrayLike) -> FloatArray:
        """Map patient points, shape (..., 3) in LPS millimetres, to fractional voxel indices."""
        point = np.asarray(point_lps_mm, dtype=np.float64)
        return np.asarray(point @ self._inverse[:3, :3].T + self._inverse[:3, 3])

    def contains(self, index_kji: npt.ArrayLike) -> bool:
        """Whether a fractional index lies inside the outer voxel edges."""
        index = np.asarray(index_kji, dtype=np.float64)
        return bool(np.all(index >= -0.5) and np.all(index < np.asarray(self.shape_kji) - 0.5))

    def corners_lps_mm(self) -> FloatArray:
        """Centres of the eight corner voxels in LPS millimetres, shape (8, 3), k slowest."""
        ends = [(0, n - 1) for n in self.shape_kji]
        return self.point_lps_mm([(k, j, i) for k in ends[0] for j in ends[1] for i in ends[2]])

    def cropped(self, box: Box) -> Geometry:
        """Return the geometry of the voxels inside ``box``."""
        affine = np.array(self.affine_lps)
        affine[:3, 3] = self.point_lps_mm(box.min_kji)
        return Geometry(box.shape_kji, affine, self.frame_of_reference_uid, self.calibration)

    def same_frame(self, other: Geometry) -> bool:
        """Whether both grids may be placed in one patient space. An unstated frame matches any."""
        mine, theirs = self.frame_of_reference_uid, other.frame_of_reference_uid
        return not mine or not theirs or mine == theirs

    def same_grid(self, other: Geometry, tolerance_mm: float = SAME_GRID_TOLERANCE_MM) -> bool:
        """Whether both have the same frame, shape and, within ``tolerance_mm``, the same corners."""
        if self.shape_kji != other.shape_kji or not self.same_frame(other) or self.calibration != other.calibration:
            return False
        return bool(np.abs(self.corners_lps_mm() - other.corners_lps_mm()).max() <= tolerance_mm)
