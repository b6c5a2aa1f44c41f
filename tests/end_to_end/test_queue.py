"""The queue of models in the real window: filled by hand, killed in the middle, and gone on with by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from medview.store.project import Project
from tests.end_to_end.conftest import Start
from tests.workspace.queued import write_small_ct

MODEL = "phantom-nodule-present"


@pytest.mark.slow
def test_a_queue_that_was_killed_goes_on_when_the_window_is_back(start: Start, tmp_path: Path) -> None:
    for number in range(4):
        write_small_ct(tmp_path / "ct", f"s{number}")
    driver = start(tmp_path / "ct")
    driver.wait(lambda: driver.state and driver.state["series"] == 4, "the series", 60)
    driver.click("run on several")
    driver.wait_front("RunModelsDialog")
    driver.click(f"queue {MODEL}")
    driver.click("queue add")
    driver.wait(lambda: "done" in driver.state["queue"], "the first result", 120)
    assert driver.state["case"] is None
    driver.kill()

    again = start()
    again.wait(lambda: again.state and len(again.state["queue"]) == 4, "the queue", 60)
    again.wait(lambda: again.state["queue"] == ["done"] * 4, "the rest of the queue", 120)
    again.wait_saved()
    assert again.close() == 0
    (path,) = (tmp_path / "home" / "data").glob("*.medview")
    with Project.open(path) as project:
        assert project.verify().problems == ()
        proposals = [project.load_reading(row.reading_id).labels.proposals for row in project.readings()]
    assert [[one.model_id for one in found.values()] for found in proposals] == [[MODEL]] * 4
