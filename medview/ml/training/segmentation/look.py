"""What a network makes of stored examples, and how well that agrees with the truth on the network's grid."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from medview.core.job import JobContext
from medview.ml.examples import UNKNOWN
from medview.ml.runners.tile_starts import tile_starts
from medview.ml.runners.tiling import Place, gaussian, pad_to_tile
from medview.ml.spec import Shape3, Tiling
from medview.ml.training.segmentation.stored import Labels, StoredExample

TILES_AT_ONCE = {2: 8, 3: 2}
"""By dimensions. Single tiles go to a slow convolution."""


@dataclass(eq=False)
class _Open:
    """An example some of whose tiles are still to be looked at."""

    example: StoredExample
    padded: torch.Tensor
    before: Shape3
    places: list[Place]
    sums: torch.Tensor | None = None
    done: int = 0
    shape: tuple[int, ...] = field(default=())


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
        Axes (0 k, 1 j, 2 i) along which mirrored tiles are looked at too.

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
    try:
        for example in examples:
            one = _opened(example, tiling, device)
            opened.append(one)
            waiting.extend((one, place) for place in one.places)
            while len(waiting) >= TILES_AT_ONCE[dimensions]:
                context.raise_if_cancelled()
                _look(network, waiting, weight, dimensions, mirrored)
                yield from _finished(opened, weight, overlapping=overlapping)
        while waiting:
            context.raise_if_cancelled()
            _look(network, waiting, weight, dimensions, mirrored)
        yield from _finished(opened, weight, overlapping=overlapping)
    finally:
        network.train(was_training)


def _opened(example: StoredExample, tiling: Tiling, device: torch.device) -> _Open:
    values = torch.from_numpy(np.array(example.values(), dtype=np.float32)).to(device)
    padded, before = pad_to_tile(values, tiling.tile_kji, tiling.pad)
    starts = [tile_starts(n, t, tiling.overlap) for n, t in zip(padded.shape[1:], tiling.tile_kji, strict=True)]
    places = [(k, j, i) for k, j, i in product(*starts)]
    return _Open(example, padded, before, places, shape=tuple(values.shape[1:]))


def _window(place: Place, weight: torch.Tensor) -> tuple[slice, ...]:
    return tuple(slice(p, p + side) for p, side in zip(place, weight.shape, strict=True))


def _look(
    network: nn.Module,
    waiting: deque[tuple[_Open, Place]],
    weight: torch.Tensor,
    dimensions: int,
    mirrored: Sequence[int],
) -> None:
    batch = [waiting.popleft() for _ in range(min(len(waiting), TILES_AT_ONCE[dimensions]))]
    tiles = torch.stack([one.padded[:, *_window(place, weight)] for one, place in batch])
    with torch.inference_mode():
        logits = _answer(network, tiles, dimensions)
        for axis in mirrored:
            logits += _answer(network, tiles.flip(axis + 2), dimensions).flip(axis + 2)
        for (one, place), answer in zip(batch, logits.float(), strict=True):
            if one.sums is None:
                one.sums = torch.zeros((len(answer), *one.padded.shape[1:]), device=answer.device)
            one.sums[:, *_window(place, weight)] += answer * weight
            one.done += 1


def _answer(network: nn.Module, tiles: torch.Tensor, dimensions: int) -> torch.Tensor:
    if dimensions == 3:
        volume: torch.Tensor = network(tiles)
        return volume
    slices: torch.Tensor = network(tiles.squeeze(2))
    return slices.unsqueeze(2)


def _finished(opened: deque[_Open], weight: torch.Tensor, *, overlapping: bool) -> Iterator[tuple[StoredExample, Labels]]:
    """Yield the first examples whose tiles are all in, and forget them."""
    while opened and opened[0].done == len(opened[0].places):
        one = opened.popleft()
        assert one.sums is not None
        sums = one.sums[:, *(slice(b, b + n) for b, n in zip(one.before, one.shape, strict=True))]
        # The weights are the same for all channels: the largest stays the largest, and the sign stays the sign.
        found = sums > 0 if overlapping else sums.argmax(dim=0, keepdim=True)
        yield one.example, found.to(torch.uint8).cpu().numpy()


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
