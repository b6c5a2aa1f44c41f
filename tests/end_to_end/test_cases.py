"""The list of cases in the real window: made by hand, worked through by keys, closed, killed, and gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from medview.core.job import Inline
from medview.io.reader_pool import InlinePool
from medview.store.project import Project
from medview.workspace.case_adding import AddCases, WantedPlace
from tests.end_to_end.conftest import Start
from tests.workspace.queued import write_small_ct


def _title(driver: object) -> str:
    return str(driver.state["title"])  # type: ignore[attr-defined]


@pytest.mark.slow
def test_cases_are_worked_through_by_one_key_each_and_what_was_said_survives_a_kill(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "Nodules.medview"
    with Project.create(path, "Nodules") as project:
        places = tuple(WantedPlace(write_small_ct(tmp_path / "images", f"s{n}")) for n in range(4))
        AddCases(project, places, InlinePool()).run(Inline())
    driver = start(path)
    driver.wait(lambda: driver.state["cases"] == ["to do"] * 4, "the list of cases", 60)
    driver.keys("F6")
    driver.wait(lambda: _title(driver).startswith("P0001"), "the first case", 60)
    driver.wait(lambda: driver.case["complete"], "its slices")
    driver.keys("F7")
    driver.wait(lambda: _title(driver).startswith("P0002"), "the second case", 60)
    driver.keys("F9")
    driver.wait(lambda: driver.state["cases"] == ["done", "flagged", "to do", "to do"], "what was said of them")
    driver.click("case next")
    driver.wait(lambda: _title(driver).startswith("P0003"), "the third case", 60)
    driver.wait_saved()
    driver.kill()

    again = start(path)
    again.wait(lambda: again.state["cases"] == ["done", "flagged", "to do", "to do"], "the list of cases", 60)
    again.keys("F6")
    again.wait(lambda: _title(again).startswith("P0003"), "the third case again", 60)
    again.keys("F7")
    again.wait(lambda: _title(again).startswith("P0004"), "the last case", 60)
    again.keys("F7")
    again.wait(lambda: "No other case" in again.state["message"], "that none is left")
    assert again.close() == 0
    with Project.open(path) as project:
        assert [case.status.value for case in project.cases()] == ["done", "flagged", "done", "done"]
        assert project.verify().problems == ()


@pytest.mark.slow
def test_a_project_is_made_by_hand(start: Start, tmp_path: Path) -> None:
    driver = start()
    driver.click("start new project")
    driver.wait_front("NewProjectDialog")
    driver.write("Lung nodules")
    driver.click("project make")
    driver.wait_front("MainWindow")
    made = tmp_path / "home" / "data" / "projects" / "Lung-nodules.medview"
    driver.wait(lambda: (made / "project.db").exists(), "the project", 60)
    driver.click("page Studies")
    driver.click("page Cases")
    assert driver.close() == 0
    with Project.open(made, read_only=True) as project:
        assert project.name == "Lung nodules"
