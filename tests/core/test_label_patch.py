from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medview.core.box import Box
from medview.core.errors import StalePatchError
from medview.core.label_patch import PIECE_KJI, LabelPatch
from medview.core.segmentation import LabelLayer

SHAPE_KJI = (5, 7, 9)


def layer_of(seed: int) -> LabelLayer:
    return LabelLayer(0, np.random.default_rng(seed).integers(0, 4, SHAPE_KJI).astype(np.uint8))


def test_a_patch_is_trimmed_to_what_changes() -> None:
    layer = layer_of(1)
    after = layer.voxels.copy()
    after[2, 3, 4] += 1
    after[3, 3, 6] += 1
    patch = LabelPatch.between(layer, Box.whole(SHAPE_KJI), after)
    assert patch is not None
    assert patch.box == Box((2, 3, 4), (4, 4, 7))


def test_a_patch_that_changes_nothing_is_none() -> None:
    layer = layer_of(1)
    assert LabelPatch.between(layer, Box((0, 0, 0), (2, 2, 2)), layer.voxels[:2, :2, :2].copy()) is None


def test_a_patch_raises_the_version_of_its_layer() -> None:
    layer = layer_of(1)
    patch = LabelPatch.between(layer, Box((0, 0, 0), (1, 1, 1)), np.full((1, 1, 1), 9, dtype=np.uint8))
    assert patch is not None
    patch.apply(layer)
    assert layer.version == 1


def test_a_patch_over_voxels_that_moved_on_is_refused_and_writes_nothing() -> None:
    layer = layer_of(1)
    patch = LabelPatch.between(layer, Box((1, 1, 1), (3, 3, 3)), np.full((2, 2, 2), 9, dtype=np.uint8))
    assert patch is not None
    layer.voxels[2, 2, 2] = 200
    before = layer.voxels.copy()
    with pytest.raises(StalePatchError):
        patch.apply(layer)
    assert np.array_equal(layer.voxels, before)
    assert layer.version == 0


_BOXES = st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 8)).flatmap(
    lambda low: st.tuples(
        st.just(low), st.tuples(st.integers(low[0] + 1, 5), st.integers(low[1] + 1, 7), st.integers(low[2] + 1, 9))
    )
)


@settings(max_examples=60)
@given(st.lists(st.tuples(_BOXES, st.integers(0, 3)), min_size=1, max_size=12))
def test_a_merged_patch_undoes_and_redoes_a_whole_row_of_writes(
    writes: list[tuple[tuple[tuple[int, int, int], tuple[int, int, int]], int]],
) -> None:
    layer = layer_of(2)
    before = layer.voxels.copy()
    patches = []
    for (low, high), value in writes:
        box = Box(low, high)
        patch = LabelPatch.between(layer, box, np.full(box.shape_kji, value, dtype=np.uint8))
        if patch is not None:
            patch.apply(layer)
            patches.append(patch)
    after = layer.voxels.copy()
    merged = LabelPatch.merged(layer, patches)
    if merged is None:
        assert np.array_equal(before, after)
        return
    merged.inverse().apply(layer)
    assert np.array_equal(layer.voxels, before)
    merged.apply(layer)
    assert np.array_equal(layer.voxels, after)


def test_a_large_change_is_cut_into_pieces_that_together_write_the_same() -> None:
    shape = (70, 150, 260)
    layer = LabelLayer(0, np.zeros(shape, dtype=np.uint8))
    after = np.zeros(shape, dtype=np.uint8)
    after[3:69, 40:149, 1:130] = np.random.default_rng(5).integers(0, 4, (66, 109, 129))
    box = Box((1, 7, 0), (70, 150, 259))
    patches = LabelPatch.pieces(layer, box, after[box.slices])
    assert len(patches) > 4
    assert all(np.less_equal(patch.box.shape_kji, PIECE_KJI).all() for patch in patches)
    for patch in patches:
        patch.apply(layer)
    assert np.array_equal(layer.voxels, after)
    for patch in reversed(patches):
        patch.inverse().apply(layer)
    assert not layer.voxels.any()


def test_a_small_change_is_one_piece_and_none_where_nothing_changes() -> None:
    layer = LabelLayer(0, np.zeros(SHAPE_KJI, dtype=np.uint8))
    box = Box.whole(SHAPE_KJI)
    assert LabelPatch.pieces(layer, box, layer.voxels.copy()) == []
    assert len(LabelPatch.pieces(layer, box, np.ones(SHAPE_KJI, dtype=np.uint8))) == 1


def test_a_patch_holds_nothing_of_what_lies_beside_what_it_changes() -> None:
    rng = np.random.default_rng(6)
    layer = LabelLayer.drawn(0, rng.integers(1, 200, SHAPE_KJI).astype(np.uint8))
    box = Box.whole(SHAPE_KJI)
    after = layer.voxels.copy()
    after[1, 2, 3] = after[1, 2, 3] + 1
    after[SHAPE_KJI[0] - 1, SHAPE_KJI[1] - 1, SHAPE_KJI[2] - 1] += 1
    patch = LabelPatch.between(layer, box, after)
    assert patch is not None
    assert patch.size_bytes < 200
    # What changed beside it meanwhile stays, there and back.
    layer.voxels[2, 2, 2] = 250
    after[2, 2, 2] = 250
    patch.apply(layer)
    assert np.array_equal(layer.voxels, after)
    layer.voxels[2, 2, 3] = 251
    patch.inverse().apply(layer)
    assert layer.voxels[2, 2, 3] == 251
    assert layer.voxels[1, 2, 3] == after[1, 2, 3] - 1


@given(st.integers(0, 1000))
@settings(max_examples=30)
def test_parts_of_a_patch_together_write_what_it_writes_and_each_stays_in_its_box(seed: int) -> None:
    layer, after = layer_of(seed), layer_of(seed + 1).voxels
    whole = LabelPatch.between(layer, Box.whole(after.shape), after)
    assert whole is not None
    middle = after.shape[1] // 2
    k, j, i = after.shape
    for box in (Box((0, 0, 0), (k, middle, i)), Box((0, middle, 0), (k, j + 5, i))):
        part = whole.cut(box)
        assert part is not None
        assert part.box.intersection(box) == part.box
        before = layer.voxels.copy()
        part.apply(layer)
        changed = Box.around(layer.voxels != before)
        assert changed == part.box
    assert np.array_equal(layer.voxels, after)
    assert whole.cut(Box((0, j, 0), (k, j + 5, i))) is None
