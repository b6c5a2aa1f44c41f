"""Outlines and regions on a real chest, with a real mouse; then the process is killed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Start

NODULE_KJI = (50, 262, 383)
"""In the left lung of the chest."""
LUNG_KJI = (50, 256, 120)


@pytest.mark.data
@pytest.mark.slow
def test_a_nodule_and_a_lung_are_drawn_with_four_tools_and_outlive_the_process(start: Start, test_data: Path) -> None:
    driver = start(test_data / "ct-chest")
    driver.wait(lambda: driver.state["case"] and driver.case["complete"], "the chest", 60)
    driver.focus_front()
    driver.keys("F3")

    def at(row: float, column: float) -> dict[str, Any]:
        place = driver.ask("voxel", plane="axial", voxel_kji=[driver.case["crosshair_kji"][0], row, column])
        assert place is not None
        return dict(place)

    def voxels(name: str) -> int:
        return int(driver.case["voxels"].get(name, 0))

    def take(key: str, tool: str) -> None:
        driver.move_to(at(256, 256))
        driver.keys(key)
        driver.wait(lambda: driver.state["tool"] == tool, tool)

    # The nodule: a free line around it.
    take("4", "lasso")
    _, row, column = NODULE_KJI
    circle = [at(row + 14 * math.sin(a), column + 14 * math.cos(a)) for a in [n * math.tau / 24 for n in range(25)]]
    driver.drag(circle)
    driver.keys("Return")
    driver.wait(lambda: voxels("Segment 1"), "the outline of the nodule")
    assert voxels("Segment 1") == pytest.approx(math.pi * 14**2, rel=0.1)
    # A polygon beside it, one of its corners pulled away, taken back.
    lasso = voxels("Segment 1")
    for corner in ((200, 300), (200, 380), (300, 380), (300, 300)):
        driver.click_at(at(*corner))
    driver.keys("Return")
    driver.drag([at(200, 300), at(190, 290), at(180, 280)])
    driver.keys("Return")
    driver.wait(lambda: voxels("Segment 1") > lasso + 7000, "the polygon")
    driver.keys("ctrl+z")
    driver.wait(lambda: voxels("Segment 1") == lasso, "the polygon to be taken back")

    # The lung: grown, and cut across.
    driver.keys("n")
    driver.wait(lambda: len(driver.case["segments"]) == 2, "a second segment")
    take("7", "grow")
    driver.click_at(at(*LUNG_KJI[1:]))
    driver.wait(lambda: driver.case["history"][-1] == "Grow Segment 2", "the lung", 60)
    lung_ml = voxels("Segment 2") * driver.case["voxel_ml"]
    assert 500 < lung_ml < 6000
    take("8", "scissors")
    for corner in ((150, 60), (150, 500), (250, 500), (250, 60)):
        driver.click_at(at(*corner))
    driver.keys("Return", "Return")
    driver.wait(lambda: driver.case["history"][-1] == "Cut Segment 2", "the cut", 60)
    assert voxels("Segment 2") * driver.case["voxel_ml"] < 0.9 * lung_ml
    driver.move_to(at(256, 256))
    driver.keys("ctrl+Prior")
    driver.wait(lambda: driver.case["history"][-1].startswith("Copy Segment 2"), "the copied slice")
    driver.wait_saved()
    before, history = driver.case["voxels"], driver.case["history"]
    driver.kill()

    driver = start(test_data / "ct-chest")
    driver.wait(lambda: driver.state["case"] and driver.case["complete"], "the chest again", 60)
    assert driver.case["voxels"] == before
    assert driver.case["history"] == history
