"""What people do all day, with a real mouse and real keys, in no more actions than promised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from medview.core.job import Inline
from medview.workspace.demo import make_demo
from tests.end_to_end.conftest import Start
from tests.end_to_end.counted import Counted

OPEN_A_FOLDER, WINDOW_AND_MAXIMISE, BOTH_AXES, RUN_A_MODEL, DECIDE = 2, 3, 3, 2, 1
COMPARE, EXPORT, HIDE = 1, 2, 1
NODULE_KJI = (50, 262, 383)
"""In the left lung of the chest."""


def offset(place: dict[str, Any], right: int, down: int) -> dict[str, Any]:
    return {**place, "x": place["x"] + right, "y": place["y"] + down}


@pytest.mark.data
@pytest.mark.slow
def test_reading_a_chest_ct(start: Start, test_data: Path, tmp_path: Path) -> None:
    driver = start()
    hands = Counted(driver)
    with hands.flow("open a folder and see the first picture", OPEN_A_FOLDER):
        hands.click("start open folder")
        hands.choose_file(test_data / "ct-chest")
        driver.wait(lambda: driver.state["case"], "the first picture", 60)
    driver.wait(lambda: driver.case["complete"], "the chest", 60)

    axial = driver.wait(lambda: driver.ask("widget", name="axial_pane"), "the axial pane")
    with hands.flow("window to lung, maximise, back", WINDOW_AND_MAXIMISE):
        driver.move_to(axial)
        hands.key("2")
        driver.wait(lambda: driver.case["window"] == [-600, 1500], "the lung window")
        hands.double_click(axial)
        driver.wait(lambda: driver.state["maximised"] == "axial", "the axial pane alone")
        hands.double_click(driver.ask("widget", name="axial_pane"))
        driver.wait(lambda: driver.state["maximised"] == "", "all panes")

    place = driver.ask("voxel", plane="axial", voxel_kji=list(NODULE_KJI))
    with hands.flow("long and short axis of a lesion, stored", BOTH_AXES):
        driver.move_to(place)
        hands.key("d")
        hands.drag([offset(place, -22, -18), place, offset(place, 22, 18)])
        driver.wait(lambda: driver.case["measured"], "the two axes")
        driver.wait_saved()
    kind, text = driver.case["measured"][0][:2]
    assert kind == "bidirectional"
    assert text.endswith("mm")
    driver.keys("w")

    with hands.flow("run the right model on the open series", RUN_A_MODEL):
        hands.click("run phantom-organs-nodules")
        driver.wait(lambda: driver.case["proposals"], "the proposal", 400)
    with hands.flow("reject a proposal", DECIDE):
        hands.key("x")
        driver.wait(lambda: not driver.case["proposals"], "the proposal to go")
    driver.keys("ctrl+z")
    driver.wait(lambda: driver.case["proposals"], "the proposal back")
    with hands.flow("accept one of what is proposed", DECIDE):
        hands.click("accept Nodule")
        driver.wait(lambda: [s[0] for s in driver.case["segments"]] == ["Nodule"], "the nodule alone")
    driver.move_to(axial)
    driver.keys("ctrl+z")
    driver.wait(lambda: not driver.case["segments"], "the nodule to go again")
    with hands.flow("accept a proposal", DECIDE):
        hands.key("a")
        driver.wait(lambda: len(driver.case["segments"]) > 1, "the segments")

    with hands.flow("export SEG", EXPORT):
        hands.key("ctrl+e")
        hands.choose_file(tmp_path / "labels.dcm")
        driver.wait(lambda: (tmp_path / "labels.dcm").exists(), "the file", 120)
    driver.move_to(axial)
    with hands.flow("export what I see", EXPORT):
        hands.key("ctrl+s")
        hands.choose_file(tmp_path / "seen.png")
        driver.wait(lambda: (tmp_path / "seen.png").exists(), "the picture")
    with Image.open(tmp_path / "seen.png") as seen:
        assert seen.size[0] > 200

    with hands.flow("hide patient identity for a demo", HIDE):
        hands.key("h")
        driver.wait(lambda: driver.state["hidden"] and driver.state["title"] == "MedView", "no identity")
    shown = " ".join(line for pane in driver.state["panes"].values() for line in pane["text"])
    assert "CMB-CRC" not in shown
    assert driver.close() == 0


@pytest.mark.slow
def test_correcting_a_mask_needs_no_menu_and_no_click_outside_the_picture(start: Start, tmp_path: Path) -> None:
    place = make_demo(tmp_path / "demo", Inline())
    folder = next(p for p in sorted(place.rglob("*")) if p.is_dir() and any(p.glob("*.dcm")))
    driver = start(folder)
    driver.wait(lambda: driver.state["case"] and driver.case["complete"], "the series", 60)
    axial = driver.wait(lambda: driver.ask("widget", name="axial_pane"), "the axial pane")
    hands = Counted(driver)
    with hands.flow("correct a mask with the brush, erase a bit, undo", 5):
        driver.move_to(axial)
        hands.key("F3")
        hands.drag([axial, offset(axial, 40, 10)])
        driver.wait(lambda: len(driver.case["history"]) == 1, "the stroke")
        hands.key("e")
        hands.drag([offset(axial, 35, 10), offset(axial, 50, 12)])
        driver.wait(lambda: driver.case["history"][-1].startswith("Erase"), "the eraser")
        hands.key("ctrl+z")
        driver.wait(lambda: driver.case["undone"], "undo")
    assert driver.close() == 0


@pytest.mark.slow
def test_comparing_with_the_prior_is_one_key(start: Start, tmp_path: Path) -> None:
    place = make_demo(tmp_path / "demo", Inline())
    driver = start(place)
    row = driver.wait(lambda: driver.ask("row", text="follow-up"), "the follow-up", 60)
    driver.click_at(row, times=2)
    driver.wait(lambda: driver.state["case"] and driver.case["complete"], "the follow-up", 60)
    hands = Counted(driver)
    with hands.flow("compare with the prior: placed and synchronised", COMPARE):
        hands.key("ctrl+p")
        driver.wait(lambda: len(driver.state["panes"]) == 2, "two panes", 60)
        panes = driver.wait(
            lambda: (p := driver.state["panes"]) and len({v["date"] for v in p.values()}) == 2 and p, "both"
        )
    assert panes["1"]["date"] > panes["2"]["date"]
    before = {pane: seen["at"][0] for pane, seen in driver.state["panes"].items()}
    driver.wheel(driver.ask("widget", name="1_pane"), 3)
    driver.wait(lambda: driver.state["panes"]["1"]["at"][0] == before["1"] + 3, "three slices")
    assert driver.state["panes"]["2"]["at"][0] == before["2"] + 3
    assert driver.close() == 0


@pytest.mark.data
@pytest.mark.slow
def test_a_brain_in_four_linked_panes(start: Start, test_data: Path) -> None:
    driver = start(test_data / "mr-brain-t1-t1c-t2-flair")
    driver.wait(lambda: driver.state["series"] >= 4, "the series", 60)
    hands = Counted(driver)
    driver.keys("ctrl+4")
    first = driver.wait(lambda: driver.ask("row", text="T1"), "a series")
    with hands.flow("hang two series side by side", 2):
        hands.double_click(first)
        driver.wait(lambda: driver.state["case"] and driver.case["complete"], "the first", 60)
        hands.double_click(driver.ask("row", text="FLAIR") or driver.ask("row", text="T2"))
        driver.wait(lambda: len(driver.state["panes"]) == 2, "the second", 60)
    driver.wait(lambda: driver.case["complete"], "both read", 60)
    panes = driver.state["panes"]
    driver.wheel(driver.ask("widget", name="1_pane"), 2)
    driver.wait(lambda: driver.state["panes"]["1"]["at"] != panes["1"]["at"], "the first pane to scroll")
    driver.wait(lambda: driver.state["panes"]["2"]["at"] != panes["2"]["at"], "the second to follow")
    assert driver.close() == 0


@pytest.mark.data
@pytest.mark.slow
def test_a_colour_loop_plays_with_one_key(start: Start, test_data: Path) -> None:
    loop = next((test_data / "pydicom-testfiles").rglob("US-RGB-8-epicard.dcm"), None)
    loop = next((test_data / "pydicom-testfiles").rglob("examples_ybr_color.dcm"), loop)
    assert loop is not None
    driver = start(loop)
    driver.wait(lambda: driver.state["case"] and driver.case["complete"], "the loop", 60)
    assert driver.state["layout"] == "1x1"
    assert driver.case["shape_kji"][0] == 30
    driver.move_to(driver.wait(lambda: driver.ask("widget", name="1_pane"), "the pane"))
    hands = Counted(driver)
    with hands.flow("play a loop", 1):
        hands.key("q")
        driver.wait(lambda: driver.state["cine"], "the loop to play")
    seen: set[int] = set()
    driver.wait(lambda: seen.add(driver.state["panes"]["1"]["at"][0]) or len(seen) > 5, "six pictures of the loop")
    driver.keys("q")
    driver.wait(lambda: not driver.state["cine"], "the loop to stop")
    assert driver.close() == 0
