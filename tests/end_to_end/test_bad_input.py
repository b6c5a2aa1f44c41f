"""Bad input: one sentence, the window stays, other data loads, nothing is lost."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from medview.core.resources import resource_path
from tests.end_to_end.conftest import Start
from tests.end_to_end.driver import Driver

pytestmark = pytest.mark.data


def says(run: Driver, *words: str) -> str:
    """Wait until the message line holds all these words, in one sentence or two, and return it."""
    run.wait(lambda: all(word in run.state["message"] for word in words), f"a message with {words}")
    return str(run.state["message"])


def open_place(run: Driver, path: Path) -> None:
    """Open a folder or file through the menu."""
    run.menu("File", "Open a folder" if path.is_dir() else "Open a file")
    run.choose_file(path)


def test_places_without_images_say_so_and_a_good_one_opens_afterwards(
    start: Start, test_data: Path, tmp_path: Path
) -> None:
    empty, papers = tmp_path / "empty", tmp_path / "papers"
    empty.mkdir()
    papers.mkdir()
    note = papers / "note.txt"
    note.write_text("Nothing to see.", encoding="utf-8")
    cut = tmp_path / "cut"
    cut.mkdir()
    whole = (test_data / "ct-chest" / "1-050.dcm").read_bytes()
    (cut / "slice.dcm").write_bytes(whole[: len(whole) // 2])

    run = start()
    open_place(run, empty)
    says(run, "empty", "folder")
    open_place(run, papers)
    says(run, "papers")
    open_place(run, note)
    says(run, "note.txt")
    open_place(run, cut)
    says(run, "slice.dcm")
    run.menu("File", "Open a folder")
    run.choose_file(test_data / "ct-head-tiny-93")
    run.wait(lambda: run.state["case"] and run.case["complete"], "the head")
    assert run.close() == 0


def test_packs_and_labels_that_do_not_belong_are_refused_in_a_sentence(
    start: Start, test_data: Path, tmp_path: Path
) -> None:
    run = start(test_data / "ct-head-tiny-93")
    run.wait(lambda: run.state["case"] and run.case["complete"], "the head", 60)
    # Labels of another series.
    foreign = next(iter(sorted((test_data / "seg-highdicom").rglob("*seg*.dcm"))), None)
    assert foreign is not None
    run.menu("File", "Import labels")
    run.choose_file(foreign)
    run.wait(lambda: foreign.name in run.state["message"] or "another" in run.state["message"], "a refusal")
    assert run.case["segments"] == []
    # A pack whose weights were changed.
    broken = tmp_path / "broken"
    shutil.copytree(resource_path("packs") / "phantom-nodule-boxes", broken)
    weights = bytearray((broken / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (broken / "weights.safetensors").write_bytes(weights)
    run.click("add model")
    run.menu("From a folder")
    run.choose_file(broken)
    says(run, "weights.safetensors")
    assert "installed" not in run.state["message"]
    # A folder that is no pack.
    run.click("add model")
    run.menu("From a folder")
    run.choose_file(tmp_path)
    run.wait(lambda: "not a model pack" in run.state["message"] or "model" in run.state["message"].lower(), "a refusal", 60)
    assert run.close() == 0


def test_a_folder_that_may_not_be_written_costs_the_export_and_nothing_else(
    start: Start, test_data: Path, tmp_path: Path
) -> None:
    run = start(test_data / "ct-head-tiny-93")
    run.wait(lambda: run.state["case"] and run.case["complete"], "the head", 60)
    run.keys("F3", "n")
    run.wait(lambda: run.case["segments"], "a segment")
    run.menu("File", "Export NIfTI")
    # Nobody may make a file there, not even the root user of a container.
    run.choose_file(Path("/sys/labels.nii.gz"))
    assert "Wrote" not in says(run, "labels.nii.gz")
    target = tmp_path / "labels.nii.gz"
    run.menu("File", "Export NIfTI")
    run.choose_file(target)
    says(run, "Wrote")
    assert target.is_file()
    assert run.close() == 0


def test_labels_of_a_newer_medview_are_left_alone_and_the_window_works(
    start: Start, test_data: Path, tmp_path: Path
) -> None:
    run = start(test_data / "ct-head-tiny-93")
    run.wait(lambda: run.state["case"] and run.case["complete"], "the head", 60)
    assert run.close() == 0
    database = tmp_path / "home" / "data" / "personal.medview" / "project.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 9999")
    before = database.read_bytes()
    run = start(test_data / "ct-head-tiny-93")
    run.wait(lambda: run.state["case"] and run.case["complete"], "the head", 60)
    assert run.case["read_only"]
    assert run.close() == 0
    assert database.read_bytes() == before


def test_a_second_window_reads_what_the_first_one_writes_and_says_so(start: Start, test_data: Path, tmp_path: Path) -> None:
    shutil.copytree(test_data / "ct-head-tiny-93", tmp_path / "head")
    first = start(tmp_path / "head")
    first.wait(lambda: first.state["case"] and first.case["complete"], "the head", 60)
    first.keys("F3", "n")
    first.wait(lambda: first.case["segments"], "a segment")
    first.wait_saved()
    second = start(tmp_path / "head")
    second.wait(lambda: second.state["case"] and second.case["complete"], "the head in the second window", 60)
    assert second.case["read_only"]
    assert second.close() == 0
    assert first.close() == 0
