"""A gesture that goes on: moves that wait, its end, and taking it back."""

from __future__ import annotations

import pytest

from medview.workspace.dragging import Dragging
from medview.workspace.open_case import OpenCase
from medview.workspace.preview import LoupePreview
from medview.workspace.stage import Drag
from tests.workspace.gestures import pointer


@pytest.fixture
def seen() -> list[object]:
    return []


def gesture(seen: list[object], most: int = 9) -> Drag:
    """Record what it is sent; end by itself after ``most`` moves."""
    try:
        for n in range(most):
            move = yield LoupePreview("a", n, 0)
            seen.append(None if move is None else move.column)
            if move is None:
                return
    except GeneratorExit:
        seen.append("taken back")
        raise


def test_it_sees_its_moves_and_its_end_and_shows_what_it_asks_for(case: OpenCase, seen: list[object]) -> None:
    dragging = Dragging()
    assert not dragging.going_on
    dragging.send(pointer(case, 1, 1))
    dragging.begin(gesture(seen))
    assert dragging.shown == LoupePreview("a", 0, 0)
    dragging.send(pointer(case, 1, 2))
    dragging.send(pointer(case, 1, 3))
    assert dragging.shown == LoupePreview("a", 2, 0)
    dragging.finish()
    assert seen == [2, 3, None]
    assert (dragging.going_on, dragging.shown) == (False, None)
    dragging.finish()
    dragging.give_up()
    assert seen == [2, 3, None]


def test_one_that_ends_by_itself_is_let_go_and_one_given_up_takes_back(case: OpenCase, seen: list[object]) -> None:
    dragging = Dragging()
    dragging.begin(gesture(seen, 1))
    dragging.send(pointer(case, 1, 5))
    assert not dragging.going_on
    dragging.begin(gesture(seen, 0))
    assert not dragging.going_on
    dragging.begin(gesture(seen))
    dragging.give_up()
    assert seen == [5, "taken back"]
    assert (dragging.going_on, dragging.shown) == (False, None)


def test_moves_wait_until_they_are_taken(case: OpenCase) -> None:
    dragging = Dragging()
    ways = [pointer(case, 1, n) for n in range(3)]
    for at in ways:
        dragging.wait(at)
    assert dragging.waits
    assert dragging.take() == ways
    assert not dragging.waits
    assert dragging.take() == []
