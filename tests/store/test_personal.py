from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from medview.core.errors import LockedError
from medview.store.patients import PatientIdentity
from medview.store.personal import personal_project
from tests.store.painter import KEY, SOURCES, Painter, live_fingerprint, oblique_geometry, stored_fingerprint


def test_the_personal_project_is_made_at_first_use_and_found_again(tmp_path: Path) -> None:
    with personal_project(tmp_path / "not yet" / "there") as project:
        painter = Painter(project)
        painter.add_segment()
        painter.paint((1, 2, 3), (4, 40, 30))
    with personal_project(tmp_path / "not yet" / "there") as project:
        assert project.name == "Personal"
        assert sys.platform == "win32" or stat.S_IMODE(project.path.stat().st_mode) == 0o700
        assert stored_fingerprint(project, painter.reading_id) == live_fingerprint(painter)


def test_the_personal_project_keeps_no_name_of_a_patient(tmp_path: Path) -> None:
    jane = PatientIdentity("4711", "Clinic A", "Doe^Jane", "19700101")
    with personal_project(tmp_path) as project:
        project.reading(KEY, oblique_geometry(), SOURCES, patient=jane)
        assert [case.patient for case in project.cases()] == [""]
        data = (project.path / "project.db").read_bytes()
    assert b"Doe^Jane" not in data
    assert b"4711" not in data


def test_whatever_somebody_is_called_the_personal_project_is_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with personal_project(tmp_path) as project:
        painter = Painter(project)
        painter.add_segment()
    monkeypatch.setenv("LOGNAME", "ada.lovelace")
    with personal_project(tmp_path) as project:
        assert Painter(project).reading_id == painter.reading_id
        assert stored_fingerprint(project, painter.reading_id) == live_fingerprint(painter)


def test_a_second_window_reads_the_personal_project(tmp_path: Path) -> None:
    with personal_project(tmp_path) as project:
        Painter(project).add_segment()
        project.journal.flush()
        with pytest.raises(LockedError):
            personal_project(tmp_path)
        with personal_project(tmp_path, or_read=True) as second:
            assert second.read_only
            assert second.readings()[0].gestures == 1
