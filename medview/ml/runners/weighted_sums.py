"""Weighted sums of overlapping tiles, for the slices that are in work."""

from __future__ import annotations

import torch


class WeightedSums:
    """A buffer of some slices in which tiles are summed up; it moves along k as slices are finished.

    Parameters
    ----------
    shape_kji : tuple of int
        Slices held at once, rows and columns.
    weight : Tensor of float32, shape (k, j, i)
        Of each voxel of a tile.
    inside : tuple of slice
        The rows and columns that are wanted.
    channels : int
        Of the logits, where no tile says.
    """

    def __init__(
        self, shape_kji: tuple[int, int, int], weight: torch.Tensor, inside: tuple[slice, ...], channels: int
    ) -> None:
        self._channels = channels
        self._weight = weight[..., None]
        self._inside = inside
        self._sums: torch.Tensor | None = None
        self._weights = torch.zeros(shape_kji, device=weight.device)
        self._at = 0

    def restart(self, k: int) -> None:
        """Forget everything; the first slice held is now slice k."""
        self._at = k
        self._weights.zero_()
        if self._sums is not None:
            self._sums.zero_()

    def move_to(self, k: int) -> None:
        """Let go of the slices before slice k, at or after the first that is held."""
        if k == self._at:
            return
        for held in (self._sums, self._weights):
            if held is not None:
                _shift(held, k - self._at)
        self._at = k

    def add(self, place_kji: tuple[int, int, int], logits: torch.Tensor) -> None:
        """Add a tile (classes, k, j, i), or its first slices, that starts at a place."""
        _, slices, rows, columns = logits.shape
        k, j, i = place_kji
        weight = self._weight[:slices]
        # Classes last, as networks in that layout answer: adding a tile is then one pass through both.
        sums = self._held(len(logits))
        here = slice(k - self._at, k - self._at + slices), slice(j, j + rows), slice(i, i + columns)
        sums[here].addcmul_(logits.permute(1, 2, 3, 0), weight)
        self._weights[here].add_(weight[..., 0])

    def unseen(self, low: int, high: int) -> torch.Tensor:
        """Return where no tile was (slices, rows, columns), of slices that nothing more is added to."""
        return self._weights[(slice(low - self._at, high - self._at), *self._inside)] == 0.0

    def finished(self, low: int, high: int) -> torch.Tensor:
        """Return the logits (classes, slices, rows, columns) of slices that nothing more is added to.

        Where no tile was, the first class has 0 and the others -1.
        """
        here = (slice(low - self._at, high - self._at), *self._inside)
        weights = self._weights[here]
        sums = (self._held(self._channels) if self._sums is None else self._sums)[here]
        missing = weights == 0.0
        if missing.any():
            sums[missing] = torch.tensor([0.0] + [-1.0] * (sums.shape[-1] - 1), device=sums.device)
            weights = weights.masked_fill(missing, 1.0)
        return sums.div_(weights[..., None]).permute(3, 0, 1, 2)

    def _held(self, channels: int) -> torch.Tensor:
        if self._sums is None or self._sums.shape[-1] != channels:
            self._sums = torch.zeros((*self._weights.shape, channels), device=self._weights.device)
        return self._sums


def _shift(sums: torch.Tensor, by: int) -> None:
    """Move slices that are still in work to the front and clear the rest, in steps that need no second copy."""
    length = len(sums)
    for k in range(0, length - by, max(1, by)):
        count = min(by, length - by - k)
        sums[k : k + count] = sums[k + by : k + by + count]
    sums[max(0, length - by) :] = 0.0
