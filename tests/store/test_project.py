from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import NewerVersionError, StoreError
from medview.core.geometry import Geometry
from medview.store import schema
from medview.store.case_images import CaseKey, CaseSources
from medview.store.project import Project
from medview.store.reading_state import ReadingStatus
from medview.store.recovery import recover_project
from tests.store.painter import KEY, SOURCES, Painter, live_fingerprint, oblique_geometry, stored_fingerprint

ROOT = Path(__file__).resolve().parents[2]


def test_a_new_project_says_what_it_is(project: Project) -> None:
    info = project.info()
    assert (info["name"], info["cases"], info["gestures"], info["readers"]) == ("Chest", 0, 0, [])
    assert info["created_utc"].startswith("2026-11-20T10:00:00")
    project.rename("Chest CT, round 2")
    assert project.name == "Chest CT, round 2"


def test_what_a_killed_program_left_of_a_new_project_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    old, young, other = (
        tmp_path / name for name in (f".medview-new-{'a' * 32}", f".medview-new-{'b' * 32}", ".medview-ours")
    )
    for folder in (old, young, other):
        (folder / "blobs").mkdir(parents=True)
    for folder in (old, other):
        os.utime(folder, (1_000_000.0, 1_000_000.0))
    Project.create(tmp_path / "Chest.medview").close()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([young.name, other.name, "Chest.medview"])


def test_the_same_series_on_the_same_grid_is_the_same_case(project: Project) -> None:
    first = project.reading(KEY, oblique_geometry(), SOURCES)
    assert project.reading(KEY, oblique_geometry(), SOURCES).reading_id == first.reading_id
    other_grid = Geometry((21, 70, 90), np.diag([5.0, 1, 1, 1]), "1.2.3")
    assert project.reading(KEY, other_grid, SOURCES).reading_id != first.reading_id
    assert project.reading(CaseKey("1.2.3.3", "1.2.3.4", "9.9"), oblique_geometry(), SOURCES).reading_id != first.reading_id
    assert len(project.readings()) == 3


def test_a_case_that_nobody_worked_on_is_not_made_by_asking(project: Project) -> None:
    assert project.find_reading(KEY, oblique_geometry()) is None
    with pytest.raises(StoreError, match="holds no labels of this series"):
        project.reading(KEY, oblique_geometry(), SOURCES, create=False)
    assert project.readings() == []


def test_images_that_moved_on_the_disk_are_found_again_and_remembered(project: Project) -> None:
    project.reading(KEY, oblique_geometry(), SOURCES)
    moved = CaseSources(SOURCES.sop_instance_uids, ("elsewhere/1.dcm",), "CT", "Chest 5 mm")
    assert project.reading(KEY, oblique_geometry(), moved).sources.paths == ("elsewhere/1.dcm",)


def test_labels_are_refused_on_other_instances(project: Project) -> None:
    project.reading(KEY, oblique_geometry(), SOURCES)
    other = CaseSources((*SOURCES.sop_instance_uids[:-1], "6.6.6"), SOURCES.paths, "CT")
    with pytest.raises(StoreError, match="images of this series have changed"):
        project.reading(KEY, oblique_geometry(), other)


def test_labels_are_refused_on_other_pixels(project: Project, painter: Painter) -> None:
    project.attach_pixels(painter.reading_id, "aa" * 32)
    project.attach_pixels(painter.reading_id, "aa" * 32)
    with pytest.raises(StoreError, match="images of this series have changed"):
        project.attach_pixels(painter.reading_id, "bb" * 32)
    assert project.readings()[0].pixels_sha256 == "aa" * 32


def test_a_case_is_in_work_from_its_first_gesture_until_someone_says_otherwise(project: Project, painter: Painter) -> None:
    assert project.readings()[0].status is ReadingStatus.TO_DO
    painter.add_segment().wait(5.0)
    assert project.readings()[0].status is ReadingStatus.IN_WORK
    project.set_status(painter.reading_id, ReadingStatus.DONE)
    painter.paint((0, 0, 0), (1, 4, 4)).wait(5.0)
    (case,) = project.readings()
    assert (case.status, case.gestures) == (ReadingStatus.DONE, 2)


