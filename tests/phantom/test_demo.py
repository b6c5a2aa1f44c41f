"""The demo study."""

from itertools import pairwise

import pytest

from medview.phantom.demo import DemoStudy, demo_studies


@pytest.fixture(scope="module")
def studies() -> list[DemoStudy]:
    return demo_studies()


def test_three_patients_come_and_one_comes_back_later(studies: list[DemoStudy]) -> None:
    visits = [study.patient_id for study in studies]
    assert len(studies) == 4
    assert len(set(visits)) == 3
    first, second = (study for study in studies if visits.count(study.patient_id) == 2)
    assert first.study_date < second.study_date
    pairs = zip(first.phantom.lesions, second.phantom.lesions, strict=True)
    assert all(after.diameter_mm > before.diameter_mm for before, after in pairs)


def test_one_patient_has_no_nodule_and_the_others_have(studies: list[DemoStudy]) -> None:
    counts = [len(study.phantom.lesions) for study in studies]
    assert counts.count(0) == 1
    assert sorted(counts)[1] >= 2


def test_patients_are_told_apart_by_more_than_their_names(studies: list[DemoStudy]) -> None:
    assert all((a.phantom.hu != b.phantom.hu).any() for a, b in pairwise(studies))
