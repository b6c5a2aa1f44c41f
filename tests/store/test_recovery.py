"""A damaged project is written into a new one with everything that can be had, and what cannot is named."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import DamagedError, LockedError, NewerVersionError, StoreError
from medview.store import project_folder, reading_book
from medview.store.project import Project, verify_folder
from medview.store.recovery import recover_project
from medview.store.repair import repair_project
from tests.store.conftest import StillClock
from tests.store.painter import Painter, live_fingerprint, stored_fingerprint
from tests.store.version1 import write_version_1


@pytest.fixture
def drawn(project: Project, painter: Painter, clock: StillClock) -> Painter:
    """A closed project: a segment, an accepted proposal, strokes a minute apart, some undone and redone."""
    painter.add_segment()
    mask = np.zeros((21, 70, 90), dtype=np.uint8)
    mask[2:9, 5:50, 7:60] = 2
    painter.accept(painter.propose(mask))
    rng = np.random.default_rng(7)
    for n in range(6):
        clock.forward(minutes=1)
        painter.paint((2 * n, 5 * n, 6 * n), (2 * n + 4, 5 * n + 30, 6 * n + 30), name=f"Stroke {n}")
    painter.undo()
    painter.undo()
    painter.redo()
    for _ in range(3):
        painter.scribble(rng)
    project.close()
    return painter


def _edit(path: Path, *statements: str) -> None:
    with sqlite3.connect(path / "project.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def _hurt(path: Path, start: int, end: int | None = None) -> None:
    file = path / "project.db"
    data = bytearray(file.read_bytes())
    end = len(data) if end is None else end
    data[start:end] = bytes(end - start)
    file.write_bytes(bytes(data))


def test_a_sound_project_comes_back_whole(drawn: Painter, tmp_path: Path) -> None:
    source, target = drawn.project.path, tmp_path / "new.medview"
    before = {file: file.read_bytes() for file in source.rglob("*") if file.is_file()}
    report = recover_project(source, target)
    assert (report.lost, report.partly, report.losses) == (0, 0, [])
    assert report.gestures == drawn.seq
    with Project.open(target) as project:
        assert project.verify().problems == ()
        assert stored_fingerprint(project, drawn.reading_id) == live_fingerprint(drawn)
        assert project.info()["readers"] == ["Ada"]
        Painter(project).undo()
    assert {file: file.read_bytes() for file in source.rglob("*") if file.is_file()} == before
    assert json.loads((target / "recovery.json").read_text("utf-8"))["complete"] is True


def test_damaged_rows_are_named_and_the_new_project_is_sound(drawn: Painter, tmp_path: Path) -> None:
    source, target = drawn.project.path, tmp_path / "new.medview"
    _edit(
        source,
        "UPDATE journal SET payload = zeroblob(length(payload)) WHERE name = 'Stroke 1'",
        "DELETE FROM journal WHERE name = 'Stroke 3'",
    )
    report = recover_project(source, target)
    assert report.lost == 2
    assert report.losses[0] == (
        "Case 1 (CT, 21 x 70 x 90 voxels): “Stroke 1” of 2026-11-20 10:02:00 UTC (tool brush, change 5) "
        "is damaged and could not be brought back."
    )
    assert any(
        "Change 7, made after 2026-11-20 10:03:00 UTC and before 2026-11-20 10:05:00 UTC, is gone" in loss
        for loss in report.losses
    )
    with Project.open(target) as project:
        checked = project.verify()
        assert checked.problems == ()
        assert len(checked.recorded) == 2
        loaded = project.load_reading(drawn.reading_id)
        # What is not there is said whenever the case is opened.
        assert "“Lost: Stroke 1” (change 5) was lost before this project was recovered." in loaded.losses
        names = [command.name for command in loaded.undo]
        assert "Lost: Stroke 1" in names
        assert "Stroke 2" in names
        voxels = loaded.labels.segmentation.layer(0).voxels
        assert voxels[5, 6, 7] == 0
        assert voxels[2 * 2 + 3, 5 * 2 + 29, 6 * 2 + 29] == 1
        # Everything can be undone down to nothing, and done again.
        painter = Painter(project)
        while painter.done:
            painter.undo()
        assert not any(layer.voxels.any() for layer in painter.labels.segmentation.layers.values())
        while painter.undone:
            painter.redo()
        assert np.array_equal(painter.labels.segmentation.layer(0).voxels, voxels)
        assert project.verify().problems == ()


def test_a_lost_undo_and_a_lost_blob_are_survived(drawn: Painter, tmp_path: Path) -> None:
    source, target = drawn.project.path, tmp_path / "new.medview"
    for blob in [p for p in (source / "blobs").rglob("*") if p.is_file()]:
        blob.unlink()
    _edit(
        source,
        "UPDATE journal SET name = 'x' WHERE kind = 'undo' AND seq = (SELECT min(seq) FROM journal WHERE kind = 'undo')",
    )
    report = recover_project(source, target)
    assert any("Run Organs" in loss for loss in report.losses)
    assert any("“Accept”" in loss for loss in report.losses)
    assert any("“Undo of x”" in loss for loss in report.losses)
    with Project.open(target) as project:
        assert project.verify().problems == ()
        painter = Painter(project)
        while painter.done:
            painter.undo()
        assert project.verify().problems == ()


def _hurt_schema(path: Path) -> None:
    # What SQLite then says about it is no text itself.
    file = path / "project.db"
    file.write_bytes(file.read_bytes().replace(b"CREATE TABLE journal", b"CREATE T\xedBLE journal"))


_DAMAGE: dict[str, Callable[[Path], object]] = {
    "the schema": _hurt_schema,
    "the first page": lambda path: _hurt(path, 0, 4096),
    "the header": lambda path: _hurt(path, 0, 100),
    "the last page": lambda path: _hurt(path, (path / "project.db").stat().st_size - 4096),
    "the second half": lambda path: _hurt(path, (path / "project.db").stat().st_size // 8192 * 4096),
    "a torn page": lambda path: _hurt(path, 4 * 4096 + 512, 5 * 4096),
}


@pytest.mark.parametrize("what", list(_DAMAGE))
def test_a_damaged_database_gives_back_what_its_other_pages_hold(drawn: Painter, tmp_path: Path, what: str) -> None:
    source, target = drawn.project.path, tmp_path / "new.medview"
    _DAMAGE[what](source)
    hurt = (source / "project.db").read_bytes()
    assert not verify_folder(source).ok
    # It is not written to, but read as far as that goes.
    with pytest.raises(StoreError):
        Project.open(source)
    with Project.open_or_read(source) as reader:
        assert reader.damaged
        assert "is damaged and can only be read" in reader.read_only_reason
        seen = [case.reading_id for case in reader.readings()]
        read = {reading_id: reader.load_reading(reading_id) for reading_id in seen}
    report = recover_project(source, target)
    assert (source / "project.db").read_bytes() == hurt
    with Project.open(target) as project:
        assert project.verify().problems == ()
        assert report.lost == 0 or report.losses
        if what in ("the first page", "the header", "the schema"):
            assert stored_fingerprint(project, drawn.reading_id) == live_fingerprint(drawn)
            assert report.lost == 0
        for case in project.readings():
            assert bool(read[case.reading_id].losses) == bool(report.losses)


def test_a_repaired_project_stands_in_its_place_and_the_damaged_one_beside_it(drawn: Painter, clock: StillClock) -> None:
    path = drawn.project.path
    _hurt(path, 0, 4096)
    hurt = (path / "project.db").read_bytes()
    for name in ("images/set/one.npz", "runs/segmentation-1/run.json"):
        (path / name).parent.mkdir(parents=True)
        (path / name).write_bytes(b"held beside the database")
    repair = repair_project(path, clock)
    assert repair.report.losses == []
    # The database names images by where they are, and trainings go on.
    for name in ("images/set/one.npz", "runs/segmentation-1/run.json"):
        assert (path / name).read_bytes() == b"held beside the database"
    assert repair.kept.name == "chest-damaged-20261120.medview"
    assert (repair.kept / "project.db").read_bytes() == hurt
    with Project.open(path) as project:
        assert stored_fingerprint(project, drawn.reading_id) == live_fingerprint(drawn)
        with pytest.raises(LockedError):
            repair_project(path, clock)
    assert sorted(p.name for p in path.parent.iterdir()) == ["chest-damaged-20261120.medview", "chest.medview"]


def test_a_large_damaged_database_is_not_written_to_either(drawn: Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    path = drawn.project.path
    _hurt(path, (path / "project.db").stat().st_size - 4096)
    hurt = (path / "project.db").read_bytes()
    for module in (reading_book, project_folder):
        monkeypatch.setattr(module, "CHECKED_BYTES", 0)
    with Project.open(path) as project, pytest.raises(DamagedError, match="is damaged and can only be read"):
        project.rename("x")
    assert (path / "project.db").read_bytes() == hurt


@pytest.mark.parametrize("pages", [2, 4, 6])
def test_a_database_that_is_cut_off_never_comes_back_as_if_it_were_whole(
    drawn: Painter, tmp_path: Path, pages: int
) -> None:
    file = drawn.project.path / "project.db"
    file.write_bytes(file.read_bytes()[: pages * 4096])
    target = tmp_path / "new.medview"
    report = recover_project(drawn.project.path, target)
    assert any("pages are gone" in loss for loss in report.losses)
    with Project.open(target) as project:
        assert project.verify().problems == ()


def test_what_the_database_lost_comes_from_a_backup(tmp_path: Path) -> None:
    source, target = tmp_path / "old.medview", tmp_path / "new.medview"
    voxels = write_version_1(source)
    Project.open(source).close()
    (source / "project.db").unlink()
    report = recover_project(source, target)
    assert report.losses == []
    with Project.open(target) as project:
        assert np.array_equal(project.load_reading(1).labels.segmentation.layer(0).voxels, voxels)


def test_what_a_dead_writer_left_half_done_is_rolled_back(project: Project, painter: Painter, tmp_path: Path) -> None:
    painter.add_segment()
    painter.paint((2, 3, 4), (5, 33, 44))
    project.journal.flush()
    connection = sqlite3.connect(project.path / "project.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=TRUNCATE").fetchall()
    connection.execute("PRAGMA cache_size=1")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE journal SET document = 'half', payload = zeroblob(90000)")
    left = tmp_path / "left.medview"
    left.mkdir()
    for name in ("project.db", "project.db-journal"):
        shutil.copyfile(project.path / name, left / name)
    connection.execute("ROLLBACK")
    connection.close()
    assert verify_folder(left).ok
    report = recover_project(left, tmp_path / "new.medview")
    assert report.losses == []
    with Project.open(tmp_path / "new.medview") as again:
        assert stored_fingerprint(again, painter.reading_id) == live_fingerprint(painter)


def test_nothing_is_overwritten_and_nothing_half_done_stays(drawn: Painter, tmp_path: Path) -> None:
    there = tmp_path / "there.medview"
    there.mkdir()
    (there / "thesis.txt").write_text("precious")
    with pytest.raises(StoreError, match=r"there\.medview exists already"):
        recover_project(drawn.project.path, there)
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreError, match="Nothing of empty could be found"):
        recover_project(tmp_path / "empty", tmp_path / "new.medview")
    with pytest.raises(StoreError, match="is not a folder"):
        recover_project(tmp_path / "nowhere", tmp_path / "new.medview")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["chest.medview", "empty", "there.medview"]


def test_a_project_of_a_newer_version_is_left_to_it(drawn: Painter, tmp_path: Path) -> None:
    _edit(drawn.project.path, "PRAGMA user_version = 99")
    with pytest.raises(NewerVersionError, match="was written by a newer MedView"):
        recover_project(drawn.project.path, tmp_path / "new.medview")


def test_random_damage_never_gives_a_false_label_or_an_unsound_project(drawn: Painter, tmp_path: Path) -> None:
    whole = (drawn.project.path / "project.db").read_bytes()
    live = drawn.labels.segmentation.layer(0).voxels
    for seed in range(6):
        rng = np.random.default_rng(seed)
        data = np.frombuffer(whole, dtype=np.uint8).copy()
        for start in rng.integers(0, len(data), 3):
            data[start : start + int(rng.integers(1, 600))] = rng.integers(0, 256)
        (drawn.project.path / "project.db").write_bytes(data.tobytes())
        target = tmp_path / f"new{seed}.medview"
        try:
            report = recover_project(drawn.project.path, target)
        except StoreError:
            continue
        with Project.open(target) as project:
            assert project.verify().problems == () or report.losses
            for case in project.readings():
                loaded = project.load_reading(case.reading_id)
                if not report.losses:
                    assert np.array_equal(loaded.labels.segmentation.layer(0).voxels, live)
