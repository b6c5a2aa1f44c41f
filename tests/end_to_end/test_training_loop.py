"""The loop in the real window, on hearts: correct what a model proposes, train, see the answer, use it, roll back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from medview.cli.main import run_command
from medview.core.resources import resource_path
from medview.store.project import Project
from medview.workspace.model_line import ModelLines
from tests.end_to_end.conftest import Start
from tests.end_to_end.driven import SHORT_RECIPE
from tests.end_to_end.driver import Driver

FORMAT = ("--format", "image-mask", "--label-values", "255=LV")
WHO = r"(SC-[A-Z]+(?:-N?I)?-\d+)"
PATIENTS, CORRECTED = 14, 3
FIRST, THEN = 120, 24
"""Steps of the first version, which has to find hearts, and of the next."""
MODEL = "hearts-segmentation"
_LONG_S = 900.0


def copied(source: Path, folder: Path, names: list[str], *, labels: bool) -> Path:
    """Copy images, and the masks beside them, as the set has them."""
    for kind in ("Images", "Labels") if labels else ("Images",):
        for file in sorted((source / "Data" / "Train" / kind).rglob("*.png")):
            if file.name in names:
                target = folder / kind / file.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
    return folder


def recipe(folder: Path, steps: int) -> Path:
    """Write a recipe that is through soon."""
    document = json.loads(resource_path("recipes/segmentation-residual-unet.json").read_text())
    small = {**document["options"], "room": 0.25}
    document |= {
        "network_options": {"features": 8},
        "batch": 4,
        "steps": steps,
        "check_every": steps // 3,
        "options": small,
    }
    file = folder / f"{steps}-steps.json"
    file.write_text(json.dumps(document))
    return file


def medview(*arguments: object) -> None:
    assert run_command([str(one) for one in arguments]) == 0


@pytest.fixture
def hearts(test_data: Path, tmp_path: Path) -> Path:
    """A project of labelled hearts with a first version of a model, and some hearts that are still to do."""
    source = test_data / "train-seg-sunnybrook"
    by_patient: dict[str, list[str]] = {}
    for file in sorted((source / "Data" / "Train" / "Images").rglob("*.png")):
        by_patient.setdefault(file.name.partition("-IM-")[0], []).append(file.name)
    patients = list(by_patient.values())
    known = [name for names in patients[:PATIENTS] for name in names[:2]]
    fresh = [names[len(names) // 2] for names in patients[PATIENTS : PATIENTS + CORRECTED + 1]]
    path = tmp_path / "Hearts.medview"
    medview("project", "create", path)
    medview(
        "project", "import", path, copied(source, tmp_path / "known", known, labels=True), *FORMAT, "--patient-from", WHO
    )
    medview("project", "add", path, copied(source, tmp_path / "fresh", fresh, labels=False), "--patient-from", WHO)
    run = path / "runs" / "segmentation-1"
    medview("train", path, "--task", "segmentation", "--recipe", recipe(tmp_path, FIRST), "-o", run, "--yes", "--quiet")
    with Project.open(path) as project:
        assert [one.title for one in ModelLines(project).versions("segmentation")] == ["v1"]
        assert sum(row.status.value == "to do" for row in project.cases()) == CORRECTED + 1
    return path


def propose(driver: Driver) -> str:
    """Run the project's model on the case that is open and return its version."""
    driver.wait(lambda: driver.case["complete"], "its pixels")
    driver.click(f"run {MODEL}")
    asks = "ModelRunDialog"
    driver.wait(lambda: driver.case["proposals"] or driver.ask("front")["class"] == asks, "the proposal", _LONG_S)
    if not driver.case["proposals"]:
        # Before the first run of a version here its time and memory are told.
        driver.wait_front(asks)
        driver.click("run chosen")
        driver.wait(lambda: driver.case["proposals"], "the proposal", _LONG_S)
    return str(driver.case["versions"][-1])


def correct(driver: Driver) -> None:
    """Accept what is proposed and add a stroke of the brush beside the heart."""
    driver.click("accept all")
    driver.wait(lambda: driver.case["history"], "the segment", 60)
    driver.keys("F3")
    driver.wait(lambda: driver.state["mode"] == "annotate", "the tools")
    driver.keys("b")
    driver.wait(lambda: driver.state["tool"] == "brush", "the brush")
    before = len(driver.case["history"])
    _k, rows, columns = driver.case["shape_kji"]
    places = [driver.ask("voxel", plane="1", voxel_kji=[0, rows // 3, columns // 3 + n]) for n in (0, 6, 12)]
    driver.drag(places)
    driver.wait(lambda: len(driver.case["history"]) > before, "the stroke")
    driver.keys("F2")
    driver.wait(lambda: driver.state["mode"] == "read", "the reading mode")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_what_is_corrected_makes_a_new_version_that_is_used_and_rolled_back(
    start: Start, hearts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SHORT_RECIPE, str(recipe(tmp_path, THEN)))
    driver = start(hearts)
    driver.wait(lambda: driver.state["cases"], "the list of cases", 120)
    driver.wait(lambda: driver.state["counts"] == ["v1"], "the version that counts", 120)
    driver.keys("F6")
    driver.wait(lambda: driver.state["case"], "the first case to do", 60)
    first = propose(driver)
    for number in range(CORRECTED):
        if number:
            assert propose(driver) == first
        correct(driver)
        title = driver.state["title"]
        driver.keys("F7")
        driver.wait(lambda before=title: driver.state["title"] != before and driver.state["case"], "the next case", 60)
    driver.wait_saved()

    driver.keys("F12")
    driver.click("train start")
    driver.wait(lambda: "segmentation-2" in driver.state["trainings"], "the training", _LONG_S)
    # Reading and drawing go on while it trains.
    driver.keys("F3")
    driver.wait(lambda: driver.state["mode"] == "annotate", "the tools")
    driver.keys("F2")
    driver.wait(lambda: driver.state["trainings"]["segmentation-2"] == "done", "the model", _LONG_S)
    answer = driver.wait(lambda: driver.ask("widget", name="gate sentence"), "the gate's answer", 120)["text"]
    assert "v2" in answer
    if driver.state["counts"] == ["v1"]:
        assert "kept v1" in answer
        driver.click("gate use")
    driver.wait(lambda: driver.state["counts"] == ["v2"], "the new version", 60)
    assert propose(driver) != first

    driver.click("gate back")
    driver.wait(lambda: driver.state["counts"] == ["v1"], "the version before", 60)
    assert driver.close() == 0
    with Project.open(hearts) as project:
        lines = ModelLines(project)
        assert [one.title for one in lines.versions("segmentation")] == ["v1", "v2"]
        assert lines.history("segmentation")[-1].kind == "rolled back"
        assert project.verify().problems == ()
