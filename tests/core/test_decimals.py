"""Decimals of numbers that are read and stepped through."""

from __future__ import annotations

import pytest

from medview.core.decimals import decimals_for


@pytest.mark.parametrize(
    ("span", "usual", "decimals"),
    [(400.0, 0, 0), (1.0, 2, 2), (0.5, 0, 2), (0.5, 3, 3), (0.001, 3, 5), (1e-30, 3, 9), (0.0, 2, 2), (-1.0, 2, 2)],
)
def test_small_spans_have_about_a_hundred_steps_and_others_the_usual_decimals(
    span: float, usual: int, decimals: int
) -> None:
    assert decimals_for(span, usual) == decimals
