from __future__ import annotations

import pickle
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medview.core.box import Box
from medview.core.changes import Command
from medview.core.label_patch import LabelPatch
from medview.store import recover, row_writer
from medview.store.codec import encode
from medview.store.entry import EntryKind
from medview.store.project import Project
from medview.store.rows import JournalRow, append_row, reader_id
from tests.helpers.timing import allowed_s
from tests.store.painter import Painter, live_fingerprint, stored_fingerprint

BLOCK = ((2, 3, 4), (5, 33, 44))


def _reopened(project: Project) -> Project:
    project.close()
    return Project.open(project.path)


def _edit(path: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(path / "project.db") as connection:
        connection.execute(statement, values)
    connection.close()


def test_everything_said_about_a_case_is_there_after_reopening(project: Project, painter: Painter) -> None:
    painter.add_segment("Liver")
    painter.paint(*BLOCK)
    mask = np.zeros(painter.labels.segmentation.geometry.shape_kji, dtype=np.uint8)
    mask[3:15, 10:60, 20:80] = 1
    mask[5:8, 20:30, 30:40] = 2
    painter.accept(painter.propose(mask))
    painter.propose(mask // 2)
    painter.rename(0, "Leber ü \U0001fac0")
    painter.undo()
    painter.undo()
    with _reopened(project) as again:
        assert stored_fingerprint(again, painter.reading_id) == live_fingerprint(painter)


def test_undo_and_redo_go_on_across_a_restart(project: Project, painter: Painter) -> None:
    painter.add_segment()
    states = [live_fingerprint(painter)]
    for n in range(4):
        painter.paint((n, n, n), (n + 3, n + 20, n + 30), value=n + 1)
        states.append(live_fingerprint(painter))
    painter.undo()
    with _reopened(project) as again:
        second = Painter(again)
        second.redo()
        assert live_fingerprint(second) != states[3]
        for _ in range(5):
            second.undo()
        assert not any(layer.voxels.any() for layer in second.labels.segmentation.layers.values())
        assert second.labels.segmentation.segments == []
        assert len(second.undone) == 5


def test_what_came_by_itself_is_there_after_reopening_and_takes_no_redo_away(project: Project, painter: Painter) -> None:
    painter.add_segment()
    painter.paint(*BLOCK)
    painter.undo()
    painter.propose(np.eye(21, dtype=np.uint8)[:, :, None].repeat(90, 2).repeat(4, 1)[:, :70])
    with _reopened(project) as again:
        loaded = again.load_reading(painter.reading_id)
        assert [command.name for command in loaded.undo] == ["Add Liver"]
        assert [command.name for command in loaded.redo] == ["Brush"]
        assert len(loaded.labels.proposals) == 1
        second = Painter(again)
        second.redo()
        painted = live_fingerprint(second)
    with Project.open(project.path) as third:
        assert stored_fingerprint(third, painter.reading_id) == painted


def test_a_proposal_is_as_stale_after_a_restart_as_before(project: Project, painter: Painter) -> None:
    painter.add_segment()
    # A gesture that was applied in pieces or taken back counts in the window, but is one row or none.
    painter.labels.revision += 17
    proposal = painter.propose(np.eye(21, dtype=np.uint8)[:, :, None].repeat(90, 2).repeat(4, 1)[:, :70])
    with _reopened(project) as again:
        assert again.load_reading(painter.reading_id).labels.revision == proposal.labels_revision


def test_loading_from_a_snapshot_gives_what_replaying_every_row_gives(
    project: Project, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_writer, "SNAPSHOT_ROWS", 5)
    rng = np.random.default_rng(3)
    painter.add_segment()
    for n in range(23):
        painter.scribble(rng)
        if n % 5 == 3:
            painter.undo()
        if n % 10 == 3:
            painter.redo()
        project.journal.flush()
    with _reopened(project) as again:
        report = again.verify()
        assert report.problems == ()
        assert report.snapshots == 2
        assert stored_fingerprint(again, painter.reading_id) == live_fingerprint(painter)


def test_a_snapshot_is_also_taken_after_many_bytes(
    project: Project, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_writer, "SNAPSHOT_BYTES", 20_000)
    rng = np.random.default_rng(3)
    for _ in range(12):
        painter.scribble(rng, (4, 30, 30))
        project.journal.flush()
    with _reopened(project) as again:
        assert again.verify().snapshots == 2


def _with_two_snapshots(project: Project, painter: Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_writer, "SNAPSHOT_ROWS", 6)
    rng = np.random.default_rng(4)
    for _ in range(15):
        painter.scribble(rng)
        project.journal.flush()
    project.close()


def _snapshot_blobs(path: Path) -> list[Path]:
    with sqlite3.connect(path / "project.db") as connection:
        digests = [d for (d,) in connection.execute("SELECT blob_sha256 FROM snapshots ORDER BY seq DESC")]
    connection.close()
    return [path / "blobs" / d[:2] / d for d in digests]


@pytest.mark.parametrize("damaged", [1, 2])
def test_damaged_snapshots_cost_nothing(
    project: Project, painter: Painter, monkeypatch: pytest.MonkeyPatch, damaged: int
) -> None:
    _with_two_snapshots(project, painter, monkeypatch)
    blobs = _snapshot_blobs(project.path)
    assert len(blobs) == 2
    for blob in blobs[:damaged]:
        data = bytearray(blob.read_bytes())
        data[len(data) // 2] ^= 0xFF
        blob.write_bytes(bytes(data))
    with Project.open(project.path) as again:
        loaded = again.load_reading(painter.reading_id)
        assert loaded.losses == []
        assert stored_fingerprint(again, painter.reading_id) == live_fingerprint(painter)
        assert len(again.verify().problems) == damaged


def test_a_damaged_row_is_named_and_the_rest_is_kept(project: Project, painter: Painter) -> None:
    painter.add_segment()
    painter.paint((0, 0, 0), (2, 10, 10), name="Brush Liver")
    painter.paint((10, 40, 40), (12, 60, 60), name="Brush Spleen")
    painter.undo()
    painter.redo()
    project.close()
    _edit(project.path, "UPDATE journal SET payload = zeroblob(length(payload)) WHERE seq = 2")
    with Project.open(project.path) as again:
        loaded = again.load_reading(painter.reading_id)
        assert len(loaded.losses) == 1
        assert loaded.losses[0] == (
            "“Brush Liver” of 2026-11-20 10:00:00 UTC (tool brush, change 2) "
            "is damaged on disk and is missing from the labels."
        )
        expected = np.zeros(painter.labels.segmentation.geometry.shape_kji, dtype=np.uint8)
        expected[10:12, 40:60, 40:60] = 1
        assert np.array_equal(loaded.labels.segmentation.layer(0).voxels, expected)
        # What came after the damage can still be undone, one step.
        assert [command.name for command in loaded.undo] == ["Brush Spleen"]
        second = Painter(again)
        second.undo()
        assert not second.labels.segmentation.layer(0).voxels.any()


def test_a_stroke_over_a_damaged_one_keeps_what_it_changed(project: Project, painter: Painter) -> None:
    painter.add_segment()
    painter.paint((0, 0, 0), (2, 10, 10), value=1, name="Lost")
    painter.paint((1, 5, 5), (3, 20, 20), value=2, name="Kept")
    project.close()
    _edit(project.path, "UPDATE journal SET document = replace(document, 'patch', 'pitch') WHERE seq = 2")
    with Project.open(project.path) as again:
        loaded = again.load_reading(painter.reading_id)
        voxels = loaded.labels.segmentation.layer(0).voxels
        assert (voxels[1:3, 5:20, 5:20] == 2).all()
        assert np.count_nonzero(voxels) == 2 * 15 * 15
        assert len(loaded.losses) == 2
        assert "“Kept”" in loaded.losses[1]
        # Undo over damage is not offered, so that it can never write what nobody saw.
        assert loaded.undo == []
        second = Painter(again)
        second.paint((15, 0, 0), (16, 5, 5), value=3)
        after = live_fingerprint(second)
        assert stored_fingerprint(again, painter.reading_id) == after


def test_rows_that_are_gone_are_named(project: Project, painter: Painter) -> None:
    painter.add_segment()
    for n in range(4):
        painter.paint((n, 0, 0), (n + 1, 10, 10))
    project.close()
    _edit(project.path, "DELETE FROM journal WHERE seq IN (3, 4)")
    with Project.open(project.path) as again:
        losses = again.load_reading(painter.reading_id).losses
        assert losses == [
            "Changes 3 to 4, made before 2026-11-20 10:00:00 UTC, are gone from the project and missing from the labels."
        ]
        assert not again.verify().ok


def test_newest_rows_that_are_gone_are_said_too(project: Project, painter: Painter) -> None:
    painter.add_segment()
    for n in range(4):
        painter.paint((n, 0, 0), (n + 1, 10, 10))
    project.close()
    _edit(project.path, "DELETE FROM journal WHERE seq > 3")
    with Project.open(project.path) as again:
        losses = again.load_reading(painter.reading_id).losses
        assert losses == [
            "The newest changes of Ada are gone from the project; those made on this case are missing from the labels."
        ]


def test_text_that_is_none_any_more_costs_its_row_only(project: Project, painter: Painter) -> None:
    painter.add_segment()
    for n in range(3):
        painter.paint((n, 0, 0), (n + 1, 10, 10), name=f"Stroke {n}")
    project.close()
    _edit(project.path, "UPDATE journal SET name = CAST(x'ff80fe' AS TEXT) WHERE seq = 3")
    with Project.open(project.path) as again:
        loaded = again.load_reading(painter.reading_id)
        assert len(loaded.losses) == 1
        assert "(tool brush, change 3) is damaged on disk" in loaded.losses[0]
        assert loaded.labels.segmentation.layer(0).voxels[2, 3, 3] == 1


def test_a_missing_blob_costs_the_proposal_it_held_and_no_more(project: Project, painter: Painter) -> None:
    painter.add_segment()
    mask = np.zeros(painter.labels.segmentation.geometry.shape_kji, dtype=np.uint8)
    mask[3:15, 10:60, 20:80] = 1
    painter.propose(mask)
    painter.paint(*BLOCK)
    project.close()
    (blob,) = [p for p in (project.path / "blobs").rglob("*") if p.is_file()]
    blob.unlink()
    with Project.open(project.path) as again:
        loaded = again.load_reading(painter.reading_id)
        assert len(loaded.losses) == 1
        assert "Run Organs" in loaded.losses[0]
        assert np.array_equal(loaded.labels.segmentation.layer(0).voxels, painter.labels.segmentation.layer(0).voxels)


def _write_at_once(project: Project, painter: Painter, count: int) -> None:
    """Draw many strokes and write their rows in one transaction, which the disk takes in a moment."""
    rng = np.random.default_rng(5)
    shape, layer = painter.labels.segmentation.geometry.shape_kji, painter.labels.segmentation.layer(0)
    with project._database.writing() as connection:
        reader = reader_id(connection, "Ada", "ada")
        for seq in range(painter.seq + 1, painter.seq + count + 1):
            k, j, i = (int(n) for n in rng.integers(0, np.subtract(shape, (1, 12, 12))))
            box = Box((k, j, i), (k + 1, j + 12, i + 12))
            patch = LabelPatch.between(layer, box, rng.integers(0, 255, (1, 12, 12), dtype=np.uint8))
            assert patch is not None
            painter.labels.apply((patch,))
            stored = encode(Command("Stroke", (patch,), "brush"))
            row = JournalRow(
                reading_id=painter.reading_id,
                seq=seq,
                kind=EntryKind.DO,
                target_seq=0,
                name="Stroke",
                tool="brush",
                revision=painter.labels.revision,
                created_utc="2026-11-20T10:00:00.000+00:00",
                pixels_sha256="",
                document=stored.document,
                payload=stored.payload,
                size_bytes=stored.size_bytes,
            )
            append_row(connection, row, reader)


def test_seven_hundred_steps_come_back_quickly_and_take_little_memory(project: Project, painter: Painter) -> None:
    painter.add_segment()
    project.journal.flush()
    _write_at_once(project, painter, 700)
    with _reopened(project) as again:
        begin = time.perf_counter()
        loaded = again.load_reading(painter.reading_id)
        assert time.perf_counter() - begin < allowed_s(2.0)
        assert loaded.losses == []
        assert len(loaded.undo) == 701
        assert len(pickle.dumps(loaded.undo)) < 20_000_000
        second = Painter(again)
        assert np.array_equal(second.labels.segmentation.layer(0).voxels, painter.labels.segmentation.layer(0).voxels)
        for command in reversed(loaded.undo[1:]):
            second.labels.apply(command.inverse().changes)
        assert not second.labels.segmentation.layer(0).voxels.any()


def test_steps_over_whole_scans_come_back_as_far_as_memory_allows(
    project: Project, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recover, "UNDO_BYTES_KEPT", 200_000)
    rng = np.random.default_rng(5)
    for _ in range(40):
        painter.scribble(rng, (5, 30, 40))
    with _reopened(project) as again:
        assert 20 <= len(again.load_reading(painter.reading_id).undo) < 30
        assert stored_fingerprint(again, painter.reading_id) != live_fingerprint(painter)
        second = Painter(again)
        assert np.array_equal(second.labels.segmentation.layer(0).voxels, painter.labels.segmentation.layer(0).voxels)
        second.undo()


def test_what_cannot_be_read_today_is_there_again_when_it_can_be_read(
    project: Project, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_writer, "SNAPSHOT_ROWS", 3)
    painter.add_segment()
    mask = np.zeros(painter.labels.segmentation.geometry.shape_kji, dtype=np.uint8)
    mask[3:15, 10:60, 20:80] = 1
    painter.propose(mask)
    project.close()
    (blob,) = [p for p in (project.path / "blobs").rglob("*") if p.is_file()]
    away = blob.rename(project.path / "away")
    with Project.open(project.path) as again:
        second = Painter(again)
        assert len(second.losses) == 1
        for n in range(5):
            second.paint((n, n, n), (n + 2, n + 20, n + 20))
            again.journal.flush()
    away.rename(blob)
    with Project.open(project.path) as again:
        third = Painter(again)
        assert third.losses == []
        assert set(third.labels.proposals) == {"p1"}
        assert again.verify().problems == ()


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["paint", "paint", "paint", "undo", "redo", "add", "rename", "propose", "reopen"]),
        st.integers(0, 2**31),
    ),
    max_size=25,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_STEPS)
def test_whatever_was_done_a_reopened_case_is_the_live_one(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, int]]
) -> None:
    monkeypatch.setattr(row_writer, "SNAPSHOT_ROWS", 4)
    project = Project.create(tmp_path_factory.mktemp("store") / "p.medview")
    painter = Painter(project)
    try:
        painter.add_segment()
        for what, seed in steps:
            rng = np.random.default_rng(seed)
            if what == "paint":
                painter.scribble(rng)
            elif what == "undo" and painter.done:
                painter.undo()
            elif what == "redo" and painter.undone:
                painter.redo()
            elif what == "add":
                painter.add_segment(f"Segment {seed}")
            elif what == "rename" and painter.labels.segmentation.segments:
                painter.rename(seed % len(painter.labels.segmentation.segments), f"Name {seed}")
            elif what == "propose" and not painter.labels.proposals:
                painter.propose(rng.integers(0, 3, (21, 70, 90), dtype=np.uint8))
            elif what == "reopen":
                before = live_fingerprint(painter)
                project = _reopened(project)
                painter = Painter(project)
                assert live_fingerprint(painter) == before
        assert stored_fingerprint(project, painter.reading_id) == live_fingerprint(painter)
        assert project.verify().problems == ()
    finally:
        project.close()
