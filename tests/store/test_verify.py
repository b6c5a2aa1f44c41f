from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from medview.store import live_verify, row_writer
from medview.store.project import Project
from medview.store.verify import VerifyReport, verify_project
from tests.store.painter import Painter


@pytest.fixture
def written(project: Project, painter: Painter) -> Path:
    """A closed project with a proposal and strokes of two readers."""
    painter.add_segment()
    mask = np.zeros((21, 70, 90), dtype=np.uint8)
    mask[2:9, 5:50, 7:60] = 2
    painter.accept(painter.propose(mask))
    project.close()
    with Project.open(project.path, reader="Grace") as again:
        second = Painter(again)
        second.paint((0, 0, 0), (4, 30, 20))
        second.undo()
    return project.path


def _problems(path: Path) -> tuple[str, ...]:
    with Project.open(path, read_only=True) as project:
        return project.verify().problems


def _edit(path: Path, statement: str) -> None:
    with sqlite3.connect(path / "project.db") as connection:
        connection.execute(statement)
    connection.close()


def test_a_sound_project_has_no_problems(written: Path) -> None:
    with Project.open(written) as project:
        report = project.verify()
    assert (report.ok, report.rows, report.cases, report.blobs) == (True, 5, 1, 1)
    assert report.document()["problems"] == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE journal SET name = 'Tumour' WHERE row_id = 4",
            "Change 1 of case 1 (Grace, reader) does not match",
        ),
        ("UPDATE journal SET document = replace(document, 'Liver', 'Lever') WHERE seq = 1", "does not match its checksum"),
        (
            "UPDATE journal SET created_utc = '2020-01-01T00:00:00' WHERE seq = 2",
            "Change 2 of case 1 (Ada, reader) does not match",
        ),
        ("DELETE FROM journal WHERE seq = 2", "Change 3 of case 1 (Ada, reader) does not follow its reader's"),
        ("DELETE FROM journal WHERE row_id = 5", "The newest changes of reader 2 are missing."),
        ("UPDATE cases SET series_uid = '6.6.6'", "What case 1 (Ada, reader) was drawn on has been changed."),
        ("UPDATE cases SET sources = replace(sources, '1.2.3.4.7', '6.6.6')", "What case 1 (Grace, reader) was drawn on"),
        ("UPDATE readers SET name = 'Eve', reader_uid = 'eve' WHERE reader_id = 1", "does not match its checksum"),
    ],
)
def test_what_was_altered_is_named(written: Path, statement: str, said: str) -> None:
    _edit(written, statement)
    problems = _problems(written)
    assert any(said in problem for problem in problems), problems


def test_a_missing_blob_is_named(written: Path) -> None:
    (blob,) = [p for p in (written / "blobs").rglob("*") if p.is_file()]
    blob.unlink()
    assert any(blob.name[:12] in problem for problem in _problems(written))


def test_a_snapshot_that_says_something_else_than_the_rows_is_found(
    project: Project, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_writer, "SNAPSHOT_ROWS", 3)
    rng = np.random.default_rng(0)
    for _ in range(8):
        painter.scribble(rng)
        project.journal.flush()
    project.close()
    # The older snapshot passed off as the newer one: every checksum is right, the content is not.
    _edit(
        project.path,
        "UPDATE snapshots SET blob_sha256 = (SELECT blob_sha256 FROM snapshots ORDER BY seq LIMIT 1) "
        "WHERE seq = (SELECT max(seq) FROM snapshots)",
    )
    with Project.open(project.path) as again:
        assert "The snapshot of case 1 after change 6 does not agree with its changes." in again.verify().problems
        assert np.array_equal(
            again.load_reading(painter.reading_id).labels.segmentation.layer(0).voxels,
            painter.labels.segmentation.layer(0).voxels,
        )


def test_a_damaged_page_is_found(written: Path) -> None:
    file = written / "project.db"
    data = bytearray(file.read_bytes())
    data[-4096:] = bytes(4096)
    file.write_bytes(bytes(data))
    with Project.open(written, read_only=True) as project:
        assert not project.verify().ok


def test_a_project_that_is_written_while_it_is_checked_is_not_called_damaged(
    project: Project, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_writer, "SNAPSHOT_ROWS", 3)
    rng = np.random.default_rng(0)

    def work(gestures: int) -> None:
        for _ in range(gestures):
            painter.scribble(rng)
            project.journal.flush()

    work(8)
    checks = []

    def check_beside_somebody_who_works(*args: object) -> VerifyReport:
        if not checks:
            # New snapshots come, and the files of those in the copy that is checked go.
            work(12)
        checks.append(verify_project(*args))  # type: ignore[arg-type]
        return checks[-1]

    monkeypatch.setattr(live_verify, "verify_project", check_beside_somebody_who_works)
    assert project.verify().problems == ()
    assert [report.ok for report in checks] == [False, True]
