"""Round lengths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medview.gui.layers.scale_bar import nice_length_mm


@pytest.mark.parametrize(("mm_per_px", "length"), [(1.0, 100.0), (0.4, 50.0), (0.01, 1.0), (0.13, 10.0), (3.0, 200.0)])
def test_the_bar_is_the_longest_round_length_that_fits(mm_per_px: float, length: float) -> None:
    assert nice_length_mm(mm_per_px, 150) == length


@given(st.floats(1e-3, 50), st.floats(60, 160))
def test_the_bar_fits_and_is_never_tiny(mm_per_px: float, longest_px: float) -> None:
    width_px = nice_length_mm(mm_per_px, longest_px) / mm_per_px
    assert longest_px / 2.5 - 1e-6 <= width_px <= longest_px
