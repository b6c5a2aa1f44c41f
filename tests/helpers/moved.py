"""Volumes that lie elsewhere by a known turn and shift, resampled by SimpleITK."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from medview.core.geometry import Geometry
from medview.core.volume import Volume

FloatArray = npt.NDArray[np.float64]


def itk_image(volume: Volume) -> sitk.Image:
    """Return the values of a volume with its grid as SimpleITK states it."""
    geometry = volume.geometry
    image = sitk.GetImageFromArray(volume.values())
    image.SetOrigin(geometry.point_lps_mm((0, 0, 0)).tolist())
    image.SetSpacing(geometry.spacing_kji_mm[::-1])
    image.SetDirection(geometry.directions_kji[::-1].T.ravel().tolist())
    return image


def rigid(angles_deg: tuple[float, float, float], shift_mm: tuple[float, float, float], about: FloatArray) -> FloatArray:
    """Return the 4 x 4 matrix of a turn about a point and a shift."""
    transform = _euler(angles_deg, shift_mm, about)
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
    matrix[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    return matrix


def moved(
    volume: Volume,
    angles_deg: tuple[float, float, float],
    shift_mm: tuple[float, float, float],
    frame: str = "9.9.9",
    spacing_kji_mm: tuple[float, float, float] = (3.0, 1.2, 1.2),
) -> tuple[Volume, FloatArray]:
    """Return a volume whose content was turned about its middle and shifted, on another grid, and the matrix."""
    geometry = volume.geometry
    middle = geometry.point_lps_mm((np.array(geometry.shape_kji) - 1) / 2)
    matrix = rigid(angles_deg, shift_mm, middle)
    corners = geometry.corners_lps_mm() @ matrix[:3, :3].T + matrix[:3, 3]
    low, high = corners.min(axis=0), corners.max(axis=0)
    count = [int(n) + 1 for n in np.ceil((high - low) / np.array(spacing_kji_mm[::-1]))]
    wanted = sitk.Image(count, sitk.sitkFloat32)
    wanted.SetOrigin(low.tolist())
    wanted.SetSpacing(spacing_kji_mm[::-1])
    back = _euler(angles_deg, shift_mm, middle).GetInverse()
    found = sitk.Resample(itk_image(volume), wanted, back, sitk.sitkLinear, float(volume.values().min()))
    grid = Geometry.from_spacing((count[2], count[1], count[0]), spacing_kji_mm, (low[0], low[1], low[2]), frame)
    return Volume(sitk.GetArrayFromImage(found), grid, modality=volume.modality, description="moved"), matrix


def _euler(
    angles_deg: tuple[float, float, float], shift_mm: tuple[float, float, float], about: FloatArray
) -> sitk.Euler3DTransform:
    transform = sitk.Euler3DTransform()
    transform.SetCenter(about.tolist())
    transform.SetRotation(*np.deg2rad(angles_deg).tolist())
    transform.SetTranslation(shift_mm)
    return transform
