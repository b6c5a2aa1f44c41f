"""What a tile shows of an object, however it is turned: prompts stay on what they were put on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from medview.core.box import Box
from medview.core.prompt_log import NOTHING, HeldVoxels
from medview.ml.runners.prompt_region import PromptRegion
from medview.ml.spec import Shape3
from medview.ml.training.interactive.views import View, factors_at, least_widened, most_widened, seen

STRENGTHS = {
    "rotate": 40.0, "scale": 0.3, "stretch": 0.2, "shift": 0.1, "flip_k": 0.5, "flip_j": 0.5, "flip_i": 0.5, "quarter": 0.5,
}  # fmt: skip
TILE = (8, 16, 16)


@pytest.mark.parametrize(
    ("shape", "middle", "factors"),
    [
        ((20, 50, 60), (9, 20, 33), (1, 1, 1)),
        ((30, 70, 60), (14, 30, 28), (2, 2, 2)),
        ((1, 60, 70), (0, 22, 40), (1, 2, 2)),
    ],
    ids=["fine", "coarse", "picture"],
)
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.8, 0.8)])
def test_a_prompt_stays_on_the_voxels_it_was_put_on(
    shape: Shape3, middle: Shape3, factors: Shape3, spacing: tuple[float, float, float]
) -> None:
    at = np.array(middle)
    low, high = np.maximum(at - 3, 0), np.minimum(at + 4, shape)
    box = Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    held = HeldVoxels.of(box, np.ones(box.shape_kji, dtype=bool))
    values = np.zeros((1, *shape), dtype=np.float32)
    values[0][box.slices] = 1.0
    shown_at_all = 0
    for n in range(12):
        view = View.about(at + np.array((0, 2, -1)), TILE, factors)
        shown = seen(values, [held], NOTHING, view, spacing, STRENGTHS, np.random.default_rng(n))
        place = np.rint(shown.places_kji(at[None].astype(float))[0]).astype(int)
        if ((place < 0) | (place >= TILE)).any():
            continue
        shown_at_all += 1
        assert shown.masks[0][tuple(place)]
        assert shown.values[0][tuple(place)] > 0.6
    assert shown_at_all >= 8


def test_a_view_lies_where_the_region_of_the_runner_does() -> None:
    values = np.random.default_rng(0).normal(size=(1, 12, 40, 44)).astype(np.float32)
    for middle, factors in (((5, 20, 20), (1, 1, 1)), ((6, 3, 40), (1, 1, 1)), ((5, 19, 22), (2, 2, 2))):
        view = View.about(middle, TILE, factors)
        shown = seen(values, [NOTHING], NOTHING, view, (1.0, 1.0, 1.0), {}, np.random.default_rng(0))
        region = PromptRegion.at(middle, TILE, factors)
        np.testing.assert_allclose(shown.values, region.cut(torch.from_numpy(values), edge=True).numpy(), atol=1e-5)
        inside = region.cut(torch.ones(values.shape[1:])).numpy() > 0.5
        assert np.array_equal(shown.unknown, ~inside)


def test_a_picture_stands_in_all_slices_of_a_tile_and_is_known_in_one() -> None:
    values = np.random.default_rng(1).normal(size=(1, 1, 40, 44)).astype(np.float32)
    held = HeldVoxels.of(Box.whole((1, 40, 44)), np.ones((1, 40, 44), dtype=bool))
    shown = seen(
        values, [held], NOTHING, View.about((0, 20, 20), TILE, (1, 1, 1)), (9.0, 1.0, 1.0), {}, np.random.default_rng(0)
    )
    assert np.ptp(shown.values, axis=1).max() == 0.0
    region = PromptRegion.at((0, 20, 20), TILE)
    (known,) = np.flatnonzero(~shown.unknown.all(axis=(1, 2)))
    assert known == -region.box.min_kji[0]
    assert shown.masks[0][known].all()
    assert not np.delete(shown.masks[0], known, axis=0).any()


def test_it_is_looked_wider_until_an_object_fits_and_no_further_than_there_is_anything() -> None:
    shape = (10, 200, 200)
    assert factors_at(2, TILE, shape) == (2, 4, 4)
    assert factors_at(3, TILE, shape) == (2, 8, 8)
    small, large = Box((2, 10, 10), (8, 20, 20)), Box((0, 0, 0), (10, 90, 40))
    assert least_widened(small, TILE, (8, 200, 200), 5) == 0
    assert least_widened(large, TILE, shape, 5) == 3
    assert least_widened(large, TILE, shape, 2) == 2
    assert most_widened(TILE, (8, 16, 16)) == 0
    assert most_widened(TILE, (1, 60, 60)) == 2
