"""A model of four channels on a real study, under a virtual screen: proposed, looked at, run."""

from __future__ import annotations

from pathlib import Path

import pytest

from medview.ml.registry import Registry
from tests.end_to_end.conftest import Start
from tests.end_to_end.counted import Counted
from tests.ml.inputs.packs import several

pytestmark = pytest.mark.data


@pytest.mark.slow
def test_four_series_are_found_and_the_model_runs_in_two_actions(start: Start, test_data: Path, tmp_path: Path) -> None:
    pack = several(tmp_path / "four", id="brain-tumour", name="Brain tumour")
    Registry(tmp_path / "nothing", tmp_path / "home" / "data" / "models").add(pack.folder)
    run = start(test_data / "mr-brain-t1-t1c-t2-flair")
    hands = Counted(run)
    run.wait(lambda: run.state["series"] >= 4, "the series", 60)
    run.click_at(run.wait(lambda: run.ask("row", text="T1pre"), "the T1"), times=2)
    run.wait(lambda: run.state["case"] and run.case["complete"], "the T1")
    with hands.flow("run a model of four channels on the open study", 2):
        hands.click("run brain-tumour")
        run.wait_front("ModelRunDialog")
        hands.key("Return")
    run.wait(lambda: run.case["proposals"], "the proposal", 120)
    assert run.close() == 0
