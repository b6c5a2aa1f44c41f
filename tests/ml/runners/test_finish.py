"""Labels on the input's grid, slab by slab, against doing it all at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from medview.core.box import Box
from medview.core.errors import CancelledError
from medview.core.job import Inline
from medview.ml.runners import finish
from medview.ml.runners.finish import Decision, GridLabels, postprocess
from medview.ml.runners.orientation import Orientation
from medview.ml.runners.tiling import LogitSlab
from medview.ml.spec import Shape3, Step


def smooth_logits(classes: int, shape_kji: Shape3) -> torch.Tensor:
    torch.manual_seed(9)
    coarse = torch.randn(1, classes, 4, 5, 6)
    return functional.interpolate(coarse, shape_kji, mode="trilinear", align_corners=False)[0]


@pytest.mark.parametrize("classes", [2, 3, 20])
@pytest.mark.parametrize("cuts", [[17], [1, 2, 14], [5, 5, 7]])
@pytest.mark.parametrize("shape_kji", [(17, 21, 26), (40, 33, 51), (9, 30, 20), (1, 21, 26)])
def test_streaming_equals_interpolating_everything_and_taking_the_largest(
    classes: int, cuts: list[int], shape_kji: Shape3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finish, "CHUNK_VOXELS", 5 * shape_kji[1] * shape_kji[2])
    logits = smooth_logits(classes, (17, 21, 26))
    grid = GridLabels(shape_kji, Orientation(), (17, 21, 26), Inline())
    first = 0
    for count in cuts:
        grid.add(LogitSlab(first, logits[:, first : first + count]))
        first += count
    wide = functional.interpolate(logits[None], shape_kji, mode="trilinear", align_corners=False)[0]
    expected = wide.argmax(0).numpy()
    best = wide.topk(2, dim=0).values
    clear = (best[0] - best[1] > 1e-4).numpy()
    assert clear.mean() > 0.99
    assert np.array_equal(grid.labels[clear], expected[clear])


@pytest.mark.parametrize("shape_kji", [(17, 21, 26), (40, 33, 51), (12, 30, 20), (34, 18, 60)])
def test_classes_that_win_only_here_and_there_are_found_there(shape_kji: Shape3) -> None:
    model = (17, 21, 26)
    logits = 0.01 * smooth_logits(6, model)
    logits[0] += 1.0
    places = [(slice(0, 3), slice(0, 1), slice(0, 26)), (slice(16, 17), slice(20, 21), slice(25, 26))]
    places += [(slice(4, 9), slice(5, 6), slice(7, 19)), (slice(8, 12), slice(1, 20), slice(24, 25))]
    for value, place in enumerate(places, start=1):
        logits[value, *place] += 2.5 + 0.1 * value
    grid = GridLabels(shape_kji, Orientation(), model, Inline())
    for first in range(0, 17, 4):
        grid.add(LogitSlab(first, logits[:, first : first + 4]))
    wide = functional.interpolate(logits[None], shape_kji, mode="trilinear", align_corners=False)[0]
    best = wide.topk(2, dim=0).values
    clear = (best[0] - best[1] > 1e-4).numpy()
    assert clear.mean() > 0.99
    expected = wide.argmax(0).numpy()
    assert np.array_equal(grid.labels[clear], expected[clear])
    assert len(np.unique(expected)) >= 3
    assert not (grid.labels == 5).any()


def test_labels_are_turned_back_to_the_input() -> None:
    orientation = Orientation((2, 0, 1), (True, False, True))
    logits = smooth_logits(3, (6, 4, 5))
    grid = GridLabels((4, 5, 6), orientation, (6, 4, 5), Inline())
    grid.add(LogitSlab(0, logits))
    assert np.array_equal(orientation.turned(grid.labels), logits.argmax(0).numpy())


def test_of_equal_logits_the_first_wins() -> None:
    grid = GridLabels((2, 2, 2), Orientation(), (2, 2, 2), Inline())
    grid.add(LogitSlab(0, torch.ones(4, 2, 2, 2)))
    assert not grid.labels.any()


def test_memory_does_not_grow_with_the_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    shape, model = (64, 120, 120), (32, 60, 60)
    monkeypatch.setattr(finish, "CHUNK_VOXELS", 8 * 120 * 120)
    monkeypatch.setattr(finish, "COPIED_NUMBERS", 12 * 60 * 60)
    peaks = []
    for classes in (3, 20):
        grid = GridLabels(shape, Orientation(), model, Inline())
        logits = smooth_logits(classes, model)
        peaks.append(_most_tensor_bytes(grid, LogitSlab(0, logits)))
    # A few slices for interpolating along k, of thirty-two.
    assert peaks[1] - peaks[0] < 4 * 20 * model[1] * model[2] * 4


def _most_tensor_bytes(grid: GridLabels, slab: LogitSlab) -> int:
    """Return the largest sum of live allocations while a slab is taken in, as torch's profiler saw it."""
    with torch.profiler.profile(profile_memory=True, activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        grid.add(slab)
    live = most = 0
    for event in profile.profiler.kineto_results.events():
        if event.name() == "[memory]":
            live += event.nbytes()
            most = max(most, live)
    return most


def test_cancel_is_seen_between_chunks() -> None:
    context = Inline()
    grid = GridLabels((8, 9, 9), Orientation(), (4, 9, 9), context)
    context.cancel()
    with pytest.raises(CancelledError):
        grid.add(LogitSlab(0, torch.zeros(2, 4, 9, 9)))


def parts() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    labels = np.zeros((10, 10, 10), dtype=np.uint8)
    labels[1:4, 1:4, 1:4] = 1
    labels[4, 4, 4] = 1
    labels[8, 8, 8] = 1
    labels[8, 1:3, 1] = 2
    return labels


def test_small_parts_go_and_corners_connect() -> None:
    labels = parts()
    postprocess(labels, [Step("remove_small", {"min_mm3": 10.0})], 5.0, Inline())
    assert (labels == 1).sum() == 28
    assert (labels == 2).sum() == 2
    postprocess(labels, [Step("remove_small", {"min_mm3": 10.1})], 5.0, Inline())
    assert not (labels == 2).any()


def test_only_the_listed_labels_are_touched() -> None:
    labels = parts()
    postprocess(labels, [Step("largest_component", values=(2,))], 1.0, Inline())
    assert np.array_equal(labels, parts())
    postprocess(labels, [Step("largest_component")], 1.0, Inline())
    assert (labels == 1).sum() == 28
    assert (labels == 2).sum() == 2


def in_slabs(grid: GridLabels, logits: torch.Tensor) -> None:
    for first in range(0, logits.shape[1], 5):
        grid.add(LogitSlab(first, logits[:, first : first + 5]))


@pytest.mark.parametrize("shape_kji", [(17, 21, 26), (40, 33, 51), (9, 30, 20)])
def test_painted_channels_cover_those_before_them_and_bits_stand_side_by_side(shape_kji: Shape3) -> None:
    model = (17, 21, 26)
    logits = smooth_logits(4, model) - 0.3
    wide = functional.interpolate(logits[None], shape_kji, mode="trilinear", align_corners=False)[0].numpy()
    clear = (np.abs(wide) > 1e-4).all(axis=0)
    painted = GridLabels(shape_kji, Orientation(), model, Inline(), decision=Decision.PAINTED)
    bits = GridLabels(shape_kji, Orientation(), model, Inline(), decision=Decision.BITS)
    in_slabs(painted, logits)
    in_slabs(bits, logits)
    expected = np.zeros(shape_kji, dtype=np.uint8)
    for n, channel in enumerate(wide, start=1):
        expected[channel > 0] = n
        assert np.array_equal(((bits.labels >> (n - 1)) & 1)[clear], (channel > 0)[clear])
    assert np.array_equal(painted.labels[clear], expected[clear])
    assert len(np.unique(expected)) == 5


@pytest.mark.parametrize("coarse", [0, 1, 2])
def test_along_a_coarse_axis_the_nearest_slice_counts(coarse: int) -> None:
    model, shape = (17, 21, 26), (30, 33, 40)
    logits = smooth_logits(4, model)
    grid = GridLabels(shape, Orientation(), model, Inline(), coarse=coarse)
    in_slabs(grid, logits)
    smooth = list(shape)
    smooth[coarse] = model[coarse]
    wide = functional.interpolate(logits[None], smooth, mode="trilinear", align_corners=False)[0].numpy()
    places = ((np.arange(shape[coarse]) + 0.5) * model[coarse] / shape[coarse]).astype(int)
    wide = wide.take(places, axis=coarse + 1)
    two = np.sort(wide, axis=0)[-2:]
    clear = two[1] - two[0] > 1e-4
    assert clear.mean() > 0.99
    assert np.array_equal(grid.labels[clear], wide.argmax(0)[clear])


def test_a_crop_is_written_where_it_was_cut_out() -> None:
    orientation, crop = Orientation((2, 0, 1), (True, False, True)), Box((1, 2, 0), (7, 5, 4))
    logits = smooth_logits(3, (6, 3, 4))
    grid = GridLabels((5, 6, 9), orientation, (6, 3, 4), Inline(), crop=crop)
    assert grid.add(LogitSlab(0, logits)) == (1, 7)
    expected = np.zeros((9, 5, 6), dtype=np.uint8)
    expected[crop.slices] = logits.argmax(0)
    assert np.array_equal(orientation.turned(grid.labels), expected)
