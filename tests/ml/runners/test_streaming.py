"""Labels from a running maximum against interpolating every class of the whole volume and taking the largest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.nn import functional

from medview.core.box import Box
from medview.core.job import Inline
from medview.ml.runners import finish
from medview.ml.runners.finish import GridLabels
from medview.ml.runners.orientation import Orientation
from medview.ml.runners.tiling import LogitSlab
from medview.ml.spec import Shape3
from tests.ml.runners.test_tiling import balance, volume
from tests.ml.small_packs import small_network

MODEL: Shape3 = (13, 18, 16)
NETWORKS = [
    ("unet3d", {"in_channels": 1, "classes": 4, "channels": [6, 8, 10]}),
    ("unet3d", {"in_channels": 1, "classes": 118, "channels": [6, 8]}),
    ("meshnet", {"in_channels": 1, "out_channels": 21, "channels": 5, "dilations": [1, 2, 4, 1]}),
]


def judged(logits: npt.NDArray[np.float32], shape_kji: Shape3) -> npt.NDArray[np.float32]:
    """Every class on the whole grid, in numpy: linear along slices, rows, columns; edges aligned."""
    for axis, length in ((1, shape_kji[0]), (2, shape_kji[1]), (3, shape_kji[2])):
        have = logits.shape[axis]
        place = ((np.arange(length) + 0.5) * (have / length) - 0.5).clip(0, have - 1)
        low = np.floor(place).astype(int)
        share = (place - low).astype(np.float32).reshape([-1 if n == axis else 1 for n in range(4)])
        high = np.minimum(low + 1, have - 1)
        logits = logits.take(low, axis) * (np.float32(1) - share) + logits.take(high, axis) * share
    return logits


@pytest.mark.parametrize("shape_kji", [(30, 33, 41), (13, 40, 22), (9, 11, 37)])
@pytest.mark.parametrize(("name", "kwargs"), NETWORKS)
@pytest.mark.parametrize("first", [0, 5])
def test_streaming_is_the_plain_way_bit_for_bit(
    name: str, kwargs: dict[str, object], shape_kji: Shape3, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small pieces, so that there are seams everywhere.
    monkeypatch.setattr(finish, "CACHED_VOXELS", 3 * shape_kji[1] * shape_kji[2])
    network, values = small_network(name, kwargs), volume(MODEL)
    balance(network, values)
    with torch.inference_mode():
        logits = network(values[None])[0]
    grid = GridLabels(shape_kji, Orientation(), MODEL, Inline())
    for start, stop in [(n, min(n + 4, 13)) for n in range(first, 13, 4)] + [
        (n, min(n + 3, first)) for n in range(0, first, 3)
    ]:
        grid.add(LogitSlab(start, logits[:, start:stop]))
    assert grid.whole
    plain = judged(logits.numpy(), shape_kji)
    expected = plain.argmax(0)
    assert len(np.unique(expected)) > 2
    assert np.array_equal(grid.labels, expected)
    # torch rounds the places of voxels in single precision: where it takes another class the two are as good as equal.
    wide = functional.interpolate(logits[None], shape_kji, mode="trilinear", align_corners=False)[0]
    theirs = wide.argmax(0).numpy()
    other = theirs != grid.labels
    assert other.mean() < 1e-3
    best = np.sort(plain[:, other], axis=0)
    assert other.sum() == 0 or (best[-1] - best[-2]).max() < 1e-4 * np.abs(plain).max()


@pytest.mark.parametrize("shape_kji", [(30, 33, 41), (13, 18, 16), (9, 11, 37)])
@pytest.mark.parametrize("first", [0, 2])
def test_labels_of_a_part_of_the_grid_are_in_their_place_and_nothing_is_outside(shape_kji: Shape3, first: int) -> None:
    part = Box((4, 3, 6), (11, 15, 13))
    logits = torch.randn((5, *part.shape_kji), generator=torch.Generator().manual_seed(3))
    grid = GridLabels(shape_kji, Orientation((1, 2, 0), (True, False, True)), MODEL, Inline(), seen=part)
    turned = Orientation((1, 2, 0), (True, False, True))
    shape = tuple(np.argsort(turned.axes))
    stored = (shape_kji[shape[0]], shape_kji[shape[1]], shape_kji[shape[2]])
    grid = GridLabels(stored, turned, MODEL, Inline(), seen=part)
    for start, stop in ((first, 4), (4, 7), (0, first)):
        if stop > start:
            grid.add(LogitSlab(start, logits[:, start:stop]))
    # The plain way: the nearest voxel of the part stands for what is outside it, and then outside becomes background.
    whole = torch.nn.functional.pad(logits[None], (6, 3, 3, 3, 4, 2), mode="replicate")[0]
    expected = judged(whole.numpy(), shape_kji).argmax(0)
    for axis, (length, model, low, high) in enumerate(zip(shape_kji, MODEL, part.min_kji, part.max_kji, strict=True)):
        place = (np.arange(length) + 0.5) * (model / length) - 0.5
        outside = (place < low - 0.5) | (place >= high - 0.5)
        expected[(slice(None),) * axis + (outside,)] = 0
    assert expected.any()
    assert np.array_equal(turned.turned(grid.labels), expected)
