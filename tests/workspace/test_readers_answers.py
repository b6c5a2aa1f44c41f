"""Beside a consensus each question says what the readers answered; what they said alike is taken over at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from medview.core.answer import Value
from medview.workspace.actions import action
from medview.workspace.answering import give
from medview.workspace.asked import Asked, asked_now, missing_now
from tests.helpers.forms import BAD, FORM, GOOD, LEFT, RIGHT
from tests.workspace.queued import write_small_ct
from tests.workspace.test_reviewing import Desk

GIVEN: dict[str, dict[str, Value]] = {
    "Ada": {"Quality": (GOOD,), "Sides": (LEFT, RIGHT), "Confidence": 80.0, "Comment": "Rotated", "Motion": (BAD,)},
    "Grace": {"Quality": (BAD,), "Sides": (RIGHT, LEFT), "Confidence": 80.0, "Comment": "rotated", "Motion": (BAD,)},
}


def rows(desk: Desk) -> dict[str, Asked]:
    return {row.question.text: row for group in asked_now(desk.workspace, desk.case) for row in group.asked}


@pytest.fixture
def eve(tmp_path: Path) -> Iterator[Desk]:
    """Eve, over a project in which Ada and Grace have answered the form."""
    write_small_ct(tmp_path / "images", "s1")
    for reader, given in GIVEN.items():
        desk = Desk(tmp_path, reader)
        desk.workspace.forms.use((FORM,))
        for text, value in given.items():
            assert give(desk.workspace, rows(desk)[text], value)
        desk.done()
        desk.close()
    eve = Desk(tmp_path, "Eve")
    yield eve
    eve.close()


def adjudicate(desk: Desk) -> None:
    action("review.consensus").run(desk.workspace)
    desk.workspace.forms.readers.look_up(desk.case)


def test_readers_do_not_hear_of_each_other_outside_of_a_consensus(eve: Desk) -> None:
    eve.workspace.forms.readers.look_up(eve.case)
    assert {row.note for row in rows(eve).values()} == {""}
    assert not action("form.agree").enabled(eve.workspace)


def test_a_consensus_shows_what_each_reader_answered_and_takes_over_what_is_alike(eve: Desk) -> None:
    adjudicate(eve)
    found = rows(eve)
    assert found["Quality"].note == "Ada: Good; Grace: Bad"
    assert found["Confidence"].note == "Ada: 80 %; Grace: 80 %"
    assert found["Compared with before"].note == ""
    assert action("form.agree").enabled(eve.workspace)
    action("form.agree").run(eve.workspace)
    answers = {one.question: (one.words, one.reader) for one in eve.case.labels.answers.values()}
    assert answers == {
        "Sides": ("Left; Right", "Eve"),
        "Confidence": ("80 %", "Eve"),
        "Comment": ("Rotated", "Eve"),
        "Motion": ("Bad", "Eve"),
    }
    assert not action("form.agree").enabled(eve.workspace)
    assert "Quality" in [row.question.text for row in missing_now(eve.workspace, eve.case)], (
        "what they dispute is to decide"
    )
    assert give(eve.workspace, rows(eve)["Quality"], (BAD,))
    eve.case.undo()
    eve.case.undo()
    assert eve.case.labels.answers == {}


def test_what_was_decided_already_stays(eve: Desk) -> None:
    adjudicate(eve)
    assert give(eve.workspace, rows(eve)["Confidence"], 55.0)
    action("form.agree").run(eve.workspace)
    assert rows(eve)["Confidence"].answer.words == "55 %"  # type: ignore[union-attr]
