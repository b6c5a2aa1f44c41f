"""Work slab by slab is the same work, and can be given up in the middle."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.errors import CancelledError
from medview.edit.effects import slabs
from medview.edit.effects.distance import grown, shrunk
from medview.edit.effects.smooth import median, softened
from tests.edit.grids import SHAPE_KJI, grid


def speckled() -> np.ndarray:
    random = np.random.default_rng(4)
    mask = random.random(SHAPE_KJI) < 0.3
    mask[4:9, 5:20, 5:30] = True
    return mask


@pytest.mark.parametrize("distance_mm", [2.0, 3.1, 7.0])
def test_slabs_make_no_difference(monkeypatch: pytest.MonkeyPatch, distance_mm: float) -> None:
    mask, geometry = speckled(), grid("axial")

    def everything() -> list[np.ndarray]:
        return [
            grown(geometry, mask, distance_mm),
            shrunk(geometry, mask, distance_mm),
            median(mask, (5, 3, 3)),
            softened(geometry, mask, distance_mm / 2),
        ]

    whole = everything()
    monkeypatch.setattr(slabs, "_MOST_VOXELS", 1)
    for one, other in zip(whole, everything(), strict=True):
        assert np.array_equal(one, other)


def test_work_is_given_up_between_two_slabs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slabs, "_MOST_VOXELS", 1)
    calls = []

    def stop() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise CancelledError

    with pytest.raises(CancelledError):
        median(speckled(), (3, 3, 3), stop)
    assert len(calls) == 3
