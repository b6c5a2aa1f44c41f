"""Reading under the hands a radiologist has: wheel, drags, double click, number keys, the pane under the pointer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.conftest import Start
from tests.end_to_end.driver import Driver

pytestmark = pytest.mark.data


@pytest.fixture
def run(start: Start, test_data: Path) -> Driver:
    """A real chest CT, opened by a double click in the study browser."""
    driver = start(test_data / "ct-chest", test_data / "ct-head-tiny-93")
    row = driver.wait(lambda: driver.ask("row", text="lung"), "the chest in the study browser", 60)
    driver.wait(lambda: driver.state["case"] and not driver.state["jobs"], "the first series to be read", 60)
    driver.click_at(driver.ask("row", text="lung") or row, times=2)
    driver.wait(lambda: driver.case["shape_kji"] == [100, 512, 512] and driver.case["complete"], "the chest", 60)
    return driver


def offset(place: dict[str, int], right: int, down: int) -> dict[str, int]:
    return {**place, "x": place["x"] + right, "y": place["y"] + down}


def test_wheel_drags_keys_and_double_click_do_what_hands_expect(run: Driver) -> None:
    axial = run.ask("widget", name="axial_pane")
    coronal = run.ask("widget", name="coronal_pane")

    # The wheel goes through the slices of the pane under the pointer.
    before = run.case["crosshair_kji"]
    run.wheel(axial, 5)
    run.wait(lambda: run.case["crosshair_kji"][0] == before[0] + 5, "five slices towards the head")
    run.wheel(coronal, -3)
    run.wait(lambda: run.case["crosshair_kji"][1] == before[1] - 3, "three slices towards the front")

    # Keys act on the pane under the pointer, without a click.
    run.keys("Up")
    run.wait(lambda: run.case["crosshair_kji"][1] == before[1] - 2, "one slice towards the back")
    run.keys("2")
    run.wait(lambda: run.case["window"] == [-600, 1500], "the lung preset")

    # Left drag: right widens, down raises the centre.
    run.drag([axial, offset(axial, 30, 0), offset(axial, 60, 40)])
    run.wait(lambda: run.case["window"][1] > 1500 and run.case["window"][0] > -600, "a wider, higher window")

    # A click puts the crosshair there, the other planes follow.
    aim = run.ask("voxel", plane="axial", voxel_kji=[run.case["crosshair_kji"][0], 180, 320])
    run.click_at(aim)
    run.wait(lambda: abs(run.case["crosshair_kji"][2] - 320) <= 1, "the crosshair")
    assert abs(run.case["crosshair_kji"][1] - 180) <= 1
    assert "HU" in run.state["pointer"]
    assert "mm" in run.state["pointer"]

    # Double click fills the centre and brings the others back.
    run.click_at(coronal, times=2)
    run.wait(lambda: run.state["maximised"] == "coronal", "the coronal pane alone")
    run.click_at(run.ask("widget", name="coronal_pane"), times=2)
    run.wait(lambda: run.state["maximised"] == "", "all panes")

    # One key hides who it is, also in the title and the study browser.
    assert run.ask("row", text="lung") is not None
    run.keys("h")
    run.wait(lambda: run.state["title"] == "MedView", "no name in the title")
    assert run.close() == 0
