"""Forms in label sets: written, read, shipped, and each mistake told in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from medview.core.errors import ReadError
from medview.core.form import AnswerKind, Form, Level
from medview.core.label_set import LabelEntry, LabelSet
from medview.core.resources import resource_path
from medview.io.label_sets import as_document, label_set_of_text, read_label_set, write_label_set
from tests.helpers.forms import FORM

SCHEMA = json.loads((resource_path("schemas") / "label_set.schema.json").read_text())
SHIPPED = sorted((resource_path("schemas") / "label_sets").glob("*.json"))


def _form(**fields: Any) -> dict[str, Any]:
    return {"name": "Mine", "forms": [{"name": "Chest", "questions": [{"text": "Side", "answer": "text"} | fields]}]}


def test_a_set_with_labels_and_forms_comes_back_as_it_was_written(tmp_path: Path) -> None:
    wanted = LabelSet(
        "Chest", (LabelEntry("Nodule"),), "Of the chest.", (FORM, Form("f.empty", "Nothing yet", (), 3, ("CT",)))
    )
    write_label_set(wanted, tmp_path / "set.json")
    assert read_label_set(tmp_path / "set.json") == wanted
    jsonschema.validate(as_document(wanted), SCHEMA)


def test_a_set_may_hold_forms_alone(tmp_path: Path) -> None:
    write_label_set(LabelSet("Forms", (), forms=(FORM,)), tmp_path / "set.json")
    assert read_label_set(tmp_path / "set.json").forms == (FORM,)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_set_follows_the_schema(path: Path) -> None:
    jsonschema.validate(json.loads(path.read_text()), SCHEMA)


def test_the_shipped_radiograph_form_asks_for_quality_finding_side_and_confidence() -> None:
    found = read_label_set(resource_path("schemas") / "label_sets" / "chest-radiograph.json")
    (form,) = found.forms
    assert form.fits("DX")
    assert not form.fits("CT")
    assert {"Quality", "Finding", "Side", "Confidence"} <= {question.text for question in form.questions}
    assert {question.kind for question in form.questions} == set(AnswerKind)
    assert {Level.STUDY, Level.SERIES, Level.LESION} <= {question.level for question in form.questions}
    names = {entry.name for entry in found.entries}
    assert all(set(question.lesions) <= names for question in form.questions), "lesions it asks about can be drawn"


def test_what_is_written_by_hand_needs_no_uids_and_gets_the_same_ones_each_time() -> None:
    text = json.dumps(_form(answer="one", options=["Left", {"text": "Right"}], of="slice", required=True))
    (one,), (other,) = label_set_of_text(text).forms, label_set_of_text(text).forms
    assert one == other
    (question,) = one.questions
    assert (question.level, question.required, [option.text for option in question.options]) == (
        Level.SLICE,
        True,
        ["Left", "Right"],
    )
    jsonschema.validate(json.loads(text), SCHEMA)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"name": "Mine", "forms": {}}, "no list of labels"),
        ({"name": "Mine", "labels": [], "forms": "Chest"}, "its forms are not a list"),
        ({"name": "Mine", "forms": ["Chest"]}, "form 1 is not an object"),
        ({"name": "Mine", "forms": [{"questions": []}]}, "a form has no words"),
        ({"name": "Mine", "forms": [{"name": "A", "version": 0}]}, "the version of form 1"),
        ({"name": "Mine", "forms": [{"name": "A", "questions": {}}]}, "the questions of form 1 are not a list"),
        ({"name": "Mine", "forms": [{"name": "A"}, {"name": "A"}]}, "the same uid"),
        (_form(answer="maybe"), "the answer of question 1 of form 1 is none of one, several, number, text"),
        (_form(of="planet"), "is asked of is none of study, series, slice, lesion"),
        (_form(required="yes"), "whether question 1 of form 1 is required is neither"),
        (_form(answer="one"), "Side has no options"),
        (_form(answer="one", options=[7]), "option 1 of question 1 of form 1 is neither a text"),
        (_form(answer="one", options=["a", "A"]), "two options of Side are the same"),
        (_form(answer="number", least="0"), "the least of question 1 of form 1 is not a number"),
        (_form(answer="number", least=True), "the least of question 1 of form 1 is not a number"),
        (_form(answer="number", least=2, most=1), "have no range"),
        (_form(unit="mm"), "has a unit"),
        (_form(lesions=["Nodule"]), "names lesions"),
        (_form(text="x" * 300), "is not a short text"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(document: dict[str, Any], said: str) -> None:
    with pytest.raises(ReadError) as caught:
        label_set_of_text(json.dumps(document))
    assert said in caught.value.sentence
    assert caught.value.sentence.endswith(".")
