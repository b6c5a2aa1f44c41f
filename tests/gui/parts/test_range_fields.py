"""Two fields for a range: small numbers are shown, and only the end that is typed changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from medview.core.volume import Volume
from medview.gui.parts.range_fields import RangeFields
from medview.workspace.rule_words import range_text
from tests.gui.cases import make_case


@pytest.fixture
def volume() -> Volume:
    return replace(make_case().volume, modality="MR", unit="")


@pytest.fixture
def fields(qtbot: QtBot) -> RangeFields:
    made = RangeFields("Range")
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize(
    ("ends", "texts"),
    [
        ((-1000.0, 300.0), ("-1000", "300")),
        ((12.5, 50.25), ("12.50", "50.25")),
        ((0.0003, 0.0012), ("0.00030", "0.00120")),
        ((1000.1, 1000.4), ("1000.10", "1000.40")),
        ((0.0, 0.0), ("0.00", "0.00")),
    ],
)
def test_a_range_has_as_many_decimals_as_it_takes_to_tell_its_ends_apart(
    fields: RangeFields, volume: Volume, ends: tuple[float, float], texts: tuple[str, str]
) -> None:
    fields.show_range(volume, *ends)
    point = fields.locale().decimalPoint()
    assert tuple(box.cleanText().replace(point, ".") for box in (fields.low, fields.high)) == texts
    assert range_text(volume, ends) == " to ".join(texts).replace("-", "\u2212")


def test_the_end_that_is_not_typed_stays_exact(fields: RangeFields, volume: Volume) -> None:
    told: list[tuple[float, float]] = []
    fields.range_wanted.connect(lambda low, high: told.append((low, high)))
    fields.show_range(volume, 0.123, 0.456)
    fields.high.setValue(0.5)
    fields.low.setValue(0.2)
    assert told == [(0.123, 0.5), (0.2, 0.5)]
    fields.show_range(volume, -100.4, 300.7)
    fields.low.stepUp()
    assert told[-1] == (-95.0, 300.7)


def test_ends_that_are_typed_the_wrong_way_round_are_told_lowest_first(fields: RangeFields, volume: Volume) -> None:
    told: list[tuple[float, float]] = []
    fields.range_wanted.connect(lambda low, high: told.append((low, high)))
    fields.show_range(volume, 100.0, 200.0)
    fields.low.setValue(300.0)
    fields.high.setValue(400.0)
    assert told == [(200.0, 300.0), (300.0, 400.0)]
