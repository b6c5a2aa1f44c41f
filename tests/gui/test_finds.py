"""Boxes and scores that models propose, in the side column."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence
from pytestqt.qtbot import QtBot

from medview.core.annotations import BoxAnnotation, ImageLabel
from medview.core.prediction import Prediction, Proposal
from medview.core.scores import ScoreRule, SliceScores
from medview.core.source import Source, SourceKind
from medview.gui.main_window import MainWindow
from medview.gui.panes.drawn_content import proposed_on_slice
from medview.gui.parts.box_list import BoxList
from medview.gui.parts.score_view import ScoreBar, ScoreView
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case
from tests.gui.test_panels import many_organs

MODEL = Source(SourceKind.MODEL, "boxes", "1.0.0", "ab" * 32, "job-1")
SCORES = (0.35, 0.92, 0.6, 0.48)


@pytest.fixture
def case(workspace: Workspace) -> OpenCase:
    case = make_case()
    workspace.add_case(case)
    return case


def propose_boxes(case: OpenCase) -> None:
    geometry = case.volume.geometry
    boxes = tuple(
        BoxAnnotation.on_grid(f"b{n}", "Nodule", geometry, (n, 4, 5), (n + 2, 9, 12), score, MODEL)
        for n, score in enumerate(SCORES)
    )
    labels.propose(case, Proposal("p1", Prediction("detection", "Boxes", MODEL, geometry, boxes=boxes)))


def propose_scores(case: OpenCase, score: float = 0.7) -> None:
    curve = np.linspace(0.0, 1.0, case.volume.geometry.shape_kji[1]).astype(np.float32)
    prediction = Prediction("classification", "Scores", MODEL, case.volume.geometry, scores={"Nodule": score, "Clot": 0.1})
    rule, slices = ScoreRule("slice", 0.8, (0.5, 0.9)), SliceScores(1, {"Nodule": curve, "Clot": curve[::-1].copy()})
    labels.propose(case, Proposal("p2", replace(prediction, score_rule=rule, slice_scores=slices)))


def box_list(window: MainWindow) -> BoxList:
    found = window.side.proposals.cards[0].findChild(BoxList)
    assert found is not None
    return found


def rows(found: BoxList) -> list[str]:
    items = [found.list.topLevelItem(n) for n in range(found.list.topLevelItemCount())]
    return [item.text(0) for item in items if item is not None and not item.isHidden()]


def test_boxes_are_listed_surest_first_and_the_slider_hides_those_below(
    window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    propose_boxes(case)
    found = box_list(window)
    assert rows(found) == ["0.92", "0.60", "0.48", "0.35"]
    found.slider.setValue(50)
    assert rows(found) == ["0.92", "0.60"]
    assert found.count.text() == "2 of 4"
    plane = case.slice_plane(case.acquired_plane)
    assert [one.key for one in proposed_on_slice(case, plane, 0.0, {})] == []
    found.slider.setValue(found.slider.minimum())
    assert len(rows(found)) == 4
    assert [one.key for one in proposed_on_slice(case, plane, 0.0, {})] == ["proposed:b0"]


def test_choosing_a_box_goes_there_and_taking_or_leaving_goes_on_with_the_next(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    propose_boxes(case)
    found = box_list(window)
    assert not found.take.isEnabled()
    found.list.setCurrentItem(found.list.topLevelItem(0))
    assert case.view.crosshair_kji == (2, 6, 8)
    assert [one.active for one in proposed_on_slice(case, case.slice_plane(case.acquired_plane), 1.0, {})] == [True, False]
    found.take.click()
    assert list(case.labels.annotations) == ["b1"]
    found = box_list(window)
    assert found.chosen == "b2"
    found.list.setFocus()
    qtbot.keyClick(found.list, Qt.Key.Key_Delete)
    assert [b.annotation_id for b in case.labels.proposals["p1"].prediction.boxes] == ["b0", "b3"]
    found = box_list(window)
    assert found.chosen == "b3"
    # Who works with the keys goes on with them.
    assert window.focusWidget() is found.list
    qtbot.keyClick(found.list, Qt.Key.Key_Return)
    assert list(case.labels.annotations) == ["b1", "b3"]
    case.undo()
    case.undo()
    assert len(case.labels.proposals["p1"].prediction.boxes) == 3


def test_keys_stay_in_the_list_of_the_model_they_were_in(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    propose_boxes(case)
    other, geometry = replace(MODEL, model_id="others", job_id="job-2"), case.volume.geometry
    boxes = tuple(
        BoxAnnotation.on_grid(f"o{n}", "Nodule", geometry, (n, 4, 5), (n + 2, 9, 12), score, other)
        for n, score in enumerate(SCORES)
    )
    labels.propose(case, Proposal("p2", Prediction("detection", "Others", other, geometry, boxes=boxes)))
    found = box_list(window)
    found.list.setCurrentItem(found.list.topLevelItem(0))
    found.list.setFocus()
    qtbot.keyClick(found.list, Qt.Key.Key_Return)
    assert list(case.labels.annotations) == ["o1"]
    assert window.focusWidget() is box_list(window).list
    qtbot.keyClick(box_list(window).list, Qt.Key.Key_Return)
    assert list(case.labels.annotations) == ["o1", "o2"]


def test_who_accepts_a_segment_far_down_a_long_list_stays_there(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    labels.propose(case, many_organs(case, 60))
    part = window.side.proposals.cards[0].rows
    assert part is not None
    bar = part.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 4 * part.height())
    bar.setValue(bar.maximum() // 2)
    before = bar.value()
    window.side.proposals.cards[0].accepted_segment.emit("p1", 30)
    assert [s.name for s in case.labels.segmentation.segments] == ["Organ 30"]
    new = window.side.proposals.cards[0].rows
    assert new is not None
    assert new is not part
    qtbot.waitUntil(lambda: new.verticalScrollBar().value() == before)


def test_a_box_that_is_taken_to_be_adjusted_has_its_handles(
    window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    propose_boxes(case)
    found = box_list(window)
    found.list.setCurrentItem(found.list.topLevelItem(1))
    found.adjust.click()
    assert case.view.active_annotation_id == "b2"
    assert workspace.bench.tool is Tool.BOX_3D


def test_buttons_name_the_keys_a_person_uses_and_only_those_of_the_newest_proposal(
    window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    propose_boxes(case)
    labels.propose(case, replace(many_organs(case, 2), proposal_id="p9"))
    newest, older = (card.accept_all for card in window.side.proposals.cards)
    assert newest.toolTip().endswith("(A)")
    assert "(" not in older.toolTip()
    window.actions_table["proposal.accept"].setShortcut(QKeySequence("F9"))
    assert newest.toolTip().endswith("(F9)")
    window.actions_table["proposal.accept"].setShortcuts([])
    assert "(" not in newest.toolTip()


def test_accepting_all_takes_the_boxes_shown(window: MainWindow, workspace: Workspace, case: OpenCase) -> None:
    propose_boxes(case)
    box_list(window).slider.setValue(55)
    window.side.proposals.cards[0].accept_all.click()
    assert sorted(case.labels.annotations) == ["b1", "b2"]


def test_on_a_series_that_cannot_be_changed_boxes_are_looked_at_only(
    window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    case.read_only = "Another window holds the project."
    propose_boxes(case)
    window.side.proposals.refresh()
    found = box_list(window)
    found.list.setCurrentItem(found.list.topLevelItem(0))
    assert not found.take.isEnabled()
    assert not found.leave.isEnabled()


def test_scores_say_in_words_what_they_come_to_and_the_curve_goes_to_a_slice(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    propose_scores(case)
    (found,) = window.side.proposals.findChildren(ScoreView)
    said = {label.objectName(): label.text() for label in found.findChildren(type(window.side.proposals.cards[0]._stale))}
    assert said["says Nodule"] == "0.70, not sure"
    assert said["says Clot"] == "0.10, absent"
    assert found.curve is not None
    found.curve.resize(248, 64)
    qtbot.mousePress(found.curve, Qt.MouseButton.LeftButton, pos=QPoint(round(found.curve.x_of(30)), 20))
    assert case.view.crosshair_kji[1] == 30
    window.side.proposals.cards[0].accept_all.click()
    statements = [one for one in case.labels.annotations.values() if isinstance(one, ImageLabel)]
    assert {one.says for one in statements if one.subject == "series"} == {"not sure", "absent"}


def test_the_curve_says_of_which_class_it_is_and_shows_any_of_them(
    window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    propose_scores(case)
    (found,) = window.side.proposals.findChildren(ScoreView)
    assert found.curve is not None
    assert (found.of_class.currentText(), found.curve.name) == ("Nodule", "Nodule")
    before = found.curve.grab().toImage()
    found.of_class.setCurrentText("Clot")
    assert found.curve.name == "Clot"
    assert "Clot" in found.curve.toolTip()
    assert found.curve.grab().toImage() != before


def test_of_classes_that_exclude_each_other_only_the_last_has_the_threshold_and_its_curve_is_shown(
    window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    curve = np.linspace(0.0, 1.0, case.volume.geometry.shape_kji[0]).astype(np.float32)
    scores = {"Normal": 0.99, "Bleeding": 0.95}
    prediction = Prediction("classification", "Head", MODEL, case.volume.geometry, scores=scores)
    rule, slices = ScoreRule("slice", 0.8, exclusive=True), SliceScores(0, {"Normal": 1 - curve, "Bleeding": curve})
    labels.propose(case, Proposal("p3", replace(prediction, score_rule=rule, slice_scores=slices)))
    (found,) = window.side.proposals.findChildren(ScoreView)
    assert found.of_class.currentText() == "Bleeding"
    tips = [bar.toolTip() for bar in found.findChildren(ScoreBar)]
    assert ["Present from" in tip for tip in tips] == [False, True]


def test_what_is_not_installed_cannot_be_explained(window: MainWindow, workspace: Workspace, case: OpenCase) -> None:
    propose_boxes(case)
    assert box_list(window).why.isHidden()
