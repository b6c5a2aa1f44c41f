"""``medview project``: verify and recover answer with one JSON document, one sentence and an exit code."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from medview.cli.main import run_command
from medview.store.project import Project
from tests.store.painter import Painter, live_fingerprint, stored_fingerprint


@pytest.fixture
def drawn(tmp_path: Path) -> Painter:
    """A closed project with a segment and four strokes."""
    with Project.create(tmp_path / "chest.medview", reader="Ada") as project:
        painter = Painter(project)
        painter.add_segment()
        for n in range(4):
            painter.paint((2 * n, 5 * n, 6 * n), (2 * n + 4, 5 * n + 30, 6 * n + 30), name=f"Stroke {n}")
    return painter


def _edit(path: Path, statement: str) -> None:
    with sqlite3.connect(path / "project.db") as connection:
        connection.execute(statement)
    connection.close()


def test_a_sound_project_is_verified(drawn: Painter, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["project", "verify", str(drawn.project.path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == {
        "ok": True,
        "rows": 5,
        "cases": 1,
        "blobs": 0,
        "snapshots": 0,
        "backups": 0,
        "models": 0,
        "writer": None,
        "problems": [],
        "recorded": [],
    }
    assert run_command(["project", "verify", str(drawn.project.path)]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "Checked 1 case, 5 rows, 0 blobs, 0 snapshots and 0 backups.\n"


def test_who_writes_a_project_is_part_of_the_answer(drawn: Painter, capsys: pytest.CaptureFixture[str]) -> None:
    with Project.open(drawn.project.path):
        assert run_command(["project", "verify", str(drawn.project.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["writer"]["here"] is True


def test_a_damaged_row_fails_with_one_sentence_and_is_listed(drawn: Painter, capsys: pytest.CaptureFixture[str]) -> None:
    _edit(drawn.project.path, "UPDATE journal SET tool = 'other' WHERE seq = 3")
    assert run_command(["project", "verify", str(drawn.project.path), "--json"]) == 1
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["ok"] is False
    assert "Change 3 of case 1 does not match its checksum." in document["problems"]
    assert said.err.startswith("chest.medview has ")
    assert said.err.count("\n") == 1


def test_a_database_that_cannot_be_opened_is_still_answered(drawn: Painter, capsys: pytest.CaptureFixture[str]) -> None:
    file = drawn.project.path / "project.db"
    file.write_bytes(bytes(4096) + file.read_bytes()[4096:])
    assert run_command(["project", "verify", str(drawn.project.path), "--json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["problems"] == [
        "The database itself is damaged; what is left of it can be read and recovered."
    ]
    assert said.err == "chest.medview has 1 problem; recover it into a new project.\n"


def test_a_folder_that_is_no_project_fails_with_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["verify", str(tmp_path)], ["recover", str(tmp_path), "-o", str(tmp_path / "x.medview")]):
        assert run_command(["project", *command]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.count("\n") == 1
    assert run_command(["project", "recover", str(tmp_path)]) == 2
    assert list(tmp_path.iterdir()) == []


def test_recover_writes_a_new_project_and_says_what_is_lost(
    drawn: Painter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _edit(drawn.project.path, "UPDATE journal SET payload = x'00' WHERE seq = 3")
    new = tmp_path / "new.medview"
    assert run_command(["project", "recover", str(drawn.project.path), "-o", str(new), "--json"]) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert (document["lost"], document["cases"], document["complete"]) == (1, 1, False)
    assert "“Stroke 1”" in document["losses"][0]
    assert document == json.loads((new / "recovery.json").read_text("utf-8"))
    assert said.err == "new.medview holds 1 case with 4 gestures; 1 is lost.\n"
    assert run_command(["project", "verify", str(new)]) == 0
    assert "was lost before this project was recovered" in capsys.readouterr().out
    # A second time nothing is overwritten.
    assert run_command(["project", "recover", str(drawn.project.path), "-o", str(new)]) == 1


def test_recover_without_a_first_page_gives_everything_back(
    drawn: Painter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = drawn.project.path / "project.db"
    file.write_bytes(np.random.default_rng(0).bytes(4096) + file.read_bytes()[4096:])
    assert run_command(["project", "recover", str(drawn.project.path), "-o", str(tmp_path / "new.medview")]) == 0
    assert capsys.readouterr().err == "new.medview holds 1 case with 5 gestures; none are lost.\n"
    with Project.open(tmp_path / "new.medview") as project:
        assert stored_fingerprint(project, drawn.reading_id) == live_fingerprint(drawn)


def test_the_log_says_who_did_what(drawn: Painter, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["project", "log", str(drawn.project.path), "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)["entries"]
    assert (entry["kind"], entry["who"], entry["case"], entry["reading"]) == ("added", "Ada", 1, None)
    assert run_command(["project", "log", str(drawn.project.path)]) == 0
    assert capsys.readouterr().out.endswith("  Ada  added  case 1\n")


def test_copies_are_merged_and_it_is_said_what_came(
    drawn: Painter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(drawn.project.path, tmp_path / "copy.medview")
    with Project.open(copy, reader="Grace") as project:
        painter = Painter(project)
        painter.add_segment()
        painter.paint((1, 1, 1), (4, 9, 9))
    command = ["project", "merge", str(drawn.project.path), str(copy)]
    assert run_command([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (report,) = document["merged"]
    assert document["refused"] == []
    assert (report["changed"], report["readings"], report["gestures"], report["conflicts"]) == (True, 1, 2, [])
    assert run_command(command) == 0
    assert capsys.readouterr().err == "copy.medview holds nothing new.\n"
    assert run_command(["project", "verify", str(drawn.project.path)]) == 0
    other = tmp_path / "other.medview"
    Project.create(other).close()
    assert run_command(["project", "merge", str(drawn.project.path), str(other)]) == 1
    assert "other.medview is another project" in capsys.readouterr().err


def test_of_several_copies_one_that_is_refused_is_told_and_the_others_are_merged(
    drawn: Painter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = drawn.project.path
    copies = [shutil.copytree(path, tmp_path / f"{reader}.medview") for reader in ("Grace", "Eve")]
    for copy in copies:
        with Project.open(copy, reader=copy.stem) as project:
            painter = Painter(project)
            painter.add_segment()
    foreign = tmp_path / "foreign.medview"
    Project.create(foreign).close()
    command = ["project", "merge", str(path), str(copies[0]), str(foreign), str(copies[1])]
    assert run_command([*command, "--json"]) == 1
    told = capsys.readouterr()
    document = json.loads(told.out)
    joined = [(one["other"], one["changed"]) for one in document["merged"]]
    assert joined == [
        ("Grace.medview", True),
        ("Eve.medview", True),
    ]
    (refused,) = document["refused"]
    assert refused["other"] == "foreign.medview"
    assert "foreign.medview is another project" in refused["error"]
    assert refused["error"] in told.err
    assert told.err.endswith("2 copies merged, 1 refused.\n")
    with Project.open(path, read_only=True) as project:
        assert {row.reader for row in project.readings() if row.gestures} >= {"Grace", "Eve"}
        assert project.verify().problems == ()
    assert run_command(["project", "merge", str(path), str(foreign), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["merged"] == []
