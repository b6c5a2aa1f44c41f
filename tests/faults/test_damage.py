"""Damaged files: what is lost is named, change by change, nothing else is, and nobody goes on as if nothing had happened.

``MEDVIEW_DAMAGES`` says how many random damages are tried, ``MEDVIEW_FAULTS_SEED`` which.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from medview.core.case_labels import CaseLabels
from medview.core.changes import Command, SegmentChange
from medview.core.errors import MedViewError, StoreError
from medview.core.geometry import Geometry
from medview.store import ballast, row_writer
from medview.store.parts import blobs_of
from medview.store.project import Project
from medview.store.recovery import recover_project
from tests.faults.kept import READER, open_kept, series_of
from tests.faults.tiles import SEGMENT, TILES, missing, named, paint_tiles
from tests.helpers.annotating import content, counted_anew, fingerprint

DAMAGES = int(os.environ.get("MEDVIEW_DAMAGES", "18"))
SEED = int(os.environ.get("MEDVIEW_FAULTS_SEED", "6"))
PAGE = 4096


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CaseLabels]:
    """A sound project of tiles with two snapshots, and its labels."""
    path = tmp_path_factory.mktemp("painted") / "tiles.medview"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_writer, "SNAPSHOT_ROWS", 19)
        patch.setattr(ballast, "BALLAST_BYTES", 0)
        paint_tiles(path)
    with Project.open(path, read_only=True) as project:
        return path, project.load_reading(1).labels


@pytest.fixture
def tiles(painted: tuple[Path, CaseLabels], quick_disk: Path) -> tuple[Path, CaseLabels]:
    """A copy of it to damage."""
    path = quick_disk / "tiles.medview"
    shutil.copytree(painted[0], path)
    return path, painted[1]


def _copy(path: Path) -> Path:
    damaged = path.with_name("damaged.medview")
    shutil.rmtree(damaged, ignore_errors=True)
    shutil.copytree(path, damaged)
    return damaged


def _flip(data: bytearray, rng: np.random.Generator) -> None:
    data[int(rng.integers(100, len(data)))] ^= 1 << int(rng.integers(8))


def _lose_page(data: bytearray, rng: np.random.Generator) -> None:
    at = int(rng.integers(1, len(data) // PAGE)) * PAGE
    data[at : at + PAGE] = bytes(PAGE)


def _tear_last_page(data: bytearray, _rng: np.random.Generator) -> None:
    data[-PAGE // 2 :] = bytes(PAGE // 2)


def _cut(data: bytearray, rng: np.random.Generator) -> None:
    del data[len(data) - int(rng.integers(1, 8 * PAGE)) :]


def _overwrite_sector(data: bytearray, rng: np.random.Generator) -> None:
    at = int(rng.integers(1, len(data) // 512)) * 512
    data[at : at + 512] = rng.bytes(512)


@pytest.mark.timeout(0)
def test_a_damaged_database_is_refused_or_says_exactly_what_is_missing(tiles: tuple[Path, CaseLabels]) -> None:
    path, whole = tiles
    seen: Counter[str] = Counter()
    for number in range(DAMAGES):
        rng = np.random.default_rng([SEED, number])
        damage = (_flip, _lose_page, _tear_last_page, _cut, _overwrite_sector, _flip)[number % 6]
        damaged = _copy(path)
        file = damaged / "project.db"
        data = bytearray(file.read_bytes())
        damage(data, rng)
        file.write_bytes(data)
        where = f"{damage.__name__} {number} of seed {SEED}"
        outcome = _tried(damaged, whole, where)
        seen[outcome] += 1
        if outcome == "only read":
            assert file.read_bytes() == bytes(data), f"{where}: what could not be read was written"
        _recovered(damaged, whole, where)
    assert min(seen["only read"], seen["named"], seen["whole"]) > 0, seen


def _tried(damaged: Path, whole: CaseLabels, where: str) -> str:
    """Open a damaged project as the window does and say how that went."""
    try:
        project = Project.open_or_read(damaged, reader=READER)
    except MedViewError:
        return "only read"
    with project:
        kept = open_kept(project)
        gone, losses = missing(kept.case.labels, whole), kept.case.losses
        assert counted_anew(kept.case.labels.segmentation), where
        if kept.case.read_only:
            told = "damaged" in kept.case.read_only
            assert told or _told(gone, losses), f"{where}: {sorted(gone)} are missing, {losses} was said"
            return "only read"
        assert _told(gone, losses), f"{where}: {sorted(gone)} are missing, {losses} was said"
        assert not losses or not project.verify().ok, where
        return "named" if losses else "whole"


def _recovered(damaged: Path, whole: CaseLabels, where: str) -> None:
    """Recover what is left into a new project: sound, and it says what is missing."""
    target = damaged.with_name("recovered.medview")
    shutil.rmtree(target, ignore_errors=True)
    report = recover_project(damaged, target)
    with Project.open(target, reader=READER) as project:
        assert project.verify().problems == (), where
        case = open_kept(project).case
        assert not case.read_only, where
        gone = missing(case.labels, whole)
        assert _told(gone, report.losses), f"{where}: {sorted(gone)} were not recovered, {report.losses} was said"


def _told(gone: set[int], losses: Sequence[str]) -> bool:
    """Whether losses name just the changes that are gone, or say that all from some change on are."""
    if any(loss.startswith("What case 1") for loss in losses):
        return gone == set(range(1, TILES + 2))
    if any(loss.startswith("The newest changes") for loss in losses):
        newest = set(range(TILES + 2 - len(gone - named(losses)), TILES + 2))
        return named(losses) <= gone and gone - named(losses) == newest - named(losses)
    return gone == named(losses)


@pytest.mark.parametrize(
    ("statement", "lost"),
    [
        ("UPDATE journal SET payload = substr(payload, 1, length(payload) - 1) WHERE seq = 7", {7}),
        ("UPDATE journal SET payload = NULL WHERE seq = 7", set()),
        ("UPDATE journal SET document = 'no JSON' WHERE seq IN (7, 8)", {7, 8}),
        ("UPDATE journal SET document = CAST(x'ff00ff' AS TEXT) WHERE seq = 48", {48}),
        ("UPDATE journal SET kind = 'undo' WHERE seq = 9", {9}),
        ("UPDATE journal SET target_seq = 'x' WHERE seq = 9", {9}),
        ("UPDATE journal SET revision = x'00' WHERE seq = 9", {9}),
        ("UPDATE journal SET seq = 900 WHERE seq = 9", {9}),
        ("UPDATE journal SET seq = -9 WHERE seq = 9", {9}),
        ("UPDATE journal SET seq = 9000 WHERE seq = 49", {49}),
        ("UPDATE journal SET case_id = 77 WHERE seq = 20", {20}),
        ("DELETE FROM journal WHERE seq BETWEEN 11 AND 14", {11, 12, 13, 14}),
        ("DELETE FROM journal WHERE seq = 10; UPDATE journal SET name = 'x' WHERE seq = 11", {10, 11}),
        ("DELETE FROM journal WHERE seq = 48; UPDATE journal SET name = 'x' WHERE seq = 49", {48, 49}),
    ],
)
def test_damaged_rows_are_named_and_all_others_are_there(
    tiles: tuple[Path, CaseLabels], statement: str, lost: set[int]
) -> None:
    path, whole = tiles
    database = sqlite3.connect(path / "project.db")
    # Without snapshots, which would know better.
    database.execute("DELETE FROM snapshots")
    with database:
        # A row whose payload may be nothing does not exist.
        database.execute("PRAGMA foreign_keys=OFF")
        try:
            for each in statement.split("; "):
                database.execute(each)
        except sqlite3.IntegrityError:
            assert not lost
    database.close()
    with Project.open(path, reader=READER) as project:
        kept = open_kept(project)
        assert missing(kept.case.labels, whole) == lost
        assert named(kept.case.losses) == lost
        assert project.verify().ok == (not lost)
        # Work goes on, and what is done now is kept.
        kept.annotator(1).step(0)
        assert project.journal.flush()
        now = content(kept.case.labels)
    with Project.open(path, reader=READER) as project:
        assert content(open_kept(project).case.labels) == now


def test_newest_changes_that_are_gone_are_told_of(tiles: tuple[Path, CaseLabels]) -> None:
    path, whole = tiles
    database = sqlite3.connect(path / "project.db")
    with database:
        database.execute("DELETE FROM snapshots")
        database.execute("DELETE FROM journal WHERE seq > 45")
    database.close()
    with Project.open(path, reader=READER) as project:
        case = open_kept(project).case
        assert missing(case.labels, whole) == {46, 47, 48, 49}
        assert case.losses == (
            "The newest changes of Ada are gone from the project; those made on this case are missing from the labels.",
        )


@pytest.mark.parametrize("column", ["study_uid", "series_uid", "geometry", "sources"])
def test_a_case_whose_series_can_no_longer_be_told_is_not_replaced_by_an_empty_one(
    tiles: tuple[Path, CaseLabels], column: str
) -> None:
    path, _ = tiles
    database = sqlite3.connect(path / "project.db")
    with database:
        database.execute(f"UPDATE cases SET {column} = replace({column}, '.3', '.5')")
        database.execute(f"UPDATE cases SET {column} = replace({column}, '[]', '[\"1.5\"]')")
    database.close()
    with Project.open(path, reader=READER) as project:
        case = open_kept(project).case
        assert case.read_only
        assert case.labels.segmentation.segments == []
        assert project.info()["cases"] == 1


_BLOB_DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": lambda blob: blob.unlink(),
    "emptied": lambda blob: blob.write_bytes(b""),
    "cut": lambda blob: blob.write_bytes(blob.read_bytes()[:-7]),
    "flipped": lambda blob: blob.write_bytes(bytes([blob.read_bytes()[0] ^ 4]) + blob.read_bytes()[1:]),
}


@pytest.mark.parametrize("damage", _BLOB_DAMAGES)
def test_a_damaged_file_beside_the_database_costs_the_changes_it_held_and_a_snapshot_costs_nothing(
    quick_disk: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.setattr(row_writer, "SNAPSHOT_ROWS", 17)
    path = quick_disk / "work.medview"
    with Project.create(path, reader=READER) as project:
        kept = open_kept(project)
        hand = kept.annotator(20)
        for step in range(90):
            hand.step(step)
            assert project.journal.flush()
        last = fingerprint(kept.case)
    holders, snapshots = _holders(path)
    assert len(snapshots) == 2
    assert len(holders) > 2
    for digest in (*holders, *snapshots):
        damaged = _copy(path)
        _BLOB_DAMAGES[damage](damaged / "blobs" / digest[:2] / digest)
        with Project.open(damaged, reader=READER) as project:
            case = open_kept(project).case
            assert not project.verify().ok
            if digest in snapshots:
                assert case.losses == ()
                assert fingerprint(case) == last
            elif case.losses:
                assert named(case.losses) & holders[digest]
            else:
                # A snapshot knows what came of it; only the way back is shorter.
                assert len(case.history.names) < 90
            assert counted_anew(case.labels.segmentation)


def _holders(path: Path) -> tuple[dict[str, set[int]], list[str]]:
    """Return which changes refer to each blob, and the blobs that are snapshots."""
    database = sqlite3.connect(path / "project.db")
    holders: dict[str, set[int]] = {}
    for seq, document in database.execute("SELECT seq, document FROM journal WHERE document != ''"):
        for digest in blobs_of(json.loads(document)):
            holders.setdefault(digest, set()).add(seq)
    snapshots = [digest for (digest,) in database.execute("SELECT blob_sha256 FROM snapshots")]
    database.close()
    return holders, snapshots


def test_a_case_that_can_no_longer_be_told_keeps_no_other_from_being_recovered(tiles: tuple[Path, CaseLabels]) -> None:
    path, whole = tiles
    with Project.open(path, reader=READER) as project:
        other = series_of(Geometry.from_spacing((4, 5, 6), (1.0, 1.0, 1.0)))
        case = open_kept(project, other).case
        case.do(Command("Add", (SegmentChange(None, SEGMENT, 0),)))
    database = sqlite3.connect(path / "project.db")
    with database:
        database.execute("UPDATE cases SET geometry = 'no JSON' WHERE case_id = 2")
    database.close()
    target = path.with_name("recovered.medview")
    report = recover_project(path, target)
    assert report.losses[0] == "What case 2 was drawn on is damaged, so its labels could not be kept."
    with Project.open(target, reader=READER) as project:
        assert missing(open_kept(project).case.labels, whole) == set()


def test_a_project_that_is_not_one_is_refused(tiles: tuple[Path, CaseLabels]) -> None:
    path, _ = tiles
    (path / "project.db").write_bytes(b"")
    with pytest.raises(StoreError, match="is not a MedView project"):
        Project.open(path)
    (path / "project.db").write_bytes(b"nothing that SQLite knows" * 400)
    with pytest.raises(StoreError, match="is not a MedView project"):
        Project.open(path)
    assert TILES > 40
