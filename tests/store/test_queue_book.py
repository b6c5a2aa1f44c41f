"""What models are still to run on is kept in the project."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from medview.core.errors import StoreError
from medview.store.project import Project
from medview.store.queue_book import QueueRow
from tests.store.version1 import write_version_1

ONE = QueueRow("a" * 32, 0, "organs@1.0", '{"series_uid": "1.2"}', "waiting")
TWO = QueueRow("b" * 32, 1, "boxes@2.1", '{"series_uid": "1.3"}', "failed", "It ran out of memory.", 2)


def test_rows_come_back_in_their_order_after_the_project_was_closed(tmp_path: Path) -> None:
    path = tmp_path / "p.medview"
    with Project.create(path) as project:
        project.queue.keep([TWO, ONE])
    with Project.open(path) as project:
        assert project.queue.rows() == [ONE, TWO]


def test_a_row_is_replaced_by_one_of_the_same_uid_and_others_go(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p.medview") as project:
        project.queue.keep([ONE, TWO])
        done = replace(ONE, state="done", position=5)
        project.queue.keep([done], gone=[TWO.task_uid])
        assert project.queue.rows() == [done]
        assert project.verify().problems == ()


def test_a_copy_of_an_older_project_has_none_and_takes_none(tmp_path: Path) -> None:
    path = tmp_path / "old.medview"
    write_version_1(path)
    with Project.open(path, read_only=True) as project:
        assert project.queue.rows() == []
        with pytest.raises(StoreError):
            project.queue.keep([ONE])


def test_a_project_of_version_2_gets_the_table(tmp_path: Path) -> None:
    path = tmp_path / "p.medview"
    Project.create(path).close()
    with sqlite3.connect(path / "project.db") as connection:
        newer = ["queue", "worklist", "patients", "reading_state", "activity", "model_versions", "model_choices"]
        connection.executescript(";".join(f"DROP TABLE {table}" for table in newer) + "; PRAGMA user_version = 2;")
    connection.close()
    with Project.open(path) as project:
        assert len(project.notices) == 1
        project.queue.keep([ONE])
        assert project.queue.rows() == [ONE]
