"""What a box or a lasso was drawn around."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.prompt import Prompt
from medview.core.prompt_shape import voxels_of
from medview.edit.depths import depth_mm
from medview.edit.hang_together import hanging_together

Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float32]

_DEEPER = 0.8
"""How deep what a flat prompt encloses may be across its picture, as a part of its diagonal; half of it to each side."""
_CORE = 0.5
"""At least this part as deep as the deepest place: what of the enclosed is surely meant."""
_RIM = 0.25
"""How far around is looked at for what is not meant, as a part of the longest side."""
_NOISES = 3.0
_FURTHER = 4.0
"""Values on the far side of the middle may lie so many times as far from it as the edge does."""


def prism_of(prompt: Prompt, geometry: Geometry, region: Box) -> Mask | None:
    """Return what lies before and behind what a flat prompt encloses, of the region's shape; None where nothing does."""
    diagonal_mm = float(np.linalg.norm(np.ptp(np.asarray(prompt.points_lps_mm), axis=0)))
    box, mask = voxels_of(replace(prompt, thickness_mm=max(prompt.thickness_mm, _DEEPER * diagonal_mm)), geometry)
    common = box.intersection(region)
    if common.empty:
        return None
    found = np.zeros(region.shape_kji, dtype=np.bool_)
    found[common.within(region).slices] = mask[common.within(box).slices]
    return found


def inside_flat(
    values: Values, enclosed: Mask, prism: Mask, around: Mask, spacing_kji_mm: tuple[float, float, float]
) -> Mask:
    """Return the object that a box or a lasso was drawn around: what differs from what lies around it on its picture.

    Parameters
    ----------
    values : ndarray of float32, shape (k, j, i)
        NaN where nothing was measured.
    enclosed, prism : ndarray of bool
        What the prompt encloses on its picture, and what lies before and behind that too and may be written.
    around : ndarray of bool
        The picture it was drawn on, as thick as what is enclosed.
    """
    from scipy import ndimage

    depth = depth_mm(enclosed | ~around, spacing_kji_mm)
    depth[~enclosed] = 0.0
    core = enclosed & (depth >= _CORE * depth.max())
    sides = ndimage.find_objects(enclosed.astype(np.uint8))[0]
    reach = max(2, round(_RIM * max(side.stop - side.start for side in sides)))
    rim = ndimage.binary_dilation(enclosed, iterations=reach, mask=around | enclosed) & ~enclosed & np.isfinite(values)
    inner = float(np.median(values[core]))
    outer = float(np.median(values[rim])) if rim.any() else inner
    noise = float(np.median(np.abs(values[core] - inner)))
    if abs(inner - outer) <= _NOISES * noise:
        return enclosed & prism
    edge = (inner + outer) / 2
    far = inner + _FURTHER * (inner - edge)
    with np.errstate(invalid="ignore"):
        alike = prism & (values >= min(edge, far)) & (values <= max(edge, far))
    if not np.any(core & alike):
        return enclosed & prism
    found: Mask = ndimage.binary_fill_holes(hanging_together(alike, core & alike))
    return found & prism
