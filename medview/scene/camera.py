"""From where a volume is looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

MAX_ZOOM = 20.0
_MIN_ZOOM = 0.3
_ROOM = 0.68
"""Part of the half diagonal of a volume that a picture shows at zoom 1; bodies leave the corners of the grid empty."""
_EDGE = 1.04
"""But never less than the whole of the longest side."""


@dataclass(frozen=True, slots=True)
class Orbit:
    """A parallel view of the middle of a volume; the head is never below the horizon.

    Attributes
    ----------
    azimuth_deg : float
        0 looks from the front, 90 from the patient's left, 180 from the back, 270 from the patient's right.
    elevation_deg : float
        90 looks down from above the head, -90 up from the feet.
    zoom : float
        1 shows the whole volume.
    pan_mm : tuple of float
        How far the middle of the picture lies to the right of and above the middle of the volume.
    """

    azimuth_deg: float = 0.0
    elevation_deg: float = 0.0
    zoom: float = 1.0
    pan_mm: tuple[float, float] = (0.0, 0.0)

    def turned(self, azimuth_deg: float, elevation_deg: float) -> Orbit:
        """Return the view from further round and further up."""
        up = min(90.0, max(-90.0, self.elevation_deg + elevation_deg))
        return replace(self, azimuth_deg=(self.azimuth_deg + azimuth_deg) % 360.0, elevation_deg=up)

    def zoomed(self, factor: float) -> Orbit:
        """Return the view from nearer by ``factor``, within bounds."""
        return replace(self, zoom=min(MAX_ZOOM, max(_MIN_ZOOM, self.zoom * factor)))

    def panned(self, right_mm: float, up_mm: float) -> Orbit:
        """Return the view with its middle moved over the patient."""
        return replace(self, pan_mm=(self.pan_mm[0] + right_mm, self.pan_mm[1] + up_mm))

    @property
    def axes_lps(self) -> FloatArray:
        """Unit vectors in LPS, shape (3, 3): to the right of the picture, up in it, and out of it to the eye."""
        a, e = np.deg2rad(self.azimuth_deg), np.deg2rad(self.elevation_deg)
        right = (np.cos(a), np.sin(a), 0.0)
        up = (-np.sin(a) * np.sin(e), np.cos(a) * np.sin(e), np.cos(e))
        eye = (np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e))
        return np.asarray((right, up, eye))


SIDES = {
    "Front": Orbit(0.0),
    "Left": Orbit(90.0),
    "Back": Orbit(180.0),
    "Right": Orbit(270.0),
    "Above": Orbit(0.0, 90.0),
    "Below": Orbit(0.0, -90.0),
}
"""Views of the whole volume by the side of the patient that the eye is on."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The place that is looked at.

    Attributes
    ----------
    middle_lps_mm : tuple of float
        Of the volume.
    radius_mm : float
        Of the sphere around the volume.
    reach_mm : float
        From the middle to the nearest edge of a picture at zoom 1.
    """

    middle_lps_mm: tuple[float, float, float]
    radius_mm: float
    reach_mm: float

    @classmethod
    def of(cls, shape_kji: tuple[int, int, int], affine_lps: FloatArray) -> Stage:
        """Return the place of a grid (see ``core.geometry.Geometry``), out to the outer edges of its voxels."""
        ends = np.array([[-0.5, n - 0.5] for n in shape_kji])
        corners = np.array([(k, j, i) for k in ends[0] for j in ends[1] for i in ends[2]])
        points = corners @ affine_lps[:3, :3].T + affine_lps[:3, 3]
        middle = points.mean(axis=0)
        radius = float(np.linalg.norm(points - middle, axis=1).max())
        sides = np.linalg.norm(affine_lps[:3, :3], axis=0) * shape_kji
        reach = max(_ROOM * radius, _EDGE * float(sides.max()) / 2)
        return cls((float(middle[0]), float(middle[1]), float(middle[2])), radius, reach)

    @property
    def opacity_unit_mm(self) -> float:
        """Thickness of tissue that the opacities of a preset are meant for: 1.6 mm of a chest, less of a mouse."""
        return self.radius_mm / 180.0


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of a stage: where points of the patient lie in it.

    Attributes
    ----------
    size_px : tuple of int
        Width and height.
    """

    orbit: Orbit
    stage: Stage
    size_px: tuple[int, int]

    @property
    def mm_per_px(self) -> float:
        """Size of a pixel in the patient."""
        return 2.0 * self.stage.reach_mm / (self.orbit.zoom * max(1, min(self.size_px)))

    @property
    def focus_lps_mm(self) -> FloatArray:
        """The point in the middle of the picture, on the plane through the middle of the volume."""
        right, up, _ = self.orbit.axes_lps
        return np.asarray(self.stage.middle_lps_mm + self.orbit.pan_mm[0] * right + self.orbit.pan_mm[1] * up)

    def pixel(self, point_lps_mm: npt.ArrayLike) -> tuple[float, float, float]:
        """Return (x, y) in pixels from the upper left corner, and the distance towards the eye in millimetres."""
        right, up, eye = self.orbit.axes_lps @ (np.asarray(point_lps_mm, dtype=np.float64) - self.focus_lps_mm)
        width, height = self.size_px
        return width / 2 + right / self.mm_per_px, height / 2 - up / self.mm_per_px, float(eye)

    def ray_lps_mm(self, x_px: float, y_px: float) -> tuple[FloatArray, FloatArray]:
        """Return where the line of sight through a pixel enters the sphere around the volume, and the way it goes."""
        right, up, eye = self.orbit.axes_lps
        width, height = self.size_px
        aside, above = (x_px - width / 2) * self.mm_per_px, (height / 2 - y_px) * self.mm_per_px
        start = self.focus_lps_mm + aside * right + above * up + self.stage.radius_mm * eye
        return np.asarray(start), np.asarray(-eye)
