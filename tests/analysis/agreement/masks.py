"""Masks for tests of agreement: uneven bodies on an oblique, anisotropic grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from medview.core.geometry import Geometry
from tests.workspace.conftest import oblique_geometry

SHAPE_KJI = (14, 40, 50)

Mask = npt.NDArray[np.bool_]


def grid() -> Geometry:
    """Return 5.0 x 0.9 x 0.6 mm, turned about two axes."""
    return oblique_geometry(SHAPE_KJI)


def sheared_grid() -> Geometry:
    """Return the same with a gantry tilt."""
    affine = np.array(grid().affine_lps)
    affine[:3, 0] += affine[:3, 1] / 0.9 * 5.0 * np.tan(np.deg2rad(20.0))
    return Geometry(SHAPE_KJI, affine, "1.2.3")


def ball(geometry: Geometry, centre_kji: tuple[float, float, float], radius_mm: float) -> Mask:
    """Return the voxels whose centres lie within a ball."""
    at = geometry.point_lps_mm(np.stack(np.indices(geometry.shape_kji), axis=-1)) - geometry.point_lps_mm(centre_kji)
    return np.asarray(np.linalg.norm(at, axis=-1) <= radius_mm)


def boxes(*corners: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]) -> Mask:
    """Return a mask of cuboids, each given by its bounds along k, j and i."""
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    for (k0, k1), (j0, j1), (i0, i1) in corners:
        mask[k0:k1, j0:j1, i0:i1] = True
    return mask


def image_of(mask: Mask, geometry: Geometry) -> sitk.Image:
    """Return a mask for SimpleITK, with the spacing of its grid."""
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(tuple(float(n) for n in reversed(geometry.spacing_kji_mm)))
    return image
