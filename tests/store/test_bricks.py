from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medview.core.box import Box
from medview.core.errors import StoreError
from medview.store.bricks import BrickLayer

SHAPE = (70, 130, 65)

_BOXES = st.lists(
    st.tuples(
        st.tuples(st.integers(0, 69), st.integers(0, 129), st.integers(0, 64)),
        st.tuples(st.integers(1, 40), st.integers(1, 100), st.integers(1, 40)),
        st.integers(0, 255),
    ),
    max_size=8,
)


@settings(max_examples=30)
@given(_BOXES)
def test_bricks_hold_what_an_array_would(writes: list[tuple[tuple[int, int, int], tuple[int, int, int], int]]) -> None:
    truth = np.zeros(SHAPE, dtype=np.uint8)
    layer = BrickLayer(SHAPE)
    for n, (low, size, value) in enumerate(writes):
        box = Box(low, tuple(np.add(low, size))).clipped(SHAPE)
        voxels = np.full(box.shape_kji, value, dtype=np.uint8)
        layer.write(box, voxels)
        truth[box.slices] = voxels
        if n % 3 == 1:
            layer = BrickLayer(SHAPE, layer.packed())
        wider = box.padded((3, 3, 3)).clipped(SHAPE)
        assert np.array_equal(layer.read(wider), truth[wider.slices])
    assert np.array_equal(layer.dense(), truth)
    assert np.array_equal(BrickLayer(SHAPE, layer.packed()).dense(), truth)


def test_bricks_of_background_are_not_kept() -> None:
    layer = BrickLayer(SHAPE)
    box = Box((60, 60, 60), (66, 66, 65))
    layer.write(box, np.ones(box.shape_kji, dtype=np.uint8))
    assert len(layer.packed()) == 8
    layer.write(box, np.zeros(box.shape_kji, dtype=np.uint8))
    assert layer.packed() == {}


def test_only_the_bricks_that_are_written_are_unpacked_and_packed_again() -> None:
    layer = BrickLayer(SHAPE)
    layer.write(Box.whole(SHAPE), np.random.default_rng(0).integers(0, 9, SHAPE, dtype=np.uint8))
    before = layer.packed()
    layer.write(Box((0, 0, 0), (1, 1, 1)), np.full((1, 1, 1), 77, dtype=np.uint8))
    after = layer.packed()
    assert [brick for brick in before if before[brick] is not after[brick]] == [(0, 0, 0)]


@pytest.mark.parametrize("brick", [(9, 0, 0), (-1, 0, 0)])
def test_bricks_outside_the_grid_are_refused(brick: tuple[int, int, int]) -> None:
    with pytest.raises(StoreError):
        BrickLayer(SHAPE, {brick: b""})


def test_a_box_outside_the_grid_is_refused() -> None:
    with pytest.raises(StoreError):
        BrickLayer(SHAPE).read(Box((0, 0, 0), (71, 1, 1)))
