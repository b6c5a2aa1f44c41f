"""A whole case by mouse and keys: the nodule and a lung of a chest CT, with a power cut in the middle.

Every step leaves a picture in the folder that ``MEDVIEW_PICTURES`` names, and every flow says how many actions it took.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk
from scipy import ndimage

from tests.end_to_end.conftest import Start
from tests.end_to_end.counted import Counted
from tests.end_to_end.driver import Driver

NODULE_KJI = (50, 242, 360)
FILLED, OUTLINED = (48, 50), 53
"""Slices k of the nodule that are filled, and one where it touches the chest wall and is outlined instead."""
RIGHT_LUNG_KJI = (50, 250, 170)
VOXEL_ML = 0.898438 * 0.898438 * 2.5 / 1000

OPEN_A_FOLDER, FILL_A_SLICE, FILL_BETWEEN, CORRECT, GROW, CUT, EFFECT, LASSO = 2, 1, 2, 4, 3, 3, 2, 3


class Story:
    """The driver, its counting hands, and a picture after every step."""

    def __init__(self, driver: Driver, folder: Path, number: int = 0) -> None:
        self.driver, self.hands = driver, Counted(driver)
        self._folder, self._number = folder, number
        folder.mkdir(parents=True, exist_ok=True)

    def picture(self, name: str) -> None:
        """Write what the window shows."""
        self._number += 1
        assert self.driver.ask("picture", path=str(self._folder / f"{self._number:02d}-{name}.png"))

    def place(self, voxel_kji: tuple[int, int, int]) -> dict[str, Any]:
        """Where a voxel is on the screen."""
        return dict(self.driver.ask("voxel", plane="axial", voxel_kji=list(voxel_kji)))

    def go_to_slice(self, k: int) -> None:
        """Turn the wheel over the axial picture."""
        at = self.driver.case["crosshair_kji"][0]
        if k != at:
            self.driver.wheel(self.place(NODULE_KJI), k - at)
            if self.driver.case["crosshair_kji"][0] not in (at, k):
                self.driver.wait(lambda: self.driver.case["crosshair_kji"][0] == k, f"slice {k}", 2)

    def mask(self, name: str) -> npt.NDArray[np.bool_]:
        """The voxels of a segment."""
        path = self._folder / "labels.npz"
        self.driver.ask("labels", path=str(path))
        layer, value = next((s[1], s[2]) for s in self.driver.case["segments"] if s[0] == name)
        with np.load(path) as found:
            key = f"layer{layer}"
            return np.asarray(found[key] == value) if key in found else np.zeros(self.driver.case["shape_kji"], dtype=bool)

    def done(self, beginning: str, count: int) -> None:
        """Wait until the history has so many entries and the newest begins with a word."""
        self.driver.wait(
            lambda: len(self.driver.case["history"]) == count and self.driver.case["history"][-1].startswith(beginning),
            f"{beginning} as entry {count} of the history",
            60,
        )


def offset(place: dict[str, Any], right: int, down: int) -> dict[str, Any]:
    return {**place, "x": place["x"] + right, "y": place["y"] + down}


@pytest.mark.data
@pytest.mark.slow
def test_a_nodule_and_a_lung_are_drawn_survive_a_power_cut_and_are_gone_on_with(
    start: Start, test_data: Path, tmp_path: Path
) -> None:
    folder = Path(os.environ.get("MEDVIEW_PICTURES") or tmp_path / "pictures") / "annotating"
    values = chest(test_data)
    story = Story(start(), folder)
    driver, hands = story.driver, story.hands
    with hands.flow("open a folder and see the first picture", OPEN_A_FOLDER):
        hands.click("start open folder")
        hands.choose_file(test_data / "ct-chest")
        driver.wait(lambda: driver.state["case"], "the first picture", 60)
    driver.wait(lambda: driver.case["complete"], "the chest", 90)
    driver.keys("F3")
    driver.move_to(driver.ask("widget", name="axial_pane"))
    driver.keys("alt+2", "m")
    driver.wait(lambda: driver.state["maximised"] == "axial", "the axial pane alone")
    story.picture("opened")

    nodule(story, values)
    lung(story, values)

    driver.wait_saved()
    before = {name: story.mask(name) for name in ("Segment 1", "Segment 2")}
    history = driver.case["history"]
    driver.kill()
    story = Story(start(test_data / "ct-chest"), folder, 20)
    again = story.driver
    began = time.monotonic()
    again.wait(lambda: again.state["case"] and again.case["complete"], "the chest again", 90)
    print(f"open again after {time.monotonic() - began:.1f} s")
    assert again.case["history"] == history
    for name, mask in before.items():
        assert np.array_equal(story.mask(name), mask), name
    again.keys("F3")
    again.move_to(again.ask("widget", name="axial_pane"))
    story.picture("after the power cut")
    again.keys("ctrl+z")
    again.wait(lambda: len(again.case["undone"]) == 1, "undo after the power cut")
    again.keys("ctrl+y", "1")
    again.wait(lambda: not again.case["undone"], "redo after the power cut")
    at = story.place((again.case["crosshair_kji"][0], 330, 170))
    story.hands.drag([at, offset(at, 20, 5), offset(at, 40, 0)])
    story.done("Brush", len(history) + 1)
    again.wait_saved()
    story.picture("gone on with")
    assert again.close() == 0


def nodule(story: Story, values: npt.NDArray[np.int16]) -> None:
    """Draw the nodule: filled on three slices, filled between them, corrected by hand."""
    driver, hands = story.driver, story.hands
    driver.keys("6")
    for n, k in enumerate(FILLED):
        story.go_to_slice(k)
        with hands.flow(f"fill the nodule on slice {k + 1}", FILL_A_SLICE):
            at = story.place((k, *NODULE_KJI[1:]))
            hands.drag([at, offset(at, 10, 0), offset(at, 30, 0), offset(at, 50, 0)])
            story.done("Fill", n + 1)
    filled = story.mask("Segment 1")
    assert np.flatnonzero(filled.any(axis=(1, 2))).tolist() == list(FILLED)
    for k in FILLED:
        # Whatever range the hand chose: what was found is one piece of values between the least and most it holds.
        inside = values[k][filled[k]]
        pieces, _ = ndimage.label((values[k] >= inside.min()) & (values[k] <= inside.max()))
        assert np.array_equal(filled[k], pieces == pieces[NODULE_KJI[1:]])
        assert 200 < filled[k].sum() < 700
    story.picture("nodule filled on two slices")

    story.go_to_slice(OUTLINED)
    with hands.flow("outline the nodule where it touches the wall", LASSO):
        hands.key("4")
        turns = np.linspace(0.0, 2.0 * np.pi, 17)
        j, i = NODULE_KJI[1:]
        hands.drag([story.place((OUTLINED, round(j + 10 * np.sin(a)), round(i + 10 * np.cos(a)))) for a in turns])
        story.picture("nodule outlined, anchors can be moved")
        hands.key("Return")
        story.done("", 3)
    drawn = story.mask("Segment 1")
    assert drawn[OUTLINED].sum() == pytest.approx(np.pi * 10**2, rel=0.15)

    with hands.flow("fill between the slices", FILL_BETWEEN):
        hands.click("button effect.between_slices")
        driver.wait(lambda: (w := driver.ask("widget", name="button effect.apply")) and w["enabled"], "the settings")
        driver.move_to(story.place(NODULE_KJI))
        hands.key("ctrl+Return")
        story.done("Fill", 4)
    between, given = story.mask("Segment 1"), [*FILLED, OUTLINED]
    assert np.array_equal(between[given], drawn[given])
    assert np.flatnonzero(between.any(axis=(1, 2))).tolist() == list(range(FILLED[0], OUTLINED + 1))
    story.picture("nodule filled between")

    story.go_to_slice(50)
    with hands.flow("correct with the brush, erase a bit, undo", CORRECT):
        hands.key("1")
        at = story.place((50, 232, 352))
        hands.drag([at, offset(at, 6, 0), offset(at, 10, 4)])
        story.done("Brush", 5)
        painted = story.mask("Segment 1")
        assert painted.sum() > between.sum()
        driver.hold("ctrl")
        hands.drag([offset(at, -4, -4), offset(at, 4, -6)])
        driver.release("ctrl")
        story.done("Erase", 6)
        hands.key("ctrl+z")
        driver.wait(lambda: len(driver.case["undone"]) == 1, "undo")
    assert np.array_equal(story.mask("Segment 1"), painted)
    story.picture("nodule corrected")


def lung(story: Story, values: npt.NDArray[np.int16]) -> None:
    """Draw the right lung: grown with the left one, cut from it, made one piece, smoothed, its border drawn."""
    driver, hands = story.driver, story.hands
    count = len(driver.case["history"])
    with hands.flow("grow the lungs as a new segment", GROW):
        hands.key("n")
        hands.key("7")
        at = story.place(RIGHT_LUNG_KJI)
        hands.drag([at, offset(at, 10, 0), offset(at, 20, 0), offset(at, 30, 0)])
        story.done("Grow", count + 2)
    grown = story.mask("Segment 2")
    inside = values[grown]
    pieces, _ = ndimage.label((values >= inside.min()) & (values <= inside.max()))
    found = pieces == pieces[RIGHT_LUNG_KJI]
    found &= ~story.mask("Segment 1")
    assert np.array_equal(grown | story.mask("Segment 1"), found | story.mask("Segment 1"))
    story.picture("lungs grown")

    with hands.flow("cut the left lung off through all slices", CUT):
        hands.key("8")
        corners = [(50, 80, 256), (50, 80, 480), (50, 440, 480), (50, 440, 256), (50, 250, 262), (50, 80, 256)]
        hands.drag([story.place(corner) for corner in corners])
        hands.key("Return")
        story.done("", count + 3)
    cut = story.mask("Segment 2")
    story.picture("left lung cut off")
    assert 0 < cut.sum() < 0.75 * grown.sum()
    assert not cut[:, 120:400, 300:].any()

    for n, (name, button) in enumerate((("smooth", "smooth"), ("fill holes", "holes"))):
        before = story.mask("Segment 2")
        with hands.flow(name, EFFECT):
            hands.click(f"button effect.{button}")
            driver.wait(lambda: (w := driver.ask("widget", name="button effect.apply")) and w["enabled"], "the settings")
            driver.move_to(story.place(RIGHT_LUNG_KJI))
            hands.key("ctrl+Return")
            story.done("", count + 4 + n)
        after = story.mask("Segment 2")
        assert (after != before).any(), name
        story.picture(f"right lung, {name}")

    with hands.flow("add the vessels at the root with the lasso", LASSO):
        hands.key("4")
        corners = [(50, 222, 196), (50, 232, 226), (50, 262, 228), (50, 276, 200), (50, 222, 196)]
        hands.drag([story.place(corner) for corner in corners])
        hands.key("Return")
        story.done("", count + 6)
    millilitres = story.mask("Segment 2").sum() * VOXEL_ML
    print(f"right lung {millilitres:.0f} mL, nodule {story.mask('Segment 1').sum() * VOXEL_ML:.1f} mL")
    assert 1500 < millilitres < 3500
    story.picture("right lung with its root")


def chest(test_data: Path) -> npt.NDArray[np.int16]:
    """Return the values of the chest as SimpleITK reads them, shape (k, j, i)."""
    reader = sitk.ImageSeriesReader()
    for folder in [test_data / "ct-chest", *(test_data / "ct-chest").rglob("*")]:
        if folder.is_dir():
            for uid in reader.GetGDCMSeriesIDs(str(folder)):
                names = reader.GetGDCMSeriesFileNames(str(folder), uid)
                if len(names) == 100:
                    return np.asarray(sitk.GetArrayFromImage(sitk.ReadImage(names)))
    pytest.skip("ct-chest is not there")
