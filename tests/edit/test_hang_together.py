from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from medview.edit.hang_together import hanging_together


@pytest.mark.parametrize("shape", [(9, 14, 11), (1, 30, 26), (17, 1, 23)])
@pytest.mark.parametrize("density", [0.35, 0.55, 0.75])
def test_it_keeps_the_pieces_scipy_finds_at_the_core_and_no_others(shape: tuple[int, int, int], density: float) -> None:
    rng = np.random.default_rng(7)
    mask = rng.random(shape) < density
    core = np.zeros(shape, dtype=bool)
    core[shape[0] // 2, shape[1] // 3 : shape[1] // 3 + 3, shape[2] // 2 :] = True
    pieces, _ = ndimage.label(mask)
    wanted = np.isin(pieces, np.setdiff1d(pieces[core], [0]))
    found = hanging_together(mask, core)
    assert np.array_equal(found, wanted)
    # A view that is not in order in memory gives the same.
    assert np.array_equal(hanging_together(mask[:, ::-1], core[:, ::-1])[:, ::-1], wanted)


def test_nothing_at_the_core_is_nothing() -> None:
    mask = np.ones((3, 4, 5), dtype=bool)
    assert not hanging_together(mask, np.zeros_like(mask)).any()
    mask[:, 1] = False
    core = np.zeros_like(mask)
    core[:, 1] = True
    assert not hanging_together(mask, core).any()
