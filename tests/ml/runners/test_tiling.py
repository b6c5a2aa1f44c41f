"""Tiles against the whole volume, and against MONAI's sliding window."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from monai.inferers import SlidingWindowInferer
from scipy.ndimage import gaussian_filter

from medview.core.errors import ModelError
from medview.core.job import Inline
from medview.ml.networks.meshnet import meshnet
from medview.ml.runners.memory_plan import MemoryPlan
from medview.ml.runners.tile_starts import tile_starts
from medview.ml.runners.tiling import as_logits, batches, gaussian, logit_slabs, tile_rows
from medview.ml.runners.watched import Progress, Stopwatch, WatchedNetwork
from medview.ml.spec import Blend, Shape3, Tiling
from tests.ml.small_packs import ct_volume, small_network

CPU = torch.device("cpu")


def tiled(
    network: torch.nn.Module, values: torch.Tensor, tiling: Tiling, splits: Shape3 = (1, 1, 1), batch: int = 2
) -> torch.Tensor:
    """Put the slabs together, checking that they come in order and without gaps."""
    plan = MemoryPlan(CPU, splits, batch, 0)
    parts, following = [], 0
    with WatchedNetwork(network, Inline(), Progress(Inline(), 0.0, 1.0), Stopwatch()) as watched, torch.inference_mode():
        for slab in logit_slabs(watched, values, tiling, plan):
            assert slab.first_k == following
            following += slab.logits.shape[1]
            parts.append(slab.logits.clone())
    assert following == values.shape[1]
    return torch.cat(parts, dim=1)


def volume(shape_kji: Shape3) -> torch.Tensor:
    return torch.from_numpy(ct_volume(shape_kji).values())[None] / 1000.0


def balance(network: torch.nn.Module, values: torch.Tensor) -> None:
    """Shift and scale the last layer so that every class wins somewhere on a volume."""
    with torch.no_grad():
        logits = network(values[None])[0]
        spread, mean = torch.std_mean(logits, dim=(1, 2, 3))
        network.get_parameter("head.weight").div_(spread.view(-1, 1, 1, 1, 1))
        network.get_parameter("head.bias").sub_(mean).div_(spread)


@pytest.mark.parametrize("splits", [(2, 1, 1), (1, 3, 1), (3, 2, 2), (5, 1, 3)])
def test_valid_tiles_give_the_result_of_the_whole_volume(splits: Shape3) -> None:
    torch.manual_seed(2)
    network = meshnet(1, 3, 5, [1, 2, 4, 2, 1]).eval()
    values = volume((31, 40, 37))
    tiling = Tiling((2048, 2048, 2048), 0.0, Blend.VALID, (10, 10, 10))
    with torch.inference_mode():
        whole = network(values[None])[0]
    pieces = tiled(network, values, tiling, splits)
    assert (pieces - whole).abs().max() < 1e-5
    assert torch.equal(pieces.argmax(0), whole.argmax(0))
    # The margin is what does it: with less, seams show.
    seams = tiled(network, values, Tiling((2048, 2048, 2048), 0.0, Blend.VALID, (3, 3, 3)), splits)
    assert (seams - whole).abs().max() > 1e-4


NETWORKS: list[tuple[str, dict[str, Any]]] = [
    ("unet3d", {"in_channels": 1, "classes": 4, "channels": [6, 8, 10]}),
    ("meshnet", {"in_channels": 1, "out_channels": 4, "channels": 5, "dilations": [1, 2, 4, 1]}),
    (
        "nnunet_plain",
        {
            "in_channels": 1,
            "classes": 4,
            "channels": [4, 6, 8],
            "kernels": [[1, 3, 3], [3, 3, 3], [3, 3, 3]],
            "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2]],
            "encoder_units": [2, 2, 2],
            "decoder_units": [2, 2],
        },
    ),
]


@pytest.mark.parametrize(("name", "kwargs"), NETWORKS)
@pytest.mark.parametrize(
    ("shape_kji", "tile_kji", "overlap"),
    [((40, 57, 70), (24, 32, 32), 0.5), ((50, 33, 41), (16, 24, 40), 0.25), ((19, 60, 30), (24, 32, 40), 0.6)],
)
def test_blended_tiles_equal_monais_sliding_window(
    name: str,
    kwargs: dict[str, Any],
    shape_kji: Shape3,
    tile_kji: Shape3,
    overlap: float,
    record_property: Callable[[str, object], None],
) -> None:
    network = small_network(name, kwargs)
    values = volume(shape_kji)
    if name != "nnunet_plain":
        balance(network, values)
    batch = 1 if name == "meshnet" else 2
    ours = tiled(network, values, Tiling(tile_kji, overlap, Blend.GAUSSIAN), batch=batch)
    judge = SlidingWindowInferer(tile_kji, sw_batch_size=batch, overlap=overlap, mode="gaussian", padding_mode="constant")
    with torch.inference_mode():
        theirs = judge(values[None], network)[0]
    assert isinstance(theirs, torch.Tensor)
    apart = float((ours - theirs).abs().max())
    record_property("largest difference of logits", apart)
    sys.stdout.write(
        f"{name}: logits differ by {apart:.2g} at most, from {float(theirs.min()):.1f} to {float(theirs.max()):.1f}\n"
    )
    assert apart < 1e-4
    a, b = ours.argmax(0).numpy(), theirs.argmax(0).numpy()
    assert len(np.unique(b)) > (3 if name != "nnunet_plain" else 1)
    for value in np.unique(b):
        dice = 2 * np.logical_and(a == value, b == value).sum() / ((a == value).sum() + (b == value).sum())
        assert dice >= 0.999


@pytest.mark.parametrize("shape_kji", [(40, 33, 50), (14, 60, 30)])
def test_even_tiles_and_repeated_edges_are_those_of_monai(shape_kji: Shape3) -> None:
    network = small_network("unet3d", {"in_channels": 1, "classes": 3, "channels": [4, 6]})
    values, tile = volume(shape_kji), (24, 32, 32)
    balance(network, values)
    ours = tiled(network, values, Tiling(tile, 0.5, Blend.GAUSSIAN, even=True, pad="edge"))
    judge = SlidingWindowInferer(tile, sw_batch_size=2, overlap=0.5, mode="constant", padding_mode="replicate")
    with torch.inference_mode():
        theirs = judge(values[None], network)[0]
    assert isinstance(theirs, torch.Tensor)
    assert (ours - theirs).abs().max() < 1e-4


def test_the_batch_size_changes_nothing() -> None:
    network = small_network("unet3d", {"in_channels": 1, "classes": 3, "channels": [4, 6]})
    values = volume((20, 44, 52))
    tiling = Tiling((16, 16, 16), 0.5, Blend.GAUSSIAN)
    results = [tiled(network, values, tiling, batch=batch) for batch in (1, 3, 8)]
    assert max(float((results[0] - r).abs().max()) for r in results) < 1e-5


def test_tiles_cover_an_axis_and_stay_inside() -> None:
    for length in range(1, 200, 7):
        for overlap in (0.0, 0.25, 0.5, 0.9):
            starts = tile_starts(length, 32, overlap)
            covered = {v for s in starts for v in range(s, s + 32)}
            assert covered >= set(range(length))
            assert length <= 32 or max(starts) + 32 == length


def test_tiles_are_listed_row_by_row_however_many_there_are() -> None:
    tracemalloc.start()
    try:
        rows = tile_rows((600, 512, 512), Tiling((8, 8, 8), 0.9, Blend.GAUSSIAN), batch=2)
        count = sum(row.count for row in rows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 593 * 505 * 505
    assert peak < 10_000_000
    places = rows[-1].places()
    assert (places[0], places[1], places[-1]) == ((592, 0, 0), (592, 0, 1), (592, 504, 504))
    assert len(places) == rows[-1].count


def test_tiles_of_one_slice_are_put_together_to_rows_of_a_batch() -> None:
    rows = tile_rows((5, 8, 12), Tiling((1, 8, 8), 0.5, Blend.GAUSSIAN), batch=4)
    assert [(row.low_k, row.high_k, row.count) for row in rows] == [(0, 2, 4), (2, 4, 4), (4, 5, 2)]
    assert rows[1].places() == [(2, 0, 0), (2, 0, 4), (3, 0, 0), (3, 0, 4)]


def test_no_batch_is_a_single_tile_where_there_are_more() -> None:
    for count in range(2, 20):
        row = [(n, 0) for n in range(count)]
        sizes = [len(batch) for batch in batches(row, 2)]
        assert sum(sizes) == count
        assert set(sizes) <= {2, 3}


def test_the_weight_is_largest_in_the_middle_and_never_nothing() -> None:
    weight = gaussian((8, 12, 16), CPU)
    assert weight.shape == (8, 12, 16)
    assert weight[3, 5, 7] == weight.max() > 0.8
    assert weight.min() == pytest.approx(1e-3)
    assert torch.allclose(weight, weight.flip(0, 1, 2))


def test_a_network_that_changes_the_shape_is_refused() -> None:
    with pytest.raises(ModelError, match="shape"):
        as_logits(torch.zeros(1, 2, 4, 4, 4), (8, 8, 8))
    with pytest.raises(ModelError, match="shape"):
        as_logits({"heatmap": torch.zeros(1)}, (8, 8, 8))


@pytest.mark.parametrize(
    ("length", "tile", "expected"),
    [
        (110, 64, [0, 23, 46]),
        (64, 64, [0]),
        (40, 64, [0]),
        (65, 64, [0, 1]),
        (96, 64, [0, 32]),
        (23, 5, [0, 2, 4, 7, 9, 11, 14, 16, 18]),
    ],
)
def test_spread_tiles_lie_at_even_distances_of_half_a_tile_at_most(length: int, tile: int, expected: list[int]) -> None:
    assert tile_starts(length, tile, 0.5, spread=True) == expected


@pytest.mark.parametrize("spread", [False, True])
@pytest.mark.parametrize(("tile", "overlap"), [(1, 0.5), (1, 0.9), (2, 0.75), (1, 0.0)])
def test_no_tile_is_looked_at_twice(tile: int, overlap: float, *, spread: bool) -> None:
    assert tile_starts(100, tile, overlap, spread=spread) == list(range(101 - tile))


@pytest.mark.parametrize("tile_kji", [(16, 24, 20), (7, 12, 9)])
def test_the_weight_of_spread_tiles_is_scipys_gaussian_around_a_voxel(tile_kji: Shape3) -> None:
    weight = gaussian(tile_kji, CPU, spread=True).numpy()
    point = np.zeros(tile_kji)
    point[tuple(n // 2 for n in tile_kji)] = 1.0
    expected = gaussian_filter(point, [n / 8 for n in tile_kji], mode="constant")
    assert weight.min() > 0
    assert np.allclose(weight, expected / expected.max(), rtol=1e-4, atol=1e-9)
