"""What is proposed beside what is drawn: on the pictures and in the column."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QMenu, QToolButton
from pytestqt.qtbot import QtBot

from medview.core.plane import Plane
from medview.gui.main_window import MainWindow
from medview.gui.parts.theme_tokens import ADDED_COLOUR, REMOVED_COLOUR
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.scheme import Scheme
from medview.workspace.tool_actions import set_mode
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case, make_pane, pixels
from tests.gui.test_panels import click, organs, tool_button
from tests.helpers.strokes import stroke_patch


@pytest.fixture
def case(workspace: Workspace) -> OpenCase:
    made = make_case()
    segment = labels.add_segment(made, "Liver")
    gesture = made.gesture("brush")
    patch = stroke_patch(made.labels.segmentation, segment, (3, 15, 6), (3, 18, 12), radius_mm=3.0)
    assert patch is not None
    gesture.apply(patch)
    gesture.commit("Brush Liver")
    workspace.add_case(made)
    labels.propose(made, organs(made))
    made.view.crosshair_kji = (3, 15, 6)
    return made


def _menu(button: QToolButton, text: str) -> None:
    menu = button.menu()
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if action.text() == text).trigger()
    QApplication.processEvents()


def test_a_class_is_compared_from_its_row_and_the_figures_stand_below(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    set_mode(workspace, Mode.ANNOTATE)
    panel = window.side.proposals
    assert not panel.difference.isVisible()
    _menu(tool_button(panel, "more Liver"), "Compare with the segment")
    card = panel.difference
    qtbot.waitUntil(lambda: workspace.bench.review.difference.found is not None)
    assert card.isVisible()
    found = workspace.bench.review.difference.found
    assert found is not None
    assert card.text_of("dice") == f"{found.agreement.dice:.3f}"
    assert "mm" in card.text_of("surface")
    assert card.segment.currentText() == "Liver"
    click(qtbot, tool_button(card, "difference.next"))
    assert case.view.crosshair_kji == found.spots[0].at_kji
    click(qtbot, tool_button(card, "close difference"))
    assert not card.isVisible()


def test_a_comparison_opened_by_key_is_scrolled_to(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    set_mode(workspace, Mode.ANNOTATE)
    window.resize(1280, 700)
    QApplication.processEvents()
    card = window.side.proposals.difference
    window.actions_table.run("proposal.compare")
    qtbot.waitUntil(lambda: workspace.bench.review.difference.found is not None)
    qtbot.waitUntil(lambda: card.visibleRegion().boundingRect().height() >= card.height() - 1)


def test_the_brush_that_accepts_is_taken_from_the_row_for_that_class(
    window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    _menu(tool_button(window.side.proposals, "more Spleen"), "Accept with the brush")
    assert workspace.bench.tool is Tool.ACCEPT_BRUSH
    assert workspace.bench.review.wanted == ("p1", 2)


@pytest.mark.parametrize("plane", list(Plane))
def test_the_pictures_show_what_is_more_and_less_and_say_what_the_tints_mean(
    qtbot: QtBot, workspace: Workspace, case: OpenCase, plane: Plane
) -> None:
    pane = make_pane(qtbot, workspace, Hands(workspace, Scheme.load()), plane)
    workspace.differences.open("p1", 1)
    qtbot.waitUntil(lambda: workspace.bench.review.difference.found is not None)
    spots = workspace.bench.review.difference.found
    assert spots is not None
    for kind, colour in ((1, ADDED_COLOUR), (2, REMOVED_COLOUR)):
        spot = next(spot for spot in spots.spots if spot.kind == kind)
        case.view.crosshair_kji = spot.at_kji
        QApplication.processEvents()
        # The outline has the colour as it is.
        seen = pixels(pane)[..., :3].astype(int)
        assert (np.abs(seen - np.asarray(colour)).max(axis=-1) <= 2).any()
    assert any("Proposal has more" in line for line in pane.shown_text())
    workspace.differences.close()
    QApplication.processEvents()
    assert not any("Proposal has more" in line for line in pane.shown_text())