def test_a_copy_holds_everything_and_stands_alone(project: Project, painter: Painter, tmp_path: Path) -> None:
    painter.add_segment()
    mask = np.zeros((21, 70, 90), dtype=np.uint8)
    mask[2:9, 5:50, 7:60] = 2
    painter.accept(painter.propose(mask))
    project.save_copy(tmp_path / "copy.medview")
    painter.paint((0, 0, 0), (3, 3, 3))
    shutil.copytree(tmp_path / "copy.medview", tmp_path / "moved.medview")
    with Project.open(tmp_path / "moved.medview") as copy:
        assert copy.verify().problems == ()
        painter.undo()
        assert copy.load_reading(painter.reading_id).labels.annotations == painter.labels.annotations
        assert copy.info()["gestures"] == 3


def test_a_copy_of_a_damaged_project_holds_what_can_be_had_and_says_what_it_lacks(
    project: Project, painter: Painter, tmp_path: Path
) -> None:
    painter.add_segment()
    mask = np.zeros((21, 70, 90), dtype=np.uint8)
    mask[2:9, 5:50, 7:60] = 2
    painter.propose(mask)
    painter.paint((1, 2, 3), (5, 40, 40))
    project.journal.flush()
    (blob,) = [p for p in (project.path / "blobs").rglob("*") if p.is_file()]
    blob.write_bytes(b"damaged")
    losses = project.save_copy(tmp_path / "copy.medview")
    assert len(losses) == 1
    assert "“Run Organs”" in losses[0]
    with Project.open(tmp_path / "copy.medview") as copy:
        assert copy.verify().problems == ()
        voxels = copy.load_reading(painter.reading_id).labels.segmentation.layer(0).voxels
    assert np.array_equal(voxels, painter.labels.segmentation.layer(0).voxels)


def test_a_project_that_is_being_written_can_be_recovered_elsewhere(
    project: Project, painter: Painter, tmp_path: Path
) -> None:
    painter.add_segment()
    painter.paint((1, 2, 3), (5, 40, 40))
    project.journal.flush()
    assert recover_project(project.path, tmp_path / "new.medview").losses == []
    with Project.open(tmp_path / "new.medview") as again:
        assert stored_fingerprint(again, painter.reading_id) == live_fingerprint(painter)


def test_a_copy_never_overwrites_anything(project: Project, tmp_path: Path) -> None:
    (tmp_path / "there.medview").mkdir()
    (tmp_path / "there.medview" / "thesis.txt").write_text("precious")
    with pytest.raises(StoreError, match=r"there\.medview exists already"):
        project.save_copy(tmp_path / "there.medview")
    with pytest.raises(StoreError, match=r"there\.medview exists already"):
        Project.create(tmp_path / "there.medview")
    assert (tmp_path / "there.medview" / "thesis.txt").read_text() == "precious"


def test_a_project_from_a_newer_version_can_be_read_and_not_written(project: Project, painter: Painter) -> None:
    painter.add_segment()
    painter.paint((2, 3, 4), (5, 33, 44))
    project.close()
    with sqlite3.connect(project.path / "project.db") as connection:
        connection.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
        connection.execute("ALTER TABLE cases ADD COLUMN priority INTEGER")
    connection.close()
    before = (project.path / "project.db").read_bytes()
    with pytest.raises(NewerVersionError, match=r"chest\.medview was written by a newer MedView"):
        Project.open(project.path)
    with Project.open(project.path, read_only=True) as again:
        assert stored_fingerprint(again, painter.reading_id) == live_fingerprint(painter)
    assert (project.path / "project.db").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"this is a letter, not a database" * 100])
def test_a_file_that_is_no_database_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.medview").mkdir()
    (tmp_path / "x.medview" / "project.db").write_bytes(content)
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"x\.medview is not a MedView project"):
            Project.open(tmp_path / "x.medview", read_only=read_only)


