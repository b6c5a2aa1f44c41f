"""The list of segments under a real mouse: named, coded, moved, grouped, hidden."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Start
from tests.end_to_end.driver import Driver


def place(run: Driver, name: str, cell: str) -> dict[str, Any]:
    return dict(run.wait(lambda: run.ask("segment", name=name, cell=cell), f"{name} in the list"))


def names(run: Driver) -> list[str]:
    return [s["name"] for s in run.ask("segments")]


def one(run: Driver, name: str) -> dict[str, Any]:
    return next(dict(s) for s in run.ask("segments") if s["name"] == name)


def rename(run: Driver, old: str, typed: str, *keys: str) -> None:
    run.click_at(place(run, old, "name"), times=2)
    run.keys("ctrl+a")
    run.write(typed)
    for key in (*keys, "Return"):
        run.keys(key)


@pytest.mark.data
@pytest.mark.slow
def test_segments_are_named_moved_grouped_and_hidden_by_mouse(start: Start, test_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "brain"
    folder.mkdir()
    shutil.copy(test_data / "weights-brainchop" / "t1_crop.nii.gz", folder)
    run = start(folder)
    run.wait(lambda: run.state["case"] and run.case["complete"], "the brain", 60)
    run.keys("F3")
    run.click("section Tools")
    for n in range(3):
        run.keys("n")
        run.wait(lambda count=n + 1: len(names(run)) == count, "a new segment")
    assert names(run) == ["Segment 1", "Segment 2", "Segment 3"]

    # A name is typed, a code is picked from what is suggested.
    rename(run, "Segment 2", "hippoc", "Down", "Return")
    run.wait(lambda: one(run, "Hippocampus")["code"] == "5366008", "the name and its code")
    rename(run, "Segment 3", "Blur")
    run.wait(lambda: "Blur" in names(run), "the other name")

    # The last row is dragged to the top.
    top, last = place(run, "Segment 1", "name"), place(run, "Blur", "name")
    run.drag([last, {**last, "y": last["y"] - 12}, {**top, "y": top["y"] - 4}, {**top, "y": top["y"] - 11}])
    run.wait(lambda: names(run) == ["Blur", "Segment 1", "Hippocampus"], "the row at the top")

    # Buttons of a row, and its state from a menu.
    for cell in ("eye", "cube", "lock"):
        run.click_at(place(run, "Segment 1", cell))
    run.wait(lambda: one(run, "Segment 1")["locked"], "the lock")
    assert not one(run, "Segment 1")["visible"]
    assert not one(run, "Segment 1")["visible_3d"]
    run.click_at(place(run, "Hippocampus", "status"))
    run.menu("Flagged")
    run.wait(lambda: one(run, "Hippocampus")["status"] == "flagged", "the flag")

    # Another one of the same, and the slice is done.
    run.click_at(place(run, "Hippocampus", "name"))
    run.keys("shift+n")
    run.wait(lambda: "Hippocampus 2" in names(run), "another one")
    assert {one(run, name)["group"] for name in ("Hippocampus", "Hippocampus 2")} == {"Hippocampus"}
    pane = run.ask("widget", name="axial_pane")
    run.move_to(pane)
    before = run.case["crosshair_kji"]
    run.keys("shift+d")
    run.wait(lambda: run.case["crosshair_kji"] != before, "the next slice")
    assert run.case["history"][-1].endswith(" done")
    run.wait_saved()
