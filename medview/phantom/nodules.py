"""Nodules: lobed balls in the lungs, most of them on a vessel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medview.phantom.grid import Array, Grid, Region

SMALLEST_MM, LARGEST_MM = 6.0, 20.0
"""Diameters at the first visit."""

GROWTH = (1.2, 1.5)
"""Range of the factor a diameter grows by until the follow-up."""

ON_VESSEL = 0.7
"""Share of nodules that a vessel runs through."""

GAP_MM = 5.0
"""Least tissue between two nodules."""


@dataclass(frozen=True, slots=True)
class Lesion:
    """One nodule.

    Attributes
    ----------
    centre_lps_mm : tuple of float
        In the phantom's own millimetres at creation; in the patient's once the chest is painted.
    diameter_mm : float
        Of the ball of the same volume.
    lobes : tuple of (direction x, y, z, waves, phase)
        Ripples of the surface.
    depth : float
        Height of the ripples as a share of the radius.
    """

    centre_lps_mm: tuple[float, float, float]
    diameter_mm: float
    tissue_hu: float
    depth: float
    lobes: tuple[tuple[float, float, float, float, float], ...]

    @property
    def volume_mm3(self) -> float:
        """Exact volume."""
        return float(np.pi / 6 * self.diameter_mm**3)

    @property
    def reach_mm(self) -> float:
        """No part of the nodule is further from the centre."""
        return self._mean_radius_mm * (1 + self.depth * len(self.lobes))

    @property
    def _mean_radius_mm(self) -> float:
        """Radius without ripples, so that the volume with them is ``volume_mm3``."""
        ball = _directions()
        ripple = 1 + self._ripple(ball[:, 0], ball[:, 1], ball[:, 2])
        return float(self.diameter_mm / 2 / np.cbrt(np.mean(ripple**3)))

    def grown(self, rng: np.random.Generator) -> Lesion:
        """Return the nodule some months later."""
        return replace(self, diameter_mm=self.diameter_mm * rng.uniform(*GROWTH))

    def region(self, grid: Grid) -> Region:
        """Voxels the nodule may touch."""
        reach = self.reach_mm + 3
        return grid.around(np.subtract(self.centre_lps_mm, reach), np.add(self.centre_lps_mm, reach))

    def distance(self, grid: Grid) -> Array:
        """Distance to the surface in mm at every voxel of ``grid``, negative inside."""
        x0, y0, z0 = (np.float32(c) for c in self.centre_lps_mm)
        x, y, z = grid.x_mm - x0, grid.y_mm - y0, grid.z_mm - z0
        ray = np.sqrt(x * x + y * y + z * z)
        inverse = 1 / np.maximum(ray, np.float32(1e-3))
        ripple = 1 + self._ripple(x * inverse, y * inverse, z * inverse)
        return np.asarray(ray - np.float32(self._mean_radius_mm) * ripple, dtype=np.float32)

    def _ripple(self, x: npt.NDArray[np.floating], y: npt.NDArray[np.floating], z: npt.NDArray[np.floating]) -> Array:
        waves = sum(np.sin(n * (x * a + y * b + z * c) + phase) for a, b, c, n, phase in self.lobes)
        return np.asarray(self.depth * waves, dtype=np.float32)


def _directions(count: int = 512) -> npt.NDArray[np.float64]:
    """Directions spread evenly over the ball (Fibonacci lattice)."""
    n = np.arange(count) + 0.5
    z = 1 - 2 * n / count
    turn = np.pi * (1 + 5**0.5) * n
    flat = np.sqrt(1 - z * z)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)


def draw_lesion(diameter_mm: float, rng: np.random.Generator) -> Lesion:
    """Draw the shape and density of a nodule; it is placed later."""
    lobes = []
    for _ in range(3):
        direction = rng.standard_normal(3)
        a, b, c = direction / np.linalg.norm(direction)
        lobes.append((float(a), float(b), float(c), float(rng.uniform(2, 5)), float(rng.uniform(0, 2 * np.pi))))
    return Lesion((0.0, 0.0, 0.0), diameter_mm, float(rng.uniform(0, 65)), float(rng.uniform(0.01, 0.07)), tuple(lobes))


def place_lesions(
    count: int,
    grid: Grid,
    lung_mm: Array,
    vessel_points_lps_mm: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[Lesion, ...]:
    """Draw nodules and find them room.

    Parameters
    ----------
    lung_mm : ndarray, shape (k, j, i)
        Distance to the lungs' surface, negative inside.
    vessel_points_lps_mm : ndarray, shape (n, 3)
        Points on vessels a nodule may sit on.

    Returns
    -------
    tuple of Lesion
        Whole nodules inside the lungs, apart from each other even when each has grown.
    """
    placed: list[Lesion] = []
    inside = np.argwhere(lung_mm < -(SMALLEST_MM / 2 + 1))
    for _ in range(count):
        lesion = draw_lesion(float(rng.uniform(SMALLEST_MM, LARGEST_MM)), rng)
        for _ in range(200):
            if rng.random() < ON_VESSEL:
                point = (
                    vessel_points_lps_mm[rng.integers(len(vessel_points_lps_mm))]
                    + rng.normal(0, 0.15, 3) * lesion.diameter_mm
                )
            else:
                k, j, i = inside[rng.integers(len(inside))]
                point = np.array([grid.x_mm[0, 0, i], grid.y_mm[0, j, 0], grid.z_mm[k, 0, 0]], dtype=np.float64)
            x, y, z = (float(c) for c in point)
            moved = replace(lesion, centre_lps_mm=(x, y, z))
            if _has_room(moved, placed, grid, lung_mm):
                placed.append(moved)
                break
    return tuple(placed)


def _has_room(lesion: Lesion, others: list[Lesion], grid: Grid, lung_mm: Array) -> bool:
    x, y, z = lesion.centre_lps_mm
    axes = ((grid.z_mm.ravel(), z), (grid.y_mm.ravel(), y), (grid.x_mm.ravel(), x))
    if any(not axis[0] <= at <= axis[-1] for axis, at in axes):
        return False
    k, j, i = (int(np.abs(axis - at).argmin()) for axis, at in axes)
    if lung_mm[k, j, i] > -(lesion.reach_mm + 1):
        return False
    apart = (lesion.reach_mm + other.reach_mm for other in others)
    return all(
        np.linalg.norm(np.subtract(lesion.centre_lps_mm, other.centre_lps_mm)) > GROWTH[1] * reach + GAP_MM
        for other, reach in zip(others, apart, strict=True)
    )
