"""Two monitors with different scale: a pane in a window of its own is as sharp as the screen it stands on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medview.core.plane import Plane
from tests.gui.cases import make_case, pane_of, pixels
from tests.gui.two_screens import SCREENS, WIDTH_PX


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    """What a program saw of its pane at home, in a window on the finer screen, moved to the coarser one, and back."""
    config: Path = tmp_path_factory.mktemp("screens") / "screens.json"
    config.write_text(json.dumps(SCREENS), encoding="utf-8")
    command = [sys.executable, "-m", "tests.gui.two_screens", str(config)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QT_")}
    told = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert told.returncode == 0, told.stderr
    found: dict[str, dict[str, float]] = json.loads(told.stdout.splitlines()[-1])
    return found


def test_a_detached_pane_takes_the_scale_of_its_screen_and_gives_it_back(seen: dict[str, dict[str, float]]) -> None:
    ratios = {name: one["ratio"] for name, one in seen.items()}
    assert ratios == {"home": 1.0, "detached": 2.0, "moved": 1.0, "back": 2.0, "again": 1.0}
    assert [seen[name]["pixels"] for name in ("detached", "moved", "back")] == [2 * WIDTH_PX, WIDTH_PX, 2 * WIDTH_PX]


def test_its_picture_and_its_outlines_are_drawn_in_the_pixels_of_the_screen(seen: dict[str, dict[str, float]]) -> None:
    fine, coarse = seen["detached"], seen["moved"]
    # Stripes of one voxel are seen where there is a pixel for each and averaged to grey where there is not.
    assert fine["contrast"] > 5 * coarse["contrast"]
    assert fine["outline_pixels"] == 2 * coarse["outline_pixels"] > 0
    assert seen["back"] == fine
    assert seen["again"] == seen["home"]


def test_a_pane_whose_screen_changes_its_scale_is_drawn_anew(qtbot: QtBot) -> None:
    pane = pane_of(qtbot, make_case(), Plane.AXIAL)
    pixels(pane)
    before = pane._picture.viewport
    pixels(pane)
    assert pane._picture.viewport is before
    QApplication.sendEvent(pane, QEvent(QEvent.Type.DevicePixelRatioChange))
    pixels(pane)
    assert pane._picture.viewport is not before
