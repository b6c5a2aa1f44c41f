"""Every reader has labels of their own on a case, and the list of cases says who has got how far."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import StoreError
from medview.store.case_images import CaseKey, CaseSources
from medview.store.patients import PatientIdentity
from medview.store.project import Project
from medview.store.reading_state import ReadingStatus, Role
from medview.store.recovery import recover_project
from medview.store.worklist import list_case
from tests.helpers.timing import allowed_s
from tests.store.painter import KEY, SOURCES, Painter, live_fingerprint, oblique_geometry, stored_fingerprint


def _drawn_by_ada_and_grace(path: Path) -> tuple[Painter, Painter]:
    """Let Ada and Grace draw different things on one series; both projects are closed."""
    painters = []
    for number, reader in enumerate(("Ada", "Grace")):
        with Project.open(path, reader=reader) if path.exists() else Project.create(path, reader=reader) as project:
            painter = Painter(project)
            painter.add_segment()
            for step in range(number + 1):
                painter.paint((1 + step, 5, 5), (3 + step, 20 + 10 * number, 25))
            painters.append(painter)
    return painters[0], painters[1]


def test_two_readers_label_one_series_and_neither_sees_the_others_labels(tmp_path: Path) -> None:
    ada, grace = _drawn_by_ada_and_grace(tmp_path / "p.medview")
    assert ada.reading_id != grace.reading_id
    for reader, painter in (("Ada", ada), ("Grace", grace)):
        with Project.open(tmp_path / "p.medview", reader=reader) as project:
            again = Painter(project)
            assert again.reading_id == painter.reading_id
            assert live_fingerprint(again) == live_fingerprint(painter) == stored_fingerprint(project, painter.reading_id)
    assert live_fingerprint(ada) != live_fingerprint(grace)


def test_the_list_holds_the_case_once_with_both_readings(tmp_path: Path) -> None:
    _drawn_by_ada_and_grace(tmp_path / "p.medview")
    with Project.open(tmp_path / "p.medview", reader="Grace") as project:
        (case,) = project.cases()
        grace = case.of("Grace")
        assert grace is not None
        assert [(one.reader, one.role, one.status, one.gestures) for one in case.readings] == [
            ("Ada", Role.READER, ReadingStatus.IN_WORK, 2),
            ("Grace", Role.READER, ReadingStatus.IN_WORK, 3),
        ]
        assert (case.gestures, case.modality, case.shape_kji) == (5, "CT", (21, 70, 90))
        project.set_status(grace.reading_id, ReadingStatus.DONE)
        project.add_time(grace.reading_id, 90)
        project.add_time(grace.reading_id, 30)
        (case,) = project.cases()
        # One of the two is still at work.
        assert (case.status, case.seconds) == (ReadingStatus.IN_WORK, 120)
        assert project.verify().problems == ()


def test_whoever_only_reads_sees_the_one_readers_labels_but_not_those_of_several(tmp_path: Path) -> None:
    path = tmp_path / "p.medview"
    with Project.create(path, reader="Ada") as project:
        painter = Painter(project)
        painter.add_segment()
    with Project.open(path, read_only=True, reader="Grace") as project:
        found = project.find_reading(KEY, oblique_geometry())
        assert found is not None
        assert found.reader == "Ada"
    with Project.open(path, reader="Grace") as project:
        Painter(project).add_segment()
    with Project.open(path, read_only=True, reader="Eve") as project:
        assert project.find_reading(KEY, oblique_geometry()) is None


def test_a_reading_that_was_altered_is_not_replaced_by_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "p.medview"
    ada, _grace = _drawn_by_ada_and_grace(path)
    with sqlite3.connect(path / "project.db") as connection:
        connection.execute("UPDATE cases SET study_uid = '6.6' WHERE case_id = ?", (ada.reading_id,))
    connection.close()
    with Project.open(path, reader="Ada") as project:
        with pytest.raises(StoreError, match="damaged"):
            project.reading(KEY, oblique_geometry(), SOURCES)
        assert len(project.cases()[0].readings) == 2


def test_who_reads_what_is_known_again_from_the_journal_when_it_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "p.medview"
    ada, grace = _drawn_by_ada_and_grace(path)
    with sqlite3.connect(path / "project.db") as connection:
        connection.execute("DELETE FROM reading_state")
        connection.execute("DELETE FROM worklist")
    connection.close()
    recover_project(path, tmp_path / "new.medview")
    with Project.open(tmp_path / "new.medview", reader="Grace") as project:
        (case,) = project.cases()
        assert [(one.reader, one.gestures) for one in case.readings] == [("Ada", 2), ("Grace", 3)]
        assert stored_fingerprint(project, ada.reading_id) == live_fingerprint(ada)
        assert Painter(project).reading_id == grace.reading_id


def test_recovery_keeps_worklist_patients_and_queue(tmp_path: Path) -> None:
    path = tmp_path / "p.medview"
    with Project.create(path) as project:
        of = PatientIdentity("4711", "Clinic A", "Doe^Jane", "19700101")
        project.reading(KEY, oblique_geometry(), SOURCES, patient=of)
        before = project.cases()
    recover_project(path, tmp_path / "new.medview")
    with Project.open(tmp_path / "new.medview") as project:
        assert project.cases() == before


def test_two_series_of_one_person_have_one_pseudonym_and_the_same_number_elsewhere_is_another_person(
    tmp_path: Path,
) -> None:
    with Project.create(tmp_path / "p.medview") as project:
        here, there = PatientIdentity("4711", "Clinic A", "Doe^Jane"), PatientIdentity("4711", "Clinic B", "Roe^Richard")
        for series, patient in (("1.1", here), ("1.2", here), ("1.3", there), ("1.4", PatientIdentity())):
            project.reading(CaseKey("1", series), oblique_geometry((2, 4, 4)), CaseSources(), patient=patient)
        assert [case.patient for case in project.cases()] == ["P0001", "P0001", "P0002", ""]
        assert "Doe" not in str([case.document() for case in project.cases()])


def test_people_without_a_number_are_told_apart_by_name_and_birth_date() -> None:
    jane = PatientIdentity("", "", "Doe^Jane", "19700101")
    assert jane.known
    assert jane.key_sha256() != PatientIdentity("", "", "Doe^Jane", "19710101").key_sha256()
    assert not PatientIdentity("", "", "Doe^Jane").known


def test_two_thousand_cases_with_long_lists_of_images_are_listed_in_a_second(tmp_path: Path) -> None:
    uids = tuple(f"1.2.826.0.1.3680043.8.498.{n:040d}" for n in range(300))
    with Project.create(tmp_path / "p.medview") as project:
        with project._changing() as connection:
            for n in range(2000):
                key, sources = CaseKey("1", f"1.{n}"), CaseSources(uids, uids, "CT", "Chest")
                list_case(connection, key, oblique_geometry((300, 512, 512)), sources, "2026-11-20T10:00:00Z")
        began = time.perf_counter()
        cases = project.cases()
        seconds = time.perf_counter() - began
        assert len(cases) == 2000
        assert np.array_equal([case.position for case in cases], np.arange(1, 2001))
        assert seconds < allowed_s(1.0)
