"""A form by a real keyboard: designed, answered, killed, found again, changed, exported."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Start
from tests.end_to_end.driver import Driver


def answered(run: Driver, wanted: dict[str, str]) -> None:
    run.wait(lambda: run.ask("answers") == wanted, f"the answers {wanted}, there are {run.ask('answers')}")


def at(run: Driver, question: str) -> None:
    run.wait(lambda: run.ask("question")["at"] == question, f"the keys to be at {question}")


def design(run: Driver) -> None:
    run.menu("Segments", "Forms")
    run.wait_front("FormDesignDialog")


@pytest.mark.data
@pytest.mark.slow
def test_a_radiograph_form_is_answered_killed_found_again_changed_and_exported(
    start: Start, test_data: Path, tmp_path: Path
) -> None:
    run = start(test_data / "cr-nih")
    run.wait(lambda: run.state["case"] and run.case["complete"], "a radiograph", 60)
    design(run)
    run.click("form example")
    run.keys("ctrl+Return")
    run.wait_front("MainWindow")
    run.wait(lambda: run.ask("question")["count"] == "4 answers are missing", "the form")

    # Digits choose, Enter goes on; a number that is none keeps the hands where they are.
    run.keys("F4")
    at(run, "Comparison")
    run.keys("3", "Return", "1", "Return", "Return", "2", "3", "Return", "2", "Return")
    at(run, "Confidence")
    run.write("180")
    run.keys("Return")
    at(run, "Confidence")
    run.keys("ctrl+a")
    run.write("80")
    run.keys("Return")
    at(run, "Comment")
    run.write("Rotated, no change")
    run.keys("Return")
    said = {
        "study: Comparison": "Unchanged",
        "series: Quality": "Good",
        "series: Finding": "Opacity; Nodule or mass",
        "series: Side": "Right",
        "series: Confidence": "80 %",
        "series: Comment": "Rotated, no change",
    }
    answered(run, said)
    assert run.ask("question")["count"] == "Nothing required is missing"
    run.wait_saved()
    run.kill()

    # Nothing is lost; an answer is taken back and brought again.
    again = start(test_data / "cr-nih")
    again.wait(lambda: again.state["case"] and again.case["complete"], "the radiograph again", 60)
    answered(again, said)
    again.keys("ctrl+z")
    answered(again, {key: words for key, words in said.items() if not key.endswith("Comment")})
    again.keys("ctrl+y")
    answered(again, said)

    # A question goes: the dialog says what becomes of its answer, which stays.
    design(again)
    again.keys("Down", "Delete")
    again.wait(lambda: (w := again.ask("widget", name="form outcome")) and "asked no longer" in w["text"], "the warning")
    again.keys("ctrl+Return")
    again.wait_front("MainWindow")
    answered(again, said)
    target = tmp_path / "answers.csv"
    again.menu("File", "Export answers as a table")
    again.choose_file(target)
    again.wait(target.exists, "the table")
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["question"]: (row["answer"], row["standing"]) for row in csv.DictReader(file)}
    assert rows["Quality"] == ("Good", "asked no longer")
    assert rows["Confidence"] == ("80", "answered")
    assert again.close() == 0
