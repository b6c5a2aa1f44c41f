"""Answers as files: one row for each, readable without the form they were given to."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from medview.core.annotations import BoxAnnotation
from medview.core.answer import STUDY, Target
from medview.core.case_labels import CaseLabels
from medview.core.changes import AnnotationChange, AnswerChange
from medview.core.form import Level
from medview.core.job import Inline
from medview.core.label_set import LabelSet
from medview.io.label_sets import as_document, read_label_set
from medview.store.project import Project
from medview.workspace.answers_table import COLUMNS, AnsweredCase, answer_records, answer_rows, write_answers
from medview.workspace.project_export import export_project
from tests.helpers.forms import BAD, COMMENT, FORM, GOOD, LEFT, MARGIN, MOTION, PRIOR, QUALITY, RIGHT, SIDES, SURE, answer
from tests.store.painter import Painter
from tests.workspace.conftest import oblique_geometry

GRID = oblique_geometry()
BOX = BoxAnnotation.on_grid("box", "Nodule", GRID, (2, 3, 4), (4, 9, 10))
PIECE = Target(Level.LESION, segment_id="s0", at_kji=(3, 5, 11), name="Nodule")
ANSWERS = (
    answer(PRIOR, "=SUM(A1)", STUDY),
    answer(QUALITY, (BAD,)),
    answer(SIDES, (LEFT, RIGHT)),
    answer(SURE, 82.5),
    answer(COMMENT, "Größer, „rund“"),
    answer(MOTION, (GOOD,), Target(Level.SLICE, 7, "1.2.840.5", 3)),
    answer(MARGIN, (BAD,), PIECE),
    answer(MARGIN, (GOOD,), Target(Level.LESION, annotation_id="box", name="Nodule")),
)


@pytest.fixture
def labels() -> CaseLabels:
    made = CaseLabels.empty(GRID)
    made.apply((AnnotationChange(None, BOX), *(AnswerChange(None, one) for one in ANSWERS)))
    return made


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_there_is_one_row_for_each_answer_with_what_it_is_about(labels: CaseLabels, tmp_path: Path) -> None:
    records = answer_records(AnsweredCase("case-0003", "1.2", "1.2.3", labels), (FORM,))
    write_answers(tmp_path / "answers.csv", records)
    rows = read_rows(tmp_path / "answers.csv")
    assert tuple(rows[0]) == COLUMNS
    assert [(row["case"], row["level"], row["question"], row["answer"], row["unit"]) for row in rows] == [
        ("case-0003", "study", "Compared with before", "'=SUM(A1)", ""),
        ("case-0003", "series", "Quality", "Bad", ""),
        ("case-0003", "series", "Sides", "Left; Right", ""),
        ("case-0003", "series", "Confidence", "82.5", "%"),
        ("case-0003", "series", "Comment", "Größer, „rund“", ""),
        ("case-0003", "slice", "Motion", "Good", ""),
        ("case-0003", "lesion", "Margin", "Bad", ""),
        ("case-0003", "lesion", "Margin", "Good", ""),
    ]
    assert rows[2]["codes"] == "SCT 7771000; SCT 24028007"
    assert (rows[5]["slice"], rows[5]["sop_instance_uid"], rows[5]["frame_number"]) == ("8", "1.2.840.5", "3")
    assert {row["reader"] for row in rows} == {"Ada"}
    assert {row["answered_utc"] for row in rows} == {"2026-11-20T10:00:00.000+00:00"}


def test_a_lesion_has_a_place_in_the_patient(labels: CaseLabels) -> None:
    rows = [
        dict(zip(COLUMNS, row, strict=True))
        for row in answer_rows(answer_records(AnsweredCase("", "", "", labels), (FORM,)))[1:]
    ]
    piece, box = rows[-2:]
    place = [float(piece[f"{axis}_lps_mm"]) for axis in "xyz"]
    assert place == pytest.approx(GRID.point_lps_mm((3, 5, 11)), abs=1e-3)
    middle = [float(box[f"{axis}_lps_mm"]) for axis in "xyz"]
    assert middle == pytest.approx(BOX.middle_lps_mm(), abs=1e-3)
    assert (piece["lesion"], piece["lesion_id"], box["lesion_id"]) == ("Nodule", "s0", "box")


def test_what_an_answer_is_worth_to_the_form_as_it_is_now_is_told(labels: CaseLabels) -> None:
    now = FORM.changed(questions=tuple(question for question in FORM.questions if question is not COMMENT))
    told = {one["question"]: one["standing"] for one in answer_records(AnsweredCase("", "", "", labels), (now,))}
    assert told["Comment"] == "asked no longer"
    assert told["Quality"] == "answered"


def test_an_export_of_a_project_holds_answers_and_questions(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p.medview", reader="Ada") as project:
        painter = Painter(project)
        for one in ANSWERS[:4]:
            painter.do(f"Answer: {one.question}", AnswerChange(None, one), tool="form")
        project.label_set.keep(json.dumps(as_document(LabelSet("Mine", (), forms=(FORM,)))))
    document = export_project(tmp_path / "p.medview", tmp_path / "out", None, Inline(), overwrite=False)
    assert document["written"] == 1
    assert document["answers"] == ["answers.csv", "answers.json", "label_set.json"]
    assert [row["answer"] for row in read_rows(tmp_path / "out" / "answers.csv")][1:] == ["Bad", "Left; Right", "82.5"]
    assert read_label_set(tmp_path / "out" / "label_set.json").forms == (FORM,)
    records = json.loads((tmp_path / "out" / "answers.json").read_text(encoding="utf-8"))["answers"]
    assert records[3]["answer"] == 82.5
    assert records[2]["answer"][0] == {
        "uid": "left",
        "text": "Left",
        "code": {"value": "7771000", "scheme": "SCT", "meaning": "Left"},
    }
    assert {(tmp_path / "out" / record["case"]).is_dir() for record in records} == {True}


def test_a_project_without_answers_is_exported_as_before(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p.medview") as project:
        painter = Painter(project)
        painter.add_segment()
        painter.paint((1, 2, 3), (3, 5, 7))
    document = export_project(tmp_path / "p.medview", tmp_path / "out", None, Inline(), overwrite=False)
    assert "answers" not in document
    assert not (tmp_path / "out" / "answers.csv").exists()
