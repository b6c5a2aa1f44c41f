"""Brushes by a real mouse and keyboard: nothing of a stroke is lost, and the keys of the annotator work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end.conftest import Start
from tests.end_to_end.driver import Driver

pytestmark = pytest.mark.data


@pytest.fixture
def run(start: Start, test_data: Path) -> Driver:
    """MedView with the chest open, annotating."""
    driver = start(test_data / "ct-chest")
    driver.wait(lambda: (c := driver.state["case"]) and c["complete"], "the chest", 120)
    driver.keys("F3")
    driver.wait(lambda: driver.state["mode"] == "annotate", "the annotate mode")
    return driver


def painted(run: Driver, path: Path) -> np.ndarray:
    run.wait_saved()
    run.ask("labels", path=str(path))
    with np.load(path) as found:
        return np.asarray(found["layer0"])


def test_every_corner_of_a_hasty_stroke_is_painted_ctrl_erases_and_keys_lead_on(run: Driver, tmp_path: Path) -> None:
    k, j, i = run.case["crosshair_kji"]
    zigzag = [(k, j - 60 + 10 * (n % 2), i - 90 + 8 * n) for n in range(22)]
    run.keys("1", *["bracketleft"] * 12)
    run.wait(lambda: run.state["radius_mm"] < 2.0, "a small brush")
    places = [run.ask("voxel", plane="axial", voxel_kji=list(voxel)) for voxel in zigzag]
    # All at once: faster than the window can draw.
    moves = [["mousemove", str(place["x"]), str(place["y"])] for place in places]
    run._xdotool(*moves[0], "mousedown", "1", *(word for move in moves[1:] for word in move), "mouseup", "1")
    run.wait(lambda: run.case["history"], "the stroke")
    labels = painted(run, tmp_path / "painted.npz")
    for _, row, column in zigzag:
        # A pixel of the screen is larger than a voxel here.
        assert labels[k, row - 3 : row + 4, column - 3 : column + 4].any(), (row, column)
    assert not labels[np.arange(len(labels)) != k].any()
    # Ctrl erases with the brush in hand; Space takes the eraser and gives the brush back.
    run._xdotool("keydown", "ctrl")
    run.drag([places[0], places[1], places[2]])
    run._xdotool("keyup", "ctrl")
    run.wait(lambda: len(run.case["history"]) == 2, "the erasing stroke")
    assert run.state["tool"] == "brush"
    erased = painted(run, tmp_path / "erased.npz")
    assert not erased[k, zigzag[0][1], zigzag[0][2]]
    assert 0 < np.count_nonzero(erased) < np.count_nonzero(labels)
    run.keys("space")
    run.wait(lambda: run.state["tool"] == "eraser", "the eraser")
    run.keys("space")
    run.wait(lambda: run.state["tool"] == "brush", "the brush")
    # Another segment; Alt and a click on the first one goes on with that, and a key leads from lesion to lesion.
    run.keys("n")
    away = run.ask("voxel", plane="axial", voxel_kji=[k, j + 60, i])
    run.drag([away, {**away, "x": away["x"] + 20}])
    run.wait(lambda: len(run.case["segments"]) == 2 and all(run.case["voxels"].values()), "the second segment")
    run._xdotool("mousemove", str(places[-1]["x"]), str(places[-1]["y"]), "keydown", "alt", "click", "1", "keyup", "alt")
    run.wait(lambda: run.state["message"] == "Segment 1 is the active segment.", "the segment to be picked")
    run.keys("Page_Up", "Page_Up", "shift+Down")
    run.wait(lambda: run.case["crosshair_kji"][0] == k, "the labelled slice")
    run.keys("shift+Right")
    run.wait(lambda: run.state["message"].startswith("Segment 1: lesion "), "the lesion")
    at = run.case["crosshair_kji"]
    assert erased[at[0], at[1], at[2]]
