"""``kill -9`` while a dataset comes into a project or leaves it: what is there is sound, and doing it again completes it.

``MEDVIEW_FAULTS_SEED`` says when.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from medview.io.datasets.checksums import changed_files
from medview.io.datasets.draft import Draft
from medview.io.datasets.new_folder import new_folder
from medview.store.project import Project, verify_folder
from medview.store.reading_state import ReadingStatus
from tests.faults.killed import AT_ONCE, Doomed, doomed, export_out, import_set
from tests.io.datasets.pictures import holed_mask, save_mask, save_picture

SEED = int(os.environ.get("MEDVIEW_FAULTS_SEED", "5"))
PICTURES = 2 * AT_ONCE + 1

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="whoever is killed is forked, and there is no fork here"),
]


def moment(calls: int, third: int, seed: int = SEED) -> int:
    """Return a call somewhere in the first (0), middle or last (2) part of the work."""
    return int(calls * (third + random.Random(f"{seed} {third}").uniform(0.05, 0.95)) / 3)


@pytest.fixture(scope="module")
def at_work() -> Iterator[Doomed]:
    with doomed() as found:
        yield found


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty project and a dataset of pictures with masks."""
    folder = tmp_path_factory.mktemp("killed")
    for number in range(PICTURES):
        save_picture(folder / "set" / "images" / f"p{number}.png", seed=number)
        save_mask(folder / "set" / "masks" / f"p{number}.png", holed_mask().astype("uint8") * 255)
    Project.create(folder / "p.medview", "Test").close()
    return folder


def copy_of(source: Path, name: str) -> Path:
    target = source.with_name(f"{source.name}-{name}")
    shutil.copytree(source, target)
    return target


def test_an_import_that_was_killed_is_sound_and_goes_on_with_nothing_there_twice(source: Path, at_work: Doomed) -> None:
    calls = at_work.calls_of(copy_of(source, "whole"))
    left_to_do = []
    for third in range(3):
        place = copy_of(source, f"import-{third}")
        at_work.kill_at(moment(calls, third), place)
        assert verify_folder(place / "p.medview").problems == ()
        with Project.open(place / "p.medview") as project:
            for case in project.cases():
                # No case looks done that has no labels.
                assert case.status is not ReadingStatus.DONE or [one.gestures for one in case.readings] == [1]
            before = sum(case.status is ReadingStatus.DONE for case in project.cases())
            report = import_set(place, project)
            assert report.labelled + report.known == PICTURES
            assert report.known >= before
            left_to_do.append(report.labelled)
            assert [[one.gestures for one in case.readings] for case in project.cases()] == [[1]] * PICTURES
            assert {case.status for case in project.cases()} == {ReadingStatus.DONE}
            assert [entry.kind for entry in project.activity.entries()].count("imported") == PICTURES
            assert [len(files) for files in project.imports.of_readings().values()] == [1] * PICTURES
            again = import_set(place, project)
            assert (again.added, again.labelled, again.known) == (0, 0, PICTURES)
        assert verify_folder(place / "p.medview").problems == ()
    # The later it was killed, the less was left to do.
    assert left_to_do == sorted(left_to_do, reverse=True)
    assert len(set(left_to_do)) > 1


def test_an_export_that_was_killed_is_not_there_and_the_next_one_is_whole(source: Path, at_work: Doomed) -> None:
    labelled = copy_of(source, "labelled")
    with Project.open(labelled / "p.medview") as project:
        import_set(labelled, project)
    drafts = 0
    for third, form in enumerate(("nifti", "coco", "dataset")):
        whole, place = copy_of(labelled, f"whole-{form}"), copy_of(labelled, f"killed-{form}")
        at_work.kill_at(moment(at_work.calls_of(whole, form), third), place, form)
        out = place / "out"
        # It takes its name last of all.
        assert not out.exists() or changed_files(out) == ()
        drafts += len({path.name for path in place.iterdir()} - {"out", "p.medview", "set"})
        shutil.rmtree(out, ignore_errors=True)
        with Project.open(place / "p.medview", read_only=True) as project:
            export_out(place, project, form)
        assert changed_files(out) == ()
        assert files_of(out) == files_of(whole / "out")
        # And nothing half written is left beside it.
        assert {path.name for path in place.iterdir()} == {"out", "p.medview", "set"}
        assert verify_folder(place / "p.medview").problems == ()
    assert drafts, "nobody was killed while there was something half written"


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_what_another_program_still_writes_for_the_same_folder_stays(tmp_path: Path) -> None:
    other = Draft(tmp_path / "out")
    with new_folder(tmp_path / "out") as draft:
        (draft / "mine").write_text("x")
        assert other.folder.is_dir()
    other.release()
    with new_folder(tmp_path / "more"):
        assert other.folder.is_dir()
    shutil.rmtree(tmp_path / "out")
    with new_folder(tmp_path / "out"):
        assert not other.folder.exists()
