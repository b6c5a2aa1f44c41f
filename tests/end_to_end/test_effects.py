"""A nodule by threshold and islands, smoothed and grown, with a real mouse; nothing is lost when the program is killed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end.conftest import Start
from tests.end_to_end.driver import Driver

NODULE_KJI = (50, 262, 383)
"""In the left lung of the chest."""


def candidate(driver: Driver, effect_id: str) -> dict[str, int]:
    """Wait for what an effect would come to."""

    def after() -> dict[str, int]:
        effect = driver.state["effect"]
        return dict(effect["after"]) if effect["id"] == effect_id else {}

    return dict(driver.wait(after, f"the candidate of {effect_id}", 60))


def apply(driver: Driver) -> None:
    steps = len(driver.case["history"])
    driver.keys("ctrl+Return")
    driver.wait(lambda: len(driver.case["history"]) == steps + 1, "the effect in the history", 60)
    driver.wait(lambda: driver.state["effect"]["id"] == "", "the effect to close")


def drawn(driver: Driver, path: Path) -> np.ndarray:
    driver.ask("labels", path=str(path))
    with np.load(path) as layers:
        return np.asarray(layers["layer0"])


@pytest.mark.data
@pytest.mark.slow
def test_a_nodule_by_effects_alone(start: Start, test_data: Path, tmp_path: Path) -> None:
    driver = start(test_data / "ct-chest")
    driver.wait(lambda: driver.state["series"], "the chest in the list", 60)
    place = driver.wait(lambda: driver.ask("row", text="lung"), "the series")
    driver.click_at(place, times=2)
    driver.wait(lambda: driver.state["case"] and driver.case["complete"], "the chest", 60)
    driver.keys("F3")
    for name in ("Tools", "Segments", "Pieces of the segment"):
        driver.click(f"section {name}")

    driver.click("button effect.threshold")
    found = candidate(driver, "threshold")
    # Nothing is written before it is applied.
    assert driver.case["history"] == []
    assert found["Threshold"] > 1_000_000
    apply(driver)
    assert driver.case["voxels"] == found
    driver.wait_saved()

    driver.click("button effect.islands")
    candidate(driver, "islands")
    driver.click("effect way")
    driver.keys("Down", "Down", "Down", "Return")
    driver.move_to(driver.ask("widget", name="axial_pane"))
    driver.click("effect touching")
    driver.keys("Down", "Return")
    driver.wait(lambda: "No piece" in driver.state["effect"]["problem"] or candidate(driver, "islands"), "an answer")
    driver.click_at(driver.ask("voxel", plane="axial", voxel_kji=list(NODULE_KJI)))
    # A pixel of the screen is more than a voxel here.
    driver.wait(lambda: np.abs(np.subtract(driver.case["crosshair_kji"], NODULE_KJI)).max() <= 1, "the place of the click")
    kept = candidate(driver, "islands")
    assert 0 < kept["Threshold"] < found["Threshold"]
    apply(driver)
    assert driver.case["voxels"] == kept
    assert drawn(driver, tmp_path / "islands.npz")[tuple(driver.case["crosshair_kji"])]

    driver.click("button effect.margin")
    grown = candidate(driver, "margin")
    assert grown["Threshold"] > kept["Threshold"]
    driver.keys("Escape")
    driver.wait(lambda: driver.state["effect"]["id"] == "", "the effect to be dropped")
    assert driver.case["voxels"] == kept
    driver.click("button effect.smooth")
    smooth = candidate(driver, "smooth")
    apply(driver)
    assert driver.case["voxels"] == smooth
    driver.keys("ctrl+z")
    driver.wait(lambda: driver.case["voxels"] == kept, "smoothing taken back")
    driver.wait_saved()
    before = drawn(driver, tmp_path / "before.npz")
    names = driver.case["history"]
    driver.kill()

    again = start(test_data / "ct-chest")
    again.wait(lambda: again.state["series"], "the chest in the list", 60)
    again.click_at(again.wait(lambda: again.ask("row", text="lung"), "the series"), times=2)
    again.wait(lambda: again.state["case"] and again.case["complete"], "the chest", 60)
    assert again.case["history"] == names
    assert np.array_equal(drawn(again, tmp_path / "after.npz"), before)
