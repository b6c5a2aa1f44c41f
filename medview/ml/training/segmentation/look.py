"""What a network makes of stored examples, and how well that agrees with the truth on the network's grid."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from medview.core.job import JobContext
from medview.ml.examples import UNKNOWN
from medview.ml.runners.tile_starts import tile_starts
from medview.ml.runners.tiling import Place, gaussian, pad_to_tile
from medview.ml.spec import Tiling
from medview.ml.training.segmentation.stored import Labels, StoredExample

TILES_AT_ONCE = {2: 8, 3: 2}
"""By dimensions. Single tiles go to a slow convolution."""


class _Open:
    """An example some of whose tiles are still to be looked at; those come in order, lowest slices first.

    No more slices than a tile has are held with all channels.
    """

    def __init__(self, example: StoredExample, tiling: Tiling, weight: torch.Tensor, *, overlapping: bool) -> None:
        self.example = example
        values = torch.from_numpy(np.array(example.values(), dtype=np.float32)).to(weight.device)
        self.padded, self._before = pad_to_tile(values, tiling.tile_kji, tiling.pad)
        starts = [tile_starts(n, t, tiling.overlap) for n, t in zip(self.padded.shape[1:], tiling.tile_kji, strict=True)]
        self.places: list[Place] = [(k, j, i) for k, j, i in product(*starts)]
        self._shape = values.shape[1:]
        self._weight = weight
        self._overlapping = overlapping
        self._missing = len(self.places)
        self._sums: torch.Tensor | None = None
        self._labels: Labels | None = None
        self._at = 0

    @property
    def done(self) -> bool:
        """Whether all tiles were looked at."""
        return self._missing == 0

    def tile(self, place: Place) -> torch.Tensor:
        """Return the values (channels, k, j, i) of a tile."""
        return self.padded[:, *self._window(place)]

    def add(self, place: Place, logits: torch.Tensor) -> None:
        """Take in what the network said of a tile, logits (channels, k, j, i)."""
        if self._sums is None or self._labels is None:
            _, slices, rows, columns = self.padded.shape
            self._sums = torch.zeros((len(logits), len(self._weight), rows, columns), device=logits.device)
            self._labels = np.zeros((len(logits) if self._overlapping else 1, slices, rows, columns), dtype=np.uint8)
        self._finish_to(place[0])
        self._sums[:, *self._window((0, *place[1:]))] += logits * self._weight
        self._missing -= 1

    def labels(self) -> Labels:
        """Return class numbers (1, k, j, i), or 0 and 1 per class (classes, k, j, i), once it is done."""
        self._finish_to(self.padded.shape[1])
        assert self._labels is not None
        return self._labels[:, *(slice(b, b + n) for b, n in zip(self._before, self._shape, strict=True))]

    def _window(self, place: Place) -> tuple[slice, ...]:
        return tuple(slice(p, p + side) for p, side in zip(place, self._weight.shape, strict=True))

    def _finish_to(self, k: int) -> None:
        """Decide on the slices below k, and move on to it."""
        assert self._sums is not None
        assert self._labels is not None
        count = min(k - self._at, self._sums.shape[1])
        if count == 0:
            return
        # The weights are the same for all channels: the largest stays the largest, and the sign stays the sign.
        sums = self._sums[:, :count]
        found = sums > 0 if self._overlapping else sums.argmax(dim=0, keepdim=True)
        self._labels[:, self._at : self._at + count] = found.to(torch.uint8).cpu().numpy()
        self._sums = torch.cat((self._sums[:, count:], torch.zeros_like(sums)), dim=1)
        self._at = k


def predicted(
    network: nn.Module,
    examples: Sequence[StoredExample],
    tiling: Tiling,
    dimensions: int,
    context: JobContext,
    *,
    overlapping: bool,
    mirrored: Sequence[int] = (),
) -> Iterator[tuple[StoredExample, Labels]]:
    """Yield examples with what a network says of them: class numbers (1, k, j, i), or 0 and 1 per class (classes, k, j, i).

    The network is used as it is, in evaluation mode, wherever it is; tiles of several examples are looked at together.

    Parameters
    ----------
    mirrored : sequence of int
        Axes (0 k, 1 j, 2 i) along which mirrored tiles are looked at too, in all combinations.

    Raises
    ------
    CancelledError
        Between batches.
    """
    was_training = network.training
    network.eval()
    device = next(network.parameters()).device
    weight = gaussian(tiling.tile_kji, device)
    waiting: deque[tuple[_Open, Place]] = deque()
    opened: deque[_Open] = deque()
    at_once = TILES_AT_ONCE[dimensions]
    try:
        for example in examples:
            one = _Open(example, tiling, weight, overlapping=overlapping)
            opened.append(one)
            waiting.extend((one, place) for place in one.places)
            while len(waiting) >= at_once:
                context.raise_if_cancelled()
                _look(network, [waiting.popleft() for _ in range(at_once)], dimensions, mirrored)
            while opened and opened[0].done:
                finished = opened.popleft()
                yield finished.example, finished.labels()
        if waiting:
            context.raise_if_cancelled()
            _look(network, list(waiting), dimensions, mirrored)
        yield from ((one.example, one.labels()) for one in opened)
    finally:
        network.train(was_training)


def _look(network: nn.Module, batch: Sequence[tuple[_Open, Place]], dimensions: int, mirrored: Sequence[int]) -> None:
    tiles = torch.stack([one.tile(place) for one, place in batch])
    with torch.inference_mode():
        logits = _answer(network, tiles, dimensions)
        for axes in (some for n in range(len(mirrored)) for some in combinations(mirrored, n + 1)):
            turn = [axis + 2 for axis in axes]
            logits += _answer(network, tiles.flip(turn), dimensions).flip(turn)
        for (one, place), answer in zip(batch, logits.float(), strict=True):
            one.add(place, answer)


def _answer(network: nn.Module, tiles: torch.Tensor, dimensions: int) -> torch.Tensor:
    if dimensions == 3:
        volume: torch.Tensor = network(tiles)
        return volume
    slices: torch.Tensor = network(tiles.squeeze(2))
    return slices.unsqueeze(2)


@dataclass(eq=False)
class Tally:
    """Dice of each class and example.

    Attributes
    ----------
    dice : dict of int to dict of str to float
        Class, then example. An example counts for a class that is drawn in it or found in it; not where the class is open.
    """

    classes: int
    overlapping: bool
    dice: dict[int, dict[str, float]] = field(default_factory=dict)

    def add(self, example: StoredExample, found: Labels) -> None:
        """Take in what was found in an example; class maps as of ``StoredExample``."""
        labels = np.asarray(example.labels())
        for number in range(1, self.classes + 1):
            if number in example.open_classes:
                continue
            value = dice_of(*masks_of(found, labels, number, overlapping=self.overlapping))
            if value is not None:
                self.dice.setdefault(number, {})[example.key] = value

    def means(self) -> Mapping[int, float]:
        """Return the mean Dice of each class that has one."""
        return {number: float(np.mean(list(values.values()))) for number, values in sorted(self.dice.items())}

    def score(self) -> float:
        """Return the mean over the classes; 0 where there is none."""
        means = self.means()
        return float(np.mean(list(means.values()))) if means else 0.0


def masks_of(
    found: Labels, labels: Labels, number: int, *, overlapping: bool
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return where a class was found and where it is, both only where somebody knows; shape (k, j, i)."""
    channel, value = (number - 1, 1) if overlapping else (0, number)
    truth = labels[channel]
    return (found[channel] == value) & (truth != UNKNOWN), truth == value


def dice_of(found: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> float | None:
    """Return the Dice of two masks; None where both are empty."""
    total = int(found.sum()) + int(truth.sum())
    return 2.0 * int((found & truth).sum()) / total if total else None
