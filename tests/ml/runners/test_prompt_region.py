"""Regions about prompts: seen and written as if the grid went on outside, without working out what is not there."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from medview.core.box import Box
from medview.ml.runners.prompt_region import PromptRegion

SHAPE = (9, 22, 31)
PLACES = [((4, 11, 15), 1), ((4, 11, 15), 4), ((0, 21, 3), 2), ((8, -3, 33), 4), ((-9, 5, 40), 2), ((2, 20, 30), 8)]
"""Middles and factors: inside, larger than the grid, over its edges, nearly beside it."""


def grown(values: torch.Tensor, box: Box, mode: str) -> torch.Tensor:
    """The box of a grid that goes on on all sides, made whole."""
    pads = [
        (max(0, -low), max(0, high - side)) for low, high, side in zip(box.min_kji, box.max_kji, values.shape, strict=True)
    ]
    flat = [n for pad in reversed(pads) for n in pad]
    wide = functional.pad(values[None, None], flat, mode=mode)[0, 0]
    part = box.shifted((pads[0][0], pads[1][0], pads[2][0]))
    return wide[part.slices]


@pytest.mark.parametrize(("middle", "factor"), PLACES)
@pytest.mark.parametrize("edge", [False, True])
def test_a_region_shows_means_of_the_grid_and_what_goes_on_outside(
    middle: tuple[int, int, int], factor: int, *, edge: bool
) -> None:
    torch.manual_seed(3)
    values = torch.rand(SHAPE)
    region = PromptRegion.at(middle, (8, 12, 10), (factor,) * 3)
    whole = grown(values, region.box, "replicate" if edge else "constant")
    expected = functional.avg_pool3d(whole[None, None], factor)[0, 0]
    found = region.cut(values, edge=edge)
    if region.box.clipped(SHAPE).empty:
        assert not found.any()
    else:
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("middle", "factor"), PLACES)
@pytest.mark.parametrize("inner", [False, True])
def test_what_was_found_is_written_where_the_grid_is(middle: tuple[int, int, int], factor: int, *, inner: bool) -> None:
    torch.manual_seed(4)
    found, tile = torch.rand(8, 12, 10), (8, 12, 10)
    region = PromptRegion.at(middle, tile, (factor,) * 3)
    sides = region.box.shape_kji
    fine = functional.interpolate(found[None, None], sides, mode="trilinear", align_corners=False)[0, 0]
    seen_whole = [a <= 0 and b >= n for a, b, n in zip(region.box.min_kji, region.box.max_kji, SHAPE, strict=True)]
    margin = tuple(side // 4 if inner and not whole else 0 for side, whole in zip(sides, seen_whole, strict=True))
    written = region.box.padded((-margin[0], -margin[1], -margin[2])).clipped(SHAPE)
    into = torch.full(SHAPE, -1.0)
    assert region.paste(found, into, inner=inner) == written or written.empty
    expected = torch.full(SHAPE, -1.0)
    expected[written.slices] = fine[written.within(region.box).slices] if not written.empty else -1.0
    torch.testing.assert_close(into, expected)


def test_a_region_many_times_as_large_as_the_grid_takes_no_memory_beside_it() -> None:
    region = PromptRegion.at((0, 0, 0), (96, 96, 96), (64, 64, 64))
    seen = region.cut(torch.ones(SHAPE), edge=True)
    assert seen.shape == (96, 96, 96)
    assert float(seen.min()) == 1.0
    into = torch.zeros(SHAPE)
    assert region.paste(torch.full((96, 96, 96), 0.25), into) == Box.whole(SHAPE)
    assert float(into.min()) == float(into.max()) == 0.25


def test_pictures_and_thin_stacks_keep_their_slices_where_more_is_to_be_seen() -> None:
    region = PromptRegion.at((0, 90, 40), (8, 12, 10)).wider((1, 200, 200)).wider((1, 200, 200))
    assert region.factors_kji == (1, 4, 4)
    assert region.tile_kji == (8, 12, 10)
    values = torch.zeros((1, 200, 200))
    values[0, region.box.min_kji[1] + 8 : 96, region.box.min_kji[2] + 8 : 40] = 1.0
    seen = region.cut(values)
    into = torch.zeros_like(values)
    region.paste(seen, into)
    assert float(seen.max()) == 1.0
    assert float((into >= 0.5).float().sum()) == pytest.approx(float(values.sum()), rel=0.15)


def test_what_is_said_beside_the_grid_does_not_lead_any_further() -> None:
    region = PromptRegion.at((0, 20, 20), (8, 12, 12))
    before, found = torch.zeros((1, 60, 60)), torch.ones((8, 12, 12))
    picture = -region.box.min_kji[0]
    found[picture, :, [0, -1]] = found[picture, [0, -1]] = 0.0
    assert region.sides_reached(found, before) == []
    found[picture, 3:9, -1] = 1.0
    assert region.sides_reached(found, before) == [(2, 1)]
