"""What changing a form does to answers is known before it is done."""

from __future__ import annotations

from dataclasses import replace

from medview.core.answer import Answer, Standing, Target
from medview.core.form import Form, Level, Option, Question
from medview.core.form_change import consequences
from tests.helpers.forms import BAD, COMMENT, FORM, GOOD, LEFT, MOTION, QUALITY, RIGHT, SIDES, SURE, answer

CASES: list[list[Answer]] = [
    [answer(QUALITY, (BAD,)), answer(SURE, 82.0), answer(SIDES, (LEFT, RIGHT))],
    [answer(QUALITY, (GOOD,)), answer(SURE, 40.0)],
    [
        answer(QUALITY, (BAD,)),
        answer(MOTION, (GOOD,), Target(Level.SLICE, 3)),
        answer(MOTION, (BAD,), Target(Level.SLICE, 4)),
    ],
    [],
]


def _with(question: Question) -> Form:
    return FORM.changed(questions=tuple(question if one.uid == question.uid else one for one in FORM.questions))


def _told(form: Form) -> list[tuple[str, int, Standing]]:
    return [(one.question, one.count, one.standing) for one in consequences((FORM,), (form,), CASES)]


def test_what_changes_nothing_for_answers_is_not_told() -> None:
    assert _told(FORM) == []
    assert _told(_with(replace(QUALITY, text="Image quality"))) == []
    assert _told(FORM.changed(questions=FORM.questions[::-1])) == []
    assert _told(_with(replace(SURE, most=90.0))) == []


def test_each_kind_of_change_counts_the_answers_it_touches() -> None:
    without = FORM.changed(questions=tuple(one for one in FORM.questions if one is not MOTION))
    assert _told(without) == [("Motion", 2, Standing.NOT_ASKED)]
    assert _told(_with(replace(QUALITY, options=(GOOD,)))) == [("Quality", 2, Standing.OPTION_GONE)]
    assert _told(_with(replace(QUALITY, options=(GOOD, Option("bad", "Poor"))))) == [("Quality", 2, Standing.REWORDED)]
    assert _told(_with(replace(SURE, most=50.0))) == [("Confidence", 1, Standing.OUT_OF_RANGE)]
    assert _told(_with(replace(SURE, unit="points"))) == [("Confidence", 2, Standing.OTHER_UNIT)]
    assert _told(_with(replace(QUALITY, level=Level.STUDY))) == [("Quality", 3, Standing.NOT_ASKED)]


def test_a_question_that_becomes_required_counts_where_it_is_missing_now() -> None:
    assert _told(_with(replace(SIDES, required=True))) == [("Sides", 2, Standing.MISSING)]
    assert _told(_with(replace(COMMENT, required=True))) == [("Comment", 3, Standing.MISSING)]
    assert _told(_with(replace(MOTION, text="Movement"))) == []


def test_every_consequence_is_a_sentence_with_the_words_people_know() -> None:
    (one,) = consequences((FORM,), (_with(replace(QUALITY, text="Image quality", options=(GOOD,))),), CASES)
    assert one.sentence == "\u201cQuality\u201d loses an option: 2 answers chose it; kept, and asked again."
    (single,) = consequences((FORM,), (_with(replace(SURE, most=50.0)),), CASES)
    assert single.sentence.startswith("\u201cConfidence\u201d has another range: 1 answer outside")
