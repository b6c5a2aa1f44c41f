"""How far two masks of lesions go together, lesion by lesion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.masks import box_around
from medview.analysis.agreement.pairing import best_pairs
from medview.analysis.segment_figures import centre_of, volume_ml
from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.job import Inline, JobContext

OVERLAP = 0.1
"""Two lesions are the same one where they share more of their union (IoU) than this, unless another part is asked for."""

_COUNTED_PAIRS = 1 << 22
"""Up to so many pairs of pieces are counted in a table, which is quicker than sorting voxels."""

Mask = npt.NDArray[np.bool_]
Pieces = npt.NDArray[np.unsignedinteger]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lesion:
    """One piece of a mask: voxels that touch at faces, edges or corners.

    Attributes
    ----------
    ml : float or None
        None where the grid has no millimetres along all axes.
    at_kji : tuple of int
        A voxel of it, as near to its middle as there is one.
    """

    voxels: int
    ml: float | None
    at_kji: tuple[int, int, int]

    def shifted(self, by_kji: tuple[int, int, int]) -> Lesion:
        """Return the same lesion elsewhere on the grid."""
        k, j, i = (int(n) for n in np.add(self.at_kji, by_kji))
        return replace(self, at_kji=(k, j, i))


@dataclass(frozen=True, slots=True)
class LesionMatch:
    """A lesion that both found, and the part of the union that is common."""

    first: Lesion
    second: Lesion
    iou: float

    def shifted(self, by_kji: tuple[int, int, int]) -> LesionMatch:
        """Return the same pair elsewhere on the grid."""
        return LesionMatch(self.first.shifted(by_kji), self.second.shifted(by_kji), self.iou)


@dataclass(frozen=True, slots=True)
class LesionAgreement:
    """Lesions of two masks. Where one is the truth or the reference, it is the first.

    Attributes
    ----------
    overlap : float
        IoU above which two are the same lesion.
    matched : tuple of LesionMatch
        One to one.
    missed : tuple of Lesion
        Of the first only, the largest first.
    extra : tuple of Lesion
        Of the second only, the largest first.
    """

    overlap: float
    matched: tuple[LesionMatch, ...]
    missed: tuple[Lesion, ...]
    extra: tuple[Lesion, ...]

    def shifted(self, by_kji: tuple[int, int, int]) -> LesionAgreement:
        """Return the same with voxels counted from elsewhere: of a crop, from the corner of the grid."""
        sides = (tuple(lesion.shifted(by_kji) for lesion in side) for side in (self.missed, self.extra))
        return LesionAgreement(self.overlap, tuple(match.shifted(by_kji) for match in self.matched), *sides)

    @property
    def sensitivity(self) -> float | None:
        """Part of the lesions of the first that the second found; None where the first has none."""
        return _part(len(self.matched), len(self.missed))

    @property
    def precision(self) -> float | None:
        """Part of the lesions of the second that the first has; None where the second has none."""
        return _part(len(self.matched), len(self.extra))

    @property
    def f1(self) -> float | None:
        """Harmonic mean of sensitivity and precision; 0 where one side has none, None where both have none."""
        return _part(2 * len(self.matched), len(self.missed) + len(self.extra))


def lesion_agreement(
    first: Mask | Sequence[Mask],
    second: Mask | Sequence[Mask],
    geometry: Geometry,
    overlap: float = OVERLAP,
    known: Mask | None = None,
    context: JobContext | None = None,
) -> LesionAgreement:
    """Match the pieces of two masks one to one, so that the IoU of the pairs adds up to the most.

    Belongs into a worker.

    Parameters
    ----------
    first, second : ndarray of bool, shape ``geometry.shape_kji``, or sequence of them
        Pieces of several masks of one side are different lesions, even where they touch.
    overlap : float
        Pairs with an IoU above it may match; with 0 one common voxel is enough.
    known : ndarray of bool, same shape, optional
        Where something is known; the rest is left out. Everywhere when not given.

    Raises
    ------
    GeometryError
        When a mask does not lie on the grid.
    """
    context = context or Inline()
    sides = [[side] if isinstance(side, np.ndarray) else list(side) for side in (first, second)]
    box = box_around(sides[0] + sides[1], geometry)
    if box is None:
        return LesionAgreement(overlap, (), (), ())
    within = None if known is None else known[box.slices]
    (pieces, lesions), (others, other_lesions) = (
        numbered_lesions([mask[box.slices] for mask in masks], within, box, geometry, context) for masks in sides
    )
    a, b, common = common_voxels(pieces, others)
    sizes, other_sizes = (np.array([lesion.voxels for lesion in side], dtype=np.int64) for side in (lesions, other_lesions))
    iou = common / (sizes[a] + other_sizes[b] - common)
    context.raise_if_cancelled()
    candidates = np.flatnonzero(iou > overlap)
    chosen = candidates[best_pairs(a[candidates], b[candidates], iou[candidates])]
    matched = tuple(LesionMatch(lesions[a[n]], other_lesions[b[n]], float(iou[n])) for n in chosen)
    return LesionAgreement(overlap, matched, _rest(lesions, a[chosen]), _rest(other_lesions, b[chosen]))


def numbered_lesions(
    masks: Sequence[Mask], known: Mask | None, box: Box, geometry: Geometry, context: JobContext
) -> tuple[Pieces, list[Lesion]]:
    """Return the pieces of all masks, numbered from 1 in the box, and what is told of each."""
    import cc3d  # late: the window imports this module at start

    every: Pieces = np.zeros(box.shape_kji, dtype=np.uint32)
    found: list[Lesion] = []
    for mask in masks:
        context.raise_if_cancelled()
        held = np.ascontiguousarray(mask if known is None else mask & known)
        if not held.any():
            continue
        pieces = cc3d.connected_components(held, connectivity=26)
        every = pieces if not found else np.where(held, pieces + np.uint32(len(found)), every)
        told = cc3d.statistics(pieces)
        for n in range(1, len(told["voxel_counts"])):
            if n % 100 == 0:
                context.raise_if_cancelled()
            inner = told["bounding_boxes"][n]
            corner = tuple(part.start for part in inner)
            place = Box(corner, tuple(part.stop for part in inner)).shifted(box.min_kji)
            voxels = int(told["voxel_counts"][n])
            at_kji = centre_of(pieces[inner] == n, np.asarray(told["centroids"][n]) - corner, place)
            found.append(Lesion(voxels, volume_ml(voxels, geometry), at_kji))
    return every, found


def common_voxels(pieces: Pieces, others: Pieces) -> tuple[IntArray, IntArray, IntArray]:
    """Return which pieces meet, counted from 0, and how many voxels each pair has in common."""
    both = (pieces != 0) & (others != 0)
    width = int(others.max(initial=0)) + 1
    pairs = pieces[both].astype(np.int64) * width + others[both]
    if (int(pieces.max(initial=0)) + 1) * width <= _COUNTED_PAIRS:
        counts = np.bincount(pairs)
        met = np.flatnonzero(counts)
        common = counts[met]
    else:
        met, common = np.unique(pairs, return_counts=True)
    a, b = np.divmod(met, width)
    return a - 1, b - 1, common


def _rest(lesions: list[Lesion], taken: IntArray) -> tuple[Lesion, ...]:
    gone = set(taken.tolist())
    return tuple(sorted((s for n, s in enumerate(lesions) if n not in gone), key=lambda s: -s.voxels))


def _part(of: int, rest: int) -> float | None:
    return of / (of + rest) if of + rest else None
