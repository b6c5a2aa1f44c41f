"""``medview project label-set``: labels and forms without a window, and what that does to answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from medview.core.changes import AnswerChange, Command
from medview.core.label_set import LabelEntry, LabelSet
from medview.core.resources import resource_path
from medview.io.label_sets import write_label_set
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from tests.cli.conftest import Cli
from tests.cli.test_project_import import pictures
from tests.helpers.forms import BAD, FORM, GOOD, QUALITY, answer
from tests.store.painter import Painter

RADIOGRAPH = resource_path("schemas") / "label_sets" / "chest-radiograph.json"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    with Project.create(tmp_path / "p.medview", reader="Ada") as made:
        painter = Painter(made)
        painter.do("Answer: Quality", AnswerChange(None, answer(QUALITY, (BAD,))), tool="form")
    return tmp_path / "p.medview"


def put(folder: Path, label_set: LabelSet) -> str:
    write_label_set(label_set, folder / "set.json")
    return str(folder / "set.json")


def test_a_project_without_a_label_set_says_so(cli: Cli, project: Path) -> None:
    done = cli("project", "label-set", str(project))
    assert (done.code, done.out.strip()) == (0, "The project has no label set.")


def test_sets_are_added_to_each_other_and_come_back_as_json(cli: Cli, project: Path, tmp_path: Path) -> None:
    assert cli("project", "label-set", str(project), str(RADIOGRAPH)).code == 0
    mine = put(tmp_path, LabelSet("Mine", (LabelEntry("Nodule"), LabelEntry("Rib")), forms=(FORM,)))
    document = cli("project", "label-set", str(project), mine, "--json").document
    shipped = json.loads(RADIOGRAPH.read_text(encoding="utf-8"))
    assert [label["name"] for label in document["labels"]] == [*(one["name"] for one in shipped["labels"]), "Rib"]
    assert [form["name"] for form in document["forms"]] == ["Chest radiograph", "Chest"]
    assert cli("project", "label-set", str(project), "--json").document == {**document, "notes": []}


def test_in_place_of_another_it_says_what_becomes_of_answers(cli: Cli, project: Path, tmp_path: Path) -> None:
    assert cli("project", "label-set", str(project), put(tmp_path, LabelSet("A", (), forms=(FORM,)))).code == 0
    fewer = FORM.changed(questions=(replace(QUALITY, options=(GOOD,)),))
    done = cli("project", "label-set", str(project), put(tmp_path, LabelSet("B", (), forms=(fewer,))), "--replace")
    assert "\u201cQuality\u201d loses an option: 1 answer chose it; kept, and asked again." in done.err
    assert done.out.splitlines() == ["B", "Chest, version 2", "  Quality (series, one, required): Good"]
    assert "1 required answer is missing in 1 reading." in done.err
    with Project.open(project, read_only=True) as copy:
        assert [one.words for given in copy.answers().values() for one in given.values()] == ["Bad"]


def test_a_file_that_is_no_label_set_changes_nothing(cli: Cli, project: Path, tmp_path: Path) -> None:
    cli("project", "label-set", str(project), str(RADIOGRAPH))
    (tmp_path / "bad.json").write_text('{"name": "x", "forms": [{"name": "A", "questions": [{"text": "?"}]}]}')
    done = cli("project", "label-set", str(project), str(tmp_path / "bad.json"))
    assert done.code != 0
    assert "bad.json is no label set: the answer of question 1 of form 1 is none of one" in done.err
    assert cli("project", "label-set", str(project), "--json").document["name"] == "Chest radiograph"


def test_a_dataset_says_that_answers_are_not_in_it(cli: Cli, tmp_path: Path) -> None:
    place, source = tmp_path / "d.medview", pictures(tmp_path / "set")
    cli("project", "create", place)
    assert cli("project", "import", place, source, "--format", "image-mask", "--label-values", "255=LV").code == 0
    with Project.open(place) as project:
        reading = project.readings()[0].reading_id
        command = Command("Answer: Quality", (AnswerChange(None, answer(QUALITY, (BAD,))),), "form")
        project.journal.append(reading, Entry(EntryKind.DO, command, project.load_reading(reading).labels.revision))
    done = cli("project", "export", place, "-o", tmp_path / "out", "--format", "nnunet", "--dry-run", "--json")
    assert any(said.startswith("1 answer to a form is not in this format") for said in done.document["warnings"])
