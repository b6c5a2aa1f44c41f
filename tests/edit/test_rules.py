from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medview.core.box import Box
from medview.core.segmentation import Segment, Segmentation
from medview.edit.rules import write_mask
from tests.edit.grids import SHAPE_KJI, segment, segmentation


def _drawn(labels: Segmentation, seed: int = 0) -> None:
    labels.layer(0).voxels[...] = np.random.default_rng(seed).choice(
        np.array([0, *(s.value for s in labels.segments)], dtype=np.uint8), SHAPE_KJI
    )


def _write(labels: Segmentation, active: Segment, *, erase: bool = False, seed: int = 1) -> np.ndarray:
    """Write a random mask into a random box and return the mask on the whole grid."""
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 5, 3)
    box = Box((int(low[0]), int(low[1]), int(low[2])), (9, 22, 37))
    mask = rng.random(box.shape_kji) < 0.5
    patch = write_mask(labels, active, box, mask, erase=erase)
    if patch is not None:
        patch.apply(labels.layer(active.layer_id))
    whole = np.zeros(SHAPE_KJI, dtype=bool)
    whole[box.slices] = mask
    return whole


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 2), st.sets(st.integers(1, 3)), st.booleans())
def test_every_write_obeys_the_rules_voxel_by_voxel(seed: int, active: int, locked: set[int], erase: bool) -> None:
    labels = segmentation("oblique", *(segment(value, locked=value in locked) for value in (1, 2, 3)))
    _drawn(labels, seed)
    before = labels.layer(0).voxels.copy()
    chosen = labels.segments[active]
    mask = _write(labels, chosen, erase=erase, seed=seed)
    expected = before.copy()
    if not chosen.locked:
        for at in np.argwhere(mask):
            now = before[tuple(at)]
            if erase and now == chosen.value:
                expected[tuple(at)] = 0
            elif not erase and now not in locked:
                expected[tuple(at)] = chosen.value
    assert np.array_equal(labels.layer(0).voxels, expected)


def test_other_layers_are_never_touched() -> None:
    labels = segmentation("oblique", segment(1), segment(1, layer=1), segment(2, layer=1))
    _drawn(labels)
    before = labels.layer(0).voxels.copy()
    _write(labels, labels.segments[2])
    assert np.array_equal(labels.layer(0).voxels, before)
    assert labels.layer(1).voxels.any()


def test_a_lock_in_another_layer_does_not_hinder() -> None:
    labels = segmentation("oblique", segment(1), segment(2, layer=1, locked=True))
    labels.layer(1).voxels[...] = 2
    mask = _write(labels, labels.segments[0])
    assert np.array_equal(labels.mask(labels.segments[0]), mask)


@pytest.mark.parametrize("erase", [False, True])
def test_nothing_is_written_where_nothing_changes(erase: bool) -> None:
    active = segment(1)
    labels = segmentation("oblique", active)
    labels.layer(0).voxels[...] = 0 if erase else 1
    box = Box((0, 0, 0), (3, 3, 3))
    assert write_mask(labels, active, box, np.ones((3, 3, 3), dtype=bool), erase=erase) is None
    assert write_mask(labels, active, Box((1, 1, 1), (1, 4, 4)), np.ones((0, 3, 3), dtype=bool), erase=erase) is None


def test_working_out_a_patch_writes_nothing() -> None:
    active = segment(1)
    labels = segmentation("oblique", active)
    write_mask(labels, active, Box((0, 0, 0), (3, 3, 3)), np.ones((3, 3, 3), dtype=bool))
    assert not labels.layer(0).voxels.any()
    assert labels.layer(0).version == 0
