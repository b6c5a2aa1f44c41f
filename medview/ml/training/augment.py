"""Samples that differ each time they are drawn: moved, turned and stretched in one resampling, then changed in value.

All chance comes from the generator that is handed in: the same one gives the same sample, in any process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.errors import ModelError
from medview.ml.spec import Shape3, Vector3
from medview.ml.training.augment_spatial import Way, drawn_way, move_boxes, resample
from medview.ml.training.augment_values import change_values

Floats = npt.NDArray[np.float32]

STRENGTHS: Mapping[str, tuple[str, float, float]] = {
    "spatial_chance": ("share of samples that are turned, scaled, sheared and bent; all of them when not given", 0.0, 1.0),
    "rotate": ("largest angle in degrees, either way; in the plane of the slices where those are thick", 0.0, 180.0),
    "scale": ("0.25 for sizes from 1 / 1.25 to 1.25", 0.0, 1.0),
    "stretch": ("as scale, for each axis by itself, on top of it", 0.0, 1.0),
    "shear": ("largest tangent of the angle between axes", 0.0, 1.0),
    "shift": (
        "largest shift as a share of the sample's sides; whole voxels where it is not turned",
        0.0,
        0.5,
    ),
    "elastic": ("deviation of a smooth random bending in voxels; never where there are boxes", 0.0, 16.0),
    "flip_k": ("chance of mirroring along k", 0.0, 1.0),
    "flip_j": ("chance of mirroring along j", 0.0, 1.0),
    "flip_i": ("chance of mirroring along i", 0.0, 1.0),
    "quarter": ("chance of a quarter, half or three-quarter turn in the plane of j and i", 0.0, 1.0),
    "value_chance": ("share of samples that each of the changes of values below is made to; 0.3 when not given", 0.0, 1.0),
    "gain": ("0.25 for contrasts from 1 / 1.25 to 1.25, around the mean", 0.0, 4.0),
    "offset": ("largest number added, in deviations of the sample", 0.0, 4.0),
    "gamma": ("0.5 for exponents from 1 / 1.5 to 1.5 on values between the least and the largest", 0.0, 4.0),
    "noise": ("largest deviation of added noise, in deviations of the sample", 0.0, 4.0),
    "blur": ("largest deviation of a Gaussian blur in voxels", 0.0, 8.0),
    "low_res": ("0.5 for values seen at down to half the resolution", 0.0, 0.9),
}
"""Name of a strength -> what it is, its least and its largest number. What a recipe leaves out is not done."""

VALUE_CHANCE = 0.3


def check_strengths(strengths: Mapping[str, float]) -> None:
    """Refuse strengths that are not among ``STRENGTHS`` or beyond their limits. Raises ModelError."""
    for name, number in strengths.items():
        _, low, high = STRENGTHS.get(name, ("", 1.0, 0.0))
        if not low <= number <= high:
            raise ModelError(f"The recipe's augment.{name} is {number:g}; see docs/training.md for what there is.")


@dataclass(frozen=True, slots=True, eq=False)
class Augmented:
    """A sample of the shape that was asked for.

    Attributes
    ----------
    values : ndarray of float32, shape (channels, k, j, i)
    labels : ndarray of uint8, shape (layers, k, j, i), or None
        ``UNKNOWN`` outside of what was given.
    boxes : ndarray of float32, shape (n, 6)
        Lowest and highest corner of each box given, in the sample's voxels measured at voxel edges; also of boxes outside.
    way : Way
        How the sample lies in what was given.
    """

    values: Floats
    labels: npt.NDArray[np.uint8] | None
    boxes: Floats
    way: Way


def augment_sample(
    values: npt.NDArray[np.floating],
    labels: npt.NDArray[np.uint8] | None,
    boxes: Floats | None,
    strengths: Mapping[str, float],
    rng: np.random.Generator,
    out_shape_kji: Shape3,
    *,
    centre_kji: Vector3 | None = None,
    spacing_kji: Vector3 = (1.0, 1.0, 1.0),
    edge: bool = False,
) -> Augmented:
    """Cut a sample out, moved and changed by chance. Reads no more of the arrays than it needs: they may be mapped files.

    Parameters
    ----------
    values : ndarray, shape (channels, k, j, i)
    labels : ndarray of uint8, shape (layers, k, j, i), or None
        On the grid of the values; taken from the nearest voxel.
    boxes : ndarray, shape (n, 6), or None
        Lowest corner k, j, i and highest corner of boxes at voxel edges: voxel n covers n to n + 1. A turned box becomes
        the one around the turned ellipsoid that fills it.
    strengths : mapping of str to float
        By the names of ``STRENGTHS``; empty for a plain cut, which is exact.
    out_shape_kji : tuple of int
        Where k is 1, nothing is done along k.
    centre_kji : tuple of float, optional
        Where the middle of the sample lies, at voxel edges; the middle of the values when not given.
    spacing_kji : tuple of float
        Size of a voxel in any unit: turns are turns in the patient, not of the grid.
    edge : bool
        Whether the outermost values go on outside; zeros otherwise.
    """
    sides = np.array(values.shape[1:], dtype=np.float64)
    centre = sides / 2 if centre_kji is None else np.array(centre_kji, dtype=np.float64)
    way = drawn_way(strengths, rng, out_shape_kji, centre, spacing_kji, bend=boxes is None)
    moved, moved_labels = resample(values, labels, way, out_shape_kji, edge=edge)
    change_values(moved, strengths, rng, strengths.get("value_chance", VALUE_CHANCE), flat=out_shape_kji[0] == 1)
    given = np.zeros((0, 6), dtype=np.float32) if boxes is None else boxes
    return Augmented(moved, moved_labels, move_boxes(given, way, out_shape_kji), way)
