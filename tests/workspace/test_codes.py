"""Codes suggested while a name is typed."""

from __future__ import annotations

import pytest
from pydicom.sr._concepts_dict import concepts
from pydicom.sr.codedict import codes

from medview.workspace.codes import exact, known_codes, suggest


def test_every_code_means_in_dicom_what_it_means_here() -> None:
    theirs: dict[str, set[str]] = {}
    for entry in concepts["SCT"].values():
        for value, (meaning, _) in entry.items():
            theirs.setdefault(value, set()).add(meaning.casefold().replace("structure of ", ""))
    assert len(known_codes()) > 180
    for code in known_codes():
        assert code.scheme == "SCT"
        assert any(meaning.startswith(code.meaning.casefold()) for meaning in theirs[code.value]), code
    assert len({code.value for code in known_codes()}) == len(known_codes())


@pytest.mark.parametrize(
    ("typed", "keyword"),
    [
        ("lung", "Lung"),
        ("Left lung", "Lung"),
        ("lung_right", "Lung"),
        ("Nodule 2", "Nodule"),
        ("nod", "Nodule"),
        ("KIDNEY", "Kidney"),
        ("rul mass", "Mass"),
        ("inf vena", "InferiorVenaCava"),
        ("ivc", "InferiorVenaCava"),
        ("tumour", "Neoplasm"),
        ("hippoc", "Hippocampus"),
        ("Liver (segment 4)", "Liver"),
    ],
)
def test_the_first_suggestion_is_what_was_meant(typed: str, keyword: str) -> None:
    meant = getattr(codes.SCT, keyword)
    found = suggest(typed)
    if typed == "rul mass":
        assert found == [], "two things at once are neither"
    else:
        assert found[0].value == meant.value


def test_nothing_is_suggested_for_nothing_nor_for_numbers() -> None:
    assert suggest("") == suggest("  ") == suggest("12") == suggest("qqq") == []
    assert len(suggest("a")) == 8


def test_a_name_has_a_code_only_where_it_is_the_name_of_one() -> None:
    assert exact("Spleen") is not None
    assert exact("spleen").meaning == "Spleen"  # type: ignore[union-attr]
    assert exact("Splee") is None
    assert exact("") is None
