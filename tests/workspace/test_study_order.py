from __future__ import annotations

from dataclasses import replace

from medview.core.study import Series
from medview.workspace.study_order import PatientOrder, SeriesOrder, ordered, patient_order, series_order

ROE = Series("1", "1", "MRN-7", "Roe^Jane", "CT", "a", study_date="20240213", series_number=4)
FOUND = [
    ROE,
    replace(ROE, series_uid="2", series_number=2, modality="SR", description="b"),
    replace(ROE, series_uid="3", series_number=None, modality="CT", description="c"),
    replace(ROE, series_uid="4", study_uid="2", study_date="2026.01.02", description="d"),
    replace(ROE, series_uid="5", study_uid="3", study_date="", description="e"),
    Series("6", "4", "MRN-1", "adams^Al", "MR", "f", study_date="20250101", series_number=1),
    Series("7", "5", "", "", "MR", "g", study_date="20270101"),
]


def texts(patients: PatientOrder, within: SeriesOrder) -> str:
    return "".join(one.description for one in ordered(FOUND, patients, within))


def test_patients_stand_by_name_studies_newest_first_and_series_by_number() -> None:
    assert texts(PatientOrder.NAME, SeriesOrder.NUMBER) == "fdbaceg"


def test_patients_stand_by_their_newest_study() -> None:
    assert texts(PatientOrder.NEWEST, SeriesOrder.NUMBER) == "gdbacef"


def test_series_stand_by_modality_then_number_or_as_they_were_found() -> None:
    assert texts(PatientOrder.NAME, SeriesOrder.MODALITY) == "fdacbeg"
    assert texts(PatientOrder.FOUND, SeriesOrder.FOUND) == "dabcefg"


def test_names_are_sorted_as_they_are_read() -> None:
    def as_read(series: Series) -> Series:
        return replace(series, patient_name="Zoe^Al") if series.patient_name == "adams^Al" else series

    found = ordered(FOUND, PatientOrder.NAME, SeriesOrder.NUMBER, as_read)
    assert "".join(one.description for one in found) == "dbacefg"


def test_an_order_nobody_knows_is_the_usual_one() -> None:
    assert (patient_order("newest"), patient_order("?")) == (PatientOrder.NEWEST, PatientOrder.NAME)
    assert (series_order("modality"), series_order("")) == (SeriesOrder.MODALITY, SeriesOrder.NUMBER)
