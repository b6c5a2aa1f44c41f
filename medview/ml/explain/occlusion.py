"""Occlusion (Zeiler 2014): how far a score falls when a part of the picture is covered."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import torch

MOST_PLACES = 240
"""Covered places at most; each costs a run of the network."""

LEAST_SIDE = 3

AT_ONCE = 2
"""Covered copies that go through the network together."""

Shape = tuple[int, int, int]


def occlusion(
    values: torch.Tensor,
    score: Callable[[torch.Tensor], torch.Tensor],
    side_kji: Shape,
    fill: torch.Tensor,
    tick: Callable[[float], None],
) -> torch.Tensor:
    """Return how far the score falls where the picture is covered, as a mean over the covers on each voxel.

    Parameters
    ----------
    values : Tensor, shape (1, channels, k, j, i)
    score : callable
        From (N, channels, k, j, i) to (N,).
    side_kji : tuple of int
        Of a cover. Covers overlap by half; on large pictures they grow so that ``MOST_PLACES`` are enough.
    fill : Tensor, shape (channels,)
        What covers.
    tick : callable
        Told the fraction that is done before each run; may raise.

    Returns
    -------
    Tensor of float32, shape (k, j, i)
        From 0: places whose cover raises the score speak against it and are left out.
    """
    shape = (values.shape[2], values.shape[3], values.shape[4])
    side = cover_side(shape, side_kji)
    starts = list(product(*(_starts(n, s) for n, s in zip(shape, side, strict=True))))
    sums, counts = torch.zeros(shape), torch.zeros(shape)
    before = float(score(values)[0])
    for n in range(0, len(starts), AT_ONCE):
        tick(n / len(starts))
        here = starts[n : n + AT_ONCE]
        covered = values.repeat(len(here), 1, 1, 1, 1)
        windows = [tuple(slice(a, a + s) for a, s in zip(at, side, strict=True)) for at in here]
        for one, window in zip(covered, windows, strict=True):
            one[(slice(None), *window)] = fill.view(-1, 1, 1, 1)
        for window, after in zip(windows, score(covered).tolist(), strict=True):
            sums[window] += before - after
            counts[window] += 1
    return (sums / counts.clamp(min=1)).clamp(min=0)


def cover_side(shape_kji: Shape, side_kji: Shape) -> Shape:
    """Return the side of a cover with which ``MOST_PLACES`` are enough; slices are covered within themselves."""
    grow = 1.0
    while True:
        k, j, i = (min(n, max(min(LEAST_SIDE, n), math.ceil(s * grow))) for n, s in zip(shape_kji, side_kji, strict=True))
        if math.prod(len(_starts(n, s)) for n, s in zip(shape_kji, (k, j, i), strict=True)) <= MOST_PLACES:
            return k, j, i
        grow *= 1.1


def _starts(length: int, side: int) -> list[int]:
    step = max(1, side // 2)
    last = max(0, length - side)
    return sorted({min(n, last) for n in range(0, last + step, step)})
