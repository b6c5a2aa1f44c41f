"""Answers and the label set of a project survive in the journal, in snapshots and in the database."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from medview.core.answer import STUDY, Answer, Target
from medview.core.changes import AnswerChange, Command
from medview.core.errors import StoreError
from medview.core.form import Level
from medview.core.geometry import Geometry
from medview.store.codec import decode, encode
from medview.store.project import Project
from medview.store.recovery import recover_project
from medview.store.replay import ReplayedCase
from medview.store.snapshots import pack_snapshot, unpack_snapshot
from tests.helpers.forms import BAD, COMMENT, GOOD, LEFT, MARGIN, MOTION, PRIOR, QUALITY, RIGHT, SIDES, SURE, answer
from tests.store.painter import Painter, live_fingerprint, stored_fingerprint
from tests.store.version1 import write_version_1

ANSWERS: tuple[Answer, ...] = (
    answer(PRIOR, "Größer als im März", STUDY),
    answer(QUALITY, (BAD,)),
    answer(SIDES, (LEFT, RIGHT)),
    answer(SURE, 1 / 3),
    answer(COMMENT, "=1+1"),
    answer(MOTION, (GOOD,), Target(Level.SLICE, 7, "1.2.840.5", 3)),
    answer(MARGIN, (BAD,), Target(Level.LESION, segment_id="s0", at_kji=(3, 0, 11), name="Nodule")),
    answer(MARGIN, (GOOD,), Target(Level.LESION, annotation_id="box", name="Nodule 2")),
)


@pytest.mark.parametrize("one", ANSWERS, ids=lambda one: one.question)
def test_an_answer_comes_back_equal(one: Answer) -> None:
    command = Command("Answer", (AnswerChange(None, one), AnswerChange(one, None)), "form")
    stored = encode(command)
    assert decode(stored.document, stored.payload, stored.blobs.__getitem__) == command


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("number", "three"),
        ("number", float("inf")),
        ("target", {"level": "planet"}),
        ("target", {}),
        ("form_version", None),
    ],
)
def test_a_damaged_answer_is_an_error_of_the_store(key: str, value: object) -> None:
    document = json.loads(encode(Command("Answer", (AnswerChange(None, answer(SURE, 3.0)),), "form")).document)
    document["changes"][0]["after"][key] = value
    with pytest.raises(StoreError):
        decode(json.dumps(document), b"", {}.__getitem__)


def test_an_answer_of_a_kind_to_come_is_refused() -> None:
    document = json.loads(encode(Command("Answer", (AnswerChange(None, answer(SURE, 3.0)),), "form")).document)
    del document["changes"][0]["after"]["number"]
    with pytest.raises(StoreError, match="kind this MedView does not know"):
        decode(json.dumps(document), b"", {}.__getitem__)


def test_a_snapshot_holds_answers() -> None:
    grid = Geometry.from_spacing((9, 4, 12), (3.0, 0.8, 0.9))
    case = ReplayedCase(grid)
    case.labels.answers = {one.key: one for one in ANSWERS}
    data, blobs = pack_snapshot(case)
    assert unpack_snapshot(data, grid, blobs.__getitem__).labels.answers == case.labels.answers


def test_answers_given_changed_and_undone_are_there_when_opened_again(project: Project, painter: Painter) -> None:
    for one in ANSWERS:
        painter.do(f"Answer {one.question}", AnswerChange(None, one), tool="form")
    changed = answer(QUALITY, (GOOD,))
    painter.do("Answer Quality", AnswerChange(ANSWERS[1], changed), tool="form")
    painter.do("Answer Comment", AnswerChange(ANSWERS[4], None), tool="form")
    painter.undo()
    before = live_fingerprint(painter)
    assert project.journal.flush()
    path = project.path
    project.close()
    with Project.open(path) as again:
        assert stored_fingerprint(again, painter.reading_id) == before
        answers = again.load_reading(painter.reading_id).labels.answers
        assert answers == {one.key: one for one in (ANSWERS[0], changed, *ANSWERS[2:])}
        assert again.answers() == {painter.reading_id: answers}, "the journal alone says the same"
        assert again.verify().problems == ()


def test_answers_that_came_along_with_other_labels_are_among_those_of_the_project(
    project: Project, painter: Painter
) -> None:
    painter.do("Labels of Grace", *(AnswerChange(None, one) for one in ANSWERS[:2]), tool="review")
    changed = answer(QUALITY, (GOOD,))
    painter.do("Answer: Quality", AnswerChange(ANSWERS[1], changed), tool="form")
    (found,) = project.answers().values()
    assert list(found.values()) == [ANSWERS[0], changed]
    painter.undo()
    painter.undo()
    assert project.answers() == {}


def test_the_label_set_of_a_project_is_kept_copied_and_recovered(tmp_path: Path, project: Project) -> None:
    assert project.label_set.text() == ""
    project.label_set.keep('{"name": "first"}')
    project.label_set.keep('{"name": "Brüste"}')
    assert project.label_set.text() == '{"name": "Brüste"}'
    with sqlite3.connect(project.path / "project.db") as connection:
        (before,) = connection.execute("SELECT value FROM facts WHERE key = 'label_set_before'").fetchone()
    connection.close()
    assert before == '{"name": "first"}', "one that could not be read is not lost"
    assert project.verify().problems == ()
    assert project.save_copy(tmp_path / "copy.medview") == []
    recover_project(project.path, tmp_path / "recovered.medview")
    for name in ("copy.medview", "recovered.medview"):
        with Project.open(tmp_path / name, read_only=True) as other:
            assert other.label_set.text() == '{"name": "Brüste"}'
            with pytest.raises(StoreError):
                other.label_set.keep("{}")


def test_an_older_project_has_no_label_set(tmp_path: Path) -> None:
    write_version_1(tmp_path / "old.medview")
    with Project.open(tmp_path / "old.medview", read_only=True) as project:
        assert project.label_set.text() == ""
