"""The grid a phantom is painted on, and the paint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry

Array = npt.NDArray[np.float32]
AnyFloats = npt.NDArray[np.floating[Any]]

EDGE_MM = 1.7
"""Width of the ramp between two tissues: the partial volume of a voxel and the blur of a scanner."""

Region = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Coordinates of voxel centres in the phantom's own millimetres.

    x grows to the patient's left, y to the back, z to the head, as in LPS; the origin lies in the middle of the chest.

    Attributes
    ----------
    z_mm, y_mm, x_mm : ndarray of float32
        Shapes (k, 1, 1), (1, j, 1) and (1, 1, i), so that they broadcast to (k, j, i).
    """

    z_mm: Array
    y_mm: Array
    x_mm: Array

    @classmethod
    def centred(
        cls,
        shape_kji: tuple[int, int, int],
        spacing_kji_mm: tuple[float, float, float],
        shift_lps_mm: tuple[float, float, float],
    ) -> Grid:
        """Return a grid around the origin, moved by ``shift_lps_mm`` (how the patient lies this time)."""
        z, y, x = (
            ((np.arange(n) - (n - 1) / 2) * spacing + shift).astype(np.float32)
            for n, spacing, shift in zip(shape_kji, spacing_kji_mm, shift_lps_mm[::-1], strict=True)
        )
        return cls(z[:, None, None], y[None, :, None], x[None, None, :])

    @classmethod
    def of(cls, geometry: Geometry) -> Grid:
        """Return the grid of an axial geometry, in its LPS millimetres."""
        shape, origin, spacing = geometry.shape_kji, geometry.affine_lps[:3, 3], geometry.spacing_kji_mm
        z, y, x = (
            (first + np.arange(n) * step).astype(np.float32)
            for n, first, step in zip(shape, origin[::-1], spacing, strict=True)
        )
        return cls(z[:, None, None], y[None, :, None], x[None, None, :])

    @property
    def shape_kji(self) -> tuple[int, int, int]:
        """Voxels along k, j, i."""
        return self.z_mm.shape[0], self.y_mm.shape[1], self.x_mm.shape[2]

    def around(self, low_lps_mm: npt.ArrayLike, high_lps_mm: npt.ArrayLike) -> Region:
        """Return the slices of the voxels between two corners; empty slices outside the grid."""
        low, high = np.asarray(low_lps_mm, dtype=np.float32), np.asarray(high_lps_mm, dtype=np.float32)
        axes = (self.z_mm.ravel(), self.y_mm.ravel(), self.x_mm.ravel())
        k, j, i = (
            slice(int(np.searchsorted(axis, a)), int(np.searchsorted(axis, b, side="right")))
            for axis, a, b in zip(axes, low[::-1], high[::-1], strict=True)
        )
        return k, j, i

    def part(self, region: Region) -> Grid:
        """Return the grid of a region."""
        k, j, i = region
        return Grid(self.z_mm[k], self.y_mm[:, j], self.x_mm[:, :, i])


def coverage(distance_mm: AnyFloats, edge_mm: float = EDGE_MM) -> Array:
    """Return how much of each voxel lies inside a surface, 0 to 1.

    Parameters
    ----------
    distance_mm : ndarray
        Signed distance of voxel centres to the surface; negative inside. Left as it is.
    """
    inside = distance_mm * np.float32(-1 / edge_mm)
    inside += np.float32(0.5)
    return np.asarray(np.clip(inside, 0, 1, out=inside), dtype=np.float32)


def paint(hu: Array, cover: Array, tissue_hu: float | AnyFloats) -> None:
    """Lay a tissue over ``hu`` in place, mixed where it covers a voxel in part."""
    hu += cover * (np.asarray(tissue_hu, dtype=np.float32) - hu)


def smooth_max(a: AnyFloats, b: AnyFloats, rounding_mm: float) -> Array:
    """Maximum of two distances with a rounded edge: the intersection of two solids without a crease."""
    bump = np.float32(rounding_mm) - np.abs(a - b)
    np.maximum(bump, 0, out=bump)
    bump *= bump
    bump *= np.float32(0.25 / rounding_mm)
    return np.asarray(bump + np.maximum(a, b), dtype=np.float32)


def superellipse(
    across: AnyFloats, along: AnyFloats, radius_across: AnyFloats, radius_along: AnyFloats, exponent: float
) -> Array:
    """Distance along the ray from the centre to a superellipse, in mm, negative inside.

    ``across`` and ``along`` are coordinates relative to the centre; radii may change from slice to slice.
    """
    norm = np.abs(across / radius_across) ** np.float32(exponent) + np.abs(along / radius_along) ** np.float32(exponent)
    norm = np.maximum(norm, np.float32(1e-6)) ** np.float32(1 / exponent)
    ray = np.sqrt(across * across + along * along)
    return np.asarray(ray - ray / norm, dtype=np.float32)


def texture(shape_kji: tuple[int, int, int], cells_kji: tuple[int, int, int], rng: np.random.Generator) -> Array:
    """Smooth random field of about unit variance: white noise on a coarse grid, interpolated linearly along each axis."""
    field = rng.standard_normal(cells_kji, dtype=np.float32)
    for axis, (n, cells) in enumerate(zip(shape_kji, cells_kji, strict=True)):
        at = np.linspace(0, cells - 1, n)
        low = np.minimum(at.astype(int), cells - 2)
        share = (at - low).astype(np.float32)
        weights = np.zeros((n, cells), dtype=np.float32)
        weights[np.arange(n), low] = 1 - share
        weights[np.arange(n), low + 1] = share
        field = np.moveaxis(np.tensordot(weights, field, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(field)
