"""Forms while they are designed: what fits is taken, what does not is said, and versions count once."""

from __future__ import annotations

import pytest

from medview.core.answer import Standing
from medview.core.form import AnswerKind, Form, Level
from medview.core.segmentation import Code
from medview.workspace.form_draft import FormDraft, option_lines, options_of
from tests.helpers.forms import BAD, FORM, GOOD, LEFT, LIMITED, MARGIN, QUALITY, RIGHT, SURE, answer


@pytest.fixture
def draft() -> FormDraft:
    made = FormDraft((FORM,))
    made.choose_question(FORM.questions.index(QUALITY))
    return made


def texts(draft: FormDraft) -> list[str]:
    assert draft.form is not None
    return [question.text for question in draft.form.questions]


def test_a_first_form_is_made_from_nothing() -> None:
    draft = FormDraft(())
    assert (draft.form, draft.question) == (None, None)
    draft.add_question()
    assert draft.form is not None
    assert (draft.form.name, texts(draft)) == ("New form", ["New question"])
    draft.add_form()
    assert draft.form.name == "New form 2"
    assert draft.result == draft.forms, "new forms begin with their first version"


def test_questions_are_added_copied_moved_and_taken_out(draft: FormDraft) -> None:
    before = texts(draft)
    draft.add_question()
    draft.alter(text="Angle")
    draft.copy_question()
    assert draft.form is not None
    assert texts(draft) == [*before[:2], "Angle", "Angle", *before[2:]]
    assert len({question.uid for question in draft.form.questions}) == len(draft.form.questions)
    draft.move_question(-1)
    draft.move_question(-1)
    assert draft.question is not None
    assert texts(draft)[1:4] == ["Angle", "Quality", "Angle"]
    draft.remove_question()
    draft.choose_question(2)
    draft.remove_question()
    assert texts(draft) == before
    for steps in (-99, 99):
        draft.move_question(steps)
    assert texts(draft) == before


def test_the_last_question_can_be_taken_out_and_another_form_taken_in_hand(draft: FormDraft) -> None:
    while draft.question is not None:
        draft.remove_question()
    assert texts(draft) == []
    draft.bring((Form("f.two", "Second", (SURE,)),))
    assert texts(draft) == ["Confidence"]
    draft.choose_form(0)
    assert draft.question is None
    draft.remove_form()
    assert texts(draft) == ["Confidence"]
    draft.remove_form()
    assert draft.forms == ()


def test_what_does_not_fit_is_said_and_not_taken(draft: FormDraft) -> None:
    assert draft.alter(text=" ") == "A question has no words."
    assert draft.alter(options=()) == "Quality has no options to choose from."
    assert draft.alter_form(name="") == "A form has no words."
    assert draft.forms == (FORM,)
    assert draft.alter(text="Image quality") == ""
    assert draft.question is not None
    assert draft.question.text == "Image quality"


def test_another_kind_of_answer_brings_what_it_needs(draft: FormDraft) -> None:
    assert draft.alter(kind=AnswerKind.TEXT) == ""
    assert draft.alter(kind=AnswerKind.NUMBER) == ""
    assert draft.alter(unit="mm", least=1.0, most=9.0) == ""
    assert draft.alter(kind=AnswerKind.SEVERAL) == ""
    question = draft.question
    assert question is not None
    assert (question.unit, question.least, question.most) == ("", None, None)
    assert [option.text for option in question.options] == ["Yes", "No"]
    draft.choose_question(FORM.questions.index(MARGIN))
    assert draft.alter(level=Level.SERIES) == ""
    assert draft.question is not None
    assert draft.question.lesions == ()


def test_lines_are_options_and_come_back() -> None:
    options = (GOOD, LEFT, RIGHT)
    assert option_lines(options) == "Good\nLeft | SCT 7771000 Left\nRight | SCT 24028007 Right"
    assert options_of(option_lines(options), options) == options


@pytest.mark.parametrize(
    ("lines", "uids"),
    [
        ("Bad\nGood\n\n  Limited ", ["bad", "good", "limited"]),
        ("Good\nFair\nBad", ["good", "limited", "bad"]),
        ("Good\nBad", ["good", "bad"]),
        ("Good\nFair\nLimited\nBad", ["good", None, "limited", "bad"]),
        ("Bad\nFair\nLimited", ["bad", None, "limited"]),
        ("GOOD\nLimited\nBad", ["good", "limited", "bad"]),
    ],
)
def test_an_option_is_known_by_its_words_then_by_its_line(lines: str, uids: list[str | None]) -> None:
    before = (GOOD, LIMITED, BAD)
    known = {option.uid for option in before}
    assert [one.uid if one.uid in known else None for one in options_of(lines, before)] == uids


def test_a_code_behind_a_bar_is_read() -> None:
    (one, two) = options_of("Left lung | SCT 44029006 Left lung structure\nBoth | unclear", ())
    assert (one.text, one.code) == ("Left lung", Code("44029006", "SCT", "Left lung structure"))
    assert (two.text, two.code) == ("Both | unclear", None)


def test_a_form_that_differs_is_one_version_on_however_often_it_was_changed(draft: FormDraft) -> None:
    assert draft.result == (FORM,)
    for text in ("A", "B", "C"):
        draft.alter(text=text)
    assert [form.version for form in draft.result] == [2]
    draft.alter(text=QUALITY.text)
    assert draft.result == (FORM,)


def test_what_it_does_to_answers_is_known(draft: FormDraft) -> None:
    draft.know_answers([[answer(QUALITY, (BAD,))], [answer(QUALITY, (GOOD,))]])
    assert draft.consequences == ()
    draft.alter(options=(GOOD, LIMITED))
    assert [(one.count, one.standing) for one in draft.consequences] == [(1, Standing.OPTION_GONE)]
    draft.remove_question()
    assert [(one.count, one.standing) for one in draft.consequences] == [(2, Standing.NOT_ASKED)]
