"""Bad input: one sentence, the window stays, other data loads, nothing is lost."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from medview.core.resources import resource_path
from medview.store.entry import SavedKind
from tests.end_to_end.conftest import Start
from tests.end_to_end.driver import Driver
from tests.helpers.dicom_series import asymmetric, write_ct
from tests.helpers.small_disk import small_disk

pytestmark = pytest.mark.data

REFUSING = Path("/sys")
"""Nobody may make a file there, not even the root user of a container."""


def says(run: Driver, sentence: str, timeout_s: float = 30.0) -> None:
    """Wait until the message line says this and nothing else."""
    run.wait(lambda: run.state["message"] == sentence, f"the message {sentence!r}", timeout_s)


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
    choose = "choose a folder with DICOM, NIfTI or NRRD files"
    open_place(run, empty)
    says(run, f"The folder empty is empty; {choose}.")
    open_place(run, papers)
    says(run, f"papers holds no image that MedView can read; {choose}.")
    open_place(run, note)
    says(run, f"note.txt holds no image that MedView can read; {choose}.")
    open_place(run, cut)
    run.wait(
        lambda: "slice.dcm is damaged: its pixels end early; copy it again" in run.state["message"], "the damaged file"
    )
    run.menu("File", "Open a folder")
    run.choose_file(test_data / "ct-head-tiny-93")
    run.wait(lambda: run.state["case"] and run.case["complete"], "the head")
    assert run.close() == 0


def test_slices_of_two_sizes_in_one_series_are_two_pictures_and_the_check_says_so(start: Start, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed"
    write_ct(mixed / "a", asymmetric((6, 20, 30)))
    write_ct(mixed / "b", asymmetric((4, 16, 12)))
    run = start(mixed)
    run.wait(lambda: run.state["case"] and run.case["complete"], "the larger part")
    assert (run.state["series"], run.case["shape_kji"]) == (1, [6, 20, 30])
    assert run.ask("widget", name="check chip")["text"].endswith("notes")
    run.click_at(run.wait(lambda: run.ask("row", text="4 slices"), "a row for the other part"), times=2)
    run.wait(lambda: run.case["shape_kji"] == [4, 16, 12] and run.case["complete"], "the other part")
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
    says(run, f"{foreign.name} was made on another series; open that series and import it there.")
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
    run.wait(lambda: run.state["message"].startswith("weights.safetensors of the model pack "), "a refusal")
    assert run.state["message"].endswith(" has a wrong checksum: not what its author packed; copy it again.")
    # A folder that is no pack.
    run.click("add model")
    run.menu("From a folder")
    run.choose_file(tmp_path)
    known = "MONAI bundles, Brainchop's MeshNets, nnU-Net's trained folders"
    says(run, f"{tmp_path.name} is neither a model pack nor a model MedView can convert ({known}).", 60)
    assert not (tmp_path / "home" / "data" / "models").exists() or not any(
        (tmp_path / "home" / "data" / "models").iterdir()
    )
    assert run.close() == 0


@pytest.mark.skipif(not REFUSING.is_mount(), reason="no /sys here, which refuses files even to root")
def test_a_folder_that_may_not_be_written_costs_the_export_and_nothing_else(
    start: Start, test_data: Path, tmp_path: Path
) -> None:
    run = start(test_data / "ct-head-tiny-93")
    run.wait(lambda: run.state["case"] and run.case["complete"], "the head", 60)
    run.keys("F3", "n")
    run.wait(lambda: run.case["segments"], "a segment")
    run.menu("File", "Export NIfTI")
    run.choose_file(REFUSING / "labels.nii.gz")
    says(run, "labels.nii.gz was not written: the folder sys may not be written; choose another one.")
    target = tmp_path / "labels.nii.gz"
    run.menu("File", "Export NIfTI")
    run.choose_file(target)
    says(run, f"Wrote {target}.")
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
    run = start()
    says(run, "personal.medview was written by a newer MedView and can only be read; install the newest one to change it.")
    open_place(run, test_data / "ct-head-tiny-93")
    run.wait(lambda: run.state["case"] and run.case["complete"], "the head", 60)
    says(run, run.case["read_only"])
    assert run.close() == 0
    assert database.read_bytes() == before


def test_a_full_disk_is_said_costs_nothing_and_saving_goes_on_by_itself_once_there_is_room(
    start: Start, test_data: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home" / "data"
    with small_disk(home, megabytes=4):
        run = start(test_data / "ct-head-tiny-93")
        run.wait(lambda: run.state["case"] and run.case["complete"], "the head", 60)
        run.keys("F3", "n")
        run.wait_saved()
        ballast = home / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1024))
        run.keys("n")
        run.wait(lambda: run.state["saved"] == SavedKind.FAILED.value, "the red dot")
        reason = "Not saved. The disk has no room for personal.medview; free some space and saving goes on by itself."
        run.wait(lambda: run.ask("widget", name="project banner text")["text"].startswith(reason), "the line that says so")
        # The hand goes on, other places can be written, other data opens.
        run.keys("n")
        run.wait(lambda: len(run.case["segments"]) == 3, "a third segment")
        run.menu("File", "Export NIfTI")
        run.choose_file(tmp_path / "labels.nii.gz")
        # The list of what was done with the project is on the full disk, and that is said too.
        begun = f"Wrote {tmp_path / 'labels.nii.gz'}. The project could not note this export. "
        run.wait(lambda: run.state["message"].startswith(begun), f"the message {begun!r}")
        assert (tmp_path / "labels.nii.gz").exists()
        run.menu("File", "Export NIfTI")
        run.choose_file(home / "labels.nii.gz")
        says(run, "labels.nii.gz was not written: the disk is full; free some room and save again.")
        assert not (home / "labels.nii.gz").exists()
        ballast.unlink()
        run.wait_saved()
        assert run.close() == 0
        run = start(test_data / "ct-head-tiny-93")
        run.wait(lambda: run.state["case"] and run.case["complete"], "the head", 60)
        assert len(run.case["segments"]) == 3
        assert run.close() == 0


def test_a_second_window_reads_what_the_first_one_writes_and_says_so(start: Start, test_data: Path, tmp_path: Path) -> None:
    shutil.copytree(test_data / "ct-head-tiny-93", tmp_path / "head")
    first = start(tmp_path / "head")
    first.wait(lambda: first.state["case"] and first.case["complete"], "the head", 60)
    first.keys("F3", "n")
    first.wait(lambda: first.case["segments"], "a segment")
    first.wait_saved()
    second = start(tmp_path / "head")
    second.wait(lambda: second.state["case"] and second.case["complete"], "the head in the second window", 60)
    says(second, second.case["read_only"])
    second.keys("F3", "n")
    assert second.close() == 0
    assert first.close() == 0
