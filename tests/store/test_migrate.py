"""Projects of older versions are brought up to date and lose nothing on the way."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from medview.core.changes import MarksChange
from medview.core.errors import MedViewError, NewerVersionError, StoreError
from medview.core.marks import Marks
from medview.core.segmentation import SegmentRole
from medview.store import backups, migrate, schema
from medview.store.backups import content_hashes
from medview.store.project import Project
from tests.store.conftest import StillClock
from tests.store.painter import Painter, live_fingerprint, stored_fingerprint
from tests.store.version1 import write_version_1


def _version(path: Path) -> int:
    with sqlite3.connect(path / "project.db") as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return int(version)


@pytest.mark.parametrize("snapshot", [False, True])
def test_a_project_of_version_1_opens_with_everything_in_it(tmp_path: Path, snapshot: bool) -> None:
    path = tmp_path / "old.medview"
    voxels = write_version_1(path, snapshot=snapshot)
    with Project.open(path) as project:
        loaded = project.load_reading(1)
        assert loaded.losses == []
        assert np.array_equal(loaded.labels.segmentation.layer(0).voxels, voxels)
        (segment,) = loaded.labels.segmentation.segments
        assert (segment.name, segment.role, segment.absent, segment.group) == ("Liver", SegmentRole.STRUCTURE, False, "")
        assert loaded.labels.marks == Marks()
        assert [command.name for command in loaded.undo] == ["Add Liver", "Brush Liver", "Brush Liver again"]
        assert project.verify().problems == ()
    assert _version(path) == schema.SCHEMA_VERSION == 5


def test_the_state_before_is_kept_row_by_row_and_said(tmp_path: Path, clock: StillClock) -> None:
    path = tmp_path / "old.medview"
    voxels = write_version_1(path)
    before = content_hashes(path / "project.db")
    with Project.open(path, clock=clock) as project:
        assert project.notices == (
            "old.medview was made by an older MedView and was brought to the present version; "
            "it is kept as it was in backups/project-v1-20261120T100000Z.db.",
        )
        assert project.info()["migrations"] == [
            {"from": 1, "to": 5, "made_utc": "2026-11-20T10:00:00.000+00:00", "backup": "project-v1-20261120T100000Z.db"}
        ]
    kept = path / "backups" / "project-v1-20261120T100000Z.db"
    assert content_hashes(kept) == before
    # And it is a project of version 1 again when it takes the place of the newer one.
    (path / "project.db").write_bytes(kept.read_bytes())
    with Project.open(path, read_only=True) as project:
        assert np.array_equal(project.load_reading(1).labels.segmentation.layer(0).voxels, voxels)
        assert project.info()["migrations"] == []


def test_the_second_time_nothing_is_migrated_or_said(tmp_path: Path) -> None:
    path = tmp_path / "old.medview"
    write_version_1(path)
    Project.open(path).close()
    with Project.open(path) as project:
        assert project.notices == ()
        assert len(list((path / "backups").iterdir())) == 1


def test_work_goes_on_where_the_older_version_left_it(tmp_path: Path) -> None:
    path = tmp_path / "old.medview"
    write_version_1(path)
    with Project.open(path) as project:
        case = project.readings()[0]
        painter = Painter(project, case.geometry, key=case.key, sources=case.sources)
        painter.paint((4, 0, 0), (6, 10, 10), value=1)
        painter.do("Mark slice 3 done", MarksChange(Marks(), Marks(frozenset({3}))), tool="marks")
        for _ in range(4):
            painter.undo()
        painter.redo()
        assert stored_fingerprint(project, 1) == live_fingerprint(painter)
        assert project.verify().problems == ()


def test_reading_an_older_project_changes_nothing_in_it(tmp_path: Path) -> None:
    path = tmp_path / "old.medview"
    voxels = write_version_1(path)
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    with Project.open(path, read_only=True) as project:
        assert np.array_equal(project.load_reading(1).labels.segmentation.layer(0).voxels, voxels)
        assert project.verify().problems == ()
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("where", ["backup", "comparison", "step"])
def test_a_migration_that_fails_leaves_the_project_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    path = tmp_path / "old.medview"
    voxels = write_version_1(path)
    before = (path / "project.db").read_bytes()

    def fail(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    if where == "backup":
        monkeypatch.setattr(backups, "_sync", fail)
    elif where == "comparison":
        monkeypatch.setattr(backups, "content_hashes", lambda file: {"journal": file.name})
    else:

        def half(connection: object) -> None:
            migrate._from_1(connection)  # type: ignore[arg-type]
            fail()

        monkeypatch.setitem(migrate._STEPS, 1, half)
    with pytest.raises(MedViewError, match=r"no room for old\.medview|backup of old\.medview differs"):
        Project.open(path)
    assert (path / "project.db").read_bytes() == before
    if where != "step":
        assert list((path / "backups").iterdir()) == []
    monkeypatch.undo()
    with Project.open(path) as project:
        assert np.array_equal(project.load_reading(1).labels.segmentation.layer(0).voxels, voxels)


def test_a_damaged_database_is_not_migrated(tmp_path: Path) -> None:
    path = tmp_path / "old.medview"
    write_version_1(path)
    data = bytearray((path / "project.db").read_bytes())
    data[-4096:] = bytes(4096)
    (path / "project.db").write_bytes(bytes(data))
    with pytest.raises(StoreError, match=r"The database of old\.medview is damaged"):
        Project.open(path)
    assert (path / "project.db").read_bytes() == bytes(data)


def test_changes_of_a_kind_a_newer_version_knows_are_named_and_left_out_while_reading(tmp_path: Path) -> None:
    path = tmp_path / "new.medview"
    write_version_1(path)
    Project.open(path).close()
    with sqlite3.connect(path / "project.db") as connection:
        connection.execute("PRAGMA user_version = 99")
        # Its hash is right; its document is of a version that nobody here can read.
        connection.execute("UPDATE journal SET document = replace(document, '\"v\":1', '\"v\":99') WHERE seq = 3")
    connection.close()
    with pytest.raises(NewerVersionError, match=r"new\.medview was written by a newer MedView and can only be read"):
        Project.open(path)
    with Project.open(path, read_only=True) as project:
        assert project.read_only
        assert "newer MedView" in project.read_only_reason
        loaded = project.load_reading(1)
        assert loaded.losses
        assert loaded.labels.segmentation.layer(0).voxels[1, 4, 5] == 1
