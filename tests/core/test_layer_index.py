from __future__ import annotations

import itertools

import numpy as np
import pytest

from medview.core.box import Box
from medview.core.label_patch import LabelPatch
from medview.core.layer_index import LayerIndex
from medview.core.segmentation import LabelLayer

SHAPE_KJI = (9, 70, 80)


def expect_exact(layer: LabelLayer) -> None:
    for value in range(1, 7):
        held = layer.voxels == value
        assert layer.index.count(value) == held.sum()
        assert layer.box(value) == Box.around(held)
        for axis in range(3):
            others = tuple(n for n in range(3) if n != axis)
            assert np.array_equal(layer.index.along(axis, value, held.shape[axis]), held.sum(axis=others))


@pytest.mark.parametrize("seed", range(6))
def test_counts_and_boxes_follow_random_patches_and_their_inverses(seed: int) -> None:
    rng = np.random.default_rng(seed)
    layer = LabelLayer(0, np.zeros(SHAPE_KJI, dtype=np.uint8))
    done: list[LabelPatch] = []
    for _ in range(60):
        low = rng.integers(0, np.subtract(SHAPE_KJI, 3))
        high = np.minimum(low + rng.integers(1, (9, 40, 40)), SHAPE_KJI)
        box = Box(tuple(map(int, low)), tuple(map(int, high)))
        after = np.where(rng.random(box.shape_kji) < 0.4, rng.integers(0, 7), layer.voxels[box.slices]).astype(np.uint8)
        if done and rng.random() < 0.3:
            done.pop().inverse().apply(layer)
        elif patch := LabelPatch.between(layer, box, after):
            patch.apply(layer)
            done.append(patch)
        if rng.random() < 0.3:
            expect_exact(layer)
    expect_exact(layer)


def test_a_loaded_layer_is_counted_as_if_it_had_been_drawn() -> None:
    voxels = np.random.default_rng(7).choice(np.array([0] * 40 + [1, 5], dtype=np.uint8), SHAPE_KJI)
    voxels[3] = 0
    expect_exact(LabelLayer.drawn(0, voxels))


def test_a_copy_goes_its_own_way() -> None:
    layer = LabelLayer.drawn(0, np.eye(70, 80, dtype=np.uint8)[np.newaxis].repeat(9, axis=0))
    copy = layer.copy()
    LabelPatch.between(layer, Box.whole(SHAPE_KJI), np.zeros(SHAPE_KJI, dtype=np.uint8)).apply(layer)
    assert layer.index.count(1) == 0
    expect_exact(copy)


def test_nothing_is_known_of_an_empty_layer() -> None:
    index = LayerIndex()
    assert index.count(3) == 0
    assert index.box(3) is None
    assert not index.along(1, [1, 3], 70).any()


def test_many_values_in_one_patch_are_counted_slice_by_slice() -> None:
    voxels = np.random.default_rng(3).integers(0, 40, SHAPE_KJI).astype(np.uint8)
    layer = LabelLayer(0, np.zeros(SHAPE_KJI, dtype=np.uint8))
    box = Box((1, 3, 5), (8, 66, 79))
    patch = LabelPatch.between(layer, box, voxels[box.slices])
    assert patch is not None
    patch.apply(layer)
    for axis in range(3):
        others = tuple(n for n in range(3) if n != axis)
        for values in ([7], [1, 2, 39], range(1, 40)):
            expected = np.isin(layer.voxels, list(values)).sum(axis=others)
            assert np.array_equal(layer.index.along(axis, list(values), SHAPE_KJI[axis]), expected)
    patch.inverse().apply(layer)
    assert all(not layer.index.along(axis, range(1, 256), SHAPE_KJI[axis]).any() for axis in range(3))


def test_the_version_of_a_value_grows_with_its_own_voxels_only() -> None:
    layer = LabelLayer(0, np.zeros(SHAPE_KJI, dtype=np.uint8))
    seen = [(layer.index.version(1), layer.index.version(2))]
    for value in (1, 2, 1):
        box = Box((2, 2, 2), (3, 4, 4))
        patch = LabelPatch.between(layer, box, np.full(box.shape_kji, value, dtype=np.uint8))
        assert patch is not None
        patch.apply(layer)
        seen.append((layer.index.version(1), layer.index.version(2)))
    grown = [(b[0] > a[0], b[1] > a[1]) for a, b in itertools.pairwise(seen)]
    assert grown == [(True, False), (True, True), (True, True)]
