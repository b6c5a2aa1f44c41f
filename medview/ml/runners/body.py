"""Where the patient is in a volume, found on a coarse grid: models that allow it need not look at the air around.

What is found is generous: a threshold far into the air's side, everything between two places of the body along any axis
(lungs, bowel, an open field of view), and a margin around it all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cc3d
import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.job import JobContext
from medview.core.volume import Volume
from medview.ml.runners.orientation import Orientation
from medview.ml.spec import Shape3

CELL_MM = 4.0
"""Side of a cell of the coarse grid."""

MARGIN_MM = 16.0
"""Kept around the patient: thin parts between two samples, and context at the skin."""

AIR_BELOW_HU = -500.0

PART_OF_LARGEST = 0.02
"""Pieces at least this large beside the largest one belong to the patient too: legs, arms."""

SHARE_OF_BRIGHT = 0.1
"""Without units: air is darker than this part of what is bright, or than half the value that parts the two best."""

UNSUITED = ("PT", "NM", "US", "XA", "SM")
"""Modalities whose dark voxels are not the air around the patient."""

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """Cells of the model's grid that hold the patient.

    Attributes
    ----------
    cells : ndarray of bool (k, j, i)
    cell_kji : tuple of float
        Size of a cell in voxels of the model's grid.
    shape_kji : tuple of int
        Of the model's grid.
    origin_kji : tuple of int
        Where boxes given to ``meets`` count from.
    rim_kji : tuple of int
        The model's voxels around the patient that a network has to see.
    """

    cells: BoolArray
    cell_kji: tuple[float, float, float]
    shape_kji: Shape3
    origin_kji: Shape3 = (0, 0, 0)
    rim_kji: Shape3 = (0, 0, 0)

    @property
    def box(self) -> Box:
        """The box around the patient, with the rim, on the model's grid."""
        around = Box.around(self.cells) or Box.whole((1, 1, 1))
        k, j, i = (
            (math.floor(low * size), math.ceil(high * size))
            for low, high, size in zip(around.min_kji, around.max_kji, self.cell_kji, strict=True)
        )
        return Box((k[0], j[0], i[0]), (k[1], j[1], i[1])).padded(self.rim_kji).clipped(self.shape_kji)

    def seen_from(self, origin_kji: Shape3) -> Body:
        """Return the same with boxes counted from a voxel of the model's grid."""
        return replace(self, origin_kji=origin_kji)

    def meets(self, box: Box) -> bool:
        """Whether anything of the patient is in a box of voxels."""
        where = tuple(
            slice(max(0, math.floor((low + origin) / size)), max(0, math.ceil((high + origin) / size)))
            for low, high, origin, size in zip(box.min_kji, box.max_kji, self.origin_kji, self.cell_kji, strict=True)
        )
        return bool(self.cells[where].any())


def find_body(
    volumes: Sequence[Volume],
    orientation: Orientation,
    model_shape_kji: Shape3,
    context: JobContext,
    rim_kji: Shape3 = (0, 0, 0),
) -> Body | None:
    """Return where the patient is on a model's grid; None where that cannot be told.

    Parameters
    ----------
    volumes : sequence of Volume
        Channels on one grid; what any of them shows is the patient.
    orientation : Orientation
        How the model sees them.
    model_shape_kji : tuple of int
        Of the model's grid, which covers the same extent.
    rim_kji : tuple of int
        The model's voxels around the patient that a network has to see, such as the reach of its convolutions.

    Raises
    ------
    CancelledError
        Between channels and steps.
    """
    geometry = volumes[0].geometry
    spacing = orientation.turned_numbers(geometry.spacing_kji_mm)
    turned = orientation.turned_shape(geometry.shape_kji)
    steps = [max(1, min(round(CELL_MM / mm), n)) for mm, n in zip(spacing, turned, strict=True)]
    found: BoolArray | None = None
    for volume in volumes:
        context.raise_if_cancelled()
        # The middle of each cell stands for it.
        sampled = orientation.turned(volume.voxels)[tuple(slice(s // 2, None, s) for s in steps)]
        dense = _dense(volume, sampled)
        if dense is not None:
            found = dense if found is None else found | dense
    if found is None or not found.any():
        return None
    context.raise_if_cancelled()
    # A last cell of less than half a step has no middle of its own.
    missing = [(0, math.ceil(n / s) - have) for n, s, have in zip(turned, steps, found.shape, strict=True)]
    cells = np.pad(_between(_large_parts(found)), missing, mode="edge")
    cells = _grown(cells, [math.ceil(MARGIN_MM / (mm * s)) for mm, s in zip(spacing, steps, strict=True)])
    k, j, i = (s * m / n for s, m, n in zip(steps, model_shape_kji, turned, strict=True))
    return Body(cells, (k, j, i), model_shape_kji, rim_kji=rim_kji)


def _dense(volume: Volume, sampled: npt.NDArray[np.generic]) -> BoolArray | None:
    """Return where samples are no air; None where their values do not say."""
    if volume.modality in UNSUITED or sampled.ndim != 3:
        return None
    values = np.nan_to_num(sampled.astype(np.float32) * volume.rescale.slope + volume.rescale.intercept)
    if volume.unit == "HU":
        return np.asarray(values > AIR_BELOW_HU)
    low, high = np.percentile(values, (0.5, 99.5))
    if not high > low:
        return None
    apart = _parting(np.clip(values, low, high))
    return np.asarray(values > low + min(SHARE_OF_BRIGHT * (high - low), (apart - low) / 2.0))


def _parting(values: npt.NDArray[np.float32]) -> float:
    """Return the number that parts dark from bright so that both are as alike in themselves as can be (Otsu 1979)."""
    counts, edges = np.histogram(values, bins=256)
    middles = (edges[:-1] + edges[1:]) / 2.0
    dark = np.cumsum(counts)[:-1].astype(np.float64)
    sums = np.cumsum(counts * middles)
    bright = dark[-1] + counts[-1] - dark
    there = (dark > 0) & (bright > 0)
    dark, bright, below = dark[there], bright[there], sums[:-1][there]
    between = dark * bright * (below / dark - (sums[-1] - below) / bright) ** 2
    return float(middles[:-1][there][int(between.argmax())])


def _large_parts(found: BoolArray) -> BoolArray:
    parts = cc3d.connected_components(found, connectivity=26)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray((sizes >= max(1.0, PART_OF_LARGEST * sizes.max()))[parts])


def _between(found: BoolArray) -> BoolArray:
    """Return what lies between two true cells along any axis, with them."""
    result = np.zeros_like(found)
    for axis in range(3):
        up = np.maximum.accumulate(found, axis=axis)
        down = np.flip(np.maximum.accumulate(np.flip(found, axis), axis=axis), axis)
        result |= up & down
    return result


def _grown(cells: BoolArray, by_kji: Sequence[int]) -> BoolArray:
    """Return the cells with others around them: so many along each axis."""
    from scipy.ndimage import maximum_filter

    return np.asarray(maximum_filter(cells, size=[2 * n + 1 for n in by_kji], mode="constant", cval=0))
