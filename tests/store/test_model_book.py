"""The models a project trained are kept in it: packs and rows, whatever happens meanwhile."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from medview.core.errors import DiskFullError, StoreError
from medview.store.model_book import NewVersion, OvertakenError
from medview.store.model_files import ModelFiles
from medview.store.project import Project
from medview.store.recovery import recover_project
from tests.store.copies import copied
from tests.store.version1 import write_version_1


def pack(folder: Path, weights: bytes = b"w" * 5000) -> tuple[Path, str]:
    """Write what a pack is on the disk, and return its folder and digest."""
    folder.mkdir(parents=True)
    files = {"weights.safetensors": weights, "LICENSE": b"CC0\n"}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    text = json.dumps({"files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}}).encode()
    (folder / "model.json").write_bytes(text)
    return folder, hashlib.sha256(text).hexdigest()


def new(digest: str, line: str = "segmentation", **more: object) -> NewVersion:
    return NewVersion(line, f"m@{digest[:4]}", digest, **more)  # type: ignore[arg-type]


def with_two(path: Path, room: Path) -> tuple[str, str]:
    """Make a project whose first version counts and whose second does not; return their digests."""
    (one, first), (two, second) = pack(room / "one"), pack(room / "two", b"v" * 3000)
    with Project.create(path) as project:
        project.models.add(new(first, reason="The first.", learnt='{"pixels":["ab"]}'), one, counts="first")
        project.models.add(new(second, compared=1, gate='{"verdict":"kept"}'), two)
    return first, second


def test_versions_are_numbered_by_line_and_outlive_where_they_came_from(tmp_path: Path) -> None:
    path = tmp_path / "p.medview"
    first, second = with_two(path, tmp_path / "packs")
    shutil.rmtree(tmp_path / "packs")
    with Project.open(path) as project:
        other, digest = pack(tmp_path / "other", b"x")
        project.models.add(new(digest, "detection"), other)
        rows = project.models.versions()
        assert [(row.made.line, row.version, row.made.digest) for row in rows] == [
            ("detection", 1, digest), ("segmentation", 1, first), ("segmentation", 2, second),
        ]  # fmt: skip
        assert rows[2].made == new(second, compared=1, gate='{"verdict":"kept"}')
        assert [(one.line, one.version, one.kind, one.who) for one in project.models.choices()] == [
            ("segmentation", 1, "first", "")
        ]
        assert (project.models.files.folder(first) / "weights.safetensors").read_bytes() == b"w" * 5000
        report = project.verify()
        assert (report.problems, report.models) == ((), 3)
        (line,) = project.info()["models"]
        assert (line["line"], line["version"], line["versions"]) == ("segmentation", 1, 2)


def test_the_same_pack_is_one_version(tmp_path: Path) -> None:
    folder, digest = pack(tmp_path / "one")
    with Project.create(tmp_path / "p.medview") as project:
        assert project.models.add(new(digest), folder) == project.models.add(new(digest), folder)
        assert len(project.models.versions()) == 1


def test_a_version_is_not_added_where_another_one_counts_than_it_was_compared_with(tmp_path: Path) -> None:
    path = tmp_path / "p.medview"
    with_two(path, tmp_path / "packs")
    folder, digest = pack(tmp_path / "three", b"x")
    with Project.open(path) as project:
        project.models.choose("segmentation", 2, "chosen", "Rut chose v2.", "Rut")
        with pytest.raises(OvertakenError, match="Another version of segmentation counts by now"):
            project.models.add(new(digest, compared=1), folder, counts="promoted", counting=1)
        assert len(project.models.versions()) == 2
        assert project.models.add(new(digest, compared=2), folder, counts="promoted", counting=2).version == 3
        other, else_ = pack(tmp_path / "four", b"y")
        assert project.models.add(new(else_, "detection"), other, counts="first", counting=0).version == 1


def test_a_choice_is_written_down_with_who_made_it(tmp_path: Path) -> None:
    path = tmp_path / "p.medview"
    with_two(path, tmp_path / "packs")
    with Project.open(path, reader="Rut") as project:
        project.models.choose("segmentation", 2, "chosen", "Rut chose v2.", "Rut")
        with pytest.raises(StoreError, match="no version 9 of segmentation"):
            project.models.choose("segmentation", 9, "chosen", "", "Rut")
        assert [(one.version, one.who) for one in project.models.choices()] == [(1, ""), (2, "Rut")]
        said = [entry.details for entry in project.activity.entries() if entry.kind == "model"]
        assert [(one["version"], one["verdict"]) for one in said] == [(1, ""), (2, ""), (2, "chosen")]


@pytest.mark.parametrize("harm", ["weights", "description", "missing"])
def test_a_damaged_pack_is_named_by_the_check_not_chosen_and_mended_when_it_comes_again(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "p.medview"
    _, second = with_two(path, tmp_path / "packs")
    hurt = path / "models" / second[:12]
    if harm == "missing":
        shutil.rmtree(hurt)
    else:
        file = hurt / ("weights.safetensors" if harm == "weights" else "model.json")
        file.write_bytes(file.read_bytes()[:-1] + b"!")
    with Project.open(path) as project:
        (problem,) = project.verify().problems
        assert problem.startswith("The pack of version 2 of segmentation is damaged: ")
        with pytest.raises(StoreError, match="Version 2 of segmentation cannot be used"):
            project.models.choose("segmentation", 2, "chosen", "", "Ada")
        project.models.add(new(second), tmp_path / "packs" / "two")
        assert project.verify().problems == ()


def test_what_is_no_whole_pack_changes_nothing(tmp_path: Path) -> None:
    folder, digest = pack(tmp_path / "one")
    (folder / "weights.safetensors").write_bytes(b"other")
    out, leads = tmp_path / "leads out", json.dumps({"files": {"../secret": "ab"}}).encode()
    out.mkdir()
    (out / "model.json").write_bytes(leads)
    with Project.create(tmp_path / "p.medview") as project:
        for source, wanted in (
            (folder, digest), (out, hashlib.sha256(leads).hexdigest()), (folder, "ab" * 32), (tmp_path / "no", digest),
        ):  # fmt: skip
            with pytest.raises(StoreError):
                project.models.add(new(wanted), source)
        assert project.models.versions() == []
        assert list((tmp_path / "p.medview" / "models").iterdir()) == []


def test_a_full_disk_leaves_no_half_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, digest = pack(tmp_path / "one")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with Project.create(tmp_path / "p.medview") as project:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(DiskFullError):
            project.models.add(new(digest), folder)
        monkeypatch.undo()
        assert list((tmp_path / "p.medview" / "models").iterdir()) == []
        assert project.models.versions() == []


class Killed(BaseException):
    """Where a process ends, as far as what is on the disk goes: nothing is tidied up after it."""


def test_whenever_it_is_killed_a_version_is_there_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, digest = pack(tmp_path / "one", b"w" * 100)
    monkeypatch.setattr(shutil, "rmtree", _leave)
    outcomes = set()
    for call in range(1, 400):
        path = tmp_path / f"{call}.medview"
        project = Project.create(path)
        ended = killed_at(call, partial(project.models.add, new(digest), folder, counts="first"))
        project.close(discard=True)
        monkeypatch.undo()
        with Project.open(path) as project:
            rows = project.models.versions()
            assert project.verify().problems == ()
            assert len(project.models.choices()) == len(rows)
            assert all(ModelFiles(path).problem(row.made.digest) == "" for row in rows)
            assert not list(path.glob("models/.*")), "what was half done is gone"
            outcomes.add(len(rows))
            assert project.models.add(new(digest), folder, counts="first").version == 1
        shutil.rmtree(path)
        if ended:
            break
        monkeypatch.setattr(shutil, "rmtree", _leave)
    assert ended
    assert outcomes == {0, 1}


def _leave(*_args: object, **_more: object) -> None:
    """Remove nothing: who is killed tidies nothing up."""


def killed_at(call: int, work: Callable[[], object]) -> bool:
    """End work at a certain call of a function of MedView's store; return whether it came to its end before."""
    count = 0

    def tick(frame: object, event: str, _argument: object) -> None:
        nonlocal count
        if event == "call" and "medview/store/model" in frame.f_code.co_filename:  # type: ignore[attr-defined]
            count += 1
            if count == call:
                sys.setprofile(None)
                raise Killed

    sys.setprofile(tick)
    try:
        work()
    except Killed:
        return False
    finally:
        sys.setprofile(None)
    return True


