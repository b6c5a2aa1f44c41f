"""Pictures of drawing with brushes and rules, by mouse and keys: ``python -m tests.end_to_end.draw_pictures DIR``."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.end_to_end.driver import Driver, virtual_screen

SIZES = {"small": (1280, 800), "large": (1920, 1080)}
_SETTLED_S = 0.6


class Album:
    """Takes pictures of the driven window in the sizes and themes that matter."""

    def __init__(self, driver: Driver, folder: Path) -> None:
        self._driver, self._folder = driver, folder
        folder.mkdir(parents=True, exist_ok=True)

    def size(self, name: str) -> None:
        """Give the window a size."""
        window = str(self._driver.ask("front")["window"])
        width, height = SIZES[name]
        self._driver._xdotool("windowsize", "--sync", window, str(width), str(height))
        time.sleep(_SETTLED_S)

    def theme(self, title: str) -> None:
        """Choose a theme in the menu."""
        self._driver.menu("View", title)
        time.sleep(_SETTLED_S)

    def take(self, name: str) -> None:
        """Write what the window shows."""
        time.sleep(_SETTLED_S)
        path = self._folder / f"{name}.png"
        self._driver.ask("picture", path=str(path))
        print(path)


def spot(driver: Driver, voxel_kji: tuple[int, int, int], plane: str = "axial") -> dict[str, Any]:
    """Return where a voxel is on the screen."""
    found = driver.ask("voxel", plane=plane, voxel_kji=list(voxel_kji))
    assert found is not None
    return dict(found)


def beside(place: dict[str, Any], x: int, y: int) -> dict[str, Any]:
    """Return a place some pixels away."""
    return {**place, "x": place["x"] + x, "y": place["y"] + y}


def main(folder: Path, data: Path) -> None:
    """Write all pictures."""
    with virtual_screen(SIZES["large"]) as display, tempfile.TemporaryDirectory() as home:
        config = Path(home) / "config"
        config.mkdir()
        (config / "settings.json").write_text('{"notice_seen": true}', encoding="utf-8")
        driver = Driver(display, Path(home), data / "ct-chest")
        try:
            driver.wait(lambda: (c := driver.state["case"]) and c["complete"], "the series", 120)
            draw(driver, Album(driver, folder))
            driver.close()
        finally:
            driver.stop()


def draw(driver: Driver, album: Album) -> None:
    """Go through brush, threshold brush, rules, planes at an angle, and search."""
    album.size("small")
    driver.keys("F3")
    k, j, i = driver.case["crosshair_kji"]
    rows, columns = driver.case["shape_kji"][1:]
    heart, vessel = (k, round(rows * 0.42), round(columns * 0.55)), (k, round(rows * 0.582), round(columns * 0.51))
    driver.keys("1")
    driver.drag([spot(driver, heart), beside(spot(driver, heart), 20, 16), beside(spot(driver, heart), 44, 4)])
    album.take("draw-brush-dark")
    driver.keys("n", "3", "shift+b")
    driver.drag([spot(driver, vessel), beside(spot(driver, vessel), 2, 2), beside(spot(driver, vessel), 4, 3)])
    driver.wait(lambda: driver.state["tool"] == "threshold_brush", "the threshold brush")
    driver.move_to(beside(spot(driver, vessel), -30, 30))
    time.sleep(2.0)
    album.take("draw-threshold-tint-dark")
    driver.drag([beside(spot(driver, vessel), dx, 20) for dx in (-60, -20, 20, 60)])
    album.take("draw-threshold-painted-dark")
    album.size("large")
    album.theme("Light")
    driver.move_to(beside(spot(driver, vessel), 40, 40))
    album.take("draw-threshold-light-large")
    album.theme("Dark")
    rules(driver, album, heart)
    album.size("large")
    driver.keys("c")
    # The line of the coronal plane, far from the middle, turns that plane.
    middle = spot(driver, (k, j, i))
    driver.drag([beside(middle, 200, 0), beside(middle, 196, 20), beside(middle, 180, 60)])
    driver.keys("1")
    coronal = driver.ask("widget", name="coronal_pane")
    driver.move_to(coronal)
    driver.keys("m")
    time.sleep(_SETTLED_S)
    coronal = driver.ask("widget", name="coronal_pane")
    driver.drag([beside(coronal, -120, 60), beside(coronal, -60, 20), beside(coronal, 20, 80)])
    album.take("draw-oblique-disc-dark-large")
    album.size("small")
    driver.keys("ctrl+k")
    driver.write("lesion")
    album.take("draw-find-dark")
    driver.keys("Escape")


def rules(driver: Driver, album: Album, heart: tuple[int, int, int]) -> None:
    """Put rules on, and have one hold a stroke back."""
    for words in ("only inside the active", "range of values", "other segments give"):
        driver.keys("ctrl+k")
        driver.write(words)
        driver.keys("Return")
        driver.wait(lambda: driver.ask("front")["class"] == "MainWindow", "the search to close")
    driver.keys("1")
    driver.drag([beside(spot(driver, heart), 200, 150), beside(spot(driver, heart), 220, 160)])
    driver.wait(lambda: "Nothing was changed" in driver.state["message"], "the reason")
    album.size("small")
    driver.move_to(beside(spot(driver, heart), 30, 30))
    driver.click("rules")
    driver.move_to(beside(spot(driver, heart), 30, 30))
    album.take("draw-rules-dark")
    album.theme("Light")
    album.take("draw-rules-light")
    album.theme("Dark")
    driver.keys("ctrl+k")
    driver.write("without rules")
    driver.keys("Return")
    driver.wait(lambda: driver.ask("front")["class"] == "MainWindow", "the search to close")


if __name__ == "__main__":
    studies = Path(os.environ["MEDVIEW_TEST_DATA"])
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures", studies)
