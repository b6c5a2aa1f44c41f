"""Options are numbers where numbers are asked for; anything else is told by name."""

from __future__ import annotations

from typing import Any

import pytest

from medview.core.errors import ModelError
from medview.ml.recipes.options import count_in, counts_in, number_in


def test_what_is_left_out_or_null_is_as_usual() -> None:
    assert number_in({}, "foreground", 0.33) == 0.33
    assert number_in({"foreground": None}, "foreground", 0.33) == 0.33
    assert count_in({"width": 24}, "width", 16) == 24


@pytest.mark.parametrize("value", ["much", True, [1], "0.5"])
def test_what_is_no_number_is_named(value: Any) -> None:
    with pytest.raises(ModelError, match="for foreground, which has to be a number"):
        number_in({"foreground": value}, "foreground", 0.33)


def test_half_a_feature_is_refused() -> None:
    with pytest.raises(ModelError, match=r"2\.5 for width, which has to be a whole number"):
        count_in({"width": 2.5}, "width", 16)


def test_lists_hold_whole_numbers() -> None:
    assert counts_in({}, "channels", (8, 16)) == [8, 16]
    assert counts_in({"channels": [4, 8]}, "channels", (8, 16)) == [4, 8]
    values: list[Any] = [8, [4, "8"], [4.5]]
    for value in values:
        with pytest.raises(ModelError, match="for channels"):
            counts_in({"channels": value}, "channels", (8, 16))
