from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as judge

from medview.io.datasets.rle import mask_of, packed, runs_of, unpacked
from tests.io.datasets.pictures import holed_mask

# The judge's own arrays are of an older numpy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.floats(0.0, 1.0))
def test_runs_are_those_of_pycocotools_and_come_back(rows: int, columns: int, seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((rows, columns)) < share
    text = packed(runs_of(mask))
    assert text == judge.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    np.testing.assert_array_equal(mask_of(unpacked(text), (rows, columns)), mask)


def test_a_large_mask_has_long_runs() -> None:
    mask = np.zeros((3000, 2000), dtype=np.bool_)
    mask[10:2900, 7:1990] = True
    text = packed(runs_of(mask))
    np.testing.assert_array_equal(judge.decode({"size": [3000, 2000], "counts": text}), mask)
    np.testing.assert_array_equal(mask_of(unpacked(text), (3000, 2000)), mask)


@pytest.mark.parametrize("text", ["\x00", "oooooooooooooooo", "0000P", "~~", "é"])
def test_what_is_no_text_of_runs_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"runs"):
        mask_of(unpacked(text), (4, 5))


@pytest.mark.parametrize(
    ("runs", "size"), [([5], (2, 2)), ([-1, 5], (2, 2)), ([1 << 60], (1 << 30, 1 << 30)), ([], (2, 2))]
)
def test_runs_that_do_not_fill_their_mask_are_refused(runs: list[int], size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="mask"):
        mask_of(runs, size)


def test_runs_of_a_mask_with_holes_begin_with_what_is_off() -> None:
    mask = holed_mask()
    assert runs_of(mask)[0] == 22
    assert runs_of(~mask)[0] == 0
