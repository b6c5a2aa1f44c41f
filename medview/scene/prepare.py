"""A volume made small enough for three dimensions."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from medview.core.errors import GeometryError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import JobContext
from medview.core.segmentation import Segment, Segmentation
from medview.core.volume import Volume
from medview.scene.grid import Grid, SurfaceStyle
from medview.scene.presets import HU_RANGE, PARTS, in_hounsfield

MOST_VOXELS = 192**3
"""Drawn without a graphics card this many take about a tenth of a second per picture."""
_MOST_ALONG = 512
"""Graphics cards refuse longer textures."""
_BLUR = 0.7
"""Standard deviation in voxels. Light on unsmoothed voxels shows their noise and steps like the grain of wood."""
_LOW_PERCENTILE, _HIGH_PERCENTILE = 0.5, 99.8


def factors_kji(geometry: Geometry, most_voxels: int = MOST_VOXELS) -> tuple[int, int, int]:
    """Return how many voxels along k, j, i become one, so that voxels become about as long as wide and few enough.

    Raises
    ------
    GeometryError
        When the grid has no depth or no millimetres.
    """
    if geometry.calibration is not Calibration.VOLUME:
        raise GeometryError("These slices have no known distance from each other, so they have no three dimensions.")
    if min(geometry.shape_kji) < 2:
        raise GeometryError("A single slice has no third dimension.")
    spacing, shape = geometry.spacing_kji_mm, geometry.shape_kji
    for size_mm in sorted({n * d for d in spacing for n in range(1, max(shape) + 1)}):
        found = [max(1, min(int(size_mm / d + 1e-6), n // 2)) for d, n in zip(spacing, shape, strict=True)]
        counts = [-(-n // f) for n, f in zip(shape, found, strict=True)]
        if np.prod(counts, dtype=np.int64) <= most_voxels and max(counts) <= _MOST_ALONG:
            return found[0], found[1], found[2]
    return shape[0] // 2, shape[1] // 2, shape[2] // 2


def small_volume(volume: Volume, context: JobContext, most_voxels: int = MOST_VOXELS) -> Grid:
    """Return the means of blocks of voxels, a little smoothed, exactly where the blocks are in the patient.

    CT becomes HU within ``HU_RANGE``; anything else 0 to ``PARTS`` between its lowest and highest usual value. What lies
    outside the field of view becomes the lowest number.

    Raises
    ------
    GeometryError
        When the volume has no three dimensions.
    """
    from scipy import ndimage  # late: the window imports this module at start

    geometry = volume.geometry
    factors = factors_kji(geometry, most_voxels)
    fk = factors[0]
    count = geometry.shape_kji[0]
    rows: list[npt.NDArray[np.float32]] = []
    for k in range(0, count, fk):
        context.raise_if_cancelled()
        context.progress(k / count, "")
        rows.append(_block_row(volume, slice(k, min(k + fk, count)), factors))
    means = np.stack(rows)
    low, high, scale = _range(volume, means)
    np.nan_to_num(means, copy=False, nan=low, posinf=high, neginf=low)
    np.clip(means, low, high, out=means)
    if scale != 1.0:
        means -= np.float32(low)
        means *= np.float32(scale)
    smooth = ndimage.gaussian_filter(means, _BLUR)
    return Grid(np.rint(smooth).astype(np.int16), _block_affine(geometry, factors)).right_handed()


def small_labels(
    segmentation: Segmentation, segments: Iterable[Segment], most_voxels: int = MOST_VOXELS
) -> tuple[tuple[Grid, ...], tuple[SurfaceStyle, ...]]:
    """Return every n-th label of the layers of some segments, where it is in the patient, and those segments.

    The arrays are copies: drawing may go on.
    """
    geometry = segmentation.geometry
    factors = factors_kji(geometry, most_voxels)
    starts = [f // 2 for f in factors]
    affine = np.array(geometry.affine_lps)
    affine[:3, 3] = geometry.point_lps_mm(starts)
    affine[:3, :3] *= factors
    grids: list[Grid] = []
    numbers: dict[int, int] = {}
    styles: list[SurfaceStyle] = []
    for segment in segments:
        layer = segmentation.layers.get(segment.layer_id)
        if layer is None:
            continue
        if segment.layer_id not in numbers:
            numbers[segment.layer_id] = len(grids)
            picked = layer.voxels[tuple(slice(s, None, f) for s, f in zip(starts, factors, strict=True))]
            grids.append(Grid(picked.copy(), affine).right_handed())
        styles.append(SurfaceStyle(segment.name, segment.colour, numbers[segment.layer_id], segment.value))
    return tuple(grids), tuple(styles)


def _block_row(volume: Volume, span: slice, factors: tuple[int, int, int]) -> npt.NDArray[np.float32]:
    values = volume.values((span,))
    outside = volume.is_padding(volume.voxels[span])
    if volume.colour:
        values = values.mean(axis=3)
    _, fj, fi = factors
    if not outside.any():
        sums = _summed(values, fj, fi)
        return np.asarray(sums / _counts(values.shape, fj, fi), dtype=np.float32)
    # A mean with what is no measurement would put a rim around the field of view.
    sums = _summed(np.where(outside, np.float32(0), values), fj, fi)
    inside = _summed((~outside).astype(np.float32), fj, fi)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(inside > 0, sums / inside, np.nan), dtype=np.float32)


def _summed(values: npt.NDArray[np.float32], fj: int, fi: int) -> npt.NDArray[np.float32]:
    flat = values.sum(axis=0) if len(values) > 1 else values[0]
    if fj > 1:
        flat = np.add.reduceat(flat, np.arange(0, flat.shape[0], fj), axis=0)
    if fi > 1:
        flat = np.add.reduceat(flat, np.arange(0, flat.shape[1], fi), axis=1)
    return np.asarray(flat)


def _counts(shape: tuple[int, ...], fj: int, fi: int) -> npt.NDArray[np.float32]:
    nk, nj, ni = shape
    down = np.minimum(fj, nj - np.arange(0, nj, fj))
    across = np.minimum(fi, ni - np.arange(0, ni, fi))
    return np.asarray(nk * down[:, None] * across[None, :], dtype=np.float32)


def _block_affine(geometry: Geometry, factors: tuple[int, int, int]) -> npt.NDArray[np.float64]:
    affine = np.array(geometry.affine_lps)
    affine[:3, 3] = geometry.point_lps_mm([(f - 1) / 2 for f in factors])
    affine[:3, :3] *= factors
    return affine


def _range(volume: Volume, means: npt.NDArray[np.float32]) -> tuple[float, float, float]:
    """Return the lowest and highest value to keep and what a value above the lowest is multiplied by."""
    if in_hounsfield(volume.modality, volume.unit):
        return HU_RANGE[0], HU_RANGE[1], 1.0
    seen = means[np.isfinite(means)]
    if seen.size == 0:
        return 0.0, 1.0, float(PARTS)
    above = seen[seen > seen.min()]
    low = float(np.percentile(seen, _LOW_PERCENTILE))
    # The empty surroundings, which may be most of it, say nothing about how bright the bright parts are.
    high = float(np.percentile(above if above.size else seen, _HIGH_PERCENTILE))
    high = max(high, low + 1e-6)
    return low, high, PARTS / (high - low)
