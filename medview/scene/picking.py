"""What lies under a pixel of a picture in three dimensions. Needs no graphics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medview.scene.camera import FloatArray, Shot
from medview.scene.grid import Grid, SurfaceStyle
from medview.scene.presets import Blend, Preset

_STEP = 0.25
"""Of the smallest spacing."""
_SEEN = 0.5
"""Part of the light that has to be held back before one sees a thing rather than through it."""
_FAINT = 0.1
"""Below this there is only background."""

Vector = tuple[float, float, float]


def pick(
    shot: Shot,
    at_px: tuple[float, float],
    grid: Grid | None,
    preset: Preset | None,
    labels: Sequence[Grid] = (),
    styles: Sequence[SurfaceStyle] = (),
) -> tuple[Vector | None, str]:
    """Return the nearest point (LPS mm) that is seen at a pixel, or None, and the name of the segment that it lies on.

    Parameters
    ----------
    at_px : tuple of float
        (x, y) from the upper left corner.
    """
    start, way = shot.ray_lps_mm(*at_px)
    length = 2.0 * shot.stage.radius_mm
    nearest, name = (np.inf, "")
    if grid is not None and preset is not None:
        nearest = _into_volume(grid, preset, start, way, length)
    for number, label_grid in enumerate(labels):
        here = {style.value: style.name for style in styles if style.layer == number}
        distance, value = _to_label(label_grid, list(here), start, way, length)
        # Seen through thin tissue, a surface inside is what is pointed at; at the same depth too.
        if distance <= nearest + max(label_grid.spacing_kji_mm):
            nearest, name = distance, here.get(value, "")
    if not np.isfinite(nearest):
        return None, ""
    point = start + nearest * way
    return (float(point[0]), float(point[1]), float(point[2])), name


def _walk(
    grid: Grid, start: FloatArray, way: FloatArray, length: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
    """Return distances along a ray, the fractional indices (3, n) there, and the step."""
    step = _STEP * min(grid.spacing_kji_mm)
    distances = np.arange(0.0, length, step)
    inverse = np.linalg.inv(grid.affine_lps)
    index = inverse[:3, :3] @ (start[:, None] + way[:, None] * distances) + inverse[:3, 3:]
    return distances, index, step


def _into_volume(grid: Grid, preset: Preset, start: FloatArray, way: FloatArray, length: float) -> float:
    from scipy import ndimage  # late: the window imports this module at start and has no use for it

    if preset.blend is Blend.NOTHING:
        return np.inf
    distances, index, step = _walk(grid, start, way, length)
    edge = np.asarray(grid.voxels.shape)[:, None] - 0.5
    inside = np.all((index >= -0.5) & (index < edge), axis=0)
    if not inside.any():
        return np.inf
    distances, index = distances[inside], index[:, inside]
    values = ndimage.map_coordinates(grid.voxels, index, output=np.float32, order=1, mode="nearest")
    stops = np.asarray(preset.opacity)
    opacity = np.interp(values, stops[:, 0], stops[:, 1])
    if preset.blend is Blend.MAXIMUM:
        best = int(np.argmax(values))
        return float(distances[best]) if opacity[best] > _FAINT else np.inf
    through = np.cumprod((1.0 - np.minimum(opacity, 0.999)) ** (step / grid.stage.opacity_unit_mm))
    held = 1.0 - through
    if held[-1] < _FAINT:
        return np.inf
    if held[-1] >= _SEEN:
        return float(distances[int(np.argmax(held >= _SEEN))])
    return float(distances[int(np.argmax(np.diff(held, prepend=0.0)))])


def _to_label(grid: Grid, values: list[int], start: FloatArray, way: FloatArray, length: float) -> tuple[float, int]:
    distances, index, _ = _walk(grid, start, way, length)
    nearest = np.rint(index).astype(np.intp)
    inside = np.all((nearest >= 0) & (nearest < np.asarray(grid.voxels.shape)[:, None]), axis=0)
    distances, (k, j, i) = distances[inside], nearest[:, inside]
    found = grid.voxels[k, j, i]
    hit = np.isin(found, values)
    if not hit.any():
        return np.inf, 0
    first = int(np.argmax(hit))
    return float(distances[first]), int(found[first])
