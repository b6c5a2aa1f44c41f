"""How the patient of one frame of reference lies in another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.errors import GeometryError
from medview.core.geometry import Geometry

FloatArray = npt.NDArray[np.float64]

RIGID_TOLERANCE = 1e-6
"""Largest departure of a turn from one that keeps lengths and handedness."""


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """A rigid way from the moving frame of reference to the fixed one: it turns and shifts, and changes no length.

    Attributes
    ----------
    fixed_frame, moving_frame : str
        Frame of reference UIDs; empty where the files state none.
    matrix_lps : ndarray of float64, shape (4, 4)
        Maps homogeneous LPS millimetres of the moving frame to those of the fixed frame. Read-only.
    metric : float
        Mutual information that was reached beyond chance, in nats; 0 means that the pictures say nothing about one another.
    overlap : float
        Part of the smaller of the two volumes that lies inside the other, 0 to 1.
    seconds : float
        Time it took.
    note : str
        What a person should know about its quality, or empty.
    """

    fixed_frame: str
    moving_frame: str
    matrix_lps: FloatArray
    metric: float = 0.0
    overlap: float = 0.0
    seconds: float = 0.0
    note: str = ""

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix_lps, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or not np.array_equal(matrix[3], [0, 0, 0, 1]):
            raise ValueError("matrix_lps has to be a finite 4 x 4 matrix whose last row is 0 0 0 1")
        turn = matrix[:3, :3]
        if np.abs(turn.T @ turn - np.eye(3)).max() > RIGID_TOLERANCE or np.linalg.det(turn) < 0:
            raise ValueError("matrix_lps is not rigid: it changes lengths or mirrors")
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix_lps", matrix)

    @property
    def angle_deg(self) -> float:
        """How far it turns, in degrees."""
        cosine = (np.trace(self.matrix_lps[:3, :3]) - 1.0) / 2.0
        return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))

    def shift_mm(self, at_lps_mm: npt.ArrayLike) -> float:
        """Return how far a point of the moving frame travels; a turn moves points far from its axis further."""
        point = np.asarray(at_lps_mm, dtype=np.float64)
        return float(np.linalg.norm(self.point_lps_mm(point) - point))

    def point_lps_mm(self, moving_lps_mm: npt.ArrayLike) -> FloatArray:
        """Map points of the moving frame, shape (..., 3) in LPS millimetres, to the fixed frame."""
        point = np.asarray(moving_lps_mm, dtype=np.float64)
        return np.asarray(point @ self.matrix_lps[:3, :3].T + self.matrix_lps[:3, 3])

    def inverse(self) -> Registration:
        """Return the way back, of the same quality."""
        turn = self.matrix_lps[:3, :3].T
        matrix = np.eye(4)
        matrix[:3, :3] = turn
        matrix[:3, 3] = -turn @ self.matrix_lps[:3, 3]
        return Registration(self.moving_frame, self.fixed_frame, matrix, self.metric, self.overlap, self.seconds, self.note)

    def then(self, further: Registration) -> Registration:
        """Return this way followed by another, with the poorer quality of both.

        Raises
        ------
        GeometryError
            Where ``further`` does not begin in the frame this one ends in.
        """
        if further.moving_frame != self.fixed_frame:
            raise GeometryError("The second registration begins in another frame of reference; register both series anew.")
        return Registration(
            further.fixed_frame,
            self.moving_frame,
            further.matrix_lps @ self.matrix_lps,
            min(self.metric, further.metric),
            min(self.overlap, further.overlap),
            self.seconds + further.seconds,
            further.note or self.note,
        )

    def place(self, geometry: Geometry) -> Geometry:
        """Return a grid of the moving frame where it lies in the fixed frame.

        Raises
        ------
        GeometryError
            Where the grid is not in the moving frame.
        """
        if geometry.frame_of_reference_uid != self.moving_frame:
            raise GeometryError("The registration was made for another frame of reference; register the two series anew.")
        return Geometry(geometry.shape_kji, self.matrix_lps @ geometry.affine_lps, self.fixed_frame, geometry.calibration)
