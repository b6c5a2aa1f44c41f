"""A person who looks at a mask, sees where it is most wrong and points at it; for training and for judging."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.prompt import Prompt, PromptKind
from medview.core.vector import Triple, triple

Mask = npt.NDArray[np.bool_]

_NEAR_MIDDLE = 0.7
"""A hand that is not quite steady points at places at least this deep, as a part of the deepest one."""
_SCRIBBLED = (0.2, 0.8)
"""From where to where of the wrong part's length a scribble runs."""
_SCRIBBLE_POINTS = 6
_CORNERS = 24


def correction(
    truth: Mask,
    found: Mask,
    geometry: Geometry,
    kinds: Sequence[PromptKind],
    rng: np.random.Generator | None = None,
    prompt_id: str = "",
    axes: Sequence[int] = (0, 1, 2),
) -> Prompt | None:
    """Return the next prompt of a person who wants ``truth`` and sees ``found``; None when there is nothing to say.

    Parameters
    ----------
    truth, found : ndarray of bool, shape (k, j, i)
        On ``geometry``.
    kinds : sequence of PromptKind
        One of them is drawn. Boxes are drawn where something is missing only.
    rng : Generator, optional
        For an unsteady hand; None points at the deepest voxel and draws the first of ``kinds``.
    axes : sequence of int
        Across which pictures are looked at; one of them is drawn.
    """
    from scipy import ndimage

    missing, extra = truth & ~found, found & ~truth
    positive = bool(np.count_nonzero(missing) >= np.count_nonzero(extra))
    wrong = missing if positive else extra
    parts, count = ndimage.label(wrong)
    if not count:
        return None
    number = 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    window = ndimage.find_objects(parts, number)[number - 1]
    largest = parts == number
    depth = ndimage.distance_transform_edt(np.pad(largest[window], 1), geometry.spacing_kji_mm)[1:-1, 1:-1, 1:-1]
    places = np.argwhere(depth >= (1.0 if rng is None else _NEAR_MIDDLE) * depth.max())
    at = places[0 if rng is None else int(rng.integers(len(places)))] + [side.start for side in window]
    able = [kind for kind in kinds if positive or kind is not PromptKind.BOX] or [PromptKind.POINT]
    kind = able[0 if rng is None else int(rng.integers(len(able)))]
    axis = axes[0 if rng is None else int(rng.integers(len(axes)))]
    points = None
    if kind is PromptKind.SCRIBBLE:
        points = _scribble(largest.take(at[axis], axis=axis))
    elif kind is PromptKind.BOX:
        points = _box(truth.take(at[axis], axis=axis))
    elif kind is PromptKind.LASSO:
        points = _lasso((truth if positive else largest).take(at[axis], axis=axis))
    if points is None:
        return _prompt(prompt_id, PromptKind.POINT, positive, at[None].astype(float), geometry, axis)
    return _prompt(prompt_id, kind, positive, np.insert(points, axis, at[axis], axis=1), geometry, axis)


def _prompt(
    prompt_id: str,
    kind: PromptKind,
    positive: bool,
    points_kji: npt.NDArray[np.float64],
    geometry: Geometry,
    axis: int,
) -> Prompt:
    first, second = (geometry.affine_lps[:3, n] for n in range(3) if n != axis)
    normal = np.cross(first, second)
    normal /= np.linalg.norm(normal)
    points: tuple[Triple, ...] = tuple(triple(p) for p in geometry.point_lps_mm(points_kji))
    return Prompt(prompt_id, kind, positive, points, triple(normal), geometry.spacing_kji_mm[axis])


def _scribble(wrong: Mask) -> npt.NDArray[np.float64] | None:
    """Return a line through the thick of a flat part, along its longer side; shape (points, 2)."""
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(np.pad(wrong, 1))[1:-1, 1:-1]
    rows, columns = np.nonzero(wrong)
    turned = np.ptp(columns) > np.ptp(rows)
    along = depth.T if turned else depth
    used = np.flatnonzero(along.any(axis=1))
    low, high = (round(used[0] + part * (used[-1] - used[0])) for part in _SCRIBBLED)
    lines = [n for n in np.unique(np.linspace(low, high, _SCRIBBLE_POINTS).round().astype(int)) if along[n].any()]
    if len(lines) < 2:
        return None
    points = np.array([(n, int(along[n].argmax())) for n in lines], dtype=np.float64)
    return points[:, ::-1] if turned else points


def _box(seen: Mask) -> npt.NDArray[np.float64] | None:
    rows, columns = np.nonzero(seen)
    if not rows.size:
        return None
    top, bottom, left, right = rows.min() - 0.7, rows.max() + 0.7, columns.min() - 0.7, columns.max() + 0.7
    return np.array([(top, left), (top, right), (bottom, right), (bottom, left)], dtype=np.float64)


def _lasso(seen: Mask) -> npt.NDArray[np.float64] | None:
    """Return a line around what is seen from its deepest place, a little outside of it; shape (points, 2)."""
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(np.pad(seen, 1))[1:-1, 1:-1]
    middle = np.array(np.unravel_index(int(depth.argmax()), depth.shape), dtype=np.float64)
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    rays = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    steps = np.arange(0.0, max(seen.shape), 0.5)
    places = np.rint(middle + rays[:, None] * steps[:, None]).astype(int)
    inside = ((places >= 0) & (places < seen.shape)).all(axis=-1)
    met = np.zeros(inside.shape, dtype=np.bool_)
    met[inside] = seen[tuple(places[inside].T)]
    # As far as the ray has not left what it began in.
    reach = steps[np.where(met.all(axis=1), met.shape[1] - 1, np.argmin(met, axis=1))] + 0.3
    return np.asarray(middle + rays * reach[:, None])
