"""The readings of a case beside the pictures: a press shows another's labels, a comment leads to its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from medview.core.box import Box
from medview.gui.panels.review import ReviewPanel
from medview.gui.parts.qt_actions import QtActions
from medview.workspace.actions import ACTIONS, action
from medview.workspace.scheme import Scheme
from tests.workspace.queued import write_small_ct
from tests.workspace.test_reviewing import ADA_BOX, GRACE_BOX, Desk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project in which Ada and Grace have each drawn a liver, and said that they are done."""
    write_small_ct(tmp_path / "images", "s1")
    for reader, box in (("Ada", ADA_BOX), ("Grace", GRACE_BOX)):
        desk = Desk(tmp_path, reader)
        desk.draw("Liver", box)
        desk.done()
        desk.close()
    return tmp_path


@pytest.fixture
def eve(folder: Path) -> Iterator[Desk]:
    desk = Desk(folder, "Eve")
    yield desk
    desk.close()


@pytest.fixture
def panel(qtbot: QtBot, eve: Desk) -> Iterator[ReviewPanel]:
    holder = QWidget()
    qtbot.addWidget(holder)
    made = ReviewPanel(eve.workspace, QtActions(holder, eve.workspace, Scheme.load(), ACTIONS), holder)
    holder.resize(300, 500)
    made.resize(280, 480)
    holder.show()
    # Held until the end: a parent that nobody holds takes its children along.
    yield made
    holder.close()


def _rows(rows: QListWidget) -> list[str]:
    return [rows.item(n).text() for n in range(rows.count())]


def _press(qtbot: QtBot, rows: QListWidget, number: int) -> None:
    place = rows.visualItemRect(rows.item(number)).center()
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_a_press_shows_the_labels_of_a_reader_and_what_a_reviewer_can_do(
    qtbot: QtBot, eve: Desk, panel: ReviewPanel
) -> None:
    assert _rows(panel.readings) == ["Ada · Done", "Grace · Done", "You (Eve) · To do"]
    assert panel.readings.currentRow() == 2
    assert not panel.comment.isVisible()
    _press(qtbot, panel.readings, 0)
    assert eve.held("Liver") == ADA_BOX.size
    assert panel.readings.currentRow() == 0
    assert panel.comment.isVisible()
    approve = panel.findChild(QToolButton, "button review.approve")
    qtbot.waitUntil(approve.isEnabled)
    qtbot.mouseClick(approve, Qt.MouseButton.LeftButton)
    assert _rows(panel.readings)[0] == "Ada · Approved"


def test_enter_sends_labels_back_with_what_is_to_be_done_and_the_comment_leads_there(
    qtbot: QtBot, eve: Desk, panel: ReviewPanel
) -> None:
    _press(qtbot, panel.readings, 1)
    eve.case.view.crosshair_kji = (4, 5, 6)
    qtbot.keyClick(panel.comment, Qt.Key.Key_Return)
    assert "Say what is to be done" in eve.heard[-1]
    qtbot.keyClicks(panel.comment, "Spills over")
    qtbot.keyClick(panel.comment, Qt.Key.Key_Return)
    assert panel.comment.text() == ""
    assert _rows(panel.readings)[1] == "Grace · Sent back"
    assert _rows(panel.comments) == ["Eve sent back → Grace: Spills over (slice 5)"]
    eve.case.view.crosshair_kji = (0, 0, 0)
    _press(qtbot, panel.comments, 0)
    assert eve.case.view.crosshair_kji == (4, 5, 6)


def test_the_key_for_sending_back_asks_for_the_field(qtbot: QtBot, eve: Desk, panel: ReviewPanel) -> None:
    with qtbot.waitSignal(panel.field_wanted):
        action("review.send_back").run(eve.workspace)


def test_what_is_hidden_cannot_be_seen_and_says_why(qtbot: QtBot, eve: Desk, panel: ReviewPanel) -> None:
    eve.draw("Spleen", Box((0, 0, 0), (2, 2, 2)))
    eve.project.review.comment(eve.reading_of("Ada"), "A secret")
    eve.workspace.reviewing.refresh()
    assert "marked as done" in panel.readings.item(0).toolTip()
    assert _rows(panel.comments) == []
    _press(qtbot, panel.readings, 0)
    assert (eve.held("Liver"), eve.held("Spleen")) == (0, 8)
    assert panel.readings.currentRow() == 2


def test_the_consensus_offers_majority_and_staple_until_ones_own_labels_are_back(
    qtbot: QtBot, eve: Desk, panel: ReviewPanel
) -> None:
    staple = panel.findChild(QToolButton, "button review.staple")
    assert not staple.isVisible()
    action("review.consensus").run(eve.workspace)
    assert _rows(panel.readings)[-1] == "Consensus · To do"
    qtbot.waitUntil(lambda: staple.isVisible() and staple.isEnabled())
    qtbot.mouseClick(staple, Qt.MouseButton.LeftButton)
    assert any(one.prediction.model_name.startswith("STAPLE") for one in eve.case.labels.proposals.values())
    approve = next(one for one in panel.findChildren(QToolButton, "button review.approve") if one.isVisible())
    qtbot.mouseClick(approve, Qt.MouseButton.LeftButton)
    assert _rows(panel.readings)[-1] == "Consensus · Approved"
    action("review.own").run(eve.workspace)
    assert not staple.isVisible()


def test_a_case_that_one_person_reads_has_no_such_panel(qtbot: QtBot, tmp_path: Path) -> None:
    write_small_ct(tmp_path / "images", "s1")
    desk = Desk(tmp_path, "Ada")
    holder = QWidget()
    qtbot.addWidget(holder)
    panel = ReviewPanel(desk.workspace, QtActions(holder, desk.workspace, Scheme.load(), ACTIONS), holder)
    assert not panel.wanted
    desk.close()


def test_a_review_is_approved_as_corrected_by_its_button(qtbot: QtBot, eve: Desk, panel: ReviewPanel) -> None:
    _press(qtbot, panel.readings, 0)
    action("review.edit").run(eve.workspace)
    qtbot.waitUntil(panel.as_corrected.isVisible)
    eve.draw("Vessel", Box((0, 0, 0), (1, 5, 5)))
    qtbot.mouseClick(panel.as_corrected, Qt.MouseButton.LeftButton)
    assert _rows(panel.readings) == ["Ada · Approved", "Grace · Done", "You (Eve) · To do", "Eve, review of Ada · Approved"]
    assert "Approved as you corrected them" in eve.heard[-1]
    assert _rows(panel.comments) == ["Eve approved → Ada, as corrected"]
    _press(qtbot, panel.readings, 2)
    qtbot.waitUntil(lambda: not panel.as_corrected.isVisible())