def test_a_project_of_version_4_gets_the_tables_and_older_ones_too(tmp_path: Path) -> None:
    path = tmp_path / "p.medview"
    Project.create(path).close()
    with sqlite3.connect(path / "project.db") as connection:
        connection.executescript("DROP TABLE model_versions; DROP TABLE model_choices; PRAGMA user_version = 4;")
    connection.close()
    write_version_1(tmp_path / "old.medview")
    for older in (path, tmp_path / "old.medview"):
        with Project.open(older, read_only=True) as project:
            assert project.models.versions() == []
            with pytest.raises(StoreError):
                project.models.add(new("ab" * 32), tmp_path)
        with Project.open(older) as project:
            assert len(project.notices) == 1
            folder, digest = pack(tmp_path / older.stem)
            assert project.models.add(new(digest), folder, counts="first").version == 1
            assert project.verify().problems == ()


def test_a_copy_and_a_recovered_project_have_the_models_and_say_which_are_damaged(tmp_path: Path) -> None:
    path = tmp_path / "p.medview"
    first, second = with_two(path, tmp_path / "packs")
    with Project.open(path) as project:
        before = project.models.versions(), project.models.choices()
        assert project.save_copy(tmp_path / "copy.medview") == []
    shutil.rmtree(path / "models" / second[:12])
    assert recover_project(path, tmp_path / "new.medview").losses == [
        "The pack of version 2 of segmentation is damaged: model.json is missing."
    ]
    for other in ("copy.medview", "new.medview"):
        with Project.open(tmp_path / other) as project:
            assert (project.models.versions(), project.models.choices()) == before
            assert project.models.files.problem(first) == ""
            assert bool(project.models.files.problem(second)) is (other == "new.medview")


