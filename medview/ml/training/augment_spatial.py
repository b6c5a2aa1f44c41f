"""Where the voxels of a sample come from: one affine way and a bending, composed before anything is resampled."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from medview.ml.examples import UNKNOWN
from medview.ml.spec import Shape3, Vector3

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

THICK = 3.0
"""Where slices are this much thicker than pixels are wide, nothing is turned out of their plane."""

BEND_VOXELS = 12.0
"""Distance between the knots of a bending."""

SAME = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """From the sample's voxels to those of the source: ``source = centre + matrix @ (place - middle of the sample)``.

    Places are k, j, i at voxel edges: voxel n covers n to n + 1.

    Attributes
    ----------
    matrix : ndarray of float64, shape (3, 3)
    centre : ndarray of float64, shape (3,)
        In the source.
    bending : ndarray of float32, shape (3, k, j, i), or None
        Coarse shifts along k, j, i in voxels of the source, spread over the sample.
    """

    matrix: Doubles
    centre: Doubles
    bending: Floats | None = None

    def plain_steps(self, out_shape_kji: Shape3) -> tuple[list[int], list[int], Doubles] | None:
        """Return how the way is a mere cut: source axis of each axis, direction, first corner; None where it is not."""
        if self.bending is not None:
            return None
        whole = np.rint(self.matrix)
        if np.abs(whole - self.matrix).max() > SAME or not np.array_equal(np.abs(whole).sum(axis=0), np.ones(3)):
            return None
        if not np.array_equal(np.abs(whole).sum(axis=1), np.ones(3)):
            return None
        axes = [int(np.flatnonzero(whole[:, n])[0]) for n in range(3)]
        steps = [int(whole[axis, n]) for n, axis in enumerate(axes)]
        half = np.abs(whole) @ (np.array(out_shape_kji) / 2.0)
        corner = self.centre - half
        return (axes, steps, np.rint(corner)) if np.abs(np.rint(corner) - corner).max() < 1e-6 else None


def drawn_way(
    strengths: Mapping[str, float],
    rng: np.random.Generator,
    out_shape_kji: Shape3,
    centre_kji: Doubles,
    spacing_kji: Vector3,
    *,
    bend: bool,
) -> Way:
    """Draw how a sample lies in its source. The same numbers are drawn whatever comes of them."""
    flat = out_shape_kji[0] == 1
    spacing = np.array(spacing_kji, dtype=np.float64)
    moved = rng.random() < strengths.get("spatial_chance", 1.0)
    angles = np.radians(strengths.get("rotate", 0.0)) * rng.uniform(-1, 1, 3)
    size = rng.uniform(-1, 1) * math.log1p(strengths.get("scale", 0.0))
    sizes = rng.uniform(-1, 1, 3) * math.log1p(strengths.get("stretch", 0.0))
    shears = strengths.get("shear", 0.0) * rng.uniform(-1, 1, 6)
    shift = strengths.get("shift", 0.0) * rng.uniform(-1, 1, 3) * np.array(out_shape_kji)
    matrix = np.eye(3)
    if moved:
        turned = _turn(angles * _turning(spacing, flat=flat))
        sheared = np.eye(3)
        sheared[~np.eye(3, dtype=bool)] = shears
        if flat:
            sheared[0, 1:] = sheared[1:, 0] = 0.0
        grown = np.diag(np.exp(-(size + sizes)))
        # Turned and sheared in the patient, not on a grid whose voxels are longer one way than the other.
        matrix = np.diag(1 / spacing) @ turned @ sheared @ np.diag(spacing) @ grown
    else:
        # By whole voxels: predictions are made on pictures that nothing blurred.
        shift = np.rint(shift)
    if flat:
        matrix[0], matrix[:, 0], shift[0] = (1, 0, 0), (1, 0, 0), 0.0
    matrix = matrix @ _mirrored(strengths, rng, flat=flat) @ _quarters(strengths, rng, spacing, out_shape_kji)
    bending = _bending(strengths.get("elastic", 0.0), rng, out_shape_kji) if bend and strengths.get("elastic") else None
    if flat and bending is not None:
        bending[0] = 0.0
    return Way(matrix, centre_kji + shift, bending if moved else None)


def _turning(spacing: Doubles, *, flat: bool) -> Doubles:
    """Return 1 for axes that things are turned about, 0 for others."""
    if flat:
        return np.array([1.0, 0.0, 0.0])
    thick = spacing > THICK * spacing.min()
    return thick.astype(np.float64) if thick.any() else np.ones(3)


def _turn(angles: Doubles) -> Doubles:
    (ck, cj, ci), (sk, sj, si) = np.cos(angles), np.sin(angles)
    about_k = np.array([[1, 0, 0], [0, ck, -sk], [0, sk, ck]])
    about_j = np.array([[cj, 0, sj], [0, 1, 0], [-sj, 0, cj]])
    about_i = np.array([[ci, -si, 0], [si, ci, 0], [0, 0, 1]])
    return np.asarray(about_k @ about_j @ about_i)


def _mirrored(strengths: Mapping[str, float], rng: np.random.Generator, *, flat: bool) -> Doubles:
    chances = [strengths.get(name, 0.0) for name in ("flip_k", "flip_j", "flip_i")]
    signs = np.where(rng.random(3) < chances, -1.0, 1.0)
    if flat:
        signs[0] = 1.0
    return np.diag(signs)


def _quarters(strengths: Mapping[str, float], rng: np.random.Generator, spacing: Doubles, out_shape_kji: Shape3) -> Doubles:
    turn, count = rng.random() < strengths.get("quarter", 0.0), int(rng.integers(1, 4))
    if not turn:
        return np.eye(3)
    # On pixels that are no squares a quarter turn would stretch what it turns.
    if abs(spacing[1] / spacing[2] - 1) > 1e-3:
        count = 2
    cosine, sine = ((0, 1), (-1, 0), (0, -1))[count - 1]
    return np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]], dtype=np.float64)


def _bending(deviation: float, rng: np.random.Generator, out_shape_kji: Shape3) -> Floats:
    knots = [1 if side == 1 else max(3, round(side / BEND_VOXELS) + 1) for side in out_shape_kji]
    return np.asarray(rng.standard_normal((3, *knots), dtype=np.float32) * np.float32(deviation))


def resample(
    values: npt.NDArray[np.floating],
    labels: npt.NDArray[np.uint8] | None,
    way: Way,
    out_shape_kji: Shape3,
    *,
    edge: bool,
) -> tuple[Floats, npt.NDArray[np.uint8] | None]:
    """Return values, linearly interpolated, and labels of the nearest voxel, ``UNKNOWN`` outside; copies."""
    plain = way.plain_steps(out_shape_kji)
    if plain is not None:
        found = _cut(values, plain, out_shape_kji, None if edge else 0).astype(np.float32)
        return found, None if labels is None else _cut(labels, plain, out_shape_kji, UNKNOWN).astype(np.uint8)
    low, high = _needed(way, out_shape_kji, values.shape[1:])
    window = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    grid = _grid(way, out_shape_kji, low, high)
    source = torch.from_numpy(np.ascontiguousarray(values[:, *window], dtype=np.float32))
    padding = "border" if edge else "zeros"
    with torch.no_grad():
        moved = functional.grid_sample(source[None], grid, "bilinear", padding, align_corners=False)[0]
        if labels is None:
            return moved.numpy(), None
        # Outside is 0 to grid_sample, so that unknown has to be 0 meanwhile.
        below = torch.from_numpy(np.asarray(labels[:, *window], dtype=np.float32) - UNKNOWN)
        nearest = functional.grid_sample(below[None], grid, "nearest", "zeros", align_corners=False)[0]
        return moved.numpy(), (nearest + UNKNOWN).numpy().astype(np.uint8)


def _cut(
    array: npt.NDArray[np.generic], plain: tuple[list[int], list[int], Doubles], out_shape_kji: Shape3, fill: int | None
) -> npt.NDArray[np.generic]:
    """Return a copy of a part along whole voxels; ``fill`` stands outside, or the outermost ones where it is None."""
    axes, steps, corner = plain
    shape = [0, 0, 0]
    for axis, side in zip(axes, out_shape_kji, strict=True):
        shape[axis] = side
    inside, missing = [], []
    for first, side, have in zip(corner.astype(int).tolist(), shape, array.shape[1:], strict=True):
        low = min(max(first, 0), have - 1 if fill is None else have)
        high = max(min(first + side, have), low + 1 if fill is None else low)
        inside.append(slice(low, high))
        # Where nothing of it is inside, all of it is missing on one side.
        before = min(max(low - first, 0), side - (high - low))
        missing.append((before, side - (high - low) - before))
    part = array[:, *inside]
    if any(before or after for before, after in missing):
        widths = [(0, 0), *missing]
        part = np.pad(part, widths, mode="edge") if fill is None else np.pad(part, widths, constant_values=fill)
    turned = part.transpose(0, *(axis + 1 for axis in axes))
    return np.array(turned[:, *(slice(None, None, step) for step in steps)], order="C")


def _needed(way: Way, out_shape_kji: Shape3, sides: tuple[int, ...]) -> tuple[Doubles, Doubles]:
    """Return the corners of the part of the source that the sample shows; at least a voxel, so that there is a source."""
    reach = np.abs(way.matrix) @ (np.array(out_shape_kji) / 2.0) + 1.0
    if way.bending is not None:
        reach += np.abs(way.bending).max(axis=(1, 2, 3))
    last = np.array(sides, dtype=np.float64)
    low = np.clip(np.floor(way.centre - reach), 0, last - 1)
    high = np.clip(np.ceil(way.centre + reach), low + 1, last)
    return low, high


def _grid(way: Way, out_shape_kji: Shape3, low: Doubles, high: Doubles) -> torch.Tensor:
    """Return the places (1, k, j, i, 3) that grid_sample looks at, as shares of a window of the source."""
    sides, out = high - low, np.array(out_shape_kji, dtype=np.float64)
    # From shares (-1 to 1) of the sample to shares of the window, axes in torch's order i, j, k.
    linear = np.diag(2 / sides) @ way.matrix @ np.diag(out / 2)
    start = 2 * (way.centre - low) / sides - 1
    theta = torch.from_numpy(np.concatenate((linear[::-1, ::-1], start[::-1, None]), axis=1).astype(np.float32))
    grid = functional.affine_grid(theta[None], [1, 1, *out_shape_kji], align_corners=False)
    if way.bending is None:
        return grid
    coarse = torch.from_numpy(way.bending[::-1] * (2 / sides[::-1])[:, None, None, None].astype(np.float32))
    return grid + functional.interpolate(coarse[None], out_shape_kji, mode="trilinear", align_corners=True).movedim(1, -1)


def move_boxes(boxes: npt.NDArray[np.floating], way: Way, out_shape_kji: Shape3) -> Floats:
    """Return boxes (n, 6: lowest and highest corner k, j, i at voxel edges) of the source in the sample's voxels."""
    back = np.linalg.inv(way.matrix)
    low, high = np.asarray(boxes[:, :3], dtype=np.float64), np.asarray(boxes[:, 3:], dtype=np.float64)
    middle = ((low + high) / 2 - way.centre) @ back.T + np.array(out_shape_kji) / 2
    # Around the ellipsoid inside the box: exact where axes go to axes, and far tighter than the turned corners elsewhere.
    half = np.sqrt(((high - low) / 2) ** 2 @ (back.T**2))
    return np.concatenate((middle - half, middle + half), axis=1).astype(np.float32)
