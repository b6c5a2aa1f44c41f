"""What was done in a project beside labelling is written down and only ever added to."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from medview.core.errors import StoreError
from medview.store.activity import ActivityKind
from medview.store.project import Project
from medview.store.reading_state import ReadingStatus
from medview.store.recovery import recover_project
from tests.store.conftest import StillClock
from tests.store.painter import Painter


def test_who_added_finished_and_commented_what_is_listed_with_its_time(project: Project, clock: StillClock) -> None:
    painter = Painter(project)
    clock.forward(minutes=3)
    project.set_status(painter.reading_id, ReadingStatus.DONE)
    clock.forward(minutes=1)
    place = [1.0, -2.5, 40.0]
    uid = project.activity.add(ActivityKind.COMMENTED, reading_id=painter.reading_id, text="Spill", point_lps_mm=place)
    added, done, said = project.activity.entries()
    assert (added.kind, added.who, added.when_utc, added.case_id) == ("added", "Ada", "2026-11-20T10:00:00.000+00:00", 1)
    assert (done.kind, done.details, done.reading_id) == ("status", {"status": "done"}, painter.reading_id)
    assert (said.uid, said.when_utc, said.case_id) == (uid, "2026-11-20T10:04:00.000+00:00", 1)
    assert said.document() == {
        "entry": uid,
        "kind": "commented",
        "who": "Ada",
        "when_utc": "2026-11-20T10:04:00.000+00:00",
        "case": 1,
        "reading": painter.reading_id,
        "details": {"text": "Spill", "point_lps_mm": place},
    }


def test_a_second_reader_of_a_case_adds_no_case(tmp_path: Path) -> None:
    for reader in ("Ada", "Grace"):
        with Project.open(tmp_path / "p", reader=reader) if reader == "Grace" else Project.create(tmp_path / "p") as opened:
            Painter(opened)
            assert [entry.kind for entry in opened.activity.entries()] == ["added"]


def test_entries_of_one_case_or_reading_can_be_asked_for(project: Project) -> None:
    reading = Painter(project).reading_id
    project.activity.add(ActivityKind.EXPORTED, cases=1)
    project.activity.add(ActivityKind.OPENED, reading_id=reading)
    assert [entry.kind for entry in project.activity.entries(case_id=1)] == ["added", "opened"]
    assert [entry.kind for entry in project.activity.entries(reading_id=reading)] == ["opened"]
    assert len(project.activity.entries()) == 3


def test_a_label_set_put_in_place_of_another_is_written_down_once(project: Project) -> None:
    project.label_set.keep('{"name": "A"}')
    project.label_set.keep('{"name": "A"}')
    assert [(entry.kind, entry.details) for entry in project.activity.entries()] == [("changed", {"fact": "label_set"})]


def test_nothing_is_written_down_in_a_copy_that_is_only_read(project: Project) -> None:
    Painter(project)
    with Project.open(project.path, read_only=True) as copy:
        with pytest.raises(StoreError, match="reading only"):
            copy.activity.add(ActivityKind.OPENED, case_id=1)
        assert [entry.kind for entry in copy.activity.entries()] == ["added"]


def test_an_entry_of_a_newer_program_and_a_damaged_one_are_still_listed_and_recovered(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p.medview") as project:
        Painter(project)
    with sqlite3.connect(tmp_path / "p.medview" / "project.db") as connection:
        for uid, kind, document in (("a", "dreamt", '{"of": "sheep"}'), ("b", "opened", "{broken")):
            connection.execute(
                "INSERT INTO activity (activity_uid, case_id, reading_id, reader_id, kind, document, created_utc) "
                "VALUES (?, 1, 1, 1, ?, ?, '2999')",
                (uid, kind, document),
            )
    connection.close()
    recover_project(tmp_path / "p.medview", tmp_path / "new.medview")
    for name in ("p.medview", "new.medview"):
        with Project.open(tmp_path / name) as project:
            _added, newer, damaged = project.activity.entries()
            assert (newer.kind, newer.details) == ("dreamt", {"of": "sheep"})
            assert (damaged.kind, damaged.details) == ("opened", {})
