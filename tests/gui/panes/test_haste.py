"""Coarse pictures while a hand moves them, fine ones once it rests."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from medview.core.axes import Axes
from medview.core.plane import Plane
from medview.gui.panes import haste
from medview.gui.panes.haste import Haste
from medview.gui.panes.slice_view import SliceView
from medview.workspace.open_case import OpenCase
from tests.gui.cases import make_case, pane_of, pixels


def moved(pane: SliceView, case: OpenCase) -> np.ndarray:
    """What a pane shows after a hand moved it quickly."""
    for n in range(4):
        turned(case, 0.6 + n / 20)
        shown = pixels(pane)
    return shown


def turned(case: OpenCase, angle: float) -> None:
    case.view.axes = Axes().turned((0.4, -1.0, 0.3), angle)


@pytest.fixture
def case() -> OpenCase:
    case = make_case()
    turned(case, 0.5)
    return case


@pytest.fixture
def pane(qtbot: QtBot, case: OpenCase) -> SliceView:
    return pane_of(qtbot, case, Plane.CORONAL)


def test_a_quick_picture_is_never_coarse(pane: SliceView, case: OpenCase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(haste, "SLOW_S", 10.0)
    for n in range(5):
        turned(case, 0.5 + n / 50)
        pixels(pane)
        assert not pane._haste.coarse


def test_a_slow_picture_is_coarse_while_the_hand_moves_and_fine_when_it_rests(
    qtbot: QtBot, pane: SliceView, case: OpenCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(haste, "SLOW_S", -1.0)
    coarse = moved(pane, case)
    assert pane._haste.coarse
    qtbot.waitUntil(lambda: not pane._haste.coarse)
    fine = pixels(pane)
    assert not np.array_equal(coarse, fine)
    # The same picture all the same: what is bright stays where it is.
    assert np.abs(coarse.astype(int) - fine).mean() < 3


def test_a_picture_that_is_taken_along_is_fine(pane: SliceView, case: OpenCase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(haste, "SLOW_S", -1.0)
    coarse = moved(pane, case)
    assert pane._haste.coarse
    pane.be_fine()
    assert not np.array_equal(pixels(pane), coarse)
    assert not pane._haste.coarse


def test_coarseness_ends_with_what_was_slow(qtbot: QtBot, pane: SliceView, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Haste(pane)
    monkeypatch.setattr(haste, "SLOW_S", -1.0)
    for wanted in (False, False, True):
        with one.picture() as coarse:
            assert coarse is wanted
    with qtbot.waitSignal(one.rested):
        pass
    monkeypatch.setattr(haste, "SLOW_S", 10.0)
    for _ in range(3):
        with one.picture() as coarse:
            assert coarse is False


def test_one_slow_picture_among_quick_ones_changes_nothing(pane: SliceView, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Haste(pane)
    for limit_s in (-1.0, 10.0, -1.0, 10.0):
        monkeypatch.setattr(haste, "SLOW_S", limit_s)
        with one.picture() as coarse:
            assert coarse is False
