from __future__ import annotations

import pytest

from medview.core.attributes import Attribute, Choice, attributes_of, with_attribute, without_attribute
from medview.core.trace import Trace, TraceKind

TRIANGLE = ((0.0, 0.0, 0.0), (3.0, 0.0, 0.0), (3.0, 4.0, 0.0))


def test_a_closed_line_is_longer_by_the_way_back() -> None:
    assert Trace("t", TraceKind.OPEN, TRIANGLE).length_mm() == pytest.approx(7.0)
    assert Trace("t", TraceKind.CLOSED, TRIANGLE).length_mm() == pytest.approx(12.0)
    assert Trace("t", TraceKind.POINT, TRIANGLE[:1]).length_mm() == 0.0


@pytest.mark.parametrize(("kind", "count"), [(TraceKind.POINT, 2), (TraceKind.OPEN, 1), (TraceKind.CLOSED, 2)])
def test_a_trace_of_too_few_or_too_many_points_is_refused(kind: TraceKind, count: int) -> None:
    with pytest.raises(ValueError, match="points"):
        Trace("t", kind, TRIANGLE[:count])


def test_attributes_come_back_from_their_json_and_keep_their_kind() -> None:
    some = (Attribute("Side", Choice("left", ("left", "right"))), Attribute("Grade", 3.5), Attribute("Note", "3.5"))
    back = attributes_of([one.as_document() for one in some])
    assert back == some
    assert [one.kind for one in back] == ["choice", "number", "text"]


def test_an_attribute_is_changed_in_its_place_and_taken_away_by_name() -> None:
    some = (Attribute("A", "x"), Attribute("B", "y"))
    assert with_attribute(some, Attribute("A", 1.0)) == (Attribute("A", 1.0), Attribute("B", "y"))
    assert with_attribute(some, Attribute("C", "z"))[-1] == Attribute("C", "z")
    assert without_attribute(some, "A") == (Attribute("B", "y"),)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "", "kind": "text", "value": "x"},
        {"name": "N", "kind": "number", "value": float("nan")},
        {"name": "C", "kind": "choice", "value": "up", "options": ["left", "right"]},
        {"name": "X", "kind": "colour", "value": "red"},
    ],
)
def test_attributes_that_are_none_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        attributes_of([wrong])


def test_two_attributes_of_one_name_are_refused() -> None:
    one = {"name": "A", "kind": "text", "value": "x"}
    with pytest.raises(ValueError, match="one name"):
        attributes_of([one, one])
