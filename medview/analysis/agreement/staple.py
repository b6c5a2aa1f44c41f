"""What several readers most probably meant, weighing each by how it performs (STAPLE)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from medview.core.errors import LabelError
from medview.core.job import Inline, JobContext

Mask = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Codes = npt.NDArray[np.unsignedinteger]

_MOST_ROUNDS = 500
_AT_REST = 1e-14
"""Square of a change of a rate that is none any more, as SimpleITK has it."""
_SLAB_VOXELS = 1 << 22
_COUNTED_READERS = 16
"""Up to so many readers, what voxels say is counted in a table, which is quicker than sorting it."""
_MOST_READERS = 64


def staple(
    masks: Sequence[Mask], context: JobContext | None = None, known: Sequence[Mask | None] = ()
) -> tuple[Mask, list[tuple[float, float]]]:
    """Return the voxels that are more probable than not, and the sensitivity and specificity of each mask beside them.

    Estimated together by expectation and maximisation (Warfield, Zou and Wells 2004). Voxels of which all readers say the
    same are equally probable, so the rounds go over the few ways there are to agree and disagree, and how many voxels each
    has; SimpleITK goes over all voxels in every round, comes to the same, and cannot be cancelled in a round of seconds.

    How probable a voxel is before anybody looked, and the specificities with it, depend on how much background is looked
    at: here it is the box that is given and one voxel around it. Masks that are all empty, or all the same, are what they
    are.

    Parameters
    ----------
    masks : sequence of ndarray of bool, shape (k, j, i)
        One or more, all of the smallest box that holds every voxel of them.
    context : JobContext, optional
        Asked slab by slab whether to go on.
    known : sequence of (ndarray of bool or None), optional
        Where the reader of each mask knows what is there; None for everywhere, as for all when it is left out. A reader
        has no part in what is said of other voxels. Of a voxel nobody knows nothing is said: it is not held.

    Raises
    ------
    LabelError
        Of more than 64 masks, one whose reader knows a part only counting as two.
    """
    context = context or Inline()
    # A bit of a code says whether a reader drew the voxel; of who knows only a part, one more whether it is unknown.
    partly = [n for n, of_reader in enumerate(known) if of_reader is not None]
    unknown = [~of_reader for of_reader in known if of_reader is not None]
    bits = [*(mask & ~unknown[partly.index(n)] if n in partly else mask for n, mask in enumerate(masks)), *unknown]
    if len(bits) > _MOST_READERS:
        raise LabelError(f"STAPLE weighs up to {_MOST_READERS} readers, and {len(bits)} labelled this; choose some.")
    counts: dict[int, int] = {}
    for codes in _codes(bits, context):
        for code, count in _counted(codes, len(bits)):
            counts[code] = counts.get(code, 0) + count
    ways, drew, knew = _ways(counts, len(masks), partly)
    if all(not some.any() or np.array_equal(some, those) for some, those in zip(drew, knew, strict=True)):
        # Nobody says otherwise than anybody.
        held = bits[0].copy()
        for mask in bits[1 : len(masks)]:
            held |= mask
        return held, [(1.0, 1.0)] * len(masks)
    # Without a voxel of background, as where masks fill the grid, specificity would be 0 over 0.
    shape = masks[0].shape
    counts[0] = counts.get(0, 0) + int(np.prod([extent + 2 for extent in shape])) - int(np.prod(shape))
    ways, drew, knew = _ways(counts, len(masks), partly)
    probable, rates = _estimated(drew, knew, np.array([counts[way] for way in ways], dtype=np.float64))
    wanted = np.array(ways, dtype=np.uint64)[probable > 0.5]
    held = np.zeros(shape, dtype=np.bool_)
    start = 0
    for codes in _codes(bits, context):
        held[start : start + len(codes)] = np.isin(codes, wanted.astype(codes.dtype))
        start += len(codes)
    return held, rates


def _ways(counts: dict[int, int], readers: int, partly: Sequence[int]) -> tuple[list[int], Mask, Mask]:
    """Return the codes of voxels that anybody knows, and who drew and who knows those of each, shape (ways, readers)."""
    ways: list[int] = []
    drew: list[list[bool]] = []
    knew: list[list[bool]] = []
    for code in sorted(counts):
        knows = [True] * readers
        for bit, n in enumerate(partly, start=readers):
            knows[n] = not code >> bit & 1
        if any(knows):
            ways.append(code)
            drew.append([bool(code >> n & 1) for n in range(readers)])
            knew.append(knows)
    return ways, np.array(drew, dtype=np.bool_), np.array(knew, dtype=np.bool_)


def _codes(masks: Sequence[Mask], context: JobContext) -> Iterator[Codes]:
    """Yield slabs of what is said of each voxel: bit n is set where mask n holds it."""
    depth, rows, columns = masks[0].shape
    dtype = np.min_scalar_type((1 << len(masks)) - 1)
    step = max(1, _SLAB_VOXELS // max(1, rows * columns))
    for k in range(0, depth, step):
        context.raise_if_cancelled()
        codes = masks[0][k : k + step].astype(dtype)
        for n, mask in enumerate(masks[1:], start=1):
            codes |= mask[k : k + step].astype(dtype) << dtype.type(n)
        yield codes


def _counted(codes: Codes, readers: int) -> Iterator[tuple[int, int]]:
    """Yield each code that occurs and how often."""
    if readers <= _COUNTED_READERS:
        table = np.bincount(codes.ravel())
        found = np.flatnonzero(table)
        counts = table[found]
    else:
        found, counts = np.unique(codes, return_counts=True)
    yield from zip(found.tolist(), counts.tolist(), strict=True)


def _estimated(drew: Mask, knew: Mask, count: FloatArray) -> tuple[FloatArray, list[tuple[float, float]]]:
    """Return how probable each way to agree is, and sensitivity and specificity of each reader.

    Parameters
    ----------
    drew, knew : ndarray of bool, shape (ways, readers)
        Who drew it, and who knows; somebody knows each. Nobody draws what they do not know.
    count : ndarray of float64, shape (ways,)
        Voxels of each way.
    """
    # At first a voxel is as probable as there are readers who drew it, as SimpleITK has it.
    probable = drew.sum(axis=1) / knew.sum(axis=1)
    against = knew & ~drew
    before = float((count * probable).sum() / count.sum())
    rates: FloatArray | None = None
    for _round in range(_MOST_ROUNDS):
        there, background = count * probable, count * (1.0 - probable)
        sensitivity = _part(there, drew, knew)
        specificity = _part(background, against, knew)
        # Who does not know drops out of the product.
        if_there = before * np.where(drew, sensitivity, np.where(knew, 1.0 - sensitivity, 1.0)).prod(axis=1)
        if_not = (1.0 - before) * np.where(drew, 1.0 - specificity, np.where(knew, specificity, 1.0)).prod(axis=1)
        both = if_there + if_not
        probable = np.divide(if_there, both, out=np.zeros_like(both), where=both > 0)
        last, rates = rates, np.concatenate((sensitivity, specificity))
        if last is not None and np.square(rates - last).max() <= _AT_REST:
            break
    return probable, [(float(a), float(b)) for a, b in zip(sensitivity, specificity, strict=True)]


def _part(count: FloatArray, some: Mask, of: Mask) -> FloatArray:
    """Return what part of the voxels each reader knows ``some`` are; 0 where there are none."""
    every = (count[:, np.newaxis] * of).sum(axis=0)
    part = np.divide((count[:, np.newaxis] * some).sum(axis=0), every, out=np.zeros_like(every), where=every > 0)
    return np.asarray(part)
