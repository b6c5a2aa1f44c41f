"""A case that cannot be changed: nothing is offered that would be refused, and nothing claims to be done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from medview.core.box import Box
from medview.core.label_patch import LabelPatch
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.source import Source, SourceKind
from medview.gui.main_window import MainWindow
from medview.workspace.events import Message
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.operations import segments as segment_ops
from medview.workspace.view_state import Mode
from medview.workspace.workspace import Workspace
from tests.gui.cases import add_segment, label_voxel, make_case
from tests.gui.windows import bare_workspace

SENTENCE = "Another window is writing these labels."
CHANGES = ("undo", "redo", "proposal.accept", "proposal.reject", "segment.add")


@pytest.fixture
def case() -> OpenCase:
    made = make_case()
    label_voxel(made, add_segment(made), (5, 31, 6))
    made.view.active_segment_id = "s1"
    voxels = np.zeros(made.volume.geometry.shape_kji, dtype=np.uint8)
    voxels[2:5, 10:20, 4:9] = 1
    voxels[5, 30:33, 12:20] = 2
    parts = (PredictedSegment(1, "Lung", (86, 180, 233)), PredictedSegment(2, "Spleen", (230, 159, 0)))
    source = Source(SourceKind.MODEL, "organs", "1.2.0", "ab", "job-1")
    mask = PredictedMask.trimmed(voxels, parts)
    prediction = Prediction("segmentation", "Organs", source, made.volume.geometry, made.key, mask=mask)
    labels.propose(made, Proposal("p1", prediction, made.labels.revision))
    return made


@pytest.fixture
def workspace(tmp_path: Path, case: OpenCase) -> Workspace:
    made = bare_workspace(tmp_path)
    made.add_case(case)
    made.bench.mode = Mode.ANNOTATE
    return made


def settle() -> None:
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()


def offers(window: MainWindow) -> dict[str, bool]:
    """Return what the panels and actions offer that would change labels, and whether it can be pressed."""
    settle()
    card = window.side.proposals.cards[0]
    tree = window.side.segments.tree
    found: dict[str, QAbstractButton | None] = {
        "accept all": card.accept_all,
        "reject": card.reject_all,
        "accept Lung": card.findChild(QToolButton, "accept Lung"),
        "add": window.side.segments.add,
        **window.side.segments.details.toggles,
    }
    enabled = {name: button is not None and button.isEnabled() for name, button in found.items()}
    enabled["rename"] = bool(tree.rows.index_of("s1").flags() & Qt.ItemFlag.ItemIsEditable)
    return enabled | {name: window.actions_table[name].isEnabled() for name in CHANGES}


def test_a_case_that_becomes_read_only_offers_no_change_until_it_can_be_changed_again(
    window: MainWindow, case: OpenCase
) -> None:
    before = offers(window)
    assert [name for name, on in before.items() if not on] == ["redo"]
    for read_only, reading in ((SENTENCE, False), ("", True)):
        case.read_only, case.reading = read_only, reading
        case.load_changed.emit()
        assert not any(offers(window).values())
        case.read_only, case.reading = "", False
        case.load_changed.emit()
        assert offers(window) == before


def test_what_is_refused_says_nothing_was_done(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    said: list[Message] = []
    workspace.message.connect(said.append)
    # Buttons and keys as they were a frame ago.
    card, names = window.side.proposals.cards[0], case.history.names
    case.read_only = SENTENCE
    for button in (card.accept_all, card.reject_all, card.findChild(QToolButton, "accept Lung")):
        assert isinstance(button, QPushButton | QToolButton)
        button.click()
    window.actions_table["segment.delete"].trigger()
    for key in (Qt.Key.Key_A, Qt.Key.Key_X, Qt.Key.Key_N):
        qtbot.keyClick(window, key)
    assert said == []
    assert case.history.names == names
    assert list(case.labels.proposals) == ["p1"]
    assert [segment.name for segment in case.labels.segmentation.segments] == ["Liver"]


def test_cards_are_built_only_when_proposals_change(window: MainWindow, case: OpenCase) -> None:
    segment = case.labels.segmentation.segments[0]
    # The first stroke makes the proposal one from before it.
    label_voxel(case, segment, (0, 0, 0))
    card = window.side.proposals.cards[0]
    for n in range(1, 4):
        label_voxel(case, segment, (0, 0, n))
    segment_ops.rename(case, segment.segment_id, "Other")
    case.load_changed.emit()
    layer = case.labels.segmentation.layer(segment.layer_id)
    gesture = case.gesture("brush")
    patch = LabelPatch.between(layer, Box((1, 0, 0), (2, 1, 1)), np.ones((1, 1, 1), dtype=np.uint8))
    assert patch is not None
    gesture.apply(patch)
    gesture.abort()
    assert window.side.proposals.cards == [card]
    case.undo()
    labels.reject(case, "p1")
    assert window.side.proposals.cards == []
