"""The first start of a new user, and the demo study."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Start


@pytest.mark.slow
def test_notice_then_demo_study_with_mask_boxes_and_score_as_proposals(start: Start, tmp_path: Path) -> None:
    settings = tmp_path / "home" / "config" / "settings.json"
    settings.unlink()
    run = start()
    run.wait_front("NoticeDialog")
    run.click("notice agree")
    run.wait_front("MainWindow")
    assert json.loads(settings.read_text(encoding="utf-8"))["notice_seen"] is True

    run.click("start open demo")
    run.wait(lambda: run.state["case"] and len(run.case["proposals"]) == 3, "what the three models propose", 240)
    assert run.state["series"] == 4
    assert run.case["segments"] == []
    run.wait_saved()
    proposals = run.case["proposals"]

    # One key accepts the newest, one rejects; both can be undone.
    run.keys("a")
    run.wait(lambda: len(run.case["proposals"]) == 2, "accept")
    run.keys("x")
    run.wait(lambda: len(run.case["proposals"]) == 1, "reject")
    run.keys("ctrl+z", "ctrl+z")
    run.wait(lambda: len(run.case["proposals"]) == 3, "undo")
    assert sorted(run.case["proposals"]) == sorted(proposals)
    assert run.close() == 0

    # The next start asks nothing and has everything.
    again = start()
    again.click("start open demo")
    again.wait(lambda: again.state["case"] and len(again.case["proposals"]) == 3, "the proposals again", 120)
    assert again.close() == 0
