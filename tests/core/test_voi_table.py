from __future__ import annotations

import numpy as np
import pytest

from medview.core.voi_table import VoiTable
from medview.core.window import Window, WindowFunction


def table(entries: list[int], first: float = 0.0, bits: int = 12) -> VoiTable:
    return VoiTable(first, np.asarray(entries, "<u2").tobytes(), bits)


def test_each_value_takes_its_entry_and_those_outside_the_nearest() -> None:
    shown = table([0, 1000, 3000, 4095], first=-2.0).levels(np.array([-100, -2, -1, 0, 1, 2, 100]))
    assert shown.tolist() == [0, 0, 62, 187, 255, 255, 255]


def test_values_between_two_entries_take_the_nearer_one() -> None:
    assert table([0, 4095]).levels(np.array([0.4, 0.6], np.float32)).tolist() == [0, 255]


def test_a_table_that_uses_fewer_bits_than_it_declares_is_not_shown_dark() -> None:
    # Declared 16 bits, written with 10.
    assert table([0, 512, 1023], bits=16).levels(np.array([0, 1, 2])).tolist() == [0, 128, 255]
    assert table([0, 40000], bits=16).levels(np.array([1]))[0] == round(40000 / 65535 * 255)


def test_a_person_who_drags_gets_a_window_instead_of_the_table() -> None:
    window = table([0] * 100 + [4095] * 100, first=50.0).adjusted(120.0, 40.0)
    assert window == Window(120.0, 40.0, WindowFunction.LINEAR_EXACT)


@pytest.mark.parametrize("count", [1, 2, 65536])
def test_centre_and_width_span_the_values_the_table_tells_apart(count: int) -> None:
    one = table([0] * count, first=10.0)
    assert (one.count, one.width) == (count, float(count))
    assert one.center == 10.0 + (count - 1) / 2
