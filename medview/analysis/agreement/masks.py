"""How far two masks of one thing go together: overlap, surfaces, volume."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.surfaces import surface_axes, surface_distances_mm, surface_of, surfaces_in_mm
from medview.core.box import Box
from medview.core.errors import GeometryError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline, JobContext

TOLERANCE_MM = 2.0
"""How far apart surfaces may lie and still count as one, unless another tolerance is asked for."""

_ROUNDING_MM = 1e-6
"""Five voxels of 0.3 mm are no further than 1.5 mm, whatever their sum comes to in floating point."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class MaskAgreement:
    """Two masks of one thing. Where one is the truth or the reference, it is the first.

    Where both are empty they agree that there is nothing: all figures are None, and means leave the pair out. Where one
    is, all overlaps are 0 and no distance exists.

    Attributes
    ----------
    voxel_ml : float or None
        Volume of a voxel; None where the grid has no millimetres along all axes. There are no distances then either,
        except on a single slice with millimetres in it.
    tolerance_mm : float
        Of ``surface_dice``.
    surface_dice : float or None
        Part of the voxels of both surfaces that lie no further than the tolerance from the other surface, 0 to 1.
    mean_surface_mm : float or None
        Mean of the distances of all voxels of both surfaces to the other surface (average symmetric surface distance).
    hd95_mm, hd_mm : float or None
        95th percentile and largest of the distances from one surface to the other, of the side where it is larger.
    left_out : int
        Voxels of either mask that were not compared, since nothing is known there.
    """

    first_voxels: int
    second_voxels: int
    common_voxels: int
    voxel_ml: float | None
    tolerance_mm: float
    surface_dice: float | None = None
    mean_surface_mm: float | None = None
    hd95_mm: float | None = None
    hd_mm: float | None = None
    left_out: int = 0

    @property
    def both_empty(self) -> bool:
        """Whether neither holds a voxel."""
        return not self.first_voxels and not self.second_voxels

    @property
    def one_empty(self) -> bool:
        """Whether exactly one of them holds no voxel."""
        return bool(self.first_voxels) != bool(self.second_voxels)

    @property
    def dice(self) -> float | None:
        """Twice the common part over the sum of both, 0 to 1; None where both are empty."""
        both = self.first_voxels + self.second_voxels
        return 2.0 * self.common_voxels / both if both else None

    @property
    def iou(self) -> float | None:
        """The common part over what either holds, 0 to 1; None where both are empty."""
        union = self.first_voxels + self.second_voxels - self.common_voxels
        return self.common_voxels / union if union else None

    @property
    def first_ml(self) -> float | None:
        """Volume of the first."""
        return None if self.voxel_ml is None else self.first_voxels * self.voxel_ml

    @property
    def second_ml(self) -> float | None:
        """Volume of the second."""
        return None if self.voxel_ml is None else self.second_voxels * self.voxel_ml

    @property
    def volume_difference_ml(self) -> float | None:
        """Volume of the second less that of the first; None where both are empty."""
        if self.voxel_ml is None or self.both_empty:
            return None
        return (self.second_voxels - self.first_voxels) * self.voxel_ml

    @property
    def volume_difference_of_first(self) -> float | None:
        """The difference of the volumes as a part of the first; None where that is empty."""
        return (self.second_voxels - self.first_voxels) / self.first_voxels if self.first_voxels else None

    @property
    def volume_difference_of_mean(self) -> float | None:
        """The difference of the volumes as a part of their mean, -2 to 2: for readers of whom neither is the reference."""
        both = self.first_voxels + self.second_voxels
        return 2.0 * (self.second_voxels - self.first_voxels) / both if both else None


def mask_agreement(
    first: Mask,
    second: Mask,
    geometry: Geometry,
    tolerance_mm: float = TOLERANCE_MM,
    known: Mask | None = None,
    context: JobContext | None = None,
) -> MaskAgreement:
    """Compare two masks. Looks at the box around both only; belongs into a worker.

    Parameters
    ----------
    first, second : ndarray of bool, shape ``geometry.shape_kji``
    known : ndarray of bool, same shape, optional
        Where something is known; the rest is left out. Everywhere when not given.

    Raises
    ------
    GeometryError
        When a mask does not lie on the grid.
    """
    context = context or Inline()
    box = box_around((first, second), geometry)
    voxel_ml = geometry.voxel_volume_mm3 / 1000.0 if geometry.calibration is Calibration.VOLUME else None
    if box is None:
        return MaskAgreement(0, 0, 0, voxel_ml, tolerance_mm)
    # One voxel more: what lies beside a mask decides whether that is its surface.
    box = box.padded((1, 1, 1)).clipped(geometry.shape_kji)
    a, b, grid = first[box.slices], second[box.slices], geometry.cropped(box)
    left_out = 0
    if known is not None:
        known = known[box.slices]
        left_out = int(np.count_nonzero((a | b) & ~known))
        a, b = a & known, b & known
    counts = (int(np.count_nonzero(a)), int(np.count_nonzero(b)), int(np.count_nonzero(a & b)))
    context.raise_if_cancelled()
    has_mm = surfaces_in_mm(geometry)
    if not has_mm or not all(counts[:2]):
        surface_dice = 0.0 if has_mm and any(counts[:2]) else None
        return MaskAgreement(*counts, voxel_ml, tolerance_mm, surface_dice, left_out=left_out)
    axes = surface_axes(geometry)
    surfaces = surface_of(a, known, axes), surface_of(b, known, axes)
    if not (surfaces[0].any() and surfaces[1].any()):
        return MaskAgreement(*counts, voxel_ml, tolerance_mm, left_out=left_out)
    sides = surface_distances_mm(*surfaces, grid, context)
    every = np.concatenate(sides)
    return MaskAgreement(
        *counts,
        voxel_ml,
        tolerance_mm,
        float(np.count_nonzero(every <= tolerance_mm + _ROUNDING_MM) / every.size),
        float(every.mean()),
        float(max(np.percentile(side, 95) for side in sides)),
        float(every.max()),
        left_out,
    )


def box_around(masks: Iterable[Mask], geometry: Geometry) -> Box | None:
    """Return the smallest box around what any of the masks holds, None where that is nothing.

    Raises
    ------
    GeometryError
        When a mask does not lie on the grid.
    """
    boxes: list[Box] = []
    for mask in masks:
        if mask.shape != geometry.shape_kji:
            raise GeometryError(
                "Masks of different grids cannot be compared: bring one of them onto the grid of the other first.",
                detail=f"mask {mask.shape}, grid {geometry.shape_kji}",
            )
        boxes += [box for box in (Box.around(mask),) if box is not None]
    return Box.union_of(boxes)
