from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medview.core.errors import LabelError
from medview.core.packed_voxels import pack, unpack


@settings(max_examples=40)
@given(st.tuples(st.integers(0, 40), st.integers(0, 200), st.integers(0, 300)), st.sampled_from(["noise", "one", "runs"]))
def test_voxels_come_back_equal(shape_kji: tuple[int, int, int], kind: str) -> None:
    rng = np.random.default_rng(0)
    voxels = np.ones(shape_kji, dtype=np.uint8)
    if kind == "noise":
        voxels = rng.integers(0, 256, shape_kji, dtype=np.uint8)
    elif kind == "runs":
        voxels = np.cumsum(rng.random(shape_kji) < 0.01, axis=-1).astype(np.uint8)
    assert np.array_equal(unpack(pack(voxels), shape_kji), voxels)


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_results_that_end_on_a_piece_are_whole(excess: int) -> None:
    shape_kji = (1, 4, (1 << 18) + excess)
    voxels = np.arange(4 * ((1 << 18) + excess), dtype=np.uint32).astype(np.uint8).reshape(shape_kji)
    assert np.array_equal(unpack(pack(voxels), shape_kji), voxels)


def test_a_slanting_view_is_packed_in_its_own_order() -> None:
    voxels = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    assert np.array_equal(unpack(pack(voxels.T), (5, 4, 3)), voxels.T)


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"not zlib",
        zlib.compress(bytes(59)),
        zlib.compress(bytes(61)),
        zlib.compress(bytes(1 << 28)),
        zlib.compress(bytes(60))[:-3],
    ],
)
def test_damage_and_bombs_are_label_errors(damaged: bytes) -> None:
    with pytest.raises(LabelError, match="damaged"):
        unpack(damaged, (3, 4, 5))
