"""Whether a heat map can be believed: the score has to fall faster without its hottest places than without others."""

from __future__ import annotations

from collections.abc import Callable

import torch

from medview.core.explanation import DeletionCheck

PARTS = (0.002, 0.01, 0.05)
"""Of the picture that are taken away."""

ELSEWHERE = 2
"""Other places that are taken away in place of the hottest, each the same shape moved to another place."""


def deletion_check(
    values: torch.Tensor,
    heat: torch.Tensor,
    score: Callable[[torch.Tensor], torch.Tensor],
    fill: torch.Tensor,
    tick: Callable[[float], None],
    seed: int = 0,
) -> DeletionCheck:
    """Take away growing parts of a picture, the hottest ones and as much in other places.

    Parameters
    ----------
    values : Tensor, shape (1, channels, k, j, i)
    heat : Tensor, shape (k, j, i)
    score : callable
        From (N, channels, k, j, i) to (N,), 0 to 1.
    fill : Tensor, shape (channels,)
        What stands in their place.
    """
    order = torch.argsort(heat.flatten().float(), descending=True, stable=True)
    generator = torch.Generator().manual_seed(seed)
    before = float(score(values)[0])
    hottest, random = [], []
    runs = len(PARTS) * (1 + ELSEWHERE)
    for n, part in enumerate(PARTS):
        gone = torch.zeros(heat.numel(), dtype=torch.bool)
        gone[order[: max(1, round(part * heat.numel()))]] = True
        gone = gone.view(heat.shape)
        tick(n * (1 + ELSEWHERE) / runs)
        hottest.append(float(score(_without(values, gone, fill))[0]))
        others = []
        for m in range(ELSEWHERE):
            tick((n * (1 + ELSEWHERE) + m + 1) / runs)
            # The same shape elsewhere: as many voxels that hang together as much.
            by = [int(torch.randint(side, (1,), generator=generator)) for side in heat.shape]
            others.append(float(score(_without(values, torch.roll(gone, by, (0, 1, 2)), fill))[0]))
        random.append(sum(others) / len(others))
    return DeletionCheck(before, PARTS, tuple(hottest), tuple(random))


def _without(values: torch.Tensor, gone: torch.Tensor, fill: torch.Tensor) -> torch.Tensor:
    return torch.where(gone.to(values.device), fill.view(1, -1, 1, 1, 1), values)
