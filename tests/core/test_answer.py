"""What an answer is worth, now and after its form has changed."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from medview.core.answer import (
    SERIES,
    STUDY,
    Answer,
    Standing,
    Target,
    asked_no_longer,
    missing,
    standing,
)
from medview.core.case_labels import CaseLabels
from medview.core.changes import AnswerChange, Command
from medview.core.errors import LabelError
from medview.core.form import AnswerKind, Level, Option
from medview.core.geometry import Geometry
from tests.helpers.forms import BAD, COMMENT, FORM, GOOD, LEFT, LIMITED, MOTION, PRIOR, QUALITY, RIGHT, SIDES, SURE, answer

SLICE_4 = Target(Level.SLICE, 4, "1.2.3", 0)


def test_an_answer_reads_as_it_was_given() -> None:
    assert answer(QUALITY, (LIMITED,)).words == "Limited"
    assert answer(SIDES, (RIGHT, LEFT)).words == "Left; Right", "options stand in the order of the form"
    assert answer(SURE, 82.5).words == "82.5 %"
    assert answer(COMMENT, "Rotated").words == "Rotated"
    given = answer(SURE, 10.0)
    assert (given.question, given.form_name, given.form_version, given.reader) == ("Confidence", "Chest", 1, "Ada")


@pytest.mark.parametrize(
    ("question", "value"),
    [
        (QUALITY, (GOOD, BAD)),
        (QUALITY, (Option("x", "Superb"),)),
        (QUALITY, "Good"),
        (SURE, 101.0),
        (SURE, -0.001),
        (SURE, "82"),
        (COMMENT, 3.0),
        (COMMENT, ""),
        (SIDES, ()),
        (SURE, math.nan),
    ],
)
def test_what_a_question_does_not_take_is_no_answer(question, value) -> None:
    with pytest.raises(ValueError, match=r"answer|Confidence"):
        answer(question, value)


def test_an_answer_on_another_level_than_is_asked_is_none() -> None:
    with pytest.raises(ValueError, match="does not answer"):
        answer(QUALITY, (GOOD,), STUDY)


@pytest.mark.parametrize(
    ("question", "given", "now", "settled"),
    [
        (QUALITY, answer(QUALITY, (BAD,)), Standing.ANSWERED, True),
        (QUALITY, None, Standing.MISSING, False),
        (None, answer(QUALITY, (BAD,)), Standing.NOT_ASKED, False),
        (replace(QUALITY, level=Level.STUDY), answer(QUALITY, (BAD,)), Standing.NOT_ASKED, False),
        (replace(QUALITY, options=(GOOD, LIMITED)), answer(QUALITY, (BAD,)), Standing.OPTION_GONE, False),
        (replace(QUALITY, options=(GOOD, Option("bad", "Unusable"))), answer(QUALITY, (BAD,)), Standing.REWORDED, True),
        (replace(SIDES, options=(LEFT,)), answer(SIDES, (LEFT, RIGHT)), Standing.OPTION_GONE, False),
        (replace(SIDES, kind=AnswerKind.ONE), answer(SIDES, (LEFT, RIGHT)), Standing.OTHER_KIND, False),
        (replace(SIDES, kind=AnswerKind.ONE), answer(SIDES, (LEFT,)), Standing.ANSWERED, True),
        (replace(SURE, most=50.0), answer(SURE, 82.5), Standing.OUT_OF_RANGE, False),
        (replace(SURE, most=50.0), answer(SURE, 50.0), Standing.ANSWERED, True),
        (replace(SURE, unit="mm", most=None), answer(SURE, 8.0), Standing.OTHER_UNIT, False),
        (replace(COMMENT, kind=AnswerKind.NUMBER), answer(COMMENT, "12"), Standing.OTHER_KIND, False),
        (replace(QUALITY, text="Image quality"), answer(QUALITY, (BAD,)), Standing.ANSWERED, True),
    ],
)
def test_a_changed_question_takes_an_old_answer_for_what_it_is(question, given, now, settled) -> None:
    assert standing(question, given) is now
    assert now.settled is settled


def test_required_questions_without_a_standing_answer_are_missing_at_their_target() -> None:
    answers = {one.key: one for one in (answer(SURE, 82.0), answer(MOTION, (GOOD,), SLICE_4))}
    assert missing(FORM.questions, SERIES, answers) == (QUALITY,)
    assert missing(FORM.questions, STUDY, answers) == (PRIOR,)
    assert missing(FORM.questions, SLICE_4, answers) == ()
    assert missing(FORM.questions, replace(SLICE_4, k=5), answers) == (MOTION,)
    narrower = (QUALITY, replace(SURE, most=50.0))
    assert missing(narrower, SERIES, answers) == narrower


def test_answers_asked_no_longer_are_found_and_nothing_else() -> None:
    given = [answer(QUALITY, (BAD,)), answer(COMMENT, "Rotated")]
    without = FORM.changed(questions=tuple(q for q in FORM.questions if q is not COMMENT))
    assert asked_no_longer((without,), given) == (given[1],)
    assert asked_no_longer((FORM,), given) == ()
    assert asked_no_longer((), given) == tuple(given)


def test_targets_are_told_apart_by_what_they_are_and_not_by_what_they_are_called() -> None:
    lesion = Target(Level.LESION, segment_id="s", at_kji=(1, 2, 3), name="Nodule")
    box = Target(Level.LESION, annotation_id="b", name="Nodule")
    keys = {one.key for one in (STUDY, SERIES, SLICE_4, replace(SLICE_4, k=41), lesion, box)}
    assert len(keys) == 6
    assert replace(lesion, name="Mass").key == lesion.key
    assert replace(lesion, at_kji=(12, 3, 0)).key != replace(lesion, at_kji=(1, 23, 0)).key


def test_answers_are_labels_that_are_given_changed_taken_back_and_undone() -> None:
    labels = CaseLabels.empty(Geometry.from_spacing((4, 5, 6), (3.0, 1.0, 0.5)))
    first, second = answer(QUALITY, (GOOD,)), answer(QUALITY, (BAD,))
    given, altered = AnswerChange(None, first), AnswerChange(first, second)
    labels.apply((given, altered))
    assert labels.answers == {first.key: second}
    assert labels.revision == 0, "no model looks at answers"
    labels.apply(Command("Answer", (given, altered)).inverse().changes)
    assert labels.answers == {}


def test_an_answer_that_changed_meanwhile_is_not_overwritten() -> None:
    labels = CaseLabels.empty(Geometry.from_spacing((4, 5, 6), (3.0, 1.0, 0.5)))
    labels.apply((AnswerChange(None, answer(QUALITY, (GOOD,))),))
    with pytest.raises(LabelError, match="Quality is no longer the one"):
        labels.apply((AnswerChange(None, answer(SURE, 3.0)), AnswerChange(None, answer(QUALITY, (BAD,)))))
    assert list(labels.answers.values()) == [answer(QUALITY, (GOOD,))], "all or nothing"


def test_an_answer_says_something() -> None:
    with pytest.raises(ValueError, match="empty answer"):
        Answer(SERIES, "q", "Comment", "")