def test_a_folder_that_is_no_project_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not a MedView project; choose a folder that MedView made"):
        Project.open(tmp_path)
    with pytest.raises(StoreError, match="nothing is not there"):
        Project.open(tmp_path / "nothing")


def test_a_foreign_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "x.medview").mkdir()
    file = tmp_path / "x.medview" / "project.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE invoices (amount)")
    connection.commit()
    connection.close()
    before = file.read_bytes()
    with pytest.raises(StoreError, match="is not a MedView project"):
        Project.open(tmp_path / "x.medview")
    assert file.read_bytes() == before


def test_a_database_with_a_damaged_page_is_reported(project: Project, painter: Painter) -> None:
    painter.add_segment()
    project.close()
    file = project.path / "project.db"
    data = bytearray(file.read_bytes())
    data[100:4096] = os.urandom(3996)
    file.write_bytes(bytes(data))
    with pytest.raises(StoreError, match=r"The database of chest\.medview is damaged"):
        Project.open(project.path)


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder that a user without rights can reach; pytest's own are closed to others."""
    place = Path(tempfile.mkdtemp(prefix="medview-test-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


_WITHOUT_RIGHTS = """
import os, sys
from pathlib import Path
from medview.core.errors import MedViewError
from medview.store.project import Project
place = Path(sys.argv[1])
with Project.open(place / "old.medview", read_only=True):
    # Everything is imported by now; the program's own files may be out of reach in a moment.
    pass
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
for attempt in (lambda: Project.create(place / "new.medview"), lambda: Project.open(place / "old.medview")):
    try:
        attempt()
        print("no error")
    except MedViewError as error:
        print(type(error).__name__, error.sentence)
with Project.open(place / "old.medview", read_only=True) as project:
    case = project.readings()[0]
    print(case.gestures, project.load_reading(case.reading_id).labels.segmentation.segments[0].name)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="rights work differently on Windows")
def test_a_folder_that_may_not_be_written_is_one_sentence_and_can_still_be_read(open_place: Path) -> None:
    with Project.create(open_place / "old.medview") as project:
        Painter(project).add_segment("Milz")
    for path in (open_place, open_place / "old.medview"):
        path.chmod(0o555)
    (open_place / "old.medview" / "writer.lock").chmod(0o444)
    (open_place / "old.medview" / "project.db").chmod(0o444)
    child = subprocess.run(
        [sys.executable, "-c", _WITHOUT_RIGHTS, str(open_place)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    for path in (open_place, open_place / "old.medview"):
        path.chmod(0o755)
    new, old, read = child.stdout.splitlines()
    assert new.startswith("WriteError new.medview may not be opened for writing here"), child.stderr
    assert old.startswith("WriteError old.medview may not be opened for writing here")
    assert read == "1 Milz"


def test_a_crash_in_the_middle_of_a_commit_is_recovered_where_nothing_may_be_written(
    project: Project, painter: Painter
) -> None:
    painter.add_segment()
    painter.paint((2, 3, 4), (5, 33, 44))
    project.journal.flush()
    seen = live_fingerprint(painter)
    # A transaction that had begun to change the database file, as a power cut would leave it.
    live = project.path / "project.db"
    connection = sqlite3.connect(live, isolation_level=None)
    connection.execute("PRAGMA journal_mode=TRUNCATE").fetchall()
    connection.execute("PRAGMA cache_size=1")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE journal SET document = 'half', payload = zeroblob(90000)")
    left = project.path.parent / "left.medview"
    left.mkdir()
    for name in ("project.db", "project.db-journal"):
        shutil.copyfile(project.path / name, left / name)
    connection.execute("ROLLBACK")
    connection.close()
    assert (left / "project.db-journal").stat().st_size > 0
    before = (left / "project.db").read_bytes()
    with Project.open(left, read_only=True) as reader:
        assert stored_fingerprint(reader, painter.reading_id) == seen
    assert (left / "project.db").read_bytes() == before
    with Project.open(left) as writer:
        assert stored_fingerprint(writer, painter.reading_id) == seen