def test_rows_come_back_from_the_pages_of_a_database_that_sqlite_gives_up(tmp_path: Path) -> None:
    path = tmp_path / "p.medview"
    with_two(path, tmp_path / "packs")
    with Project.open(path) as project:
        before = project.models.versions(), project.models.choices()
    file = path / "project.db"
    data = bytearray(file.read_bytes())
    data[100:1000] = bytes(900)
    file.write_bytes(bytes(data))
    assert recover_project(path, tmp_path / "new.medview").losses
    with Project.open(tmp_path / "new.medview") as project:
        assert (project.models.versions(), project.models.choices()) == before


def test_versions_of_another_copy_are_told_and_not_mixed_in(tmp_path: Path) -> None:
    path = tmp_path / "p.medview"
    with_two(path, tmp_path / "packs")
    there = copied(path, "there.medview")
    third, digest = pack(tmp_path / "three", b"z")
    with Project.open(there) as project:
        project.models.add(new(digest), third, counts="promoted")
    with Project.open(path) as project:
        before = project.models.versions(), project.models.choices()
        report = project.merge(there)
        assert [note for note in report.notes if "segmentation" in note] == [
            "there.medview has 1 version of the model line segmentation that this project has not; they stay there. To use "
            "one here take up its training: medview project models P --take RUN."
        ]
        assert (project.models.versions(), project.models.choices()) == before
        assert not project.merge(there).changed
