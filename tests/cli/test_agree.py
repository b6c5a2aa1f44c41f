"""``medview agree``: two readers of a project, as lines, as one JSON document and as tables."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from medview.core.answer import Target
from medview.core.box import Box
from medview.core.box_annotation import BoxAnnotation
from medview.core.changes import AnnotationChange, AnswerChange, Command
from medview.core.form import Level
from medview.core.label_set import LabelSet
from medview.edit.copied import copied
from medview.edit.rules import LabelWriter
from medview.io.label_sets import as_document
from medview.store.case_images import CaseKey, CaseSources
from medview.store.entry import Entry, EntryKind
from medview.store.patients import PatientIdentity
from medview.store.project import Project
from medview.store.reading_state import ReadingStatus
from tests.cli.conftest import Cli
from tests.helpers.forms import BAD, FORM, GOOD, MARGIN, QUALITY, answer
from tests.store.painter import SHAPE_KJI, Painter, oblique_geometry

PATIENTS = ("Miller", "Miller", "Smith")


def _paint(project: Project, case: int, *, width: int, good: bool) -> Painter:
    """Let the project's reader draw a liver, a box and an answer on a case."""
    geometry = oblique_geometry()
    key = CaseKey("1.2.3.3", f"1.2.3.4.{case}", "1.2.3")
    sources = CaseSources(tuple(f"1.2.3.4.{case}.{n}" for n in range(SHAPE_KJI[0])), (), "CT", "Chest")
    project.reading(key, geometry, sources, patient=PatientIdentity(PATIENTS[case], name=PATIENTS[case]))
    painter = Painter(project, geometry, key=key, sources=sources)
    painter.add_segment()
    painter.paint((2, 10, 10), (8, 30, 10 + width))
    box = BoxAnnotation.on_grid("b", "Nodule", geometry, (3, 10, 10), (6, 20, 20 + width // 20))
    painter.do("Box", AnnotationChange(None, box))
    painter.do("Answer", AnswerChange(None, answer(QUALITY, (GOOD if good else BAD,))), tool="form")
    project.set_status(painter.reading_id, ReadingStatus.DONE)
    return painter


@pytest.fixture(scope="module")
def read_by_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("agree") / "chest.medview"
    with Project.create(path, reader="Ada") as project:
        project.label_set.keep(json.dumps(as_document(LabelSet("Chest", (), forms=(FORM,)))))
        for case in (1, 0, 2):
            _paint(project, case, width=40, good=case != 2)
    with Project.open(path, reader="Grace") as project:
        for case in (0, 1):
            _paint(project, case, width=(40, 20)[case], good=True)
    return path


def test_lines_name_figures_with_intervals_and_how_many_cases(cli: Cli, read_by_two: Path) -> None:
    done = cli("agree", str(read_by_two))
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "Liver, Ada / Grace: 2 cases"
    # Half of the voxels of one of the two, and all of the other; both cases are of one patient, so no interval.
    assert lines[1].split() == ["Dice", f"{(1 + 2 / 3) / 2:.3f}"]
    assert lines[6].split(";")[1] == " 2 found, 0 missed, 0 extra"
    assert any(line.startswith("Boxes: Nodule, Ada / Grace: 2 cases") for line in lines)
    assert "Compared 2 cases of 1 patients, read by Ada, Grace." in done.err
    assert "Miller" not in done.out + done.err


def test_the_document_has_rows_summaries_answers_and_conventions(cli: Cli, read_by_two: Path) -> None:
    done = cli("agree", str(read_by_two), "--json", "--tolerance-mm", "1")
    found = done.document
    assert (found["readers"], found["cases"], found["patients"], found["warnings"]) == (["Ada", "Grace"], 2, 1, [])
    assert found["conventions"]["tolerance_mm"] == 1.0
    rows = {row["case"]: row for row in found["rows"]}
    assert sorted(row["dice"] for row in rows.values()) == pytest.approx([2 / 3, 1.0])
    assert {row["patient"] for row in rows.values()} == {"P0001"}
    assert found["segments"][0]["figures"]["dice"]["value"] == pytest.approx((1 + 2 / 3) / 2)
    assert [(row["label"], row["pairs"]) for row in found["box_rows"]] == [("Nodule", 1)] * 2
    (asked,) = found["answers"]
    assert (asked["question"], asked["things"]) == (QUALITY.text, 2)


def test_the_first_of_two_named_readers_is_the_reference(cli: Cli, read_by_two: Path) -> None:
    there = cli("agree", str(read_by_two), "--readers", "Ada", "Grace", "--json").document
    back = cli("agree", str(read_by_two), "--readers", "Grace", "Ada", "--json").document
    volume = "volume_difference_ml"
    assert [row[volume] for row in back["rows"]] == pytest.approx([-row[volume] for row in there["rows"]])
    assert back["rows"][0]["first_reader"] == "Grace"


def test_tables_are_written_for_spreadsheets(cli: Cli, read_by_two: Path, tmp_path: Path) -> None:
    assert cli("agree", str(read_by_two), "-o", str(tmp_path / "out")).code == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "agreement.json",
        "answers.csv",
        "boxes.csv",
        "boxes_by_case.csv",
        "segments.csv",
        "segments_by_case.csv",
    }
    with (tmp_path / "out" / "segments_by_case.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(float(row["dice"]) for row in rows) == pytest.approx([2 / 3, 1.0])
    assert {row["both_empty"] for row in rows} == {"no"}
    again = cli("agree", str(read_by_two), "-o", str(tmp_path / "out"))
    assert again.code == 1


def test_unknown_readers_and_projects_of_one_reader_are_one_sentence(cli: Cli, read_by_two: Path, tmp_path: Path) -> None:
    done = cli("agree", str(read_by_two), "--readers", "Ada", "Eve")
    assert (done.code, done.out) == (1, "")
    assert done.err == "chest.medview holds no labels by Eve; there are labels by Ada, Grace.\n"
    with Project.create(tmp_path / "alone.medview", reader="Ada") as project:
        _paint(project, 0, width=40, good=True)
    done = cli("agree", str(tmp_path / "alone.medview"))
    assert done.code == 1
    assert done.err == "No case of alone.medview was labelled by two readers yet, so there is nothing to compare.\n"


def test_copies_that_a_merge_kept_beside_are_no_readers_of_their_own(cli: Cli, read_by_two: Path, tmp_path: Path) -> None:
    path = tmp_path / "chest.medview"
    shutil.copytree(read_by_two, path)
    with sqlite3.connect(path / "project.db") as connection:
        # What Grace drew is another way that Ada went on case 1.
        connection.execute("UPDATE reading_state SET copy = 1 WHERE reading_id = 5")
        (ada,) = connection.execute("SELECT reader_id FROM reading_state WHERE reading_id = 1").fetchone()
        connection.execute("UPDATE reading_state SET reader_id = ? WHERE reading_id = 5", (ada,))
    connection.close()
    document = cli("agree", str(path), "--json").document
    assert document["readers"] == ["Ada", "Grace"]
    assert document["warnings"] == ["Left out, since a merge kept them beside a reader's own labels: Ada (2)."]
    assert cli("agree", str(path), "--readers", "Ada", "Ada (2)", "--json").document["cases"] == 1


def test_readings_that_are_not_done_or_damaged_are_said(cli: Cli, read_by_two: Path, tmp_path: Path) -> None:
    path = tmp_path / "chest.medview"
    shutil.copytree(read_by_two, path)
    with sqlite3.connect(path / "project.db") as connection:
        connection.execute("UPDATE reading_state SET status = 'in work' WHERE reading_id = 1")
        # Of the second reader's last case everything but the segment is lost.
        connection.execute("UPDATE journal SET payload = X'00' WHERE case_id = 5 AND seq = 2")
    connection.close()
    done = cli("agree", str(path), "--json")
    assert done.code == 0
    unfinished, loss = done.document["warnings"]
    assert unfinished == "1 of the readings compared are not marked as done."
    assert loss.startswith("case-0001, Grace: ")


def test_a_reviewers_edit_is_compared_with_what_it_began_with(cli: Cli, read_by_two: Path, tmp_path: Path) -> None:
    path = shutil.copytree(read_by_two, tmp_path / "chest.medview")
    with Project.open(path, reader="Rosa") as project:
        # Two readers of one case and one of another: whose labels an edit is of differs from case to case.
        for case, reader in ((1, "Grace"), (1, "Ada"), (2, "Ada")):
            row = next(one for one in project.readings() if one.case_id == case and one.reader == reader)
            edit, _fresh = project.review.begin_review(row.reading_id)
            labels = project.load_reading(row.reading_id, beside=True).labels
            project.journal.append(edit.reading_id, Entry(EntryKind.DO, Command("Labels", tuple(copied(labels)), "review")))
            assert project.journal.flush()
            labels = project.load_reading(edit.reading_id).labels
            writer = LabelWriter(labels.segmentation, Box((2, 10, 10), (8, 30, 20)))
            writer.erase(labels.segmentation.segments[0], np.ones((6, 20, 10), dtype=np.bool_))
            project.journal.append(edit.reading_id, Entry(EntryKind.DO, Command("Erase", tuple(writer.changes()), "brush")))
            assert project.journal.flush()
    found = cli("agree", str(path), "--readers", "Ada", "Ada, corrected", "--json").document
    # A quarter of 40 columns is gone.
    assert [(row["case"], row["dice"]) for row in found["rows"]] == [
        ("case-0001", pytest.approx(2 * 30 / 70)),
        ("case-0002", pytest.approx(2 * 30 / 70)),
    ]
    done = cli("agree", str(path), "--readers", "Ada", "Nobody")
    assert "Ada, corrected" in done.err


def test_answers_about_lesions_are_compared_where_both_have_the_lesion(cli: Cli, read_by_two: Path, tmp_path: Path) -> None:
    path = shutil.copytree(read_by_two, tmp_path / "chest.medview")
    box = Target(Level.LESION, annotation_id="b", name="Nodule")
    for reader, options in (("Ada", (GOOD, BAD)), ("Grace", (GOOD, GOOD))):
        with Project.open(path, reader=reader) as project:
            rows = [row for row in project.readings() if row.reader == reader][:2]
            for row, option in zip(sorted(rows, key=lambda row: row.case_id), options, strict=True):
                change = AnswerChange(None, answer(MARGIN, (option,), box))
                project.journal.append(row.reading_id, Entry(EntryKind.DO, Command("Answer", (change,), "form")))
            assert project.journal.flush()
    found = cli("agree", str(path), "--json").document
    (asked,) = [one for one in found["answers"] if one["question"] == MARGIN.text]
    (pair,) = asked["pairs"]
    assert (asked["things"], pair["categories"]["confusion"]) == (2, [[1, 0], [1, 0]])
    assert (pair["only_first"], pair["only_second"]) == (0, 0)
    # Asked for so much of their union, no two boxes are of one lesion.
    apart = cli("agree", str(path), "--overlap", "1", "--json").document
    (asked,) = [one for one in apart["answers"] if one["question"] == MARGIN.text]
    assert (asked["things"], asked["pairs"][0]["only_first"], asked["pairs"][0]["only_second"]) == (4, 2, 2)
    done = cli("agree", str(path), "--overlap", "1")
    assert "Ada / Grace: 2 lesions only the first has, 2 only the second" in done.out
