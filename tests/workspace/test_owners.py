"""Whose picture a pane shows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtGui import QStandardItemModel

from medview.core.study import ScanResult, Series
from medview.gui.browser.study_tree import ROW_ROLE, fill
from medview.workspace.owners import COLOURS, names_while_hidden, owner_strip, patient_of
from medview.workspace.study_order import PatientOrder, SeriesOrder, ordered
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case, make_workspace

DOE = Series("1.1", "1", "17", "Doe^John", "CT")
ROE = Series("2.1", "2", "18", "Roe^Jane", "MR")


def opened(*series: Series) -> Workspace:
    workspace, _ = make_workspace(*(make_case(series=one) for one in series))
    return workspace


def test_one_patient_needs_no_strip_however_many_series_are_open() -> None:
    workspace = opened(DOE, replace(DOE, series_uid="1.2"), replace(DOE, series_uid="9.1", study_uid="9"))
    assert [owner_strip(workspace, case) for case in workspace.cases.values()] == [None, None, None]


def test_two_patients_are_named_each_in_a_colour_of_its_own() -> None:
    workspace = opened(DOE, ROE, replace(DOE, series_uid="1.2"))
    strips = {key: owner_strip(workspace, case) for key, case in workspace.cases.items()}
    assert strips["1.1"] == strips["1.2"]
    assert strips["1.1"] is not None
    assert strips["2.1"] is not None
    assert (strips["1.1"].text, strips["2.1"].text) == ("Doe, John \u00b7 17", "Roe, Jane \u00b7 18")
    assert (strips["1.1"].colour, strips["2.1"].colour) == COLOURS[:2]


def test_while_the_identity_is_hidden_patients_are_numbers_and_keep_their_colours() -> None:
    workspace = opened(DOE, ROE)
    shown = [owner_strip(workspace, case) for case in workspace.cases.values()]
    workspace.bench.identity_hidden = True
    hidden = [owner_strip(workspace, case) for case in workspace.cases.values()]
    assert [one.text for one in hidden if one] == ["Patient 1", "Patient 2"]
    assert [one.colour for one in hidden if one] == [one.colour for one in shown if one]


def test_a_pane_and_the_study_list_call_a_hidden_patient_the_same_however_the_list_is_sorted() -> None:
    workspace = opened(DOE, ROE)
    poe = replace(DOE, series_uid="3.1", study_uid="3", patient_id="19", patient_name="Poe^Max")
    workspace.bench.identity_hidden = True
    for found in ([poe, ROE, DOE], [ROE, poe, DOE]):
        workspace.add_scan("here", ScanResult(tuple(found)))
        model = QStandardItemModel()
        listed = ordered(workspace.series, PatientOrder.NAME, SeriesOrder.NUMBER)
        fill(model, listed, hide_identity=True, hidden_as=names_while_hidden(workspace))
        rows = [model.index(n, 0).data(ROW_ROLE).title for n in range(3)]
        # By name: Doe, Poe, Roe.
        names = dict(zip(("17", "19", "18"), rows, strict=True))
        assert sorted(rows) == ["Patient 1", "Patient 2", "Patient 3"]
        for case in workspace.cases.values():
            strip = owner_strip(workspace, case)
            assert strip is not None
            assert strip.text == names[case.series.patient_id]
        workspace.scans.clear()


def test_colours_stay_when_another_patient_is_closed_and_a_third_comes() -> None:
    workspace = opened(DOE, ROE)
    roe = owner_strip(workspace, workspace.cases["2.1"])
    workspace.close_case("1.1")
    assert owner_strip(workspace, workspace.cases["2.1"]) is None
    workspace.add_case(make_case(series=Series("3.1", "3", "19", "Poe^Max")))
    assert owner_strip(workspace, workspace.cases["2.1"]) == roe
    third = owner_strip(workspace, workspace.cases["3.1"])
    assert third is not None
    assert third.colour == COLOURS[2]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (replace(DOE, patient_name="DOE^JOHN ^^"), True),
        (replace(DOE, patient_id=" 17"), True),
        # One ID given by two hospitals, or a slip of the hand: said rather than guessed.
        (replace(DOE, patient_name="Roe^Jane"), False),
        (replace(DOE, patient_id="18"), False),
        (replace(DOE, patient_id="", patient_name=""), False),
    ],
)
def test_patients_are_the_same_when_id_and_name_are(other: Series, same: bool) -> None:
    assert (patient_of(other) == patient_of(DOE)) is same


def test_studies_that_name_nobody_are_not_taken_for_one_patient() -> None:
    one, other = Series("1.1", "1"), Series("2.1", "2", patient_name="^")
    workspace = opened(one, other)
    strips = [owner_strip(workspace, case) for case in workspace.cases.values()]
    assert next(s.text for s in strips if s) == "Patient 1, not named in the files"
    assert len({s.colour for s in strips if s}) == 2
    assert patient_of(one) == patient_of(replace(one, series_uid="1.2"))
