"""Work slab by slab is the same work, and can be given up in the middle."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.errors import CancelledError
from medview.edit.effects import carry_out, islands, margin, slabs, smooth
from medview.edit.effects.distance import grown, shrunk
from medview.edit.effects.smooth import median, softened
from medview.edit.rules import Area, EditRules
from tests.edit.effects.given import TWO, held, labels_of, volume_of, work
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


@pytest.mark.parametrize("rules", [EditRules(), EditRules(value_range=(5.0, 900.0)), EditRules(Area.INSIDE, "Two")])
def test_bringing_it_within_the_rules_slab_by_slab_makes_no_difference(
    monkeypatch: pytest.MonkeyPatch, rules: EditRules
) -> None:
    mask = speckled()
    labels = labels_of("oblique", mask, np.roll(mask, 5, axis=2) & ~mask)
    values = np.random.default_rng(3).integers(0, 1000, SHAPE_KJI, dtype=np.int16)
    cases = (
        (margin.EFFECT, {"margin_mm": 3.2}),
        (islands.EFFECT, {"way": "split"}),
        (smooth.EFFECT, {"way": "joint"}),
    )
    for effect, changed in cases:
        found = []
        for most in (1 << 22, 1):
            monkeypatch.setattr(carry_out, "_SLAB_VOXELS", most)
            worked = work(effect, labels, volume=volume_of(labels.geometry, values), rules=rules, **changed)
            mask_shown = worked.candidate.mask
            found.append((
                held(labels, worked).tobytes(), held(labels, worked, TWO).tobytes(), worked.candidate.amounts,
                mask_shown.box, mask_shown.voxels.tobytes(), [(s.value, s.name) for s in mask_shown.segments],
            ))  # fmt: skip
        assert found[0] == found[1]
        assert worked.changes or worked.held_back


def test_what_is_given_up_is_told_only_where_something_is() -> None:
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    mask[3:9, 5:20, 5:30] = True
    labels = labels_of("axial", mask)
    grows, shrinks = (work(margin.EFFECT, labels, way=way, margin_mm=3.2) for way in ("grow", "shrink"))
    assert [s.value for s in grows.candidate.mask.segments] == [1]
    assert [s.value for s in shrinks.candidate.mask.segments] == [1, carry_out.LOST]
