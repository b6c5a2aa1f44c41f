"""The list of cases: what is added, left out, split, moved, and what annotators are told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from medview.core.errors import StoreError
from medview.core.reading_rule import ReadingRule
from medview.store.case_images import CaseKey, CaseSources
from medview.store.patients import PatientIdentity
from medview.store.project import Project
from medview.store.recovery import recover_project
from medview.store.worklist_book import NewCase
from tests.store.painter import oblique_geometry


def _case(number: int, patient: str = "") -> NewCase:
    uids = (f"1.2.{number}.1",)
    sources = CaseSources(uids, (f"/images/{number}.dcm",), "CT", f"Series {number}")
    key = CaseKey(f"1.2.{number}", f"1.2.{number}.0", "1.2.3")
    return NewCase(key, oblique_geometry((5, 7, 9)), sources, PatientIdentity(patient) if patient else PatientIdentity())


def _listed(project: Project) -> list[int]:
    return [case.case_id for case in project.cases()]


def test_cases_are_added_once_with_their_patients_and_adding_again_changes_nothing(tmp_path: Path) -> None:
    cases = [_case(1, "A"), _case(2, "A"), _case(3, "B"), _case(4)]
    with Project.create(tmp_path / "p.medview") as project:
        first = project.worklist.add(cases)
        assert (first.added, first.known, first.moved) == (4, 0, 0)
        before = project.cases()
        again = project.worklist.add(cases)
        assert (again.added, again.known, again.moved, again.case_ids) == (0, 4, 0, first.case_ids)
        assert project.cases() == before
        assert [case.patient for case in before] == ["P0001", "P0001", "P0002", ""]


def test_the_same_number_in_another_hospital_is_another_patient(tmp_path: Path) -> None:
    here, there = (replace(_case(n), patient=PatientIdentity("7", issuer)) for n, issuer in ((1, "here"), (2, "there")))
    with Project.create(tmp_path / "p.medview") as project:
        project.worklist.add([here, there])
        assert len({case.patient for case in project.cases()}) == 2


def test_files_that_moved_are_found_in_the_new_place_and_the_patient_that_was_told_first_stays(tmp_path: Path) -> None:
    case = _case(1, "A")
    moved = replace(case, sources=replace(case.sources, paths=("/elsewhere/1.dcm",)), patient=PatientIdentity("Z"))
    with Project.create(tmp_path / "p.medview") as project:
        project.worklist.add([case])
        assert project.worklist.add([moved]).moved == 1
        assert project.worklist.images(1).sources.paths == ("/elsewhere/1.dcm",)
        assert project.cases()[0].patient == "P0001"
        # Nobody got a pseudonym who has no case.
        project.worklist.add([_case(2, "B")])
        assert project.cases()[1].patient == "P0002"


def test_what_is_cancelled_half_way_adds_nothing(tmp_path: Path) -> None:
    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise StoreError("Stopped.")

    with Project.create(tmp_path / "p.medview") as project:
        with pytest.raises(StoreError, match="Stopped"):
            project.worklist.add([_case(n) for n in range(1, 5)], stop)
        assert project.cases() == []


def test_a_reader_who_opens_a_listed_series_reads_that_case(tmp_path: Path) -> None:
    case = _case(1, "A")
    with Project.create(tmp_path / "p.medview", reader="Ada") as project:
        project.worklist.add([case])
        reading = project.reading(case.key, case.geometry, case.sources)
        assert reading.case_id == 1
        assert _listed(project) == [1]


def test_cases_are_left_out_for_a_reason_taken_in_again_split_and_moved(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p.medview") as project:
        project.worklist.add([_case(n) for n in range(1, 6)])
        project.worklist.exclude([2, 4], " motion ")
        project.worklist.exclude([5], "")
        assert [case.excluded for case in project.cases()] == ["", "motion", "", "motion", "left out"]
        assert [images.case_id for images in project.images()] == [1, 3]
        project.worklist.include([2, 5])
        project.worklist.set_split([1, 3], "train")
        assert [(case.excluded, case.split) for case in project.cases()][:3] == [("", "train"), ("", ""), ("", "train")]
        project.worklist.move([5, 4], before=2)
        assert _listed(project) == [1, 5, 4, 2, 3]
        project.worklist.move([1])
        assert _listed(project) == [5, 4, 2, 3, 1]


def test_instructions_and_the_reading_rule_are_kept_and_survive_a_recovery(tmp_path: Path) -> None:
    rule = ReadingRule(everybody=False, double_every=3, blinded=False)
    with Project.create(tmp_path / "p.medview") as project:
        assert (project.worklist.instructions(), project.worklist.reading_rule()) == ("", ReadingRule())
        project.worklist.keep_instructions("# Nodules\n\n- over 4 mm")
        project.worklist.keep_reading_rule(rule)
        project.worklist.keep_instructions("# Nodules\n\n- over 5 mm")
    recover_project(tmp_path / "p.medview", tmp_path / "q.medview")
    for name in ("p", "q"):
        with Project.open(tmp_path / f"{name}.medview", read_only=True) as project:
            assert project.worklist.instructions() == "# Nodules\n\n- over 5 mm"
            assert project.worklist.reading_rule() == rule


def test_a_project_that_is_only_read_refuses_every_change(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p.medview") as project:
        project.worklist.add([_case(1)])
    with Project.open(tmp_path / "p.medview", read_only=True) as project:
        for change in (
            lambda: project.worklist.add([_case(2)]),
            lambda: project.worklist.exclude([1], "x"),
            lambda: project.worklist.include([1]),
            lambda: project.worklist.set_split([1], "test"),
            lambda: project.worklist.move([1]),
            lambda: project.worklist.keep_instructions("x"),
            lambda: project.worklist.keep_reading_rule(ReadingRule()),
        ):
            with pytest.raises(StoreError, match="reading only"):
                change()


def test_a_rule_says_how_many_read_a_case() -> None:
    assert [ReadingRule().readers_of(n) for n in (1, 2)] == [None, None]
    assert [ReadingRule(everybody=False).readers_of(n) for n in (1, 2)] == [1, 1]
    third = ReadingRule(everybody=False, double_every=3)
    assert [third.readers_of(n) for n in range(1, 8)] == [2, 1, 1, 2, 1, 1, 2]
    assert ReadingRule.read(third.text()) == third
    for nonsense in ("", "[]", "{", '{"double_every": "3"}', '{"double_every": -1}', "null"):
        assert ReadingRule.read(nonsense) == ReadingRule()
