"""Questions that cannot be asked are refused when they are made; forms count their versions."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from medview.core.form import MOST_OPTIONS, AnswerKind, Form, Level, Option, Question, asked
from tests.helpers.forms import FORM, GOOD, MARGIN, QUALITY, SIDES, SURE


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": "  "}, "has no words"),
        ({"text": "a\u0007b"}, "cannot be shown"),
        ({"text": "x" * 201}, "too long"),
        ({"options": ()}, "has no options"),
        ({"options": (GOOD, replace(GOOD, uid="other"))}, "are the same"),
        ({"options": (GOOD, replace(GOOD, text="Better"))}, "are the same"),
        ({"options": (Option("a", "Yes"), Option("b", "YES"))}, "are the same"),
        ({"options": tuple(Option(str(n), str(n)) for n in range(MOST_OPTIONS + 1))}, "more than"),
        ({"unit": "mm"}, "not answered with a number"),
        ({"least": 1.0}, "not answered with a number"),
        ({"kind": AnswerKind.TEXT}, "has options"),
        ({"lesions": ("Nodule",)}, "names lesions"),
        ({"uid": ""}, "no uid"),
    ],
)
def test_a_choice_that_could_not_be_asked_is_refused_with_the_reason(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(QUALITY, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("limits", [(2.0, 1.0), (math.nan, None), (None, math.inf)])
def test_a_range_that_no_number_lies_in_is_refused(limits: tuple[float | None, float | None]) -> None:
    with pytest.raises(ValueError, match="no range"):
        replace(SURE, least=limits[0], most=limits[1])


@pytest.mark.parametrize(
    ("least", "most", "unit", "words"),
    [
        (0.0, 100.0, "%", "0 to 100 %"),
        (1.5, None, "mm", "at least 1.5 mm"),
        (None, 3.0, "", "at most 3"),
        (None, None, "mL", "mL"),
    ],
)
def test_the_range_is_said_in_words(least: float | None, most: float | None, unit: str, words: str) -> None:
    assert replace(SURE, least=least, most=most, unit=unit).range_words == words


def test_a_form_holds_every_question_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        Form("f", "Chest", (QUALITY, replace(QUALITY, text="Quality again")))


def test_a_change_makes_another_version_and_no_change_makes_none() -> None:
    other = FORM.changed(questions=(QUALITY,))
    assert (other.version, other.questions) == (2, (QUALITY,))
    assert FORM.changed(name="Chest") is FORM


def test_questions_are_asked_of_series_of_the_modalities_of_their_form() -> None:
    of_films = replace(FORM, uid="f.films", modalities=("CR", "DX"), questions=(replace(SIDES, uid="films.side"),))
    assert [question.uid for _form, question in asked((of_films, replace(FORM, questions=(QUALITY,))), "DX")] == [
        "films.side",
        "q.quality",
    ]
    assert [question.uid for _form, question in asked((of_films,), "CT")] == []


def test_a_question_on_lesions_knows_which_it_is_asked_of() -> None:
    assert [MARGIN.asks_about(name) for name in ("Nodule", "nodule 12", "Liver", "Nodule x", "")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert replace(MARGIN, lesions=()).asks_about("Liver")


def test_questions_are_found_by_level_and_uid() -> None:
    assert FORM.at(Level.LESION) == (MARGIN,)
    assert FORM.question("q.sides") is SIDES
    assert FORM.question("gone") is None
    assert Question("n", "Note", AnswerKind.TEXT).level is Level.SERIES
